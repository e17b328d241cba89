"""Ways to break a file: its bytes, its text, its table. Every one is drawn from a seeded generator."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import random
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

Table = list[list[str]]
JUNK = (
    "1e400", "NaN", "nan", "inf", "-inf", "-0", "-0.00", "99999999999999999999999999999999999999999", "1e-400", "0x1F",
    "1,234.56", "1.234,56", "½", "٣", "1_000", "true", "NULL", "null", "\\N", "N/A", "#REF!", "2025-02-30",
    "2025-13-01T00:00:00", "0000-00-00", "0001-01-01", "9999-12-31T23:59:59.999999999", "294248-01-01", "-4713-01-01",
    "infinity", "epoch", "31/12/2025", "12/31/2025", "1735689600", "2025-01-01T25:61:61Z", "2025-01-01T00:00:00+99:99",
    '{"a": [1, {"b": null}]}', "[[[[[]]]]]", "a\x00b", "\x00", "a\nb", "a\r\nb", 'a"b', '""""', "'; drop table raw.x; --",
    "\ufeff", "\u202e", "\ud7ff", "😀" * 50, " ", "\t", "x" * 70_000, "%s", "{{ x }}", "$1", "-1", "0", "1e308", "9223372036854775808",
)  # fmt: skip


def _cells(table: Table, rng: random.Random, change: Callable[[str], str], share: float = 0.05) -> None:
    for row in table[1:]:
        for place in range(len(row)):
            if rng.random() < share:
                row[place] = change(row[place])


def junk_cells(table: Table, rng: random.Random) -> None:
    _cells(table, rng, lambda _: rng.choice(JUNK), rng.choice((0.001, 0.02, 0.5)))


def junk_column(table: Table, rng: random.Random) -> None:
    place, value = rng.randrange(len(table[0])), rng.choice(JUNK)
    for row in table[1:]:
        row[place] = value


def mixed_column(table: Table, rng: random.Random) -> None:
    place = rng.randrange(len(table[0]))
    for row in table[1:]:
        row[place] = rng.choice((row[place], *JUNK))


def dropped_column(table: Table, rng: random.Random) -> None:
    place = rng.randrange(len(table[0]))
    for row in table:
        del row[place]


def renamed_column(table: Table, rng: random.Random) -> None:
    names = (
        "",
        "x",
        '"',
        "select",
        "ordered_at",
        "_file_hash",
        "_row_number",
        "ORDER_ID",
        "a.b",
        "a\nb",
        "é",
        "x" * 300,
        *JUNK[-12:],
    )
    table[0][rng.randrange(len(table[0]))] = rng.choice(names)


def reordered_columns(table: Table, rng: random.Random) -> None:
    order = rng.sample(range(len(table[0])), len(table[0]))
    for row in table:
        row[:] = [row[place] for place in order]


def doubled_column(table: Table, rng: random.Random) -> None:
    place = rng.randrange(len(table[0]))
    for row in table:
        row.append(row[place])


def emptied_column(table: Table, rng: random.Random) -> None:
    place = rng.randrange(len(table[0]))
    for row in table[1:]:
        row[place] = ""


def shifted_rows(table: Table, rng: random.Random) -> None:
    for row in table[1:]:
        if rng.random() < 0.1:
            if rng.random() < 0.5:
                row.insert(rng.randrange(len(row) + 1), "shifted")
            else:
                row.pop()


def repeated_rows(table: Table, rng: random.Random) -> None:
    table += [list(rng.choice(table[1:])) for _ in range(rng.randrange(1, 50))]


def shuffled_rows(table: Table, rng: random.Random) -> None:
    table[1:] = rng.sample(table[1:], len(table) - 1)


def header_again(table: Table, rng: random.Random) -> None:
    table.insert(rng.randrange(1, len(table) + 1), list(table[0]))


def giant_field(table: Table, rng: random.Random) -> None:
    rng.choice(table[1:])[rng.randrange(len(table[0]))] = rng.choice(("x", '"', "é", ",")) * 5_000_000


def ten_thousand_columns(table: Table, rng: random.Random) -> None:
    table[0] += [f"more_{number}" for number in range(10_000)]
    for row in table[1:]:
        row += ["1"] * 10_000
    del table[20:]


def nine_hundred_columns(table: Table, rng: random.Random) -> None:
    table[0] += [f"more_{number}" for number in range(900)]
    for row in table[1:]:
        row += [rng.choice(JUNK[:10])] * 900
    del table[20:]


def header_only(table: Table, rng: random.Random) -> None:
    del table[1:]


TABLES = (junk_cells, junk_column, mixed_column, dropped_column, renamed_column, reordered_columns, doubled_column,
          emptied_column, shifted_rows, repeated_rows, shuffled_rows, header_again, giant_field, ten_thousand_columns,
          nine_hundred_columns,
          header_only)  # fmt: skip


def flipped(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 10, 1000))):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def truncated(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def cut_out(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.randrange(1, 5000) :]


def spliced(data: bytes, rng: random.Random) -> bytes:
    start, piece = rng.randrange(len(data)), rng.randbytes(rng.choice((1, 100, 10_000)))
    return data[:start] + piece + data[start:]


def with_nuls(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + b"\0" * rng.choice((1, 512, 100_000)) + data[start:]


def empty(data: bytes, rng: random.Random) -> bytes:
    return rng.choice(
        (b"", b"\n", b"\r\n\r\n", b" ", b"\xef\xbb\xbf", b"\xff\xfe", b"\0", b",", b'"', b"\n" * 10_000, b",,,\n,,,\n")
    )


def foreign(data: bytes, rng: random.Random) -> bytes:
    return rng.choice((
        b'[{"order_id": 1, "nested": {"a": [1, 2, {"b": null}]}}]', b'{"a": 1}\n{"a": 2}\n', b"<html><body>404</body></html>",
        b"PK\x03\x04" + rng.randbytes(3000), b"PAR1" + rng.randbytes(100) + b"PAR1", b"PAR1", b"\x1f\x8b", b"\x1f\x8b" + rng.randbytes(500),
        b"BZh9" + rng.randbytes(300), b"\x28\xb5\x2f\xfd" + rng.randbytes(300), rng.randbytes(5000), b"[" * 100_000, b'"' * 100_001,
        b"," * 100_000, b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    ))  # fmt: skip


def bom_inside(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + rng.choice((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF32_BE)) + data[start:]


def recoded(data: bytes, rng: random.Random) -> bytes:
    text = data.decode("utf-8", "replace")
    encoding = rng.choice(
        ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "utf-7", "utf-8-sig", "cp037")
    )
    return text.replace("e", "é" if rng.random() < 0.5 else "e").encode(encoding, "replace")


def half_recoded(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + recoded(data[start:] or b"x", rng)


def line_ends(data: bytes, rng: random.Random) -> bytes:
    unix = data.replace(b"\r\n", b"\n")
    if rng.random() < 0.3:
        return b"\n".join(line + rng.choice((b"", b"\r", b"\r\r")) for line in unix.split(b"\n"))
    return unix.replace(b"\n", rng.choice((b"\r", b"\r\n", b"\n\n", b"\n\r", b"\x0b", b"\xe2\x80\xa8")))


def other_delimiter(data: bytes, rng: random.Random) -> bytes:
    return data.replace(b",", rng.choice((b";", b"\t", b"|", b" ", b"::", b"", b"\x1f", b"a")))


def quotes(data: bytes, rng: random.Random) -> bytes:
    changed = data.split(b",")
    for _ in range(rng.choice((1, 5, 200))):
        place = rng.randrange(len(changed))
        changed[place] = rng.choice((b'"' + changed[place], changed[place] + b'"', b'"' + changed[place] + b'"',
                                     b'"""' + changed[place] + b'"', b"'" + changed[place], b'\\"' + changed[place]))  # fmt: skip
    return b",".join(changed)


BYTES = (flipped, truncated, cut_out, spliced, with_nuls, empty, foreign, bom_inside, recoded, half_recoded, line_ends,
         other_delimiter, quotes)  # fmt: skip


def _other_type(column: pa.ChunkedArray, rng: random.Random) -> pa.Array:
    size = len(column)
    choices: tuple[Callable[[], pa.Array], ...] = (
        lambda: pa.nulls(size),
        lambda: pa.array([rng.choice((0, -1, 2**63 - 1)) for _ in range(size)], pa.int64()),
        lambda: pa.array(
            [rng.choice((1e308, float("nan"), float("inf"), -0.0, 1.5)) for _ in range(size)], pa.float64()
        ),
        lambda: pa.array([rng.choice((True, False, None)) for _ in range(size)]),
        lambda: pa.array([rng.randbytes(6) for _ in range(size)], pa.binary()),
        lambda: pa.array([[1, 2]] * size, pa.list_(pa.int32())),
        lambda: pa.array([{"a": 1, "b": {"c": "x"}}] * size),
        lambda: pa.array(list(range(size)), pa.timestamp("ns", tz="America/New_York")),
        lambda: pa.array([2**62] * size, pa.timestamp("us")),
        lambda: pa.array([1] * size, pa.date32()),
        lambda: pa.array([1] * size, pa.time64("us")),
        lambda: pa.array([1] * size, pa.duration("s")),
        lambda: pa.array([1] * size, pa.uint64()),
        lambda: pa.array([rng.choice(JUNK) for _ in range(size)]).dictionary_encode(),
        lambda: pa.array([[("k", 1)]] * size, pa.map_(pa.string(), pa.int64())),
        lambda: pa.array([None] * size, pa.decimal128(38, 10)),
    )
    return rng.choice(choices)()


def parquet_other_types(data: bytes, rng: random.Random) -> bytes:
    table = pc.read_csv(io.BytesIO(data))
    for place in rng.sample(range(table.num_columns), min(rng.choice((1, 2, 5)), table.num_columns)):
        table = table.set_column(place, table.column_names[place], _other_type(table.column(place), rng))
    sink = io.BytesIO()
    pq.write_table(table, sink, compression=rng.choice(("snappy", "zstd", "gzip", "none")))
    return sink.getvalue()


def parquet_broken(data: bytes, rng: random.Random) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pc.read_csv(io.BytesIO(data)), sink)
    return rng.choice((flipped, truncated, cut_out, spliced))(sink.getvalue(), rng)


def parquet_odd_names(data: bytes, rng: random.Random) -> bytes:
    table = pc.read_csv(io.BytesIO(data))
    names = list(table.column_names)
    names[rng.randrange(len(names))] = rng.choice(
        ("", names[0], names[0].upper(), "_row_number", "file_row_number", 'a"b', "é", "\x00")
    )
    sink = io.BytesIO()
    pq.write_table(table.rename_columns(names), sink)
    return sink.getvalue()


PARQUETS = (parquet_other_types, parquet_broken, parquet_odd_names)


def zipped(data: bytes, rng: random.Random) -> bytes:
    whole = gzip.compress(data)
    return rng.choice((whole, whole[: rng.randrange(len(whole))], whole + b"junk", whole + whole, gzip.compress(whole),
                       flipped(whole, rng)))  # fmt: skip


def table_of(data: bytes) -> Table:
    return list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))


def text_of(table: Table) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\n").writerows(table)
    return written.getvalue().encode("utf-8")


MUTATIONS: tuple[Callable[..., Any], ...] = (*TABLES, *BYTES, *PARQUETS, zipped)


def mutated(mutation: Callable[..., Any], data: bytes, rng: random.Random) -> bytes:
    """Return the bytes of a CSV file broken in one way."""
    if mutation in TABLES:
        table = table_of(data)
        mutation(table, rng)
        return text_of(table)
    broken: bytes = mutation(data, rng)
    return broken
