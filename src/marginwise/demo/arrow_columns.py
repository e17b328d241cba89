"""Arrow columns from numpy arrays without a loop over rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from marginwise.contract.loader import ColumnType, contracts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Array", "contract_table", "days", "decimals", "identifiers", "labels", "masked", "money", "timestamps"]

Array = np.ndarray[Any, np.dtype[Any]]

_FOUR_DIGITS = np.frombuffer("".join(f"{i:04d}" for i in range(10_000)).encode(), dtype=np.uint32)
_NULL_TYPES: dict[ColumnType, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "decimal": pa.decimal128(18, 4),
    "timestamp": pa.timestamp("s"),
    "date": pa.date32(),
    "boolean": pa.bool_(),
}


def identifiers(prefix: str, numbers: Array, suffix: str = "") -> pa.Array:
    """Return text ids of fixed width; a negative number becomes null.

    >>> identifiers("o", np.array([7, -1])).to_pylist()
    ['o00000007', None]
    """
    count = len(numbers)
    groups = 2 if count == 0 or int(numbers.max()) < 10**8 else 3
    head, tail = prefix.encode(), suffix.encode()
    digits = np.empty((count, groups), dtype=np.uint32)
    rest = np.maximum(numbers, 0).astype(np.int64)
    for group in range(groups - 1, -1, -1):
        rest, low = np.divmod(rest, 10_000)
        digits[:, group] = _FOUR_DIGITS[low]
    width = len(head) + 4 * groups + len(tail)
    text = np.empty((count, width), dtype=np.uint8)
    text[:, : len(head)] = np.frombuffer(head, dtype=np.uint8)
    text[:, len(head) : width - len(tail)] = digits.view(np.uint8)
    if tail:
        text[:, width - len(tail) :] = np.frombuffer(tail, dtype=np.uint8)
    offsets = np.arange(count + 1, dtype=np.int64) * width
    wide = int(offsets[-1]) >= 2**31
    column = pa.Array.from_buffers(
        pa.large_string() if wide else pa.string(),
        count,
        [None, pa.py_buffer(offsets if wide else offsets.astype(np.int32)), pa.py_buffer(text)],
    )
    return masked(column, np.asarray(numbers) < 0)


def masked(column: pa.Array, is_null: Array) -> pa.Array:
    """Return the column with null where ``is_null`` holds.

    >>> masked(pa.array([1, 2]), np.array([True, False])).to_pylist()
    [None, 2]
    """
    if not is_null.any():
        return column
    return pc.if_else(pa.array(~is_null), column, pa.scalar(None, column.type))


def labels(codes: Array, names: Sequence[str | None]) -> pa.Array:
    """Return the name of each code; a negative code becomes null.

    >>> labels(np.array([1, -1, 0]), ["a", "b"]).to_pylist()
    ['b', None, 'a']
    """
    return pa.array([*names, None], pa.string()).take(pa.array(np.where(codes < 0, len(names), codes).astype(np.int32)))


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
    whole = {"store_id": pa.repeat(store_id, count), **columns}
    return pa.table(
        {
            column.name: whole[column.name] if column.name in whole else pa.nulls(count, _NULL_TYPES[column.type])
            for column in contract.columns
        }
    )
