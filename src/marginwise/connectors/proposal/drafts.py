"""Drafts of a mapping: an expression for each contract column with the confidence and the reason behind it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from marginwise.connectors.canonical import identifier, literal
from marginwise.connectors.proposal.column_names import is_private_name
from marginwise.connectors.proposal.lexicon import value_key, vocabulary, words_of
from marginwise.connectors.proposal.matching import Match
from marginwise.contract.loader import contracts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from marginwise.connectors.proposal.profile import ColumnProfile, FileProfile

__all__ = [
    "Draft",
    "TableDraft",
    "boolean_draft",
    "extra_columns",
    "is_private",
    "plain",
    "plain_draft",
    "status_draft",
    "word_case",
]


@dataclass(frozen=True, slots=True)
class Draft:
    """One proposed column: its SQL expression, the confidence from 0 to 1, and the reason."""

    expression: str
    confidence: float
    reason: str


@dataclass(slots=True)
class TableDraft:
    """One proposed table.

    Parameters
    ----------
    table
        The contract table.
    group
        The file group it comes from.
    columns
        Proposed columns; contract names and extra ones.
    where, join, one_row_per, number_within
        As in a mapping.
    remark
        What a reader should know about the table.
    left_out
        Contract columns that could be made but are not, each with what speaks against it.
    """

    table: str
    group: str
    columns: dict[str, Draft] = field(default_factory=dict)
    where: str = ""
    join: str = ""
    one_row_per: tuple[str, ...] = ()
    number_within: str = ""
    remark: str = ""
    left_out: dict[str, Draft] = field(default_factory=dict)

    @property
    def missing(self) -> list[str]:
        """Required columns without a candidate; `currency` may stand in the source's header."""
        return [
            name
            for name in contracts()[self.table].required_columns
            if name not in self.columns and name not in ("store_id", "currency")
        ]

    def used_columns(self, profile: FileProfile) -> set[str]:
        """Return the source columns that its expressions use."""
        text = " ".join(
            (self.where, self.join, self.number_within, *(draft.expression for draft in self.columns.values()))
        )
        return {column.name for column in profile.columns if identifier(column.name) in text}


def plain(match: Match) -> str:
    """Return a column as a mapping's expression; amounts with a currency code beside them as numbers."""
    return (
        match.number_sql
        if match.column.is_number and match.column.number is not None and match.column.number.with_code
        else match.sql
    )


def plain_draft(match: Match, *, factor: float = 1.0, reason: str = "") -> Draft:
    """Return the draft of a column that is taken as it is."""
    return Draft(plain(match), round(match.confidence * factor, 2), f"{match.reason}{'; ' + reason if reason else ''}")


def boolean_draft(match: Match) -> Draft:
    """Return the draft of a yes-or-no column in the words the contract reads."""
    column = match.column
    if column.sql_type == "BOOLEAN":
        return plain_draft(match)
    words = {value.casefold() for value, _ in column.common}
    if words <= {"true", "false", "t", "f", "1", "0", "yes", "no", "y", "n"}:
        return plain_draft(match)
    yes = sorted(
        word
        for word in words
        if word in ("ja", "j", "oui", "si", "sí", "sim", "wahr", "vero", "x", "on", "verdadero", "yes", "true")
    )
    return (
        Draft(f"lower({column.sql}) in ({', '.join(map(literal, yes))})", match.confidence, match.reason)
        if yes
        else plain_draft(match)
    )


def status_draft(match: Match, value: str) -> Draft:
    """Return the draft of the order status: the words found, each with the contract's word for it.

    Parameters
    ----------
    match
        The column of the status.
    value
        The status of one order in SQL.
    """
    known = vocabulary("status")
    allowed = contracts()["orders"].column("status").allowed or ()
    column = match.column
    words = [word for word, _ in column.common]
    unknown = [word for word in words if value_key(word) not in known]
    if all(word in allowed for word in words):
        return Draft(value, match.confidence, match.reason)
    told = match.reason
    if unknown:
        listed = ", ".join(repr(word) for word in unknown[:6]) if not is_private(column) else f"{len(unknown)} words"
        told += f"; UNKNOWN, add them: {listed}"
    if any(value_key(word) in vocabulary("returned") for word in words):
        told += "; what came back counts as delivered here and belongs to refunds"
    case = word_case(value, words, known, otherwise=f"lower({value})")
    return Draft(case, match.confidence * (1.0 if not unknown else 0.75), told)


def word_case(value: str, words: Iterable[str], meanings: dict[str, str], *, otherwise: str) -> str:
    """Return a CASE expression that gives each word found its meaning.

    >>> print(word_case('"S"', ["Offen", "Storno"], {"offen": "pending", "storno": "cancelled"}, otherwise="'paid'"))
    case
        when lower("S") in ('offen') then 'pending'
        when lower("S") in ('storno') then 'cancelled'
        else 'paid' end
    """
    by_meaning: dict[str, list[str]] = {}
    for word in words:
        meaning = meanings.get(value_key(word))
        if meaning is not None and word.lower() not in by_meaning.setdefault(meaning, []):
            by_meaning[meaning].append(word.lower())
    cases = "".join(
        f"\n    when lower({value}) in ({', '.join(map(literal, found))}) then {literal(meaning)}"
        for meaning, found in by_meaning.items()
    )
    return f"case{cases}\n    else {otherwise} end" if cases else otherwise


def is_private(column: ColumnProfile) -> bool:
    """Tell whether a column may hold personal data, by its name or its values."""
    if column.looks.get("email", 0) > 0.02:
        return True
    return is_private_name(column.name)


def extra_columns(profile: FileProfile, names: Iterable[str], taken: Iterable[str] = ()) -> dict[str, Draft]:
    """Return source columns that stand in no contract column, kept as ``x_…``.

    Parameters
    ----------
    profile
        The file.
    names
        The columns.
    taken
        Names of extra columns that are in use already.
    """
    found: dict[str, Draft] = {}
    used = set(taken)
    for name in names:
        column = profile.column(name)
        words = "_".join(re.sub(r"[^a-z0-9]", "", word) for word in words_of(name)).strip("_") or "column"
        unique, number = f"x_{words}"[:60], 1
        while unique in used:
            number += 1
            unique = f"x_{words}"[:56] + f"_{number}"
        used.add(unique)
        found[unique] = Draft(column.sql, 1.0, f"kept as it is: {column.distinct:,} different values")
    return found
