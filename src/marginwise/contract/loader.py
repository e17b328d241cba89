"""Reads the source contract: one Open Data Contract Standard document per table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, cast

import yaml

from marginwise.errors import MarginwiseError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "TABLE_NAMES",
    "Column",
    "ColumnType",
    "Reference",
    "Rule",
    "TableContract",
    "Violation",
    "contracts",
    "table_contract",
]

ColumnType = Literal["text", "integer", "decimal", "timestamp", "date", "boolean"]
Violation = Literal["quarantine", "warn", "stop"]
Scalar = str | int | float | bool

TABLE_NAMES = (
    "orders",
    "order_items",
    "refunds",
    "payments",
    "customers",
    "products",
    "product_costs",
    "product_prices",
    "inventory",
    "sessions",
    "events",
    "marketing_spend",
    "partners",
    "subscriptions",
    "reviews",
    "weather",
    "exchange_rates",
    "budgets",
)

_TYPES: dict[str, ColumnType] = {
    "string": "text",
    "integer": "integer",
    "number": "decimal",
    "timestamp": "timestamp",
    "date": "date",
    "boolean": "boolean",
}
_EARLIEST = "1990-01-01"
_VIOLATIONS = ("quarantine", "warn", "stop")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a contract table and what it may hold.

    Parameters
    ----------
    name
        Name in ``landed`` and ``staging``.
    type
        Type after the checks: text, integer, decimal, timestamp, date or boolean.
    sql_type
        The same as an SQL type that DuckDB and PostgreSQL share, such as ``decimal(18,4)``.
    is_required
        True when a row without a value breaks the contract.
    description
        What the column means.
    unit
        Unit of the value, or None.
    is_pii
        True when the value identifies a person.
    allowed
        The only values accepted, or None.
    minimum, maximum
        Inclusive bounds, or None.
    earliest
        First possible day of a date or timestamp as ISO text, None for other types.
    may_be_future
        True for a date or timestamp that may lie after the day its file was landed.
    pattern
        Regular expression the whole value matches, or None.
    default
        Stands in for a missing value, or None.
    on_violation
        What a broken rule of this column does.
    range_rule, pattern_rule
        Names under which broken bounds and a broken pattern are reported.
    """

    name: str
    type: ColumnType
    sql_type: str
    is_required: bool
    description: str
    unit: str | None = None
    is_pii: bool = False
    allowed: tuple[str, ...] | None = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    earliest: str | None = None
    may_be_future: bool = False
    pattern: str | None = None
    default: Scalar | None = None
    on_violation: Violation = "quarantine"
    range_rule: str = "range"
    pattern_rule: str = "pattern"


@dataclass(frozen=True, slots=True)
class Reference:
    """Columns that point to a row of another table; checked only where that table is present.

    Parameters
    ----------
    columns
        Columns of this table, ``store_id`` first. A row with an empty one is not checked.
    table
        The table pointed to.
    to_columns
        Its columns, in the same order.
    on_violation
        What an orphan does: wait in quarantine until its parent arrives, or warn.
    """

    columns: tuple[str, ...]
    table: str
    to_columns: tuple[str, ...]
    on_violation: Violation

    @property
    def column(self) -> str:
        """The column that names the reference: the last one."""
        return self.columns[-1]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the whole table, held by the warehouse.

    Parameters
    ----------
    name
        Name under which a break is reported.
    on_violation
        What a break does.
    description
        What must hold.
    """

    name: str
    on_violation: Violation
    description: str


@dataclass(frozen=True, slots=True)
class TableContract:
    """What one source table must look like.

    Parameters
    ----------
    name
        Name of the table.
    description
        What it is for.
    grain
        What one row is.
    key
        Natural key, ``store_id`` first.
    is_required
        True when nothing can be said without this table.
    versioned_by
        Column that tells versions of one key apart, or None when one row per key is current.
    columns
        All columns: ``store_id`` first, ``updated_at`` last.
    references
        Columns that point to other tables.
    rules
        Rules of the whole table.
    freshness_column, freshness_days
        The column that tells how new the table is, and how many days behind the data's as-of date it may be.
    """

    name: str
    description: str
    grain: str
    key: tuple[str, ...]
    is_required: bool
    versioned_by: str | None
    columns: tuple[Column, ...]
    references: tuple[Reference, ...] = ()
    rules: tuple[Rule, ...] = ()
    freshness_column: str | None = None
    freshness_days: int | None = None

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of all columns in contract order."""
        return tuple(column.name for column in self.columns)

    @property
    def required_columns(self) -> tuple[str, ...]:
        """Names of the columns a source must deliver: required and without a default."""
        return tuple(column.name for column in self.columns if column.is_required and column.default is None)

    def column(self, name: str) -> Column:
        """Return the column called ``name``.

        Raises
        ------
        KeyError
            When the table has no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


@cache
def contracts() -> dict[str, TableContract]:
    """Return every table of the contract by name, in contract order.

    Read once per process. The same dictionary is returned every time and must not be changed.

    Raises
    ------
    MarginwiseError
        When a document of the installation does not say what the contract needs.

    Examples
    --------
    >>> contracts()["orders"].key
    ('store_id', 'order_id')
    >>> [name for name, table in contracts().items() if table.is_required]
    ['orders', 'order_items']
    """
    return {name: table_contract(_document(name)) for name in TABLE_NAMES}


def table_contract(document: Mapping[str, Any]) -> TableContract:
    """Read one Open Data Contract Standard document with one schema object.

    Parameters
    ----------
    document
        The parsed YAML.

    Raises
    ------
    MarginwiseError
        When a type or a violation is not one the contract knows, or a key is not declared.

    Examples
    --------
    >>> document = {"schema": [{"name": "shops", "properties": [
    ...     {"name": "shop_id", "logicalType": "string", "primaryKey": True, "primaryKeyPosition": 1}]}]}
    >>> table_contract(document).columns[0].type
    'text'
    """
    schema = document["schema"][0]
    name = schema["name"]
    extra = _custom(schema)
    properties = schema["properties"]
    keyed = sorted((p["primaryKeyPosition"], p["name"]) for p in properties if p.get("primaryKey"))
    if not keyed:
        raise MarginwiseError(f"The contract of {name} declares no key.", fix="Set primaryKey on its key columns.")
    freshness = [sla for sla in document.get("slaProperties", ()) if sla["property"] == "freshness"]
    return TableContract(
        name=name,
        description=schema.get("description", ""),
        grain=schema.get("dataGranularityDescription", ""),
        key=tuple(column for _, column in keyed),
        is_required=bool(extra.get("isRequired", False)),
        versioned_by=extra.get("versionedBy"),
        columns=tuple(_column(name, item) for item in properties),
        references=tuple(_reference(name, item) for item in schema.get("relationships", ())),
        rules=tuple(
            Rule(item["name"], _violation(name, item.get("severity")), item["description"])
            for item in schema.get("quality", ())
        ),
        freshness_column=freshness[0]["element"].rpartition(".")[2] if freshness else None,
        freshness_days=int(freshness[0]["value"]) if freshness else None,
    )


def _document(name: str) -> Mapping[str, Any]:
    text = files("marginwise.contract").joinpath("tables", f"{name}.yaml").read_text(encoding="utf-8")
    return cast("Mapping[str, Any]", yaml.load(text, Loader=_LOADER))  # noqa: S506 - a safe loader


def _custom(item: Mapping[str, Any]) -> dict[str, Any]:
    return {entry["property"]: entry["value"] for entry in item.get("customProperties", ())}


def _violation(where: str, given: Any) -> Violation:
    if given not in _VIOLATIONS:
        raise MarginwiseError(f"The contract of {where} names the violation {given!r}.", accepted=_VIOLATIONS)
    return cast("Violation", given)


def _column(table: str, item: Mapping[str, Any]) -> Column:
    where = f"{table}.{item['name']}"
    if item.get("logicalType") not in _TYPES:
        raise MarginwiseError(f"The contract of {where} has the type {item.get('logicalType')!r}.", accepted=_TYPES)
    options = item.get("logicalTypeOptions", {})
    extra = _custom(item)
    is_time = item["logicalType"] in ("date", "timestamp")
    allowed: tuple[str, ...] | None = None
    range_rule, pattern_rule = "range", "pattern"
    for rule in item.get("quality", ()):
        arguments = rule.get("arguments", {})
        if "validValues" in arguments:
            allowed = tuple(arguments["validValues"])
        elif "pattern" in arguments:
            pattern_rule = rule["name"]
        else:
            range_rule = rule["name"]
    return Column(
        name=item["name"],
        type=_TYPES[item["logicalType"]],
        sql_type=item.get("physicalType", ""),
        is_required=bool(item.get("required", False)),
        description=item.get("description", ""),
        unit=extra.get("unit"),
        is_pii=item.get("classification") == "pii",
        allowed=allowed,
        minimum=None if is_time else options.get("minimum"),
        maximum=options.get("maximum"),
        earliest=options.get("minimum", _EARLIEST) if is_time else None,
        may_be_future=bool(extra.get("mayBeFuture", False)),
        pattern=options.get("pattern"),
        default=extra.get("default"),
        on_violation=_violation(where, extra.get("onViolation", "quarantine")),
        range_rule=range_rule,
        pattern_rule=pattern_rule,
    )


def _reference(table: str, item: Mapping[str, Any]) -> Reference:
    columns = tuple(path.rpartition(".")[2] for path in item["from"])
    to_columns = tuple(path.rpartition(".")[2] for path in item["to"])
    target = item["to"][0].rpartition(".")[0]
    return Reference(columns, target, to_columns, _violation(table, _custom(item).get("onViolation", "warn")))
