"""Arrow columns from numpy arrays without a loop over rows."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from marginwise.contract.loader import ColumnType, contracts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "Array",
    "constant",
    "contract_table",
    "days",
    "decimals",
    "identifiers",
    "labels",
    "masked",
    "money",
    "timestamps",
]

Array = np.ndarray[Any, np.dtype[Any]]

_NULL_TYPES: dict[ColumnType, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "decimal": pa.decimal128(18, 4),
    "timestamp": pa.timestamp("s"),
    "date": pa.date32(),
    "boolean": pa.bool_(),
}


@cache
def _four_digits() -> Array:
    return np.frombuffer("".join(f"{i:04d}" for i in range(10_000)).encode(), dtype=np.uint32)


@cache
def _heads(prefix: str) -> Array:
    return np.frombuffer("".join(f"{prefix}{i:03d}" for i in range(1_000)).encode(), dtype=np.uint32)


def identifiers(prefix: str, numbers: Array) -> pa.Array:
    """Return text ids of 11 digits after a prefix of one letter; a negative number becomes null.

    Four letters are written at a time, as one word looked up by number.

    >>> identifiers("o", np.array([12_345_678, -1])).to_pylist()
    ['o00012345678', None]
    """
    count = len(numbers)
    ten_thousand = np.uint32(10_000)
    words = np.empty((count, 3), dtype=np.uint32)
    rest = np.maximum(numbers, 0).astype(np.uint32)
    for word in (2, 1):
        higher = rest // ten_thousand
        words[:, word] = _four_digits()[rest - higher * ten_thousand]
        rest = higher
    words[:, 0] = _heads(prefix)[rest]
    offsets = np.arange(0, (count + 1) * 12, 12, dtype=np.int32)
    column = pa.Array.from_buffers(pa.string(), count, [None, pa.py_buffer(offsets), pa.py_buffer(words)])
    return masked(column, numbers < 0)


def masked(column: pa.Array, is_null: Array) -> pa.Array:
    """Return a column without nulls with null where ``is_null`` holds, sharing its values.

    >>> masked(pa.array([1, 2]), np.array([True, False])).to_pylist()
    [None, 2]
    """
    if not is_null.any():
        return column
    valid = pa.py_buffer(np.packbits(~is_null, bitorder="little"))
    return pa.Array.from_buffers(column.type, len(column), [valid, *column.buffers()[1:]])


def labels(codes: Array, names: Sequence[str | None]) -> pa.Array:
    """Return the name of each code; a negative code, and a name that is None, become null.

    >>> labels(np.array([1, -1, 0]), ["a", "b"]).to_pylist()
    ['b', None, 'a']
    """
    named = [name for name in names if name is not None]
    number = {name: i for i, name in enumerate(named)}
    places = np.array(
        [*(-1 if name is None else number[name] for name in names), -1], np.int8 if len(named) < 128 else np.int16
    )
    index: Array = places[codes]
    return pa.DictionaryArray.from_arrays(masked(pa.array(index), index < 0), pa.array(named, pa.string()))


def constant(name: str, count: int) -> pa.Array:
    """Return a column that says the same in every row.

    >>> constant("main", 2).to_pylist()
    ['main', 'main']
    """
    return labels(np.zeros(count, dtype=np.int8), [name])


def decimals(units: Array, scale: int, is_null: Array | None = None) -> pa.Array:
    """Return exact decimals from whole units of ``10 ** -scale``.

    >>> decimals(np.array([-5, 1230]), 2).to_pylist()
    [Decimal('-0.05'), Decimal('12.30')]
    """
    low = np.asarray(units, dtype=np.int64)
    words = np.empty((len(low), 2), dtype=np.int64)
    words[:, 0] = low
    words[:, 1] = low >> 63
    column = pa.Array.from_buffers(pa.decimal128(18, scale), len(low), [None, pa.py_buffer(words)])
    return column if is_null is None else masked(column, is_null)


def money(cents: Array, is_null: Array | None = None) -> pa.Array:
    """Return amounts from whole cents.

    >>> money(np.array([490])).to_pylist()
    [Decimal('4.90')]
    """
    return decimals(cents, 2, is_null)


def timestamps(seconds: Array) -> pa.Array:
    """Return UTC timestamps from seconds since 1970; a negative number becomes null.

    >>> timestamps(np.array([86_400])).to_pylist()
    [datetime.datetime(1970, 1, 2, 0, 0)]
    """
    return masked(pa.array(np.asarray(seconds, dtype=np.int64)).view(pa.timestamp("s")), np.asarray(seconds) < 0)


def days(numbers: Array) -> pa.Array:
    """Return dates from days since 1970.

    >>> days(np.array([365])).to_pylist()
    [datetime.date(1971, 1, 1)]
    """
    return pa.array(np.asarray(numbers, dtype=np.int32)).view(pa.date32())


def contract_table(name: str, columns: Mapping[str, pa.Array], store_id: str) -> pa.Table:
    """Return ``columns`` as the contract table ``name``: contract order, absent columns typed and null.

    Raises
    ------
    KeyError
        When a column is not of the contract.

    Examples
    --------
    >>> table = contract_table("weather", {"city": pa.array(["Graz"])}, "main")
    >>> table.column_names[:3], table["store_id"].to_pylist()
    (['store_id', 'city', 'date'], ['main'])
    """
    contract = contracts()[name]
    unknown = set(columns) - set(contract.column_names)
    if unknown:
        raise KeyError(f"{name} has no column {sorted(unknown)}")
    count = len(next(iter(columns.values())))
    whole = {"store_id": constant(store_id, count), **columns}
    return pa.table(
        {
            column.name: whole[column.name] if column.name in whole else pa.nulls(count, _NULL_TYPES[column.type])
            for column in contract.columns
        }
    )
