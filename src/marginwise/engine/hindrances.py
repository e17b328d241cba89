"""Tells what the machine keeps a run from doing: a full disk, a folder that may not be written, a damaged warehouse."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from marginwise.errors import (
    BadMapping,
    BrokenStore,
    BuildFailed,
    DiskFull,
    MarginwiseError,
    NotWritable,
    OutOfMemory,
    StoreBusy,
)

__all__ = ["fails_on_a_value", "hindrance", "hindrances_told", "is_of_a_value", "without_values"]

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_RIGHT = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR, errno.EISDIR}
_FULL = re.compile(
    r"No space left|File too large|Disk quota|Could not write file|max_temp_directory_size", re.IGNORECASE
)
_TOO_LITTLE = re.compile(
    r"Out of Memory Error|could not allocate block|failed to (pin|allocate|offload) (data )?block|failed to allocate data",
    re.IGNORECASE,
)
_REFUSED = re.compile(r"Permission denied|Read-only file system|Is a directory|Not a directory", re.IGNORECASE)
_LOCKED = re.compile(r"Could not set lock on file")
_HOLDER = re.compile(r"held in (?P<program>.+?) \(PID (?P<process>\d+)\)")
_DAMAGED = re.compile(
    r"checksum|corrupt|invalidated|deserializ|not a valid DuckDB|wal file|INTERNAL Error|Could not read|"
    r"could not read enough bytes|newer version|trying to read a database file|Serialization Error",
    re.IGNORECASE,
)
_OF_A_VALUE = re.compile(r"(Conversion|Invalid Input|Out of Range) Error")
_QUOTED = re.compile(r'file "([^"]+)"')


def is_of_a_value(told: str) -> bool:
    """Return whether the engine could not reckon with a value: it may be of a customer, and is not to be told.

    Examples
    --------
    >>> is_of_a_value("Conversion Error: Could not convert string 'anna@example.org' to INT32")
    True
    """
    return _OF_A_VALUE.search(told) is not None


def without_values(told: str) -> str:
    """Return the first line of what the engine says; of what it says about a value, the kind of error alone.

    Examples
    --------
    >>> without_values("Conversion Error: Could not convert string 'anna@example.org' to INT32")
    'Conversion Error'
    >>> without_values("")
    ''
    """
    kind = _OF_A_VALUE.search(told)
    return kind[0] if kind else told.partition("\n")[0].rstrip(".")


def fails_on_a_value(table: str, told: str, *, column: str | None = None, mapping: str = "its mapping") -> BadMapping:
    """Return what an expression of a mapping is told as that fails on a value of one of its files.

    Parameters
    ----------
    table
        The contract table that the mapping makes with it.
    told
        What the engine says; of it only the kind of error is told.
    column
        The column that the expression makes, where it is known and makes one.
    mapping
        The mapping's file or pack, where it is known.
    """
    kind = _OF_A_VALUE.search(told)
    expression = f"the expression of {column}" if column else "an expression"
    return BadMapping(
        f"Table {table}: {expression} in {mapping} fails on a value of the landed files ({kind[0] if kind else 'Error'}).",
        fix="Use try_cast and try_strptime, which leave such a value empty: the row then waits in quarantine with its reason.",
    )


def hindrance(error: BaseException, file_name: str = "warehouse.duckdb") -> MarginwiseError | None:
    """Return what hinders the run, in words that say what to do, or None when the error tells of something else.

    Parameters
    ----------
    error
        What was raised by the engine, by the operating system, or by dbt where it passes either on.
    file_name
        The file that was worked on, where the error does not name it.

    Examples
    --------
    >>> type(hindrance(OSError(28, "No space left on device", "store.duckdb.draft"))).__name__
    'DiskFull'
    >>> type(hindrance(duckdb.TransactionException("Failed to commit: failed to pin block of size 256.0 KiB"))).__name__
    'OutOfMemory'
    >>> hindrance(ValueError("something else")) is None
    True
    """
    told = str(error)
    if isinstance(error, OSError) and not isinstance(error, duckdb.Error):
        return _of_the_system(error)
    if not isinstance(error, duckdb.Error | BuildFailed):
        return None
    quoted = _QUOTED.search(told)
    name = Path(quoted[1]).name if quoted else file_name
    if _LOCKED.search(told):
        holder = _HOLDER.search(told)
        who = f"Process {holder['process']} ({Path(holder['program']).name})" if holder else "Another process"
        return StoreBusy(f"{who} holds {name}.", fix="Wait until it has ended, or end it, then run again.")
    if _FULL.search(told):
        return _full(name)
    if _TOO_LITTLE.search(told):
        return OutOfMemory(
            "The memory that the engine may take does not suffice for this store.",
            fix='Raise memory_limit in [warehouse] of marginwise.toml, such as memory_limit = "8GB", then run again.',
        )
    if _REFUSED.search(told):
        return _not_writable(name, _reason(told))
    if _DAMAGED.search(told) or isinstance(error, duckdb.FatalException | duckdb.InternalException):
        return BrokenStore(
            f"{file_name} cannot be read: {_reason(told)}",
            fix=f"Move {file_name} and, where there is one, {file_name}.wal away; the next `marginwise run` lands and "
            "builds it anew from the source files. The published store stays as it was.",
        )
    return None


@contextmanager
def hindrances_told() -> Iterator[None]:
    """Raise what hinders a block as the error that says what to do; every other error passes as it is.

    Raises
    ------
    DiskFull, OutOfMemory, NotWritable, StoreBusy, BrokenStore
        When that is what the block failed of.
    """
    try:
        yield
    except (duckdb.Error, OSError, BuildFailed) as error:
        told = hindrance(error)
        if told is None:
            raise
        raise told from error


def _of_the_system(error: OSError) -> MarginwiseError | None:
    name = str(error.filename or "a file of the project")
    if error.errno in _NO_ROOM:
        return _full(name)
    if error.errno in _NO_RIGHT:
        return _not_writable(name, error.strerror or str(error))
    return None


def _full(name: str) -> DiskFull:
    return DiskFull(
        f"There is no room to write {name}: the disk is full, or a quota or limit is reached.",
        fix="Make room, then run again: what was published stays as it was, and nothing half-written counts.",
    )


def _not_writable(name: str, reason: str) -> NotWritable:
    return NotWritable(
        f"{name} cannot be written: {reason}.",
        fix="Give the user who runs Marginwise the right to write in the project's folder, or move what stands in its way.",
    )


def _reason(told: str) -> str:
    return told.splitlines()[0].strip()
