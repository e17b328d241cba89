"""Tells tax rates from tax amounts: a column called VAT that holds 19 % or 19.0 says how much of a price is tax, not the tax."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from marginwise.connectors.proposal.flat import share_of_rows
from marginwise.connectors.proposal.tax_position import TAX_RATES

if TYPE_CHECKING:
    import duckdb

    from marginwise.connectors.proposal.matching import Match
    from marginwise.connectors.proposal.profile import FileProfile

__all__ = ["with_tax_rates"]

_FEW = 12
_VALUES = ("line_total", "line_gross", "unit_price", "order_subtotal", "order_total")


def with_tax_rates(con: duckdb.DuckDBPyConnection, profile: FileProfile, found: dict[str, Match]) -> dict[str, Match]:
    """Give a column that was taken for tax amounts the meaning of a tax rate where its values are rates.

    Parameters
    ----------
    con
        The database with the file's rows.
    profile
        The file.
    found
        Its columns by meaning.
    """
    tax = found.get("tax")
    if tax is None or not _holds_rates(con, profile, found, tax):
        return found
    shown = ", ".join(repr(value) for value, _ in tax.column.common[:3])
    reason = f"{tax.reason}; RATES, not amounts: {shown}"
    others = {name: match for name, match in found.items() if name != "tax"}
    return {"tax_rate": replace(tax, concept="tax_rate", reason=reason), **others}


def _holds_rates(con: duckdb.DuckDBPyConnection, profile: FileProfile, found: dict[str, Match], tax: Match) -> bool:
    column = tax.column
    if sum(count for value, count in column.common if "%" in value) > 0.5 * sum(count for _, count in column.common):
        return True
    if column.distinct > _FEW or (column.minimum or 0) < 0 or not column.maximum or column.maximum > 100:
        return False
    percent = 1 if column.maximum <= 1 else 100
    known = ", ".join(f"{round(rate * percent, 4)}" for rate in TAX_RATES)
    is_known, count = share_of_rows(con, profile.relation, f"{column.rate_sql} in ({known})", f"{column.rate_sql} > 0")
    return count > 0 and is_known == 1 and not _is_part_of_a_value(con, profile, found, tax)


def _is_part_of_a_value(
    con: duckdb.DuckDBPyConnection, profile: FileProfile, found: dict[str, Match], tax: Match
) -> bool:
    """Tell whether the values are the tax of some amount of their row after all."""
    amounts = [found[name].column.rate_sql for name in _VALUES if name in found]
    if "quantity" in found and "unit_price" in found:
        amounts.append(f"{found['quantity'].column.rate_sql} * {found['unit_price'].column.rate_sql}")
    taxed = tax.column.rate_sql
    for amount in amounts:
        ways = [f"abs({taxed} - abs({amount}) * {part}) <= 0.011" for r in TAX_RATES for part in (r, r / (1 + r))]
        share, count = share_of_rows(con, profile.relation, " or ".join(ways), f"{taxed} > 0 and abs({amount}) > 1")
        if count and share > 0.5:
            return True
    return False
