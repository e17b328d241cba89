"""SQL that turns a file's text into canonical text that the checks can cast, and leaves what does not fit as it is."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from marginwise.connectors.mapping import FileGroup

__all__ = ["cleaned", "identifier", "is_date_pattern", "literal", "utc"]

_TRUE = ("1", "t", "true", "y", "yes", "on", "x", "ja", "oui", "si", "sí", "sim", "tak")
_FALSE = ("0", "f", "false", "n", "no", "off", "nein", "non", "nao", "não", "nie")
_SPACES = " \t\r\n\u00a0\u202f"
_HAS_OFFSET = r":\d{2}.*(Z|[+-]\d{2}(:?\d{2})?|\s?(UTC|GMT))$"


def identifier(name: str) -> str:
    """Quote a name for SQL.

    >>> print(identifier('say "when" again'))
    "say ""when"" again"
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text for SQL.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def cleaned(reference: str, column: str, sql_type: str, group: FileGroup) -> str:
    """Return the expression of a column as a mapping's expressions see it.

    Text is trimmed, null tokens become null, and declared formats are applied; other types stay as they are.

    Parameters
    ----------
    reference
        The column in SQL.
    column
        Its name, under which formats are declared.
    sql_type
        Its DuckDB type.
    group
        The file group that declares null tokens and formats.
    """
    formats = next((named for name, named in group.formats.items() if name.casefold() == column.casefold()), ())
    if sql_type.upper() != "VARCHAR":
        return _id(f"cast({reference} as varchar)") if "id" in formats else reference
    trimmed = f"trim({reference}, {literal(_SPACES)})"
    tokens = sorted({"", *group.null})
    if tokens == [""]:
        value = f"case when {_is_padded(reference)} then nullif({trimmed}, '') else {reference} end"
    else:
        trimmed = f"case when {_is_padded(reference)} then {trimmed} else {reference} end"
        value = f"case when {trimmed} not in ({', '.join(map(literal, tokens))}) then {trimmed} end"
    patterns = [name for name in formats if "%" in name]
    if "number" in formats:
        value = _number(value, group)
    if "id" in formats:
        value = _id(value)
    if "boolean" in formats:
        value = _boolean(value)
    if patterns:
        value = _time(value, patterns)
    return value


def _is_padded(reference: str) -> str:
    """Return whether there is anything to trim: mostly not, and asking costs a tenth of trimming.

    The empty text, spaces, tabs and ends of line sort before the exclamation mark.
    """
    wide = [f"prefix({reference}, {literal(space)})" for space in _SPACES if not space.isascii()]
    ends = [f"suffix({reference}, {literal(space)})" for space in _SPACES]
    return " or ".join([f"{reference} < '!'", *wide, *ends])


def utc(reference: str, sql_type: str, time_zone: str) -> str:
    """Return the expression of a timestamp column in UTC.

    Times with an offset keep their instant; times without are read in the source's time zone. Text stays text: what
    is no time is left for the check to name.

    Parameters
    ----------
    reference
        The column in SQL.
    sql_type
        Its DuckDB type.
    time_zone
        IANA name of the source's time zone.

    Examples
    --------
    >>> utc("t", "TIMESTAMP", "Europe/Berlin")
    "(t at time zone 'Europe/Berlin') at time zone 'UTC'"
    """
    kind = sql_type.upper()
    zone = literal(time_zone)
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"{reference} at time zone 'UTC'"
    if kind == "DATE" or kind.startswith("TIMESTAMP"):
        naive = reference if kind == "TIMESTAMP" else f"cast({reference} as timestamp)"
        return naive if time_zone == "UTC" else f"({naive} at time zone {zone}) at time zone 'UTC'"
    if kind != "VARCHAR":
        return reference
    joined = f"regexp_replace({reference}, '(\\d)\\s+([+-]\\d)', '\\1\\2')"
    with_seconds = f"regexp_replace({joined}, '^(\\S+[T ]\\d{{1,2}}:\\d{{2}})(\\s?[A-Z+-])', '\\1:00\\2')"
    with_offset = f"cast(try_cast({with_seconds} as timestamptz) at time zone 'UTC' as varchar)"
    naive = f"cast((try_cast({reference} as timestamp) at time zone {zone}) at time zone 'UTC' as varchar)"
    otherwise = reference if time_zone == "UTC" else f"coalesce({naive}, {reference})"
    return (
        f"case when regexp_matches({reference}, {literal(_HAS_OFFSET)}) "
        f"then coalesce({with_offset}, {reference}) else {otherwise} end"
    )


@cache
def is_date_pattern(pattern: str) -> bool:
    """Tell whether DuckDB can read dates by a `strptime` pattern.

    >>> is_date_pattern("%d.%m.%Y"), is_date_pattern("%Q")
    (True, False)
    """
    with duckdb.connect(":memory:") as con:
        try:
            con.execute(f"select try_strptime('', {literal(pattern)})")
        except duckdb.Error:
            return False
    return True


def _id(value: str) -> str:
    return f"regexp_replace({value}, '^(-?\\d+)\\.0+$', '\\1')"


def _boolean(value: str) -> str:
    yes, no = (", ".join(map(literal, words)) for words in (_TRUE, _FALSE))
    return (
        f"case when lower({value}) in ({yes}) then 'true' when lower({value}) in ({no}) then 'false' else {value} end"
    )


def _time(value: str, patterns: list[str]) -> str:
    has_time = any(re.search(r"%[HIcsXTzZ]", pattern) for pattern in patterns)
    parsed = f"try_strptime({value}, [{', '.join(map(literal, patterns))}])"
    return f"coalesce(cast({parsed if has_time else f'cast({parsed} as date)'} as varchar), {value})"


def _number(value: str, group: FileGroup) -> str:
    """Return canonical number text; what only another notation would read as a number is set in quotation marks.

    In a file with decimal commas "1.234" without declared thousands is neither 1234 nor 1.234 for certain; left as
    it is, it would pass for the latter, so it is quoted, fails the type check and is named.
    """
    decimal, thousands = re.escape(group.decimal), re.escape(group.thousands)
    whole = rf"(\d{{1,3}}({thousands}\d{{3}})+|\d+)" if group.thousands else r"\d+"
    fits = rf"[+-]?(\({whole}({decimal}\d+)?\)|{whole}({decimal}\d*)?-?|{decimal}\d+-?)"
    bare = f"regexp_replace({value}, '[€$£¥\\s\u00a0\u202f]', '', 'g')"
    plain = f"replace({bare}, {literal(group.thousands)}, '')" if group.thousands else bare
    plain = plain if group.decimal == "." else f"replace({plain}, {literal(group.decimal)}, '.')"
    signed = f"regexp_replace({plain}, '^\\(?([+-]?[0-9.]+?)(\\)|-)$', '-\\1')"
    ambiguous = (
        f"when try_cast({value} as double) is not null then '\"' || {value} || '\"' " if group.decimal != "." else ""
    )
    return f"case when regexp_full_match({bare}, {literal(fits)}) then {signed} {ambiguous}else {value} end"
