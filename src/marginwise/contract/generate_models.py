"""Writes the dbt models that every contract table has: its checked rows, its staging, and what their columns mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from marginwise.contract.loader import TableContract

__all__ = ["LINEAGE", "column_lines", "lineage_lines", "model_files", "quoted"]

LINEAGE = {
    "_source": "Name of the source the row came from.",
    "_file_hash": "Hash of the file the row came from.",
    "_row_number": "Row in that file, 1 is the first data row.",
    "_file_date": "Date declared for the file, or null.",
    "_landed_date": "Date the file was landed.",
    "_raw_table": "Table in raw that keeps the row unchanged.",
}
_FINDING = {
    "_violations": "The broken rules as `rule:column`, comma separated; null when the row is accepted.",
    "_found": "What stood where each of them broke, in the same order, unit separators between; never personal data.",
    "_warnings": "The rules that only warn, as `rule:column`, comma separated; null when there is none.",
    "_is_current": "True when the row is loaded; false when it is in quarantine or superseded.",
}
_MODELS = "src/marginwise/warehouse/models"


def model_files(tables: Mapping[str, TableContract], notice: str) -> dict[str, str]:
    """Return the text of every model of the contract's tables, and of its YAML, by path in the repository.

    Parameters
    ----------
    tables
        The contract.
    notice
        What the first line of a generated YAML file says.

    Examples
    --------
    >>> from marginwise.contract.loader import contracts
    >>> files = model_files({"weather": contracts()["weather"]}, "Generated.")
    >>> [name.rpartition("models/")[2] for name in files]
    ['checks/rows/chk_weather.sql', ..., 'staging/stg_weather.sql', 'staging/stg_weather.yml']
    """
    files: dict[str, str] = {}
    for table in tables.values():
        for path, grain, macro, columns in _models(table):
            model = path.rpartition("/")[2]
            files[f"{_MODELS}/{path}.sql"] = f"-- Grain: {grain}\n{{{{ {macro}('{table.name}') }}}}\n"
            lines = [f"# {notice}", "version: 2", "", "models:", f"  - name: {model}"]
            lines += [f"    description: {quoted(_sentence(grain))}", "    columns:"]
            files[f"{_MODELS}/{path}.yml"] = "\n".join([*lines, *columns, ""])
    return files


def column_lines(table: TableContract, indent: int, names: Iterable[str] | None = None) -> list[str]:
    """Return the YAML lines that describe a table's columns, all or those named, with unit and personal data marked."""
    lines: list[str] = []
    for column in table.columns:
        if names is None or column.name in names:
            text = f"{column.description} Unit: {column.unit}." if column.unit else column.description
            lines += _entry(column.name, text, indent)
            if column.is_pii:
                lines += [f"{' ' * indent}  {line}" for line in ("config:", "  meta:", "    pii: true")]
    return lines


def lineage_lines(names: Iterable[str], indent: int) -> list[str]:
    """Return the YAML lines that describe where a row came from."""
    return [line for name in names for line in _entry(name, LINEAGE[name], indent)]


def quoted(text: str) -> str:
    """Return the text as a YAML string.

    >>> quoted("50 % of it")
    '"50 % of it"'
    """
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _models(table: TableContract) -> list[tuple[str, str, str, list[str]]]:
    identity = [*table.key, *([table.versioned_by] if table.versioned_by else [])]
    grain = table.grain[0].lower() + table.grain[1:].rstrip(".")
    return [
        (
            f"checks/rows/chk_{table.name}",
            f"one landed row of {table.name}, accepted or not; sum nothing of it without `where _is_current`.",
            "checked_rows",
            [*column_lines(table, 6), *lineage_lines(LINEAGE, 6), *_finding_lines()],
        ),
        (
            f"staging/stg_{table.name}",
            f"{grain}; key {', '.join(identity)}.",
            "staged_rows",
            [*column_lines(table, 6), *lineage_lines(("_source", "_file_hash", "_row_number"), 6)],
        ),
    ]


def _finding_lines() -> list[str]:
    return [line for name, text in _FINDING.items() for line in _entry(name, text, 6)]


def _entry(name: str, text: str, indent: int) -> list[str]:
    space = " " * indent
    return [f"{space}- name: {name}", f"{space}  description: {quoted(text)}"]


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
