"""Drafts the products that a file of order lines names, and tells merchandise from shipping, fees and vouchers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marginwise.connectors.canonical import literal
from marginwise.connectors.proposal.drafts import Draft, TableDraft, plain, plain_draft
from marginwise.connectors.proposal.flat import dependencies
from marginwise.connectors.proposal.lexicon import value_key, vocabulary

if TYPE_CHECKING:
    import duckdb

    from marginwise.connectors.proposal.matching import Match
    from marginwise.connectors.proposal.profile import FileProfile

__all__ = ["kind_of", "product_draft", "product_drafts"]

ATTRIBUTES = ("category", "subcategory", "brand", "partner_id", "list_price")


def product_draft(found: dict[str, Match]) -> Draft | None:
    """Return the code of the product sold on a line; the name stands in where there is no code."""
    code, name, variant = found.get("product_id"), found.get("product_name"), found.get("variant_title")
    if code is not None and name is not None and code.column.fill_share < 0.995:
        told = f"{code.reason}; empty in {1 - code.column.fill_share:.0%} of the rows: there the name stands in"
        return Draft(f"coalesce({code.sql}, {name.sql})", code.confidence * 0.95, told)
    if code is not None:
        return plain_draft(code)
    if name is not None and variant is not None:
        told = "no product code: name and variant stand in"
        return Draft(f"concat_ws(' / ', {name.sql}, {variant.sql})", name.confidence * 0.75, told)
    if name is not None:
        return Draft(plain(name), name.confidence * 0.8, "no product code: the name stands in")
    return None


def product_drafts(con: duckdb.DuckDBPyConnection, profile: FileProfile, found: dict[str, Match]) -> list[TableDraft]:
    """Draft the products named on order lines; empty when the lines name none.

    Parameters
    ----------
    con
        The database with the file's rows.
    profile
        The file.
    found
        Its columns by meaning.
    """
    product = product_draft(found)
    if product is None:
        return []
    key = product.expression
    draft = TableDraft("products", profile.group, where=f"{key} is not null", one_row_per=("product_id",))
    draft.columns["product_id"] = product
    draft.columns["name"] = _name(con, profile, found, key)
    kinds = _kinds(con, profile, found)
    if kinds:
        draft.columns["kind"] = kinds
    for concept in ATTRIBUTES:
        if concept in found:
            match = found[concept]
            held = dependencies(con, profile.relation, key, [match.column.name])
            if held.constant_share(match.column.name) > 0.8:
                draft.columns[concept] = plain_draft(match, reason="the same for each product")
    return [draft]


def kind_of(word: str) -> str | None:
    """Return what a code or name stands for when it is no merchandise.

    >>> kind_of("Versandkosten"), kind_of("POST"), kind_of("Kissen, rot")
    ('shipping', 'shipping', None)
    """
    known = vocabulary("kinds")
    key = value_key(word)
    if key in known:
        return known[key]
    first = value_key(word.split(" ")[0]) if " " in word else ""
    is_short = len(first) >= 5 and len(word) <= 30
    return known[first] if is_short and known.get(first) in ("shipping", "adjustment") else None


def _name(con: duckdb.DuckDBPyConnection, profile: FileProfile, found: dict[str, Match], key: str) -> Draft:
    name = found.get("product_name")
    if name is None:
        return Draft(key, 0.6, "no column with names: the code stands in")
    held = dependencies(con, profile.relation, key, [name.column.name])
    if held.has_gaps(name.column.name) or not held.is_constant(name.column.name, tolerance=0):
        changing = 1 - held.constant_share(name.column.name)
        told = f"{name.reason}; differs inside {changing:.1%} of the products: the most frequent one"
        return Draft(f"coalesce(mode({name.sql}) over (partition by {key}), {key})", name.confidence, told)
    if name.column.fill_share < 1:
        return Draft(f"coalesce({name.sql}, {key})", name.confidence, name.reason)
    return plain_draft(name)


def _kinds(con: duckdb.DuckDBPyConnection, profile: FileProfile, found: dict[str, Match]) -> Draft | None:
    cases, listed = [], []
    for concept in ("product_id", "product_name"):
        match = found.get(concept)
        if match is None:
            continue
        rows = con.execute(
            f"select distinct {match.sql} from {profile.relation} where {match.sql} is not null"
        ).fetchall()
        by_kind: dict[str, list[str]] = {}
        for word in sorted(str(row[0]) for row in rows):
            kind = kind_of(word)
            if kind:
                by_kind.setdefault(kind, []).append(word)
        for kind, words in sorted(by_kind.items()):
            cases.append(f"\n    when {match.sql} in ({', '.join(map(literal, words[:40]))}) then {literal(kind)}")
            listed += words[:3]
    if not cases:
        return None
    told = f"codes that are no merchandise: {', '.join(map(repr, listed[:6]))}"
    return Draft(f"case{''.join(cases)}\n    else 'good' end", 0.7, told)
