"""Finds the rows of a file of order lines that are returns: by the number, the kind of document, or the sign."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marginwise.connectors.canonical import identifier, literal
from marginwise.connectors.proposal.flat import share_of_rows
from marginwise.connectors.proposal.lexicon import value_key, vocabulary
from marginwise.connectors.proposal.product_drafts import kind_of

if TYPE_CHECKING:
    import duckdb

    from marginwise.connectors.proposal.matching import Match
    from marginwise.connectors.proposal.profile import FileProfile

__all__ = ["Returns", "find_returns", "returned_by_state"]


_PARTLY = re.compile(r"part|teil|parci|parzi|gedeelt")


@dataclass(frozen=True, slots=True)
class Returns:
    """The condition under which a row is a return (SQL, empty when none is), why, and the kind of refund it makes."""

    condition: str = ""
    reason: str = ""
    kind: str = "return"

    def __bool__(self) -> bool:
        return bool(self.condition)

    @property
    def sold(self) -> str:
        """The condition of the rows that are no returns, empty when all are."""
        return f"not ({self.condition})" if self.condition else ""


def find_returns(con: duckdb.DuckDBPyConnection, profile: FileProfile, found: dict[str, Match]) -> Returns:
    """Find out which rows are returns.

    Parameters
    ----------
    con
        The database with the file's rows.
    profile
        A file of order lines.
    found
        Its columns by meaning.

    Notes
    -----
    Where the numbers of returns share a first letter that others do not have (C536379), the letter decides, and
    negative rows besides are left as they are, so that the checks name them.
    """
    negative = _negative(con, profile, found)
    order, document = found.get("order_id"), found.get("document_type")
    if negative and order is not None:
        letter = _letter(con, profile, order, negative)
        if letter:
            told = f"the numbers of returns start with {letter}; other negative rows are left for the check to name"
            return Returns(f"upper(left({order.sql}, 1)) = {literal(letter)}", told, "cancellation")
    conditions, reasons = [], []
    if negative:
        conditions.append(f"coalesce({negative}, false)")
        reasons.append(f"{share_of_rows(con, profile.relation, negative)[0]:.1%} of the rows are negative")
    if document is not None:
        words = sorted({v.lower() for v, _ in document.column.common if value_key(v) in vocabulary("returned")})
        if words:
            conditions.append(f"coalesce(lower({document.sql}) in ({', '.join(map(literal, words))}), false)")
            reasons.append(f"{document.column.name} says {', '.join(map(repr, words))}")
    return Returns(" or ".join(conditions), " and ".join(reasons)) if conditions else Returns()


def returned_by_state(profile: FileProfile, found: dict[str, Match]) -> Returns:
    """Find the orders whose state says that they came back whole; their rows stay order lines.

    Parameters
    ----------
    profile
        A file of order lines.
    found
        Its columns by meaning.
    """
    status, order = found.get("status"), found.get("order_id")
    if status is None or order is None:
        return Returns()
    known = vocabulary("returned")
    words = sorted(
        {v.lower() for v, _ in status.column.common if value_key(v) in known and not _PARTLY.search(v.lower())}
    )
    if not words:
        return Returns()
    listed = ", ".join(map(literal, words))
    back = f"select {order.sql} from {identifier(profile.group)} where lower({status.sql}) in ({listed})"
    told = f"{status.column.name} says {', '.join(map(repr, words))}; the lines stay sold and are refunded whole"
    return Returns(f"{order.sql} in ({back})", told)


def _negative(con: duckdb.DuckDBPyConnection, profile: FileProfile, found: dict[str, Match]) -> str:
    quantity = found.get("quantity")
    if quantity is not None and quantity.column.negative_share:
        return f"{quantity.number_sql} < 0"
    for concept in ("line_total", "line_gross", "unit_price"):
        amount = found.get(concept)
        if amount is not None and 0 < amount.column.negative_share < 0.5:
            return "" if _are_no_goods(con, profile, found, amount) else f"{amount.number_sql} < 0"
    return ""


def _are_no_goods(con: duckdb.DuckDBPyConnection, profile: FileProfile, found: dict[str, Match], amount: Match) -> bool:
    """Tell whether negative amounts belong to vouchers and the like, which stay lines of their order."""
    name = found.get("product_name") or found.get("product_id")
    if name is None:
        return False
    words = con.execute(
        f"select {name.sql}, count(*) from {profile.relation}"
        f" where {amount.number_sql} < 0 and {name.sql} is not null group by 1 limit 500"
    ).fetchall()
    total = sum(count for _, count in words)
    return bool(total) and sum(count for word, count in words if kind_of(str(word))) > 0.5 * total


def _letter(con: duckdb.DuckDBPyConnection, profile: FileProfile, order: Match, negative: str) -> str:
    rows = con.execute(
        "select p, n, negatives, sum(negatives) over () from ("
        f"select upper(left({order.sql}, 1)) as p, count(*) as n, count(*) filter (where {negative}) as negatives"
        f" from {profile.relation} where {order.sql} is not null group by 1)"
    ).fetchall()
    for letter, count, negatives, all_negatives in rows:
        if str(letter).isalpha() and negatives >= 0.9 * count and negatives >= 0.6 * all_negatives and len(rows) > 1:
            return str(letter)
    return ""
