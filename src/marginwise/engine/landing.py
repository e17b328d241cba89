"""Lands the files of every source in the warehouse: unchanged rows, each with its file's hash and its number.

A file is one transaction, keyed by the SHA-256 of its bytes: landing twice changes nothing, and a run that is killed
leaves whole files or none. Rows are never updated; a content that no longer counts becomes inactive.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from marginwise.connectors.compilation import Compiler
from marginwise.engine.duckdb import transaction
from marginwise.engine.file_landing import Candidate, land_file, look_at, note_path
from marginwise.engine.gone_files import GoneFile, gone_checks, gone_files
from marginwise.engine.landed_views import LandingCheck, create_landed_views, landing_checks
from marginwise.engine.ledger import (
    columns_of_raw_table,
    current_contents,
    known_contents,
    open_ledger,
    raw_columns,
    raw_table_names,
)
from marginwise.engine.source_files import find_files, missing_group
from marginwise.errors import MarginwiseError, UnknownColumn

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from marginwise.connectors.mapping import Mapping

__all__ = ["LandReport", "LandedFile", "LandingSource", "Progress", "RefusedFile", "land"]

Progress = Callable[[str, int, int], None]
"""Called with a file's name, files done and files in all."""


@dataclass(frozen=True, slots=True)
class LandingSource:
    """A source to land: its mapping and the folder its files lie in."""

    mapping: Mapping
    data_dir: Path


@dataclass(frozen=True, slots=True)
class LandedFile:
    """A content that landed now."""

    source_name: str
    raw_table: str
    file_name: str
    file_hash: str
    row_count: int
    unreadable_count: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that did not land, and why; what its path held before still counts."""

    source_name: str
    raw_table: str
    file_name: str
    error: MarginwiseError


@dataclass(slots=True)
class LandReport:
    """What one landing did.

    `files_new` contents landed, `files_unchanged` were known, `files_inactive` of all landed contents count no more;
    `rows` and `unreadable` are those of the new files.
    """

    landed: list[LandedFile] = field(default_factory=list)
    refused: list[RefusedFile] = field(default_factory=list)
    files_unchanged: int = 0
    files_inactive: int = 0
    checks: list[LandingCheck] = field(default_factory=list)

    @property
    def files_new(self) -> int:
        """Contents that landed now."""
        return len(self.landed)

    @property
    def rows(self) -> int:
        """Rows of the contents that landed now."""
        return sum(file.row_count for file in self.landed)

    @property
    def unreadable(self) -> int:
        """Broken rows of the contents that landed now."""
        return sum(file.unreadable_count for file in self.landed)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain fields, for `--json` and the run ledger."""
        return {
            "files_new": self.files_new,
            "files_unchanged": self.files_unchanged,
            "files_inactive": self.files_inactive,
            "files_refused": len(self.refused),
            "rows": self.rows,
            "unreadable": self.unreadable,
            "refused": [{"file_name": file.file_name, **file.error.as_dict()} for file in self.refused],
            "notes": [f"{file.file_name}: {note}" for file in self.landed for note in file.notes],
            "checks": [message for _, _, _, message in self.checks],
        }


def land(
    con: duckdb.DuckDBPyConnection,
    sources: Dictionary[str, LandingSource],
    *,
    landed_at: dt.datetime,
    progress: Progress | None = None,
) -> LandReport:
    """Bring the files of all sources into the warehouse and lay the contract's views over them.

    Parameters
    ----------
    con
        The warehouse, open for writing, with no transaction in progress.
    sources
        Sources by name; the name becomes part of their raw tables' names.
    landed_at
        The time of this landing; naive times are UTC.
    progress
        Told of every file that has been dealt with.

    Returns
    -------
    LandReport
        Files that landed, were known, or were refused alone with the reason, and what the checks of landing found.

    Raises
    ------
    MissingFile
        When a data folder, or every file of a group that is not optional, is not there and never was.
    UnreadableFile, UnknownColumn
        When every file of a group, optional or not, was refused and none has landed before; the other files have.
    BadMapping
        When a mapping cannot be evaluated over the files' columns; nothing of its source has landed.
    """
    moment = landed_at.astimezone(dt.UTC).replace(tzinfo=None) if landed_at.tzinfo else landed_at
    open_ledger(con)
    mappings = {name: source.mapping.named(name) for name, source in sources.items()}
    candidates = {name: _candidates(con, mappings[name], source.data_dir) for name, source in sources.items()}
    work = _Landing(con, moment, sum(map(len, candidates.values())), progress)
    for name, mapping in mappings.items():
        work.land_source(mapping, candidates[name])
    create_landed_views(con, mappings)
    gone = gone_files(con, [(mappings[name], source.data_dir) for name, source in sources.items()])
    work.write_checks(mappings, gone)
    return work.report


def _candidates(con: duckdb.DuckDBPyConnection, mapping: Mapping, data_dir: Path) -> list[Candidate]:
    landed = raw_table_names(con)
    candidates = []
    for group, described in mapping.files.items():
        files = find_files(mapping, group, data_dir)
        if not files and not described.optional and mapping.raw_table(group) not in landed:
            raise missing_group(mapping, group, data_dir)
        candidates += [Candidate(mapping, group, file) for file in files]
    return candidates


class _Landing:
    """One landing in progress: the warehouse, the time, and the report so far."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, moment: dt.datetime, total: int, progress: Progress | None
    ) -> None:
        self.con, self.moment, self.total, self.progress = con, moment, total, progress
        self.report = LandReport()
        self.done = 0
        self.columns: dict[str, dict[str, str]] = {}

    def land_source(self, mapping: Mapping, candidates: list[Candidate]) -> None:
        contents: set[tuple[str, str]] = set()
        self.columns |= raw_columns(self.con, map(mapping.raw_table, mapping.files))
        for candidate in self._fitting(mapping, self._fresh(mapping, candidates)):
            content = (candidate.raw_table, candidate.file_hash)
            if content in contents:  # the same content under a second name
                note_path(self.con, candidate, self.moment)
                self._tell_unchanged(candidate)
                continue
            try:
                there = self.columns.get(candidate.raw_table, {})
                rows, unreadable = land_file(self.con, candidate, there, self.moment)
            except MarginwiseError as error:
                self._refuse(candidate, error)
            else:
                self.report.landed.append(
                    LandedFile(
                        mapping.name, candidate.raw_table, candidate.name, candidate.file_hash, rows, unreadable,
                        tuple(candidate.notes),
                    )
                )  # fmt: skip
                contents.add(content)
                if candidate.columns:
                    self.columns[candidate.raw_table] = columns_of_raw_table(self.con, candidate.raw_table)
                self._tell(candidate)
        # what has never landed has nothing to fall back on: spend that cannot be read is not a store without spend
        landed = raw_table_names(self.con)
        for refused in self.report.refused:
            if refused.raw_table not in landed:
                raise refused.error

    def write_checks(self, mappings: Dictionary[str, Mapping], gone: list[GoneFile]) -> None:
        """Keep what landing found: rows lost or multiplied, files refused or gone, notes of the files that count."""
        checks = landing_checks(self.con, mappings) + gone_checks(gone)
        checks += [(file.raw_table, "file_refused", 1, file.error.message) for file in self.report.refused]
        with transaction(self.con):
            self.con.execute("delete from ops.landing_checks")
            if checks:
                self.con.executemany("insert into ops.landing_checks values (?, ?, ?, ?)", checks)
        self.report.checks = checks
        self.report.files_inactive = int(
            self.con.execute("select count(*) from ops.files where not is_active").fetchall()[0][0]
        )

    def _fresh(self, mapping: Mapping, candidates: list[Candidate]) -> list[Candidate]:
        """Return the files that must be read; a known content is only written down with its path."""
        raw_tables = [mapping.raw_table(group) for group in mapping.files]
        known = {raw_table: known_contents(self.con, raw_table) for raw_table in raw_tables}
        held = {raw_table: current_contents(self.con, raw_table) for raw_table in raw_tables}
        fresh = []
        for candidate in candidates:
            try:
                if look_at(self.con, candidate, known[candidate.raw_table]):
                    fresh.append(candidate)
                    continue
            except MarginwiseError as error:
                self._refuse(candidate, error)
                continue
            if held[candidate.raw_table].get(candidate.name) != candidate.file_hash:
                note_path(self.con, candidate, self.moment)
            self._tell_unchanged(candidate)
        return fresh

    def _tell_unchanged(self, candidate: Candidate) -> None:
        self.report.files_unchanged += 1
        self._tell(candidate)

    def _fitting(self, mapping: Mapping, fresh: list[Candidate]) -> list[Candidate]:
        """Return the files that have what the mapping needs; each other one is refused alone."""
        verdicts: dict[object, MarginwiseError | list[str]] = {}
        fitting = []
        with Compiler(mapping, self._columns(mapping, fresh)) as compiler:
            for candidate in fresh:
                shape = (candidate.group, tuple(candidate.columns.items()))
                if shape not in verdicts:
                    try:
                        lacks = compiler.check_file(candidate.group, candidate.columns) if candidate.columns else []
                        verdicts[shape] = [f"no column for {lack}" for lack in lacks]
                    except UnknownColumn as error:
                        verdicts[shape] = error
                verdict = verdicts[shape]
                if isinstance(verdict, MarginwiseError):
                    self._refuse(candidate, _of_file(verdict, candidate.name))
                else:
                    candidate.notes += verdict
                    fitting.append(candidate)
        if fitting:
            with Compiler(mapping, self._columns(mapping, fitting)) as compiler:
                for table in mapping.mapped_tables():
                    compiler.table(table)
        return fitting

    def _columns(self, mapping: Mapping, candidates: list[Candidate]) -> dict[str, dict[str, str]]:
        """Return the columns that the raw table of each group has once these files have landed."""
        columns = {group: dict(self.columns.get(mapping.raw_table(group), {})) for group in mapping.files}
        for candidate in candidates:
            there = columns[candidate.group]
            taken = {name.casefold() for name in there}
            there.update({name: kind for name, kind in candidate.columns.items() if name.casefold() not in taken})
        return {group: named for group, named in columns.items() if named}

    def _tell(self, candidate: Candidate) -> None:
        self.done += 1
        if self.progress:
            self.progress(candidate.name, self.done, self.total)

    def _refuse(self, candidate: Candidate, error: MarginwiseError) -> None:
        self.report.refused.append(RefusedFile(candidate.mapping.name, candidate.raw_table, candidate.name, error))
        self._tell(candidate)


def _of_file(error: MarginwiseError, file_name: str) -> UnknownColumn:
    return UnknownColumn(f"{file_name}: {error.message}", accepted=error.accepted, nearest=error.nearest, fix=error.fix)
