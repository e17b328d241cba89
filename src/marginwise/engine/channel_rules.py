"""Reads the store's own channel rules, and names the line of whatever in them cannot be used."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import duckdb

from marginwise.errors import BadSettings, MissingFile, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["CHANNEL_RULE_COLUMNS", "read_channel_rules"]

CHANNEL_RULE_COLUMNS = (
    "priority",
    "source_pattern",
    "medium_pattern",
    "campaign_pattern",
    "paid_required",
    "channel_name",
)


def read_channel_rules(con: duckdb.DuckDBPyConnection, path: Path) -> list[tuple[int | str, ...]]:
    """Return the rules of a CSV file, each value held against what it must be.

    Parameters
    ----------
    con
        Any connection; the engine itself judges the patterns.
    path
        The file that ``channels.rules`` names.

    Returns
    -------
    list of tuple
        One per line, in the order of `CHANNEL_RULE_COLUMNS`.

    Raises
    ------
    MissingFile
        When there is no such file.
    BadSettings
        When it is no CSV in UTF-8, lacks a column, or a line holds what is no rule; file, line and column are named.
    """
    if not path.is_file():
        beside = [file.name for file in path.parent.glob("*.csv")] if path.parent.is_dir() else []
        raise MissingFile(
            f"channels.rules: there is no file {path}.",
            nearest=nearest(path.name, beside),
            fix="Correct `rules` under [channels] in marginwise.toml, or leave it out to use the default channels.",
        )
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.DictReader(file, restkey="", strict=True)
            _hold_header(path, lines.fieldnames or [])
            return [_rule(con, path, lines.line_num, row) for row in lines]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadSettings(f"{path.name} is no CSV file: {error}.", accepted="CSV with commas, in UTF-8") from error


def _hold_header(path: Path, names: Sequence[str]) -> None:
    for name in CHANNEL_RULE_COLUMNS:
        if name not in names:
            raise BadSettings(
                f"{path.name}, line 1: column {name!r} is missing.",
                accepted=CHANNEL_RULE_COLUMNS,
                nearest=nearest(name, [other for other in names if other not in CHANNEL_RULE_COLUMNS]),
                fix="Separate the columns by commas.",
            )


def _rule(con: duckdb.DuckDBPyConnection, path: Path, line: int, row: dict[str, str]) -> tuple[int | str, ...]:
    values = {name: row[name] for name in CHANNEL_RULE_COLUMNS}
    if "" in row or None in values.values():
        raise _bad(path, line, "it has another number of fields than line 1", "put a field with a comma in quotes")
    if not values["priority"].strip().isdecimal():
        raise _bad(path, line, f"priority {values['priority']!r} is no whole number", "lower numbers are tried first")
    if values["paid_required"].strip().lower() not in ("", "true", "false"):
        told = f"paid_required {values['paid_required']!r} is neither true nor false nor empty"
        raise _bad(path, line, told, "empty holds for paid and free visits")
    if not values["channel_name"].strip():
        raise _bad(path, line, "channel_name is empty", "name the channel of the visits that fit")
    for name in ("source_pattern", "medium_pattern", "campaign_pattern"):
        try:
            con.execute("select regexp_matches('', ?)", [values[name]])
        except duckdb.Error as error:
            told = f"{name} {values[name]!r} is no regular expression ({str(error).splitlines()[0]})"
            raise _bad(path, line, told, "put a backslash before a sign that is meant as itself") from error
    trimmed = [values[name].strip() for name in CHANNEL_RULE_COLUMNS[1:]]
    return int(values["priority"]), *trimmed


def _bad(path: Path, line: int, told: str, advice: str) -> BadSettings:
    return BadSettings(f"{path.name}, line {line}: {told}.", fix=f"{advice[:1].upper()}{advice[1:]}.")
