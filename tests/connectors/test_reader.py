"""Any dialect is found out, every row keeps its number, what is broken is kept apart or named."""

from __future__ import annotations

import bz2
import gzip
import os
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from marginwise.connectors.dialect import Dialect
from marginwise.connectors.reader import FileShape, Reading, inspect_file, read_text_file
from marginwise.errors import UnreadableFile

if TYPE_CHECKING:
    from pathlib import Path

UNDECLARED = Dialect()


def read(path: Path, **options: object) -> tuple[FileShape, list[dict[str, object]], Reading]:
    shape = inspect_file(path, declared=options.pop("declared", UNDECLARED), **options)  # type: ignore[arg-type]
    reading = Reading()
    rows = [row for batch in read_text_file(path, shape, reading) for row in batch.to_pylist()]
    return shape, rows, reading


def written(folder: Path, content: str | bytes, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
def test_delimiter_and_encoding_are_found_out(tmp_path: Path, delimiter: str, encoding: str) -> None:
    lines = [["Größe", "Preis", "Ort"], ["12", "1.5", "Köln"], ["13", "2.5", "Zürich"], ["14", "3.5", "Graz"]]
    path = written(tmp_path, "\r\n".join(delimiter.join(line) for line in lines).encode(encoding))
    shape, rows, _ = read(path)
    assert shape.columns == ("Größe", "Preis", "Ort")
    assert rows[0] == {"Größe": "12", "Preis": "1.5", "Ort": "Köln", "_row_number": 1}
    assert len(rows) == 3


def test_decimal_commas_do_not_pass_for_the_delimiter(tmp_path: Path) -> None:
    shape, rows, _ = read(written(tmp_path, "a;b;c\n1,5;2,5;3,5\n1,5;2,5;3,5\n"))
    assert shape.columns == ("a", "b", "c")
    assert rows[0]["b"] == "2,5"


def test_bytes_without_meaning_in_windows_1252_are_latin_1(tmp_path: Path) -> None:
    shape, rows, _ = read(written(tmp_path, b"a,b\n\x81,\xe9\n"))
    assert shape.dialect is not None
    assert shape.dialect.encoding == "latin-1"
    assert rows[0]["b"] == "é"


def test_invalid_utf_8_far_behind_the_sample_is_seen(tmp_path: Path) -> None:
    content = b"a,b\n" + b"plain,text\n" * 200_000 + b"caf\xe9,x\n"
    _, rows, reading = read(written(tmp_path, content))
    assert rows[-1] == {"a": "café", "b": "x", "_row_number": 200_001}
    assert not reading.unreadable


@pytest.mark.parametrize(("suffix", "packed"), [(".gz", gzip.compress), (".bz2", bz2.compress), ("", gzip.compress)])
def test_compression_is_told_by_the_bytes_not_the_name(tmp_path: Path, suffix: str, packed: object) -> None:
    path = written(tmp_path, packed(b"a,b\n1,2\n"), f"file.csv{suffix}")  # type: ignore[operator]
    assert read(path)[1] == [{"a": "1", "b": "2", "_row_number": 1}]


def test_zstandard_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file.csv.zst"
    with pa.output_stream(str(path), compression="zstd") as stream:
        stream.write(b"a,b\n1,2\n")
    assert read(path)[1] == [{"a": "1", "b": "2", "_row_number": 1}]


def test_newlines_quotes_and_empty_fields_stay_as_they_are(tmp_path: Path) -> None:
    _, rows, _ = read(written(tmp_path, 'a,b\n"x\ny","say ""hi"""\n,""\n'))
    assert rows[0] == {"a": "x\ny", "b": 'say "hi"', "_row_number": 1}
    assert rows[1] == {"a": "", "b": "", "_row_number": 2}


def test_backslash_escapes_are_found_out(tmp_path: Path) -> None:
    _, rows, _ = read(written(tmp_path, 'a,b\n"say \\"hi\\"",2\n"x",3\n'))
    assert rows[0]["a"] == 'say "hi"'


def test_single_quotes_are_found_out(tmp_path: Path) -> None:
    path = written(tmp_path, "1,'2012-03-19, noon','x'\n2,'2012-03-20, noon','y'\n")
    shape, rows, _ = read(path, header=False, columns=("id", "at", "name"))
    assert shape.columns == ("id", "at", "name")
    assert rows[0] == {"id": "1", "at": "2012-03-19, noon", "name": "x", "_row_number": 1}


def test_broken_rows_are_kept_apart_and_numbers_stay_true(tmp_path: Path) -> None:
    lines = ["a,b", *(f"{n},x" for n in range(1, 4)), "4", "5,x,y", *(f"{n},x" for n in range(6, 9))]
    _, rows, reading = read(written(tmp_path, "\n".join(lines)))
    assert [(row["a"], row["_row_number"]) for row in rows] == [(str(n), n) for n in (1, 2, 3, 6, 7, 8)]
    assert [(row.row_number, row.line_text) for row in reading.unreadable] == [(4, "4"), (5, "5,x,y")]
    assert reading.unreadable[0].reason == "1 fields instead of 2"


def test_numbers_stay_true_over_many_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marginwise.connectors.reader.BLOCK_BYTES", 200)
    lines = ["n,text", *("broken" if n % 7 == 0 else f'{n},"two\nlines"' for n in range(1, 500))]
    _, rows, reading = read(written(tmp_path, "\n".join(lines)))
    assert all(int(str(row["n"])) == row["_row_number"] for row in rows)
    assert [row.row_number for row in reading.unreadable] == list(range(7, 500, 7))


def test_a_file_of_too_many_columns_is_refused(tmp_path: Path) -> None:
    """Found wrong once: a file of 10,000 columns kept landing busy for more than ten minutes."""
    names = [f"c{number}" for number in range(10_000)]
    with pytest.raises(UnreadableFile, match=r"has 10,000 columns\. Accepted: at most 1,000 columns"):
        read(written(tmp_path, ",".join(names) + "\n" + ",".join("1" * 10_000) + "\n"))
    pq.write_table(pa.table({name: [1] for name in names}), tmp_path / "wide.parquet")
    with pytest.raises(UnreadableFile, match="has 10,000 columns"):
        read(tmp_path / "wide.parquet")


def test_a_null_character_in_a_column_name_is_left_out(tmp_path: Path) -> None:
    """Found wrong once: the engine ends a name at it, and landing broke off with a parser error."""
    assert read(written(tmp_path, b"a\0b,\0,c\n1,2,3\n"))[0].columns == ("ab", "column_2", "c")


def test_lines_before_the_header_are_left_out(tmp_path: Path) -> None:
    path = written(tmp_path, "Report, of all, the sales\n\na;b\n1;2\nbroken\n3;4\n")
    shape, rows, reading = read(path, skip_rows=2)
    assert shape.columns == ("a", "b")
    assert [row["_row_number"] for row in rows] == [1, 3]
    assert reading.unreadable[0].row_number == 2


def test_odd_headers_become_unique_names_and_are_noted(tmp_path: Path) -> None:
    path = written(tmp_path, '\ufeff"id", Name ,,name,_file_hash\n1,2,3,4,5\n')
    shape, rows, _ = read(path)
    assert shape.columns == ("id", "Name", "column_3", "name_2", "source_file_hash")
    assert len(shape.notes) == 3
    assert rows[0]["source_file_hash"] == "5"


def test_a_delimiter_at_the_end_of_each_row_makes_a_column_without_a_name(tmp_path: Path) -> None:
    shape, rows, reading = read(written(tmp_path, "a,b\n1,2,\n3,4,\n"))
    assert shape.columns == ("a", "b", "column_3")
    assert len(rows) == 2
    assert not reading.unreadable


@pytest.mark.parametrize("content", ["", "\n\n", "a,b", "a,b\n", "\ufeff"])
def test_a_file_without_rows_is_fine(tmp_path: Path, content: str) -> None:
    shape, rows, _ = read(written(tmp_path, content))
    assert rows == []
    assert shape.columns == (("a", "b") if "a" in content else ())


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"file\.csv is an Excel workbook.*save the sheet as CSV"):
        read(written(tmp_path, b"PK\x03\x04rest"))
    packed = gzip.compress(b"a,b\n" + b"1,2\n" * 100_000)
    with pytest.raises(UnreadableFile, match=r"cut\.csv\.gz is damaged or cut off"):
        read(written(tmp_path, packed[: len(packed) // 2], "cut.csv.gz"))
    with pytest.raises(UnreadableFile, match=r"file\.csv has 3 columns, the mapping names 2"):
        read(written(tmp_path, "1,2,3\n"), header=False, columns=("a", "b"))
    with pytest.raises(UnreadableFile, match=r"file\.csv is not utf-8"):
        read(written(tmp_path, b"a\n\xe9\n"), declared=Dialect(encoding="utf-8"))
    with pytest.raises(UnreadableFile, match=r"absent\.csv cannot be opened"):
        read(tmp_path / "absent.csv")
    with pytest.raises(UnreadableFile, match=r"file\.parquet is no readable Parquet file"):
        read(written(tmp_path, b"PAR1nothing", "file.parquet"))
    pq.write_table(pa.table({}), tmp_path / "file.parquet")
    with pytest.raises(UnreadableFile, match=r"file\.parquet is a Parquet file without columns"):
        read(tmp_path / "file.parquet")


@pytest.mark.parametrize("name", ["delimiter", "quote", "escape"])
@pytest.mark.parametrize("mark", ["é", "\n"])
def test_a_separator_that_cannot_be_is_named(tmp_path: Path, name: str, mark: str) -> None:
    # found wrong once: a traceback in the words of the engine
    with pytest.raises(UnreadableFile, match=rf"file\.csv: its {name} .* Correct `{name}`") as caught:
        read(written(tmp_path, "a;b\n1;2\n"), declared=Dialect(**{name: mark}))
    assert "one ASCII character" in str(caught.value)


def test_a_name_that_is_no_text_is_told_escaped(tmp_path: Path) -> None:
    for name in (b"verk\xe4ufe.csv", b"verk\xe4ufe/sales.csv"):
        path = tmp_path / os.fsdecode(name)
        path.parent.mkdir(exist_ok=True)
        with pytest.raises(UnreadableFile, match=r"The name verk\\xe4ufe\S* is not UTF-8 text\. Rename it"):
            read(path)


def test_a_pipe_is_told_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "file.csv")
    with pytest.raises(UnreadableFile, match=r"file\.csv is no regular file"):
        read(tmp_path / "file.csv")


def test_a_wrong_declared_encoding_is_named_with_the_remedy(tmp_path: Path) -> None:
    content = b"a,b\n" + b"plain,text\n" * 200_000 + b"caf\xe9,x\n"
    with pytest.raises(UnreadableFile, match=r"file\.csv cannot be read as utf-8 text.*Declare `encoding`"):
        read(written(tmp_path, content), declared=Dialect(encoding="utf-8"))


def test_parquet_keeps_its_names_and_types(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    pq.write_table(pa.table({" id ": [1], "": ["x"]}), path)
    shape = inspect_file(path, declared=UNDECLARED)
    assert shape.is_parquet
    assert (shape.columns, shape.file_columns) == (("id", "column_2"), (" id ", ""))
