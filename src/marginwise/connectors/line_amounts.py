"""Works out the amounts of a file of order lines: price, discount and tax from whichever of them the file states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from marginwise.connectors.column_names import vocabulary, words_of
from marginwise.connectors.drafts import Draft, plain, plain_draft
from marginwise.connectors.flat import Dependencies, share_of_rows

if TYPE_CHECKING:
    import duckdb

    from marginwise.connectors.matching import Match
    from marginwise.connectors.profile import FileProfile

__all__ = ["LineAmounts", "line_amounts", "tax_position"]

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


@dataclass(frozen=True, slots=True)
class LineAmounts:
    """Drafts of the amounts of an order line.

    Parameters
    ----------
    columns
        Drafts of quantity, unit_price, discount_amount, tax_amount and unit_cost of ``order_items``.
    value
        The line's value before tax questions, after discount, in SQL; None when there is no price.
    quantity
        The quantity in SQL.
    with_tax
        True when prices include tax, False when not, None when nothing tells.
    tax_reason
        What told it.
    """

    columns: dict[str, Draft]
    value: str | None
    quantity: str
    with_tax: bool | None
    tax_reason: str


def line_amounts(
    con: duckdb.DuckDBPyConnection, profile: FileProfile, found: dict[str, Match], inside_order: Dependencies | None
) -> LineAmounts:
    """Draft the amounts of order lines and prove them on the rows.

    Parameters
    ----------
    con
        The database with the file's rows.
    profile
        The file.
    found
        The columns by meaning.
    inside_order
        What the order number determines; amounts that stay the same in an order belong to it, not to the line.
    """
    columns: dict[str, Draft] = {}
    relation = profile.relation
    quantity = found.get("quantity")
    number = quantity.number_sql if quantity else "1"
    if quantity:
        columns["quantity"] = plain_draft(quantity)
    else:
        columns["quantity"] = Draft("1", 0.6, "no column with quantities: every row is taken as one piece")
    price, total = found.get("unit_price"), found.get("line_total")
    if total is None and price is None and "order_subtotal" in found:
        total = found["order_subtotal"]
    discount = _line_discount(found, inside_order, number, price)
    discount_sql = f"coalesce({discount.expression}, 0)" if discount else "0"
    if discount and not discount.expression.startswith(("abs", "round", "try_cast")):
        discount_sql = f"coalesce(try_cast({discount.expression} as decimal(18, 4)), 0)"
    value = None
    if price is not None:
        columns["unit_price"], implied = _checked_price(con, relation, price, total, number, discount_sql)
        value = f"{number} * {price.number_sql}"
        discount = discount or implied
        if discount:
            value = f"({value} - coalesce({_number(discount.expression)}, 0))"
    elif total is not None:
        sure = 1.0 if quantity else 0.8
        if quantity:
            before = f"({total.number_sql} + {discount_sql})" if discount else total.number_sql
            expression = f"{before} / nullif({number}, 0)"
            told = "line total ÷ quantity" + (
                ", the discount added back: check that the total is after discount" if discount else ""
            )
        else:
            expression, told = plain(total), "the line's total, as one piece"
        if (
            inside_order
            and inside_order.repeated > 5
            and inside_order.is_constant(total.column.name)
            and inside_order.comparable[total.column.name] > 5
        ):
            sure, told = 0.5, f"{told}; it is the same in all rows of an order: is it the order's total?"
        columns["unit_price"] = Draft(expression, round(total.confidence * sure * 0.95, 2), f"{total.reason}; {told}")
        value = total.number_sql
    if discount:
        columns["discount_amount"] = discount
    cost, line_cost = found.get("unit_cost"), found.get("line_cost")
    if cost is not None:
        columns["unit_cost"] = plain_draft(cost)
    elif line_cost is not None:
        columns["unit_cost"] = Draft(
            f"{line_cost.number_sql} / nullif({number}, 0)",
            line_cost.confidence * 0.9,
            f"{line_cost.reason}; total cost ÷ quantity",
        )
    with_tax, reason = tax_position(con, relation, found, value)
    tax = _line_tax(found, inside_order, value, with_tax)
    if tax:
        columns["tax_amount"] = tax
    return LineAmounts(columns, value, number, with_tax, reason)


def tax_position(
    con: duckdb.DuckDBPyConnection, relation: str, found: dict[str, Match], value: str | None
) -> tuple[bool | None, str]:
    """Tell whether prices include tax: from the tax amounts, else from the names of the amount columns."""
    tax, rate = found.get("tax"), found.get("tax_rate")
    if tax is not None and value is not None:
        top = f"{rate.number_sql} / (case when {rate.number_sql} > 1 then 100 else 1 end)" if rate else None
        rates = [top] if top else [str(known) for known in TAX_RATES]
        line, taxed = f"abs({value})", f"abs({tax.number_sql})"
        inside = " or ".join(f"abs({taxed} - {line} * ({r}) / (1 + ({r}))) <= 0.011" for r in rates)
        beside = " or ".join(f"abs({taxed} - {line} * ({r})) <= 0.011" for r in rates)
        where = f"{taxed} > 0.05 and {line} > 1"
        included, count = share_of_rows(con, relation, inside, where)
        excluded, _ = share_of_rows(con, relation, beside, where)
        if count >= 5 and max(included, excluded) > 0.75 and abs(included - excluded) > 0.2:
            is_in = included > excluded
            return (
                is_in,
                f"the tax amounts are the tax {'inside' if is_in else 'on top of'} the prices in {max(included, excluded):.0%} of the rows",
            )
    for concept in ("unit_price", "line_total", "order_total"):
        if concept in found:
            words = set(words_of(found[concept].column.name))
            if words & vocabulary("with_tax").keys():
                return True, f"the name {found[concept].column.name!r} says so"
            if words & vocabulary("without_tax").keys():
                return False, f"the name {found[concept].column.name!r} says without tax"
    return None, "nothing in the file tells"


def _checked_price(
    con: duckdb.DuckDBPyConnection, relation: str, price: Match, total: Match | None, number: str, discount: str
) -> tuple[Draft, Draft | None]:
    """Hold the price against the line total, where there is one; return the price, and a discount the total implies."""
    if total is None:
        return plain_draft(price), None
    product = f"{number} * {price.number_sql}"
    where = f"{total.number_sql} <> 0 and {product} <> 0"
    for value, told in (
        (product, "quantity × price"),
        (f"({product} - {discount})", "quantity × price − discount"),
        (f"{product} * (1 - {discount})", ""),
    ):
        share, count = share_of_rows(con, relation, f"abs(abs({value}) - abs({total.number_sql})) <= 0.011", where)
        if share >= 0.98 and count >= 3 and told:
            sure = min(0.99, price.confidence + 0.1)
            return Draft(
                plain(price), round(sure, 2), f"{price.reason}; {told} = {total.column.name} in {share:.0%} of the rows"
            ), None
    equal, _ = share_of_rows(con, relation, f"abs({product} - {total.number_sql}) <= 0.011", where)
    lower, _ = share_of_rows(
        con,
        relation,
        f"abs({total.number_sql}) <= abs({product}) + 0.011 and {total.number_sql} * {product} > 0",
        where,
    )
    ratio = con.execute(
        f"select quantile_cont(r, 0.2), quantile_cont(r, 0.8) from (select {total.number_sql}::double / ({product})::double as r from {relation} where {where})"
    ).fetchall()[0]
    steady = ratio[0] is not None and abs(ratio[0] - ratio[1]) < 0.004
    if equal > 0.3 and lower > 0.98 and not steady and discount == "0":
        implied = Draft(f"greatest({product} - {total.number_sql}, 0)", 0.6,
                        f"{total.column.name} lies below quantity × price in {1 - equal:.0%} of the rows: taken as a discount")  # fmt: skip
        return plain_draft(price), implied
    if equal < 0.5:
        note = f"CHECK: quantity × price equals {total.column.name} in only {equal:.0%} of the rows"
        return plain_draft(price, factor=0.85, reason=note), None
    return plain_draft(price), None


def _line_discount(
    found: dict[str, Match], inside_order: Dependencies | None, number: str, price: Match | None
) -> Draft | None:
    match = found.get("discount")
    if match is not None and not _is_of_order(match, inside_order):
        amount = f"abs({match.number_sql})" if (match.column.minimum or 0) < 0 else plain(match)
        return Draft(amount, match.confidence, match.reason)
    rate = found.get("discount_rate")
    if rate is not None and price is not None and match is None:
        percent = "" if (rate.column.maximum or 0) <= 1 else " / 100"
        return Draft(
            f"round({number} * {price.number_sql} * {rate.number_sql}{percent}, 4)",
            rate.confidence * 0.85,
            f"{rate.reason}; quantity × price × rate",
        )
    return None


def _line_tax(
    found: dict[str, Match], inside_order: Dependencies | None, value: str | None, with_tax: bool | None
) -> Draft | None:
    tax, rate = found.get("tax"), found.get("tax_rate")
    if tax is not None:
        return None if _is_of_order(tax, inside_order) else plain_draft(tax)
    if rate is None or value is None or with_tax is None:
        return None
    part = rate.number_sql if (rate.column.maximum or 0) <= 1 else f"{rate.number_sql} / 100"
    share = f"({part}) / (1 + {part})" if with_tax else part
    return Draft(
        f"round({value} * {share}, 4)",
        rate.confidence * 0.8,
        f"{rate.reason}; tax {'inside' if with_tax else 'on top of'} the line's value at this rate",
    )


def _is_of_order(match: Match, inside_order: Dependencies | None) -> bool:
    """True when an amount stays the same in orders of several lines: it belongs to the order."""
    name = match.column.name
    return (
        inside_order is not None
        and inside_order.comparable.get(name, 0) >= 5
        and inside_order.is_constant(name, tolerance=0.05)
    )


def _number(expression: str) -> str:
    return (
        expression
        if expression.startswith(("abs", "round", "greatest", "try_cast"))
        else f"try_cast({expression} as decimal(18, 4))"
    )
