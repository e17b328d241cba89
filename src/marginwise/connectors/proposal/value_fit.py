"""Holds a column's values against what a meaning demands of them, and says what speaks for it without naming anyone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from marginwise.connectors.proposal.lexicon import value_key, vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable

    from marginwise.connectors.proposal.profile import ColumnProfile

__all__ = ["fit_of", "shown"]


def fit_of(column: ColumnProfile, kind: str, named: float = 1.0) -> tuple[float, str]:
    """Hold a column's values against a kind of meaning.

    Parameters
    ----------
    column
        The column.
    kind
        The kind, as the lexicon names it.
    named
        How well the name fits; lenient kinds demand a good name.

    Returns
    -------
    float, str
        0 (cannot be) to 1 (all values fit), and the evidence in words that show no personal data.
    """
    return _KINDS[kind](column, named)


def shown(column: ColumnProfile, count: int = 2) -> str:
    """Return a few values for a reason; empty where they could name a person."""
    if column.looks.get("email", 0) > 0.02 or (
        column.looks.get("phone", 0) > 0.5 and not (column.is_number or column.is_time)
    ):
        return ""
    values = [value for value, _ in column.common[:count] if len(value) <= 30]
    return ", ".join(repr(value) for value in values)


def _key(column: ColumnProfile, named: float) -> tuple[float, str]:
    if (column.is_time and not column.is_number) or column.distinct < 1:
        return 0.0, ""
    if column.is_number and column.integer_share < 0.99 and column.minimum is not None:
        return 0.0, ""
    if column.sql_type == "BOOLEAN" or column.negative_share > 0.05:
        return 0.0, ""
    if column.looks.get("email", 0) > 0.5:
        return (0.6, "e-mail addresses stand in for ids") if named > 0.9 else (0.0, "")
    return 1.0, f"{column.distinct:,} different values"


def _product(column: ColumnProfile, named: float) -> tuple[float, str]:
    fit, told = _key(column, named)
    if (
        fit
        and column.looks.get("letters", 0) > 0.7
        and sum(" " in value for value, _ in column.common) > 0.6 * len(column.common)
    ):
        return 0.5 * fit, f"{told}, which read like names"
    if fit and column.distinct == column.rows > 500:
        return fit * 0.7, told
    return fit, told


def _label(column: ColumnProfile, named: float) -> tuple[float, str]:
    if column.is_time or column.is_number or column.looks.get("email", 0) > 0.3:
        return 0.0, ""
    return (1.0 if column.looks.get("letters", 0) > 0.7 else 0.6), f"text, {column.distinct:,} different"


def _word(column: ColumnProfile, named: float) -> tuple[float, str]:
    if column.is_time or column.looks.get("email", 0) > 0.1:
        return 0.0, ""
    if column.is_number and column.integer_share < 1:
        return 0.0, ""
    if column.is_number:
        return (0.4 if named > 0.9 else 0.0), f"{column.distinct:,} numbers"
    return (1.0 if column.distinct <= max(60, 0.5 * column.filled) else 0.7), f"{column.distinct:,} different words"


def _time(column: ColumnProfile, named: float) -> tuple[float, str]:
    if column.time is None or column.time.share < 0.6:
        return 0.0, ""
    written = " or ".join(column.time.patterns) or "ISO dates"
    doubt = f"; {column.time.remark}" if column.time.remark else ""
    sure = 0.2 if column.time.remark else 1.0
    return column.time.share * sure, f"{column.time.share:.0%} read as {written}{doubt}"


def _number_of(column: ColumnProfile) -> str:
    return f"numbers from {column.minimum:,.6g} to {column.maximum:,.6g}"


def _money(column: ColumnProfile, named: float) -> tuple[float, str]:
    if (
        not column.is_number
        or column.minimum is None
        or (column.is_time and column.time is not None and column.time.patterns)
    ):
        return 0.0, ""
    if column.integer_share > 0.99 and sum(len(value) > 9 for value, _ in column.common) > 0.5 * len(column.common):
        return 0.0, ""
    assert column.number is not None
    doubt = "; AMBIGUOUS: '1.234' may be 1234 or 1.234" if column.number.ambiguous else ""
    return (0.2 if doubt else 1.0) * column.number.share, _number_of(column) + doubt


def _quantity(column: ColumnProfile, named: float) -> tuple[float, str]:
    fit, told = _money(column, named)
    if fit == 0:
        return 0.0, ""
    return (1.0 if column.integer_share > 0.9 else 0.5), told + (
        f", {column.negative_share:.1%} negative" if column.negative_share else ""
    )


def _rate(column: ColumnProfile, named: float) -> tuple[float, str]:
    if not column.is_number or column.maximum is None or column.maximum > 100 or (column.minimum or 0) < 0:
        return 0.0, ""
    return 1.0, _number_of(column)


def _status(column: ColumnProfile, named: float) -> tuple[float, str]:
    if column.is_number or column.is_time or column.distinct > 60:
        return 0.0, ""
    known = column.words_share("status")
    return 0.2 + 0.8 * known, f"{known:.0%} of the values are known words for a state"


def _currency(column: ColumnProfile, named: float) -> tuple[float, str]:
    known = column.words_share("currencies")
    code = column.looks.get("code", 0)
    if max(known, code) < 0.9:
        return 0.0, ""
    return 1.0, f"currency codes {shown(column)}"


def _country(column: ColumnProfile, named: float) -> tuple[float, str]:
    if column.is_number or column.is_time or column.distinct > 300:
        return 0.0, ""
    known = column.words_share("countries")
    return 0.4 + 0.6 * known, f"{column.distinct} values, {known:.0%} known countries"


def _boolean(column: ColumnProfile, named: float) -> tuple[float, str]:
    if column.sql_type == "BOOLEAN":
        return 1.0, "true or false"
    if column.distinct > 3 or column.words_share("boolean") < 0.95:
        return 0.0, ""
    return 1.0, "yes or no"


def _email(column: ColumnProfile, named: float) -> tuple[float, str]:
    share = column.looks.get("email", 0)
    if share > 0.5:
        return share, f"{share:.0%} look like e-mail addresses (values not shown)"
    return (
        (0.5, "personal data by its name (values not shown)")
        if named > 0.95 and not column.is_number and not column.is_time
        else (0.0, "")
    )


def _phone(column: ColumnProfile, named: float) -> tuple[float, str]:
    return (0.9, "personal data by its name (values not shown)") if not column.is_time and named > 0.6 else (0.0, "")


def _person(column: ColumnProfile, named: float) -> tuple[float, str]:
    if column.is_number or column.is_time:
        return 0.0, ""
    return 0.9, "personal data by its name (values not shown)"


def _private(column: ColumnProfile, named: float) -> tuple[float, str]:
    return (0.9, "personal data by its name (values not shown)") if named > 0.7 else (0.0, "")


def _line(column: ColumnProfile, named: float) -> tuple[float, str]:
    if not column.is_number or column.integer_share < 1 or (column.minimum or 0) < 0 or (column.maximum or 0) > 10_000:
        return 0.0, ""
    return 1.0, _number_of(column)


def _event(column: ColumnProfile, named: float) -> tuple[float, str]:
    if column.is_number or column.is_time or column.distinct > 200:
        return 0.0, ""
    known = column.words_share("events")
    return 0.4 + 0.6 * known, f"{known:.0%} known kinds of event"


def _score(column: ColumnProfile, named: float) -> tuple[float, str]:
    if not column.is_number or (column.minimum or 0) < 0 or (column.maximum or 99) > 10:
        return 0.0, ""
    return (1.0 if (column.maximum or 0) <= 5 else 0.6), _number_of(column)


def _url(column: ColumnProfile, named: float) -> tuple[float, str]:
    return (
        (0.5 + 0.5 * column.looks.get("url", 0), "addresses of pages")
        if not column.is_number and not column.is_time
        else (0.0, "")
    )


def _clock(column: ColumnProfile, named: float) -> tuple[float, str]:
    values = [value for value, _ in column.common]
    if not values or not all(re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?", value) for value in values):
        return 0.0, ""
    return 1.0, "times of day"


def _document(column: ColumnProfile, named: float) -> tuple[float, str]:
    if column.is_number or column.is_time or column.distinct > 12:
        return 0.0, ""
    known = sum(value_key(value) in vocabulary("returned") | vocabulary("sold") for value, _ in column.common)
    return (1.0, f"kinds of document {shown(column, 3)}") if known and re.search(r"\w", column.name) else (0.0, "")


_KINDS: dict[str, Callable[[ColumnProfile, float], tuple[float, str]]] = {
    "key": _key,
    "product": _product,
    "label": _label,
    "word": _word,
    "time": _time,
    "money": _money,
    "discount": _money,
    "number": _money,
    "clock": _clock,
    "quantity": _quantity,
    "rate": _rate,
    "status": _status,
    "currency": _currency,
    "country": _country,
    "boolean": _boolean,
    "email": _email,
    "phone": _phone,
    "person": _person,
    "private": _private,
    "line": _line,
    "event": _event,
    "score": _score,
    "url": _url,
    "document": _document,
}
