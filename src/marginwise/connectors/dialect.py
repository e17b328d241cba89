"""How a text file is written: compression, encoding, delimiter and quoting, declared or found out from the file."""

from __future__ import annotations

import codecs
import csv
import errno
import io
import os
import re
import stat
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from marginwise.errors import UnreadableFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Dialect", "find_dialect", "first_records", "hold_file", "storage_kind", "told_name"]

SAMPLE_BYTES = 256 * 1024
SNIFFED_CHARACTERS = 64 * 1024
CHUNK_BYTES = 4 * 1024 * 1024
DELIMITERS = (",", ";", "\t", "|", "^", "\x1f", "\x01")
_MAGIC = ((b"PAR1", "parquet"), (b"\x1f\x8b", "gzip"), (b"BZh", "bz2"), (b"\x28\xb5\x2f\xfd", "zstd"))
_FOREIGN = (
    (rb"PK\x03\x04", "an Excel workbook or a zip archive", "Open it and save the sheet as CSV, or unpack it."),
    (rb"\xd0\xcf\x11\xe0", "an old Excel workbook", "Open it and save the sheet as CSV."),
    (rb"%PDF", "a PDF document", "Export the table behind it as CSV."),
    (rb"SQLite format 3", "an SQLite database", "Export each table as CSV."),
    (rb"(\xef\xbb\xbf)?\s*(\[\s*)?\{\s*[\"}]", "JSON", "Export it as CSV, one row per order line."),
    (
        rb"(\xef\xbb\xbf)?\s*<(\?xml|[A-Za-z!])",
        "XML or a web page",
        "Export it as CSV, or open it and save the table as CSV.",
    ),
)
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_NOT_CP1252 = bytes((0x81, 0x8D, 0x8F, 0x90, 0x9D))


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a delimited text file is written; what is None is still to be found out.

    Parameters
    ----------
    compression
        ``gzip``, ``bz2``, ``zstd`` or None.
    encoding
        Name of a Python codec.
    delimiter
        One character.
    quote
        One character, or empty when fields are never quoted.
    escape
        Character that escapes a quote inside a quoted field, or empty when quotes are doubled.
    """

    compression: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    escape: str | None = None

    def open(self, path: Path) -> pa.NativeFile:
        """Open the file's bytes, decompressed."""
        return pa.input_stream(str(path), compression=self.compression)


def told_name(name: str) -> str:
    r"""Return a file's name as it can be told: bytes that are no UTF-8 text are spelt out.

    >>> print(told_name("caf\udce9.csv"))
    caf\xe9.csv
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def hold_file(path: Path) -> None:
    """Hold that a path can be opened and read to an end.

    Raises
    ------
    UnreadableFile
        When its name is no text, when it is not there or points to nothing, or is no regular file: a pipe would be
        waited for.
    """
    for name in path.parts:
        told = told_name(name)
        if told != name:  # neither the engine nor Arrow opens it
            raise UnreadableFile(f"The name {told} is not UTF-8 text.", fix="Rename it, best in plain letters.")
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP) and path.is_symlink():
            told, fix = "is a link that points to nothing", "Bring back the file it points to, or remove it."
        else:
            told, fix = f"cannot be opened: {error.strerror or error}", "Check that it is there and may be read."
        raise UnreadableFile(f"{path.name} {told}.", fix=fix) from error
    if not stat.S_ISREG(mode):
        raise UnreadableFile(f"{path.name} is no regular file.", fix="Put a file in its place, or remove it.")


def storage_kind(path: Path) -> str:
    """Tell from the first bytes how a file is stored: ``parquet``, ``gzip``, ``bz2``, ``zstd`` or ``text``.

    Raises
    ------
    UnreadableFile
        When it cannot be opened, or is a known format that is not read here (a workbook, an archive).
    """
    hold_file(path)
    try:
        with path.open("rb") as file:
            start = file.read(256)
    except OSError as error:
        raise UnreadableFile(
            f"{path.name} cannot be opened: {error.strerror or error}.", fix="Check that it is there and may be read."
        ) from error
    for magic, named, advice in _FOREIGN:
        if re.match(magic, start):
            raise UnreadableFile(
                f"{path.name} is {named}.", accepted="CSV (also .gz, .bz2, .zst) and Parquet", fix=advice
            )
    return next((kind for magic, kind in _MAGIC if start.startswith(magic)), "text")


def find_dialect(path: Path, declared: Dialect, *, skip: int = 0) -> tuple[Dialect, str, bool]:
    """Complete a declared dialect from the file.

    The encoding is that of a byte order mark, else UTF-8 when the whole file is valid UTF-8, else Windows-1252 (Latin-1
    where a byte has no meaning there). Delimiter and quote are those that cut the first records into rows of one width.

    Parameters
    ----------
    path
        The file.
    declared
        What is known already; its fields are kept.
    skip
        Physical lines before the header, which say nothing about the delimiter.

    Returns
    -------
    Dialect, str, bool
        The dialect without gaps, the beginning of the text, and whether that is the whole text.

    Raises
    ------
    UnreadableFile
        When the bytes cannot be decompressed or decoded, or what is declared is nothing that fields can be cut by.
    """
    _hold_separators(path, declared)
    kind = storage_kind(path)
    dialect = replace(declared, compression=None if kind == "text" else kind)
    try:
        with dialect.open(path) as stream:
            start = stream.read(SAMPLE_BYTES)
            is_whole = len(start) < SAMPLE_BYTES or not stream.read(1)
        encoding = declared.encoding or _encoding(path, dialect, start)
        dialect = replace(dialect, encoding=encoding)
        sample = codecs.getincrementaldecoder(encoding)("strict").decode(start, is_whole)
    except (OSError, pa.ArrowException, EOFError) as error:
        raise UnreadableFile(f"{path.name} is damaged or cut off: {error}.", fix="Fetch the file again.") from error
    except UnicodeError as error:
        raise UnreadableFile(
            f"{path.name} is not {declared.encoding or 'text'}: {error}.", fix="Declare its encoding, or leave it out."
        ) from error
    sample = sample.removeprefix("\ufeff")
    told = "".join(io.StringIO(sample, newline="").readlines()[skip:]) if skip else sample
    return _with_separators(dialect, told[:SNIFFED_CHARACTERS]), sample, is_whole


def first_records(
    sample: str, dialect: Dialect, *, skip: int = 0, is_whole: bool, limit: int = 200
) -> list[tuple[list[str], int]]:
    r"""Cut the beginning of a text into records.

    Parameters
    ----------
    sample
        The beginning of the text.
    dialect
        How it is written.
    skip
        Physical lines to leave out first.
    is_whole
        False when the last line of the sample may be cut off.
    limit
        Most records to return.

    Returns
    -------
    list of (list of str, int)
        The fields of each record that is not blank, and the number of physical lines read up to its end.

    Examples
    --------
    >>> first_records("a;b\n1;2\n", Dialect(delimiter=";", quote='"', escape=""), is_whole=True)
    [(['a', 'b'], 1), (['1', '2'], 2)]
    """
    lines = io.StringIO(sample, newline="").readlines()
    if not is_whole and len(lines) > 1:
        lines = lines[:-1]
    reader = csv.reader(
        lines[skip:],
        delimiter=dialect.delimiter or ",",
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        escapechar=dialect.escape or None,
        doublequote=not dialect.escape,
    )
    records: list[tuple[list[str], int]] = []
    try:
        for record in reader:
            if record:
                records.append((record, skip + reader.line_num))
            if len(records) >= limit:
                break
    except csv.Error:  # a huge or broken field: what was read so far still tells the dialect
        return records
    return records


def _hold_separators(path: Path, declared: Dialect) -> None:
    for name in ("delimiter", "quote", "escape"):
        mark = getattr(declared, name) or ""
        if mark in ("\r", "\n") or not mark.isascii():
            raise UnreadableFile(
                f"{path.name}: its {name} is declared as {mark!r}.", accepted="one ASCII character that ends no line",
                fix=f"Correct `{name}` of its file group.",
            )  # fmt: skip


def _encoding(path: Path, dialect: Dialect, start: bytes) -> str:
    for mark, name in _BOMS:
        if start.startswith(mark):
            return name
    pairs = start[: len(start) // 2 * 2]
    if b"\0" in pairs:
        half = len(pairs) // 2
        if pairs[1::2].count(0) > half * 0.6:
            return "utf-16-le"
        if pairs[0::2].count(0) > half * 0.6:
            return "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    is_utf8, is_cp1252 = True, True
    for chunk in _chunks(path, dialect):
        if is_utf8:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                is_utf8 = False
        is_cp1252 = is_cp1252 and len(chunk.translate(None, _NOT_CP1252)) == len(chunk)
    if is_utf8:
        try:
            decoder.decode(b"", True)
        except UnicodeDecodeError:
            is_utf8 = False
    return "utf-8" if is_utf8 else "cp1252" if is_cp1252 else "latin-1"


def _chunks(path: Path, dialect: Dialect) -> Iterator[bytes]:
    with dialect.open(path) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk


def _with_separators(dialect: Dialect, sample: str) -> Dialect:
    quote = dialect.quote if dialect.quote is not None else _quote(sample)
    escape = dialect.escape
    if escape is None:
        escape = (
            "\\"
            if quote and f"\\{quote}" in sample and not re.search(rf"[^,;\t|]{quote}{quote}[^,;\t|]", sample)
            else ""
        )
    dialect = replace(dialect, quote=quote, escape=escape)
    if dialect.delimiter is None:
        found = [delimiter for delimiter in DELIMITERS if delimiter in sample] or [","]
        best = max(found, key=lambda delimiter: _fit(replace(dialect, delimiter=delimiter), sample))
        dialect = replace(dialect, delimiter=best)
    return dialect


def _quote(sample: str) -> str:
    if "'" not in sample:
        return '"'
    single = len(re.findall(r"(?m)(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|\r\n]|$)", sample))
    return "'" if single > 1 and not re.search(r'(?m)(?:^|[,;\t|])"', sample) else '"'


def _fit(dialect: Dialect, sample: str) -> tuple[bool, float, int]:
    widths = [len(record) for record, _ in first_records(sample, dialect, is_whole=False)]
    if not widths:
        return (False, 0.0, 0)
    width, count = Counter(widths).most_common(1)[0]
    if width < 2:
        return (False, 0.0, 0)
    return (widths[0] == width, round(count / len(widths), 2), width)
