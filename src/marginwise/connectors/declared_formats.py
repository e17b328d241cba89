"""Says in words which format a mapping declares for what a contract column is made of, for the reasons in quarantine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from marginwise.connectors.canonical import identifier
from marginwise.contract.loader import contracts

if TYPE_CHECKING:
    from marginwise.connectors.mapping import FileGroup, Mapping

__all__ = ["declared_formats"]

DeclaredFormat = tuple[str, str, str, str]
"""Raw table, contract table, contract column, what is accepted there."""


def declared_formats(mapping: Mapping) -> list[DeclaredFormat]:
    """Return what is accepted in the source columns behind every contract column for which a format is declared.

    Examples
    --------
    >>> from marginwise.connectors.mapping import FileGroup, Mapping, SourceHeader, TableMapping
    >>> lines = FileGroup(path="*", decimal=",", formats={"Datum": "%d.%m.%Y", "Preis": "number"})
    >>> orders = TableMapping(table="orders", from_="lines", columns={"ordered_at": '"Datum"'})
    >>> declared_formats(Mapping(source=SourceHeader(name="shop"), files={"lines": lines}, tables=(orders,)))
    [('shop__lines', 'orders', 'ordered_at', 'accepted in "Datum" is %d.%m.%Y')]
    """
    found: dict[tuple[str, str, str], list[str]] = {}
    for entry in mapping.tables:
        group = mapping.files[entry.group]
        typed = [column.name for column in contracts()[entry.table].columns if column.type not in ("text", "boolean")]
        for name in typed:
            expression = entry.columns.get(name, name if entry.same_names else "")
            for source, told in _told(group).items():
                if _uses(expression, source):
                    texts = found.setdefault((mapping.raw_table(entry.group), entry.table, name), [])
                    texts += [told] if told not in texts else []
    return [(*place, "; ".join(texts)) for place, texts in found.items()]


def _told(group: FileGroup) -> dict[str, str]:
    told = {}
    for name, formats in group.formats.items():
        patterns = [pattern for pattern in formats if "%" in pattern]
        if patterns:
            told[name] = f"accepted in {identifier(name)} is {' or '.join(patterns)}"
        elif "number" in formats:
            told[name] = f"accepted in {identifier(name)} is a number such as 1{group.thousands}234{group.decimal}56"
    return told


def _uses(expression: str, column: str) -> bool:
    is_quoted = identifier(column).casefold() in expression.casefold()
    return is_quoted or bool(re.search(rf'(?<![\w"]){re.escape(column)}(?![\w"])', expression, re.IGNORECASE))
