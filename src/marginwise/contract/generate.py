"""Writes what is derived from the contract: a dbt macro, the dbt sources, the models of every table, the contract page.

Run ``python -m marginwise.contract.generate`` in a checkout after changing a document under ``tables/``.
"""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from marginwise.contract.generate_models import LINEAGE, column_lines, lineage_lines, model_files, quoted
from marginwise.contract.loader import Column, Reference, TableContract, contracts

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["generated_files", "main"]

_NOTICE = "Generated from the contract by `python -m marginwise.contract.generate`. Change the contract, not this file."
_WORDS = {"warn": "warns only", "stop": "stops the run"}
_PAGE_HEAD = """\
# The source contract

Every source is mapped to these tables. Only {required} are required. Each other table
switches on what needs it; what is missing shows as "not available", never as zero or a guess.

{contents}

How to read a section:

- **Bold** columns must hold a value in every row. The others may be empty or absent.
- Every table also takes `store_id` (first, part of every key and join, default `main`) and `updated_at` (last: of two
  rows with one key the newer one wins). Further columns named `x_…` flow through to staging.
- A value that breaks its rule, or cannot be read as its type, sends the row to **quarantine** with file, row, column
  and reason. Where the rule *warns only*, the row stays, is counted, and a value that cannot be read is left empty.
- *Points to* is checked where that table is present and the value is not empty. An orphan in quarantine is released
  when its parent arrives.
- A day before 1990, or after the day its file was landed, is impossible, unless the rule says otherwise.
- Types are text, integer, decimal (18 digits, 4 of them after the point; rates 8), timestamp (UTC), date, boolean.

The documents behind this page are in the Open Data Contract Standard (v3.1), one YAML file a table, in
`src/marginwise/contract/tables/`. The checks, the staging models and the dbt sources are made from them."""


def generated_files(tables: Mapping[str, TableContract] | None = None) -> dict[str, str]:
    """Return the text of every generated file by its path in the repository.

    Parameters
    ----------
    tables
        The contract; the installed one by default.

    Examples
    --------
    >>> sorted(generated_files())
    ['docs/contract.md', 'src/marginwise/warehouse/macros/contract.sql', ...]
    """
    tables = contracts() if tables is None else tables
    return {
        "src/marginwise/warehouse/macros/contract.sql": _macro(tables),
        "src/marginwise/warehouse/models/staging/sources.yml": _sources(tables),
        "docs/contract.md": _page(tables),
        **model_files(tables, _NOTICE),
    }


def main(root: Path | None = None) -> int:
    """Write the generated files under ``root`` (the checkout this module lies in) and name those that changed.

    Returns
    -------
    int
        Exit code 0.
    """
    root = Path(__file__).parents[3] if root is None else root
    for name, text in generated_files().items():
        path = root / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {name}\n")
    return 0


def _literal(value: object) -> str:
    """Return ``value`` as a Jinja literal."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    if isinstance(value, tuple):
        return "[" + ", ".join(_literal(item) for item in value) + "]"
    raise TypeError(type(value).__name__)


def _pairs(**entries: object) -> str:
    return "{" + ", ".join(f"'{name}': {_literal(value)}" for name, value in entries.items()) + "}"


def _macro_column(column: Column) -> str:
    return _pairs(
        name=column.name,
        type=column.type,
        sql_type=column.sql_type,
        required=column.is_required,
        allowed=column.allowed,
        minimum=column.minimum,
        maximum=column.maximum,
        earliest=column.earliest,
        may_be_future=column.may_be_future,
        pattern=column.pattern,
        default=column.default,
        pii=column.is_pii,
        on_violation=column.on_violation,
        range_rule=column.range_rule,
        pattern_rule=column.pattern_rule,
    )


def _macro_reference(reference: Reference) -> str:
    return _pairs(
        column=reference.column,
        columns=reference.columns,
        table=reference.table,
        to_columns=reference.to_columns,
        on_violation=reference.on_violation,
    )


def _macro(tables: Mapping[str, TableContract]) -> str:
    lines = [f"{{# {_NOTICE} #}}", "{% macro contract_tables() %}", "{{ return({"]
    for table in tables.values():
        lines += [
            f"  '{table.name}': {{",
            f"    'required': {_literal(table.is_required)},",
            f"    'key': {_literal(table.key)},",
            f"    'versioned_by': {_literal(table.versioned_by)},",
            f"    'freshness_column': {_literal(table.freshness_column)},",
            f"    'freshness_days': {_literal(table.freshness_days)},",
            "    'references': [",
            *(f"      {_macro_reference(reference)}," for reference in table.references),
            "    ],",
            "    'columns': [",
            *(f"      {_macro_column(column)}," for column in table.columns),
            "    ],",
            "  },",
        ]
    return "\n".join([*lines, "}) }}", "{% endmacro %}", ""])


def _sources(tables: Mapping[str, TableContract]) -> str:
    lines = [
        f"# {_NOTICE}",
        "version: 2",
        "",
        "sources:",
        "  - name: landed",
        "    schema: \"{{ env_var('MARGINWISE_BUILD_PREFIX', '') }}landed\"",
        "    description: Mapped to the contract and not yet checked. An absent table is a typed empty view.",
        "    tables:",
    ]
    for table in tables.values():
        lines += [
            f"      - name: {table.name}",
            f"        description: {quoted(f'{table.description} {table.grain}')}",
            "        columns:",
            *column_lines(table, 10),
            *lineage_lines(LINEAGE, 10),
        ]
    return "\n".join([*lines, ""])


def _page(tables: Mapping[str, TableContract]) -> str:
    required = " and ".join(f"`{table.name}`" for table in tables.values() if table.is_required)
    contents = " · ".join(f"[{name}](#{name})" for name in tables)
    lines = [f"<!-- {_NOTICE} -->", "", _PAGE_HEAD.format(required=required, contents=contents)]
    for table in tables.values():
        lines += ["", *_page_section(table)]
    return "\n".join([*lines, ""])


def _page_section(table: TableContract) -> list[str]:
    key = ", ".join(f"`{name}`" for name in table.key if name != "store_id")
    facts = [f"**Grain** {table.grain}", f"**Key** {key}"]
    if table.is_required:
        facts.insert(0, "**Required**")
    if table.freshness_column:
        facts.append(f"**Fresh** when `{table.freshness_column}` is at most {table.freshness_days} days old")
    lines = [f"## {table.name}", "", table.description, "", " · ".join(facts), ""]
    lines += ["| column | type | unit | meaning | rule |", "|---|---|---|---|---|"]
    for column in table.columns:
        if column.name not in ("store_id", "updated_at"):
            cells = (_page_name(column), column.type, column.unit or "", column.description, _page_rule(column))
            lines.append(f"| {' | '.join(cells)} |")
    links = [f"{_page_path(item)} → [{item.table}](#{item.table}) ({item.on_violation})" for item in table.references]
    if links:
        lines += ["", "Points to " + ", ".join(links) + "."]
    for rule in table.rules:
        lines += ["", f"Rule `{rule.name}` ({rule.on_violation}): {rule.description}"]
    return lines


def _page_name(column: Column) -> str:
    return f"**`{column.name}`**" if column.is_required and column.default is None else f"`{column.name}`"


def _page_rule(column: Column) -> str:
    rules = []
    if column.is_pii:
        rules.append("personal data")
    if column.default is not None:
        value = column.default if isinstance(column.default, str) else _literal(column.default)
        rules.append(f"default `{value}`")
    if column.allowed:
        rules.append("one of " + ", ".join(f"`{value}`" for value in column.allowed))
    if column.minimum is not None:
        rules.append(f"at least {_literal(column.minimum)}")
    if column.maximum is not None:
        rules.append(f"at most {_literal(column.maximum)}")
    if column.earliest not in (None, "1990-01-01"):
        rules.append(f"from {column.earliest} on")
    if column.may_be_future:
        rules.append("may lie ahead")
    if column.pattern:
        rules.append(f"matches `{column.pattern}`")
    if column.on_violation != "quarantine":
        rules.append(_WORDS[column.on_violation])
    return "; ".join(rules)


def _page_path(reference: Reference) -> str:
    return ", ".join(f"`{name}`" for name in reference.columns if name != "store_id")


if __name__ == "__main__":
    sys.exit(main())
