"""Finds out from values how numbers and dates are written: decimal comma or point, day first or month first."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marginwise.connectors.canonical import literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import duckdb

__all__ = ["NumberNotation", "TimeNotation", "date_patterns", "number_notation", "number_shapes", "time_notation"]

CURRENCY_CODE = (
    r"(?i:eur|usd|gbp|chf|cad|aud|jpy|sek|nok|dkk|pln|czk|brl|huf|ron|r\$|us\$|zł|kč|kr\.?|sfr\.?|fr\.?|₺|₹)"
)
_SHAPES = {
    "whole": r"\d+",
    "point": r"\d*\.(\d{1,2}|\d{4,})|\d{4,}\.\d+|\d+\.",
    "comma": r"\d*,(\d{1,2}|\d{4,})|\d{4,},\d+|0,\d{3}",
    "point_or_thousand": r"[1-9]\d{0,2}\.\d{3}|0\.\d{3}",
    "comma_or_thousand": r"[1-9]\d{0,2},\d{3}",
    "points_comma": r"\d{1,3}(\.\d{3})+,\d+|\d{1,3}(\.\d{3}){2,}",
    "commas_point": r"\d{1,3}(,\d{3})+\.\d+|\d{1,3}(,\d{3}){2,}",
    "apostrophe_point": "\\d{1,3}(['\u2019]\\d{3})+(\\.\\d+)?",
    "apostrophe_comma": "\\d{1,3}(['\u2019]\\d{3})+,\\d+",
}
_DATE = re.compile(
    r"(?P<date>\d{4}(?P<s1>[./-])\d{1,2}(?P=s1)\d{1,2}"
    r"|\d{1,2}(?P<s2>[./-])\d{1,2}(?P=s2)(?P<year>\d{4}|\d{2})"
    r"|(?P<packed>(?:19|20)\d{6})"
    r"|(?P<word>\d{1,2}(?:\. | |-)[A-Za-z]{3,9}(?:[ -]|, )(?:\d{4}|\d{2})"
    r"|[A-Za-z]{3,9} \d{1,2},? \d{4}|[A-Za-z]{3}-\d{1,2}-(?:\d{4}|\d{2})))"
    r"(?P<gap>T|, | - | um | |)"
    r"(?P<time>\d{1,2}[:h.]\d{2}(?::(?P<seconds>\d{2})(?P<fraction>\.\d+)?)?)?(?P<half> ?[AaPp][Mm])?"
    r"(?P<clock> Uhr)?(?P<zone> ?(?:Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?))?"
)


@dataclass(frozen=True, slots=True)
class NumberNotation:
    """How the numbers of one column are written.

    Parameters
    ----------
    share
        Share of the filled values that are numbers in some notation.
    decimal, thousands
        Decimal sign and thousands separator; empty when no value shows one.
    with_code
        True when a currency code such as "EUR" stands beside the number.
    ambiguous
        True when values such as "1.234" leave open which of the two the sign is.
    """

    share: float
    decimal: str
    thousands: str
    with_code: bool = False
    ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class TimeNotation:
    """How the dates or times of one column are written.

    Parameters
    ----------
    share
        Share of the filled values that these patterns read.
    patterns
        `strptime` patterns; empty when the values are canonical (ISO 8601) already.
    has_clock
        True when there is a time of day.
    has_zone
        True when values carry an offset or a zone.
    remark
        What a reader should look at, empty when nothing is in doubt.
    """

    share: float
    patterns: tuple[str, ...]
    has_clock: bool
    has_zone: bool = False
    remark: str = ""


def number_shapes(value: str) -> str:
    """Return SQL that sorts a text into a shape of number, null when it is none.

    Parameters
    ----------
    value
        The text in SQL.
    """
    bare = f"regexp_replace({value}, '[€$£¥%\\s\u00a0\u202f]|^{CURRENCY_CODE}|{CURRENCY_CODE}$', '', 'g')"
    unsigned = f"regexp_replace({bare}, '^[+-]|-$|^\\((.*)\\)$', '\\1')"
    cases = " ".join(
        f"when regexp_full_match({unsigned}, {literal(shape)}) then '{name}'" for name, shape in _SHAPES.items()
    )
    return f"case {cases} end"


def number_notation(weights: dict[str, int], filled: int, *, with_code: bool) -> NumberNotation:
    """Decide the notation of one column from how often each shape occurs.

    Examples
    --------
    >>> number_notation({"comma": 90, "points_comma": 5, "whole": 5}, 100, with_code=False)
    NumberNotation(share=1.0, decimal=',', thousands='.', with_code=False, ambiguous=False)
    """
    share = sum(weights.values()) / filled if filled else 0.0
    comma = weights.get("comma", 0) + weights.get("points_comma", 0) + weights.get("apostrophe_comma", 0)
    point = weights.get("point", 0) + weights.get("commas_point", 0)
    either_comma, either_point = weights.get("comma_or_thousand", 0), weights.get("point_or_thousand", 0)
    apostrophe = weights.get("apostrophe_point", 0) + weights.get("apostrophe_comma", 0)
    decimal = "," if comma > point else "." if point or weights.get("apostrophe_point") else ""
    thousands = (
        "'" if apostrophe else "." if weights.get("points_comma") else "," if weights.get("commas_point") else ""
    )
    if decimal == "," and either_point:
        thousands = thousands or "."
    elif decimal == "." and either_comma:
        thousands = thousands or ","
    return NumberNotation(share, decimal, thousands, with_code, not decimal and bool(either_comma or either_point))


def date_patterns(values: Iterable[str]) -> list[str]:
    """Return the `strptime` patterns that sample values suggest, day first before month first.

    >>> date_patterns(["03.04.2024 10:15"])
    ['%d.%m.%Y %H:%M', '%m.%d.%Y %H:%M']
    """
    found: Counter[str] = Counter()
    for value in values:
        match = _DATE.fullmatch(value)
        if match is None:
            continue
        clock = _clock(match)
        for day in _days(match):
            found[day + clock] += 1
    return list(found)


def time_notation(con: duckdb.DuckDBPyConnection, values: str, sample: Sequence[str]) -> TimeNotation | None:
    """Decide how the dates of one column are written, None when they are none.

    Parameters
    ----------
    con
        The connection that holds the values; the patterns are tried by the engine that will read them.
    values
        Query of the different values: ``position`` of their first occurrence, ``v`` and their count ``n``.
    sample
        Some of the values.
    """
    dated = [value for value in sample[:400] if re.search(r"\d", value) and 6 <= len(value) <= 40]
    candidates = date_patterns(dated)
    if not candidates:
        return None
    con.execute(f"create or replace temp table date_values as {values}")
    filled = int(con.execute("select sum(n) from date_values").fetchall()[0][0])
    tried = {
        pattern: _tried(con, f"try_strptime(v, {literal(pattern)})::timestamp", filled) for pattern in candidates[:24]
    }
    # DuckDB 2.0 reads "18:39 +0100" as a time without an offset, and would be an hour out
    naive = r"case when not regexp_matches(v, '\d\s+[+-]\d') then try_cast(v as timestamp) end"
    native = _tried(con, f"coalesce({naive}, (try_cast(v as timestamptz) at time zone 'UTC'))", filled)
    has_clock = any(re.search(r"\d[:h]\d\d", value) for value in dated)
    has_zone = (
        sum(bool(re.search(r":\d\d.*(Z|UTC|GMT|[+-]\d{2}(:?\d{2})?)$", value)) for value in dated) > len(dated) / 2
    )
    if native.share >= 0.8 and native.share >= max(found.share for found in tried.values()) - 0.02:
        return TimeNotation(native.share, (), has_clock, has_zone)
    best = max(tried, key=lambda pattern: (round(tried[pattern].share, 3), -candidates.index(pattern)))
    if tried[best].share < 0.5:
        return None
    chosen, remark = _day_or_month(best, tried)
    patterns = [chosen]
    for other in candidates:
        is_rival = _swapped(other) == chosen
        if other not in patterns and not is_rival and other in tried and _adds(con, patterns, other) > 0.005 * filled:
            patterns.append(other)
    total = _tried(con, f"try_strptime(v, [{', '.join(map(literal, patterns))}])::timestamp", filled)
    return TimeNotation(total.share, tuple(patterns), has_clock, has_zone, remark)


@dataclass(frozen=True, slots=True)
class _Tried:
    share: float
    span_days: int
    inversions: int


def _tried(con: duckdb.DuckDBPyConnection, parsed: str, filled: int) -> _Tried:
    row = con.execute(
        f"with read as (select position, n, {parsed} as t from date_values)\n"
        "select coalesce(sum(n) filter (where t between timestamp '1950-01-01' and timestamp '2100-01-01'), 0),\n"
        "    coalesce(date_diff('day', min(t), max(t)), 0),\n"
        "    coalesce(sum(turned::int), 0)\n"
        "from (select *, t < lag(t) over (order by position) as turned from read where t is not null)"
    ).fetchall()[0]
    return _Tried(float(row[0]) / filled, int(row[1]), int(row[2]))


def _adds(con: duckdb.DuckDBPyConnection, patterns: list[str], other: str) -> float:
    read = f"try_strptime(v, [{', '.join(map(literal, patterns))}])"
    added = f"{read} is null and try_strptime(v, {literal(other)}) is not null"
    sql = f"select coalesce(sum(n), 0) from date_values where {added}"
    return float(con.execute(sql).fetchall()[0][0])


def _day_or_month(best: str, tried: dict[str, _Tried]) -> tuple[str, str]:
    """Settle whether the day or the month stands first; say so when the values leave it open."""
    rival = _swapped(best)
    if rival is None or rival not in tried or tried[rival].share < tried[best].share - 0.005:
        return best, ""
    first, second = (best, rival) if best.startswith("%d") else (rival, best)
    day_first, month_first = tried[first], tried[second]
    chosen, why = first, "nothing in the values tells; read as day first, as most of the world writes"
    if "." not in first and day_first.inversions > 3 * month_first.inversions + 3:
        chosen, why = second, "read as month first, since then the rows are in order of time"
    elif month_first.inversions > 3 * day_first.inversions + 3:
        why = "read as day first, since then the rows are in order of time"
    elif month_first.span_days * 3 < day_first.span_days and "." not in first:
        chosen, why = second, "read as month first, since then the dates lie close together"
    elif day_first.span_days * 3 < month_first.span_days:
        why = "read as day first, since then the dates lie close together"
    elif "." in first:
        why = "read as day first, as dates with points are written"
    other = second if chosen == first else first
    return (
        chosen,
        f"AMBIGUOUS: no day lies above 12, day and month may be swapped; {why}. If that is wrong, write {other}",
    )


def _swapped(pattern: str) -> str | None:
    if pattern[:2] == "%d" and pattern[3:5] == "%m":
        return f"%m{pattern[2]}%d{pattern[5:]}"
    if pattern[:2] == "%m" and pattern[3:5] == "%d":
        return f"%d{pattern[2]}%m{pattern[5:]}"
    return None


def _clock(match: re.Match[str]) -> str:
    clock = ""
    if match["time"]:
        sign = "h" if "h" in match["time"] else ":" if ":" in match["time"] else "."
        clock = f"{match['gap']}{'%I' if match['half'] else '%H'}{sign}%M"
        clock += ":%S" if match["seconds"] else ""
        clock += ".%f" if match["fraction"] else ""
        if match["half"]:
            clock += (" " if match["half"].startswith(" ") else "") + "%p"
        clock += match["clock"] or ""
        if match["zone"]:
            zone = match["zone"]
            clock += (" " if zone.startswith(" ") else "") + (zone.strip() if zone.strip().isalpha() else "%z")
    return clock


def _days(match: re.Match[str]) -> list[str]:
    if match["s1"]:
        return [f"%Y{match['s1']}%m{match['s1']}%d"]
    if match["packed"]:
        return ["%Y%m%d"]
    if match["word"]:
        text = match["word"]
        month = "%b" if len(re.findall(r"[A-Za-z]+", text)[0]) == 3 else "%B"
        year = "%Y" if re.search(r"\d{4}$", text) else "%y"
        if text[0].isdigit():
            gap = ". " if ". " in text else text[len(re.match(r"\d+", text)[0])]  # type: ignore[index]
            last = "-" if gap == "-" else ", " if ", " in text else " "
            return [f"%d{gap}{month}{last}{year}"]
        if "-" in text:
            return [f"{month}-%d-{year}"]
        return [f"{month} %d{',' if ',' in text else ''} {year}"]
    sign, year = match["s2"], "%Y" if len(match["year"]) == 4 else "%y"
    return [f"%d{sign}%m{sign}{year}", f"%m{sign}%d{sign}{year}"]
