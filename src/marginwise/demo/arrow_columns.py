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
    "id_words",
    "identifiers",
    "labels",
    "masked",
    "money",
    "numbered",
    "timestamps",
    "words_column",
]

Array = np.ndarray[Any, np.dtype[Any]]

_ID_BYTES = 12

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


@cache
def _offsets(count: int) -> pa.Buffer:
    return pa.py_buffer(np.arange(0, (count + 1) * _ID_BYTES, _ID_BYTES, dtype=np.int32))


def id_words(prefix: str, numbers: Array) -> Array:
    """Return ids of 11 digits after a prefix of one letter, 12 bytes each; see :func:`words_column`.

    Four letters are written at a time, as one word looked up by number.

    >>> id_words("o", np.array([12_345_678])).tobytes()
    b'o00012345678'
    """
    ten_thousand = np.uint32(10_000)
    words = np.empty((len(numbers), 3), dtype=np.uint32)
    rest = numbers.astype(np.uint32)
    for word in (2, 1):
        higher = rest // ten_thousand
        words[:, word] = _four_digits().take(rest - higher * ten_thousand)
        rest = higher
    words[:, 0] = _heads(prefix).take(rest)
    return words.view(f"V{_ID_BYTES}").ravel()


def words_column(words: Array, is_null: Array | None = None) -> pa.Array:
    """Return a text column of ids from their words, null where ``is_null`` holds.

    >>> words_column(id_words("s", np.array([5])).repeat(2)).to_pylist()
    ['s00000000005', 's00000000005']
    """
    count = len(words)
    room = 1 << max(count - 1, 1).bit_length()
    column = pa.Array.from_buffers(pa.string(), count, [None, _offsets(room), pa.py_buffer(words.view(np.uint8))])
    return column if is_null is None else masked(column, is_null)


def identifiers(prefix: str, numbers: Array) -> pa.Array:
    """Return text ids of 11 digits after a prefix of one letter; a negative number becomes null.

    >>> identifiers("o", np.array([12_345_678, -1])).to_pylist()
    ['o00012345678', None]
    """
    is_null = numbers < 0
    if not is_null.any():
        return words_column(id_words(prefix, numbers))
    return words_column(id_words(prefix, np.maximum(numbers, 0)), is_null)


def numbered(prefix: str, before: int, count: int) -> Array:
    """Return the ids of the ``count`` numbers after ``before``, as :func:`id_words` does, block by block.

    >>> words_column(numbered("e", 9_999, 2)).to_pylist()
    ['e00000010000', 'e00000010001']
    """
    words = np.empty((count, 3), dtype=np.uint32)
    done = 0
    while done < count:
        block, first = divmod(before + 1 + done, 10_000)
        stop = min(done + 10_000 - first, count)
        words[done:stop, 2] = _four_digits()[first : first + stop - done]
        head, middle = divmod(block, 10_000)
        words[done:stop, 1] = _four_digits()[middle]
        words[done:stop, 0] = _heads(prefix)[head]
        done = stop
    return words.view(f"V{_ID_BYTES}").ravel()


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
    """Return the name of each code; the code -1, and a name that is None, become null.

    >>> labels(np.array([1, -1, 0]), ["a", "b"]).to_pylist()
    ['b', None, 'a']
    """
    named = list(dict.fromkeys(name for name in names if name is not None))
    if len(named) == len(names) and codes.dtype in (np.int8, np.int16):
        index = codes
    else:
        number = {name: i for i, name in enumerate(named)}
        kind = np.int8 if len(named) < 128 else np.int16
        index = np.array([*(-1 if name is None else number[name] for name in names), -1], kind).take(codes)
    return pa.DictionaryArray.from_arrays(masked(pa.array(index), index < 0), pa.array(named, pa.string()), safe=False)


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
    column = pa.array(np.asarray(seconds, dtype=np.int64)).view(pa.timestamp("s"))
    return masked(column, np.asarray(seconds) < 0)


def days(numbers: Array) -> pa.Array:
    """Return dates from days since 1970.

    >>> days(np.array([365])).to_pylist()
    [datetime.date(1971, 1, 1)]
    """
    return pa.array(np.asarray(numbers, dtype=np.int32)).view(pa.date32())


def contract_table(name: str, columns: Mapping[str, pa.Array], store_id: str) -> pa.Table:
    """Return ``columns`` as the contract table ``name``: contract order, absent columns typed and null.

    Columns called ``x_…`` come after those of the contract.

    Raises
    ------
    KeyError
        When a column is neither of the contract nor called ``x_…``.

    Examples
    --------
    >>> table = contract_table("weather", {"city": pa.array(["Graz"])}, "main")
    >>> table.column_names[:3], table["store_id"].to_pylist()
    (['store_id', 'city', 'date'], ['main'])
    """
    names, types = _contract_columns(name)
    extra = [column for column in columns if column.startswith("x_")]
    unknown = columns.keys() - set(names) - set(extra)
    if unknown:
        raise KeyError(f"{name} has no column {sorted(unknown)}")
    count = len(next(iter(columns.values())))
    whole = {"store_id": constant(store_id, count), **columns}
    arrays = [whole[column] if column in whole else pa.nulls(count, types[column]) for column in (*names, *extra)]
    return pa.Table.from_arrays(arrays, names=[*names, *extra])


@cache
def _contract_columns(name: str) -> tuple[tuple[str, ...], dict[str, pa.DataType]]:
    contract = contracts()[name]
    return contract.column_names, {column.name: _NULL_TYPES[column.type] for column in contract.columns}
