"""Finds the sales in a file that states each amount in a row of its own: price, tax, commission and fees below one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marginwise.connectors.canonical import literal

if TYPE_CHECKING:
    import duckdb

    from marginwise.connectors.proposal.matching import Match
    from marginwise.connectors.proposal.profile import FileProfile

__all__ = ["sold_part"]

_MOST_PARTS = 60


def sold_part(con: duckdb.DuckDBPyConnection, profile: FileProfile, found: dict[str, Match], order: str) -> str:
    """Return the condition of the rows that hold the sales, empty when the rows of the file are no parts of amounts.

    A column names the parts when most orders have several of its values for one product and each value has amounts of one
    sign only, some of them negative; the sales are the value with the largest sum.

    Parameters
    ----------
    con
        The database with the file's rows.
    profile
        The file.
    found
        Its columns by meaning.
    order
        The order's number in SQL.
    """
    amount, product = found.get("line_total") or found.get("unit_price"), found.get("product_id")
    if amount is None or product is None or not 0.05 < amount.column.negative_share < 0.95:
        return ""
    value = amount.number_sql
    best: tuple[int, str] = (0, "")
    for column in profile.columns:
        if column.is_number or column.is_time or not 2 <= column.distinct <= _MOST_PARTS:
            continue
        pairs, several = con.execute(
            f"select count(*), count(*) filter (where n > 1) from (select count(distinct {column.sql}) as n"
            f" from {profile.relation} where {value} is not null group by {order}, {product.sql})"
        ).fetchall()[0]
        parts = con.execute(
            f"select {column.sql}, sum({value}), count(*) filter (where {value} > 0), count(*) filter (where {value} < 0)"
            f" from {profile.relation} where {value} <> 0 group by 1 order by 2 desc, 1"
        ).fetchall()
        is_one_sign = all(min(up, down) <= 0.02 * (up + down) for _, _, up, down in parts)
        has_both = any(total < 0 for _, total, _, _ in parts) and parts[0][1] > 0
        if several > 0.5 * pairs and is_one_sign and has_both and parts[0][0] is not None and len(parts) > best[0]:
            best = (len(parts), f"{column.sql} = {literal(str(parts[0][0]))}")
    return best[1]
