"""Weighs what each column of a file can mean: its name against the lexicon, its values against the meaning."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from marginwise.connectors.proposal.column_names import OWN_WORD, is_private_name, match_name
from marginwise.connectors.proposal.lexicon import Concept, concepts
from marginwise.connectors.proposal.value_fit import fit_of, shown

if TYPE_CHECKING:
    from marginwise.connectors.proposal.profile import ColumnProfile, FileProfile

__all__ = ["Match", "match_columns", "relevant_concepts"]

# tables that one file of lines can hold besides its own
_GLUED = {
    "order_items": ("orders", "order_items", "customers", "products"),
    "orders": ("orders", "customers"),
    "events": ("events",),
}
# kinds of meaning whose values help to see that it is right, and those among them that stand for a person
_SHOWN = frozenset({"key", "product", "label", "word", "time", "event", "status", "country"})
_PERSONS = frozenset({"customer_id", "visitor_id", "session_id", "partner_name", "partner_id", "review_id"})
# meanings whose plain words ("created at") also count in a file of lines, where they speak of the order
_OF_ORDERS = frozenset({"ordered_at", "status"})


@dataclass(frozen=True, slots=True)
class Match:
    """A column that is taken for a meaning, how sure that is, and why."""

    concept: str
    column: ColumnProfile
    confidence: float
    reason: str
    expression: str = ""

    @property
    def sql(self) -> str:
        """The column in SQL, or the expression that stands for it."""
        return self.expression or self.column.sql

    @property
    def number_sql(self) -> str:
        """The column as a number in SQL."""
        return self.column.number_sql


def relevant_concepts(role: str) -> list[Concept]:
    """Return the meanings that count in a file of one role."""
    tables = _GLUED.get(role, (role,))
    return [
        concept
        for concept in concepts().values()
        if role in concept.helps or any(target.partition(".")[0] in tables for target in concept.fills)
    ]


def match_columns(profile: FileProfile, role: str, *, is_named: bool = True) -> dict[str, Match]:
    """Give each meaning the column that speaks best for it; a column serves one meaning.

    Parameters
    ----------
    profile
        The file.
    role
        The contract table whose file it is taken to be.
    is_named
        False when the file's name does not say so: plain words such as "id" or "date" then count less.
    """
    used: set[str] = set()
    weighed: list[tuple[float, int, str, Match]] = []
    meanings = relevant_concepts(role)
    for position, column in enumerate(profile.columns):
        if not column.filled:
            continue
        for concept in meanings:
            named = match_name(column.name, concept, role)
            if named is None and role == "order_items" and concept.name in _OF_ORDERS:
                named = match_name(column.name, concept, "orders")
            if named is None:
                continue
            if not is_named and named.how == OWN_WORD:
                named = replace(named, score=0.72 * named.score)
            fit, evidence = fit_of(column, concept.kind, named.score)
            if fit <= 0:
                continue
            known = "" if named.how != "similar name" else f" (like {named.known_as!r})"
            confidence = round(min(0.99, named.score * (0.72 + 0.26 * fit)), 2)
            reason = f"{named.how}{known}; {evidence}{_sample(column, concept)}"
            order = confidence + 0.02 * column.fill_share - 0.0001 * position + _preference(column, concept)
            weighed.append((order, -position, concept.name, Match(concept.name, column, confidence, reason)))
    found: dict[str, Match] = {}
    for _, _, name, match in sorted(weighed, key=lambda item: (-item[0], -item[1], item[2])):
        if name not in found and match.column.name not in used and match.confidence >= 0.45:
            found[name] = match
            used.add(match.column.name)
    return found


def _sample(column: ColumnProfile, concept: Concept) -> str:
    """Return a few values for the reason, never of columns that may name a person."""
    if concept.kind not in _SHOWN or concept.name in _PERSONS or is_private_name(column.name):
        return ""
    values = shown(column)
    return f", such as {values}" if values else ""


def _preference(column: ColumnProfile, concept: Concept) -> float:
    words = column.name.casefold()
    rank = concept.rank(column.name)
    if rank:
        return -0.0008 * rank + _preferred_words(words, concept)
    return _preferred_words(words, concept)


def _preferred_words(words: str, concept: Concept) -> float:
    if concept.name in ("country", "region", "city"):
        return 0.02 * ("ship" in words or "liefer" in words or "livraison" in words or "envio" in words) - 0.02 * (
            "code" in words
        )
    if concept.name in ("discount", "tax", "shipping_charged", "order_total", "order_subtotal"):
        return 0.02 * ("shop" in words) - 0.02 * ("pres" in words or "presentment" in words)
    if concept.name == "product_id":
        return 0.02 * ("sku" in words) - 0.01 * ("variant" in words)
    return 0.0
