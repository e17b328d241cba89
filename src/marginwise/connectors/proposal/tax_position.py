"""Tells whether the prices of a file include tax: from its tax amounts, else from the names of its columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marginwise.connectors.proposal.flat import share_of_rows
from marginwise.connectors.proposal.lexicon import vocabulary, words_of

if TYPE_CHECKING:
    import duckdb

    from marginwise.connectors.proposal.matching import Match

__all__ = ["share_of_tax", "tax_position"]

TAX_RATES = (
    0.19,
    0.07,
    0.2,
    0.055,
    0.1,
    0.21,
    0.22,
    0.04,
    0.06,
    0.23,
    0.13,
    0.09,
    0.081,
    0.077,
    0.025,
    0.25,
    0.08,
    0.05,
    0.16,
)


def tax_position(
    con: duckdb.DuckDBPyConnection, relation: str, found: dict[str, Match], value: str | None
) -> tuple[bool | None, str]:
    """Tell whether prices include tax, None when nothing tells, and what told it.

    Parameters
    ----------
    con
        The database with the file's rows.
    relation
        Table of the rows.
    found
        The columns by meaning.
    value
        The value of a line in SQL, None when there is none.
    """
    tax, rate = found.get("tax"), found.get("tax_rate")
    if tax is not None and value is not None:
        rates = [part_of_one(rate)] if rate else [str(known) for known in TAX_RATES]
        line, taxed = f"abs({value})::double", f"abs({tax.number_sql})::double"
        inside = " or ".join(f"abs({taxed} - {line} * {r} / (1 + {r})) <= 0.011" for r in rates)
        beside = " or ".join(f"abs({taxed} - {line} * {r}) <= 0.011" for r in rates)
        where = f"{taxed} > 0.05 and {line} > 1"
        included, count = share_of_rows(con, relation, inside, where)
        excluded, _ = share_of_rows(con, relation, beside, where)
        best = max(included, excluded)
        if count >= 5 and best > 0.75 and abs(included - excluded) > 0.2:
            told = "inside" if included > excluded else "on top of"
            return included > excluded, f"the tax amounts are the tax {told} the prices in {best:.0%} of the rows"
    included_in_orders, told = _of_order_totals(con, relation, found)
    if included_in_orders is not None:
        return included_in_orders, told
    for concept in ("unit_price", "line_total", "line_gross", "order_total"):
        if concept in found:
            name = found[concept].column.name
            words = set(words_of(name))
            if words & vocabulary("with_tax").keys():
                return True, f"the name {name!r} says so"
            if words & vocabulary("without_tax").keys() and concept != "line_total":
                return False, f"the name {name!r} says without tax"
    return None, "nothing in the file tells"


def _of_order_totals(con: duckdb.DuckDBPyConnection, relation: str, found: dict[str, Match]) -> tuple[bool | None, str]:
    """Tell it from the sums of the orders: a total that is goods and shipping has the tax inside, one with tax on top not."""
    total, goods, tax = (found.get(name) for name in ("order_total", "order_subtotal", "tax"))
    total = total or found.get("line_total")
    if total is None or goods is None or tax is None:
        return None, ""
    where = f"{tax.number_sql} > 0.05 and {total.number_sql} > 1 and {goods.number_sql} is not null"
    shipping = _or_nothing(found, "shipping_charged")
    parts = (
        f"{goods.column.name}{' and ' + found['shipping_charged'].column.name if 'shipping_charged' in found else ''}"
    )
    for less in dict.fromkeys(("0", _or_nothing(found, "order_discount"), _or_nothing(found, "discount"))):
        left = f"{total.number_sql} - ({goods.number_sql} - {less} + {shipping})"
        inside, count = share_of_rows(con, relation, f"abs({left}) <= 0.021", where)
        beside, _ = share_of_rows(con, relation, f"abs({left} - {tax.number_sql}) <= 0.021", where)
        share = max(inside, beside)
        if count >= 5 and share > 0.75:
            told = (
                f"{total.column.name} is {parts}, {'with the tax inside' if inside > beside else 'with the tax on top'}"
            )
            return inside > beside, f"{told}, in {share:.0%} of the orders"
    return None, ""


def _or_nothing(found: dict[str, Match], concept: str) -> str:
    return f"abs(coalesce({found[concept].number_sql}, 0))" if concept in found else "0"


def share_of_tax(rate: Match, *, with_tax: bool) -> str:
    """Return the share of a value that is tax, in SQL."""
    part = part_of_one(rate)
    return f"({part} / (1 + {part}))" if with_tax else part


def part_of_one(rate: Match) -> str:
    """Return a rate as a fraction of one, in SQL, whether it is written as 0.19 or as 19."""
    percent = "" if (rate.column.maximum or 0) <= 1 else " / 100"
    return f"(coalesce({rate.column.rate_sql}, 0){percent})"
