"""Hashes of the accepted rows of every day, so that two runs can tell which days' data changed between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marginwise.connectors.canonical import identifier, literal
from marginwise.contract.loader import TableContract, contracts

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = ["day_contents"]

# What no verdict rests on is left out: it may change without a cause to tell.
_LEFT_OUT = ("product_prices", "inventory", "events", "subscriptions", "reviews", "weather", "budgets")
_COSTS = {
    "orders": {"shipping_cost_amount", "payment_fee_amount", "commission_amount", "handling_cost_amount"},
    "order_items": {"unit_cost"},
    "refunds": {"handling_cost_amount"},
    "payments": {"fee_amount"},
    "products": {"unit_cost"},
    "product_costs": {"unit_cost", "currency"},
    "partners": {"commission_rate"},
}
# A day is split by key, so that a row added to it and a row changed in it are told apart.
_PARTS = 8


def day_contents(con: duckdb.DuckDBPyConnection, time_zone: str) -> pa.Table:
    """Return what the accepted rows of every table and day hash to.

    Parameters
    ----------
    con
        An open connection to the warehouse, its staging built.
    time_zone
        IANA zone in which the store's days begin and end.

    Returns
    -------
    pyarrow.Table
        table_name, day_date (the day a row speaks of, null where it has none), part (of the day, by key), rows_count,
        key_content, content (of all that is no cost) and cost_content: sums of row hashes, as text. Personal data, the
        moment of an update and the file a row came from do not count.
    """
    selects = [_contents_of(contract, time_zone) for name, contract in contracts().items() if name not in _LEFT_OUT]
    return con.sql(" union all ".join(selects) + " order by all").to_arrow_table()


def _contents_of(contract: TableContract, time_zone: str) -> str:
    costs = _COSTS.get(contract.name, set())
    plain = [column.name for column in contract.columns if not column.is_pii and column.name != "updated_at"]
    keys = _hash_of(contract.key)
    told = {
        "key_content": keys,
        "content": _hash_of([name for name in plain if name not in costs]),
        "cost_content": _hash_of([*contract.key, *sorted(costs)]) if costs else "0",
    }
    sums = ", ".join(f"cast(sum({value}) as varchar) as {name}" for name, value in told.items())
    relation = f"staging.stg_{contract.name} as rows_of"
    if contract.name == "order_items":
        relation += " left join staging.stg_orders as orders using (store_id, order_id)"
    return (
        f"select {literal(contract.name)} as table_name, {_day(contract, time_zone)} as day_date,"
        f" cast({keys} % {_PARTS} as integer) as part, count(*) as rows_count, {sums} from {relation} group by all"
    )


def _hash_of(columns: list[str] | tuple[str, ...]) -> str:
    return f"hash({', '.join(f'rows_of.{identifier(column)}' for column in columns)})"


def _day(contract: TableContract, time_zone: str) -> str:
    if contract.name == "order_items":
        column, kind = "orders.ordered_at", "timestamp"
    else:
        kinds = {column.name: column.type for column in contract.columns}
        moments = (contract.versioned_by, contract.freshness_column, "valid_from")
        known = [name for name in moments if name in kinds]
        if not known:
            return "cast(null as date)"
        column = f"coalesce({', '.join(f'rows_of.{name}' for name in known)})"
        kind = kinds[known[0]]
    if kind == "date" or time_zone in ("UTC", "Etc/UTC"):
        return f"cast({column} as date)"
    return f"cast(timezone({literal(time_zone)}, timezone('UTC', {column})) as date)"
