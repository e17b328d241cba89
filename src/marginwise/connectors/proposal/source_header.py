"""Finds what holds for a whole source: currency, time zone, and whether prices include tax."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from marginwise.connectors.proposal.column_names import language_of
from marginwise.connectors.proposal.lexicon import value_key, vocabulary, words_of
from marginwise.connectors.proposal.line_amounts import line_amounts
from marginwise.connectors.proposal.mapping_text import HeaderLine

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from marginwise.connectors.proposal.matching import Match
    from marginwise.connectors.proposal.profile import FileProfile

__all__ = ["source_header"]

_SIGNS = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "R$": "BRL", "zł": "PLN", "Kč": "CZK", "₺": "TRY", "₹": "INR"}
_ZONES = {
    "de": "Europe/Berlin",
    "fr": "Europe/Paris",
    "es": "Europe/Madrid",
    "pt": "Europe/Lisbon",
    "nl": "Europe/Amsterdam",
    "it": "Europe/Rome",
}
_MONEY = (
    "unit_price",
    "line_total",
    "order_total",
    "discount",
    "shipping_charged",
    "unit_cost",
    "refund_amount",
    "spend",
    "payment_amount",
    "tax",
    "order_subtotal",
)


def source_header(
    con: duckdb.DuckDBPyConnection,
    source: str,
    profiles: Sequence[FileProfile],
    founds: Sequence[dict[str, Match]],
) -> list[HeaderLine]:
    """Return the settings of ``[source]`` with the evidence for each.

    Parameters
    ----------
    con
        The database with the files' rows.
    source
        Name of the source.
    profiles, founds
        The files and their columns by meaning.
    """
    names = [column.name for profile in profiles for column in profile.columns]
    language = language_of(names)
    lines = [HeaderLine("name", source, 1.0, "becomes part of the names of the raw tables")]
    lines.append(_currency(profiles, founds, names, language))
    lines.append(_zone(founds, language))
    lines.append(_tax(con, profiles, founds))
    return lines


def _currency(
    profiles: Sequence[FileProfile], founds: Sequence[dict[str, Match]], names: list[str], language: str | None
) -> HeaderLine:
    signs: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    for found in founds:
        if "currency" in found:
            codes.update(
                {
                    known: count
                    for value, count in found["currency"].column.common
                    if (known := vocabulary("currencies").get(value_key(value), value.upper()))
                }
            )
        for concept in _MONEY:
            if concept in found:
                for value, count in found[concept].column.common:
                    sign = next(
                        (code for sign, code in sorted(_SIGNS.items(), key=lambda s: -len(s[0])) if sign in value), None
                    )
                    letters = re.search(r"[A-Za-z]{3}", value)
                    sign = sign or (vocabulary("currencies").get(letters[0].lower()) if letters else None)
                    if sign:
                        signs[sign] += count
    if codes:
        code, _ = codes.most_common(1)[0]
        if re.fullmatch(r"[A-Z]{3}", code):
            return HeaderLine("currency", code, 0.95, "the most frequent currency of the files")
    if signs:
        code, count = signs.most_common(1)[0]
        return HeaderLine("currency", code, 0.95 if len(signs) == 1 else 0.6, f"{count:,} amounts carry its sign")
    words = Counter(
        vocabulary("currencies")[word]
        for name in names
        for word in words_of(name)
        if word in vocabulary("currencies") and len(word) >= 3
    )
    if words:
        code, _ = words.most_common(1)[0]
        return HeaderLine("currency", code, 0.9, "named in the header")
    if language in ("de", "fr", "es", "nl", "it", "pt"):
        return HeaderLine("currency", "EUR", 0.55, "no currency in the file; guessed from the language of the header")
    return HeaderLine("currency", "EUR", 0.3, "CHECK: nothing in the file tells the currency")


def _zone(founds: Sequence[dict[str, Match]], language: str | None) -> HeaderLine:
    times = [
        match.column.time
        for found in founds
        for match in found.values()
        if match.column.time is not None and match.concept in ("ordered_at", "occurred_at")
    ]
    if any(time.has_zone for time in times):
        return HeaderLine("time_zone", "UTC", 0.95, "the times carry their own zone")
    has_clock = any(match.expression for found in founds for match in found.values() if match.concept == "ordered_at")
    if times and not has_clock and not any(time.has_clock for time in times):
        return HeaderLine("time_zone", "UTC", 0.9, "the dates have no time of day, so no zone shifts them")
    if language in _ZONES:
        return HeaderLine(
            "time_zone", _ZONES[language], 0.6, "the times name no zone; guessed from the language of the header"
        )
    return HeaderLine("time_zone", "UTC", 0.5, 'the times name no zone: write the shop\'s own, such as "Europe/Berlin"')


def _tax(
    con: duckdb.DuckDBPyConnection, profiles: Sequence[FileProfile], founds: Sequence[dict[str, Match]]
) -> HeaderLine:
    for profile, found in zip(profiles, founds, strict=True):
        for column in profile.columns:
            if (
                words_of(column.name) in (["taxes", "included"], ["tax", "included"], ["prices", "include", "tax"])
                and column.distinct == 1
            ):
                included = column.common[0][0].casefold() in ("true", "t", "1", "yes")
                return HeaderLine("prices_include_tax", included, 0.95, f"{column.name} says so in every row")
        if found.keys() & {"unit_price", "line_total", "order_total"}:
            amounts = line_amounts(con, profile, found, None)
            if amounts.with_tax is not None:
                return HeaderLine("prices_include_tax", amounts.with_tax, 0.9, amounts.tax_reason)
    return HeaderLine(
        "prices_include_tax", False, 0.5, "nothing in the file tells; set true when the prices include tax"
    )
