"""Errors that name a fact: what was wrong, what is accepted, the nearest match, and how to fix it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "BadMapping",
    "BadQuery",
    "BadSettings",
    "BrokenStore",
    "BuildFailed",
    "ContractViolated",
    "DiskFull",
    "MarginwiseError",
    "MissingExtra",
    "MissingFile",
    "MissingTable",
    "NotWritable",
    "NothingPublished",
    "OutOfMemory",
    "OutOfOrder",
    "ServerUnreachable",
    "StoreBusy",
    "UnfitServer",
    "UnknownColumn",
    "UnreadableFile",
    "UnsetVariable",
    "nearest",
]


def nearest(name: str, options: Iterable[str]) -> str | None:
    """Return the option most like ``name``, or None when nothing is close.

    >>> nearest("ordered_att", ["order_id", "ordered_at"])
    'ordered_at'
    """
    by_folded = {option.casefold(): option for option in options}
    found = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.5)
    return by_folded[found[0]] if found else None


class MarginwiseError(Exception):
    """A fact that stops the work, told so that the reader can act on it.

    Parameters
    ----------
    message
        What was wrong, naming file, row and column where there are any.
    accepted
        What would have been accepted.
    nearest
        The accepted value most like the one given.
    fix
        What to do about it.
    """

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        accepted: Iterable[str] | str | None = None,
        nearest: str | None = None,
        fix: str | None = None,
    ) -> None:
        self.message = message
        self.accepted = accepted if accepted is None or isinstance(accepted, str) else ", ".join(accepted)
        self.nearest = nearest
        self.fix = fix
        super().__init__(str(self))

    def __str__(self) -> str:
        parts = [self.message]
        if self.nearest:
            parts.append(f"Did you mean {self.nearest!r}?")
        if self.accepted:
            parts.append(f"Accepted: {self.accepted}.")
        if self.fix:
            parts.append(self.fix)
        return " ".join(parts)

    def as_dict(self) -> dict[str, str | None]:
        """Return the error as plain fields, for ``--json``."""
        return {
            "error": type(self).__name__,
            "message": self.message,
            "accepted": self.accepted,
            "nearest": self.nearest,
            "fix": self.fix,
        }


class BadSettings(MarginwiseError):
    """The settings file does not say what Marginwise can use (exit code 2)."""

    exit_code = 2


class BadMapping(MarginwiseError):
    """A mapping file names something that is not there or cannot be evaluated (exit code 2)."""

    exit_code = 2


class BadQuery(MarginwiseError):
    """A query is no single reading statement, or the published store cannot answer it (exit code 2)."""

    exit_code = 2


class UnsetVariable(BadSettings):
    """The settings name an environment variable that is not set (exit code 2)."""


class MissingExtra(BadSettings):
    """The settings ask for a part of Marginwise that is not installed (exit code 2)."""


class UnknownColumn(BadMapping):
    """A column is asked for that the file or the contract does not have (exit code 2)."""


class MissingFile(MarginwiseError):
    """A file or folder that is needed does not exist (exit code 3)."""

    exit_code = 3


class UnreadableFile(MarginwiseError):
    """A file exists and cannot be read as it was declared (exit code 3)."""

    exit_code = 3


class MissingTable(MarginwiseError):
    """A contract table that is required has no rows (exit code 3)."""

    exit_code = 3


class ContractViolated(MarginwiseError):
    """The data break a rule of the contract that stops the run (exit code 3)."""

    exit_code = 3


class BuildFailed(MarginwiseError):
    """A model or a test of the warehouse failed; nothing was published (exit code 4)."""

    exit_code = 4


class OutOfOrder(MarginwiseError):
    """A stage is asked for whose predecessors do not stand for the data and settings of now (exit code 4)."""

    exit_code = 4


class NothingPublished(MarginwiseError):
    """There is no published store to read yet (exit code 5)."""

    exit_code = 5


class StoreBusy(MarginwiseError):
    """Another process holds the warehouse (exit code 6)."""

    exit_code = 6


class BrokenStore(MarginwiseError):
    """The warehouse file cannot be opened as it is (exit code 6)."""

    exit_code = 6


class DiskFull(MarginwiseError):
    """There is no room for what has to be written (exit code 6)."""

    exit_code = 6


class OutOfMemory(MarginwiseError):
    """The engine may not take as much memory as the store needs (exit code 6)."""

    exit_code = 6


class NotWritable(MarginwiseError):
    """A file or folder of the project may not be written (exit code 6)."""

    exit_code = 6


class ServerUnreachable(MarginwiseError):
    """The database server does not answer, or refuses the user or the database (exit code 6)."""

    exit_code = 6


class UnfitServer(MarginwiseError):
    """The database server is too old, or lacks a right or a property that is needed (exit code 6)."""

    exit_code = 6
