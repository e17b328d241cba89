"""What the kept tables of a warehouse were built with, so that a run knows whether it may take only what is new."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from marginwise.contract.loader import contracts
from marginwise.engine.dbt import project_directory
from marginwise.engine.duckdb import transaction

if TYPE_CHECKING:
    import duckdb

__all__ = ["BuildState", "forget_state", "keep_state", "kept_state", "state_of"]

_MOSTLY_NEW = 1 / 3
"""Share of the rows beyond which making everything anew costs less than exchanging."""
_TOLD = {
    "code": "another version of Marginwise built it",
    "settings": "settings that it rests on have changed",
    "tables": "a table came that was not there, or one is gone",
    "columns": "a source delivers other columns than before, or is read in another way",
    "target": "it is built in another place",
}


@dataclass(frozen=True)
class BuildState:
    """What a stage is made with.

    `parts` must be equal for rows of before to be kept: hashes by what they speak of. `contents` holds for each landed
    table a hash of all it is made of; `by_row` names those whose rows each come of one row of one file. `files` are the
    contents that count, with their rows. `told_since` names for a landed table the version since which the places that
    differ are told; of what was kept it says nothing.
    """

    parts: dict[str, str] = field(default_factory=dict)
    contents: dict[str, str] = field(default_factory=dict)
    by_row: list[str] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)
    told_since: dict[str, str] = field(default_factory=dict)

    def while_made(self, before: BuildState) -> BuildState:
        """Return what may be relied on while a stage is made: of tables that change now, nothing, should it be killed."""
        changed = self._changed(before)
        return replace(
            before, contents={table: told for table, told in before.contents.items() if table not in changed}
        )

    def tables_told(self, before: BuildState) -> list[str]:
        """Return the landed tables of which it is told row by row what must be judged anew."""
        return sorted(
            table for table in self._changed(before) - set(self.by_row)
            if table in before.contents and self.told_since.get(table) == before.contents[table]
        )  # fmt: skip

    def whole_tables(self, before: BuildState) -> list[str]:
        """Return the landed tables that must be judged as a whole, since neither files nor rows tell what has changed."""
        return sorted(self._changed(before) - set(self.by_row) - set(self.tables_told(before)))

    def untouched_tables(self, before: BuildState) -> list[str]:
        """Return the contract tables of which nothing has changed, nor of any table that they refer to."""
        touched = self._changed(before)
        while reached := {
            name for name, contract in contracts().items()
            if name not in touched and any(reference.table in touched for reference in contract.references)
        }:  # fmt: skip
            touched |= reached
        return sorted(contracts().keys() - touched)

    def _changed(self, before: BuildState) -> set[str]:
        return {table for table, content in self.contents.items() if before.contents.get(table) != content}

    def reason_against(self, before: BuildState | None) -> str | None:
        """Return in words why nothing of before can be kept; None where it can."""
        if before is None:
            return "it has not been built before, or not to its end"
        for part, reason in _TOLD.items():
            if self.parts.get(part) != before.parts.get(part):
                return reason
        changed = sum(rows for file, rows in (self.files.items() ^ before.files.items()))
        if changed > _MOSTLY_NEW * max(sum(self.files.values()), 1):
            return "most of its rows are new"
        return None


def state_of(con: duckdb.DuckDBPyConnection, settings: Any, target: str) -> BuildState:
    """Return what a build of now is made with.

    Parameters
    ----------
    con
        The warehouse, landed.
    settings
        What the warehouse reads of the settings; anything that JSON can write.
    target
        Where it is built.
    """
    landed = con.execute(
        "select table_name, version, is_by_row, has_rows, query_hash || columns, told_since from ops.landed_tables"
    ).fetchall()
    files = con.execute("select raw_table || ' ' || file_hash, row_count from ops.files where is_active").fetchall()
    parts = {
        "code": _code(),
        "settings": _hash(settings),
        "tables": _hash(sorted(table for table, _, _, has_rows, *_ in landed if has_rows)),
        "columns": _hash(sorted((table, columns) for table, *_, columns, _ in landed)),
        "target": _hash(target),
    }
    contents = {table: version for table, version, *_ in landed}
    by_row = sorted(table for table, _, is_by_row, *_ in landed if is_by_row)
    told_since = {table: told for table, *_, told in landed if told}
    return BuildState(parts, contents, by_row, dict(files), told_since)


def kept_state(con: duckdb.DuckDBPyConnection, stage: str) -> BuildState | None:
    """Return what a stage was made with when it last came to its end, or None."""
    _open(con)
    found = con.execute("select state_json from ops.build_state where stage = ?", [stage]).fetchall()
    return BuildState(**json.loads(found[0][0])) if found else None


def keep_state(con: duckdb.DuckDBPyConnection, stage: str, state: BuildState) -> None:
    """Write down what a stage was made with, now that it has come to its end."""
    with transaction(con):
        con.execute("delete from ops.build_state where stage = ?", [stage])
        told = asdict(replace(state, told_since={}))  # told anew by each landing
        con.execute("insert into ops.build_state values (?, ?)", [stage, json.dumps(told, sort_keys=True)])


def forget_state(con: duckdb.DuckDBPyConnection, *stages: str) -> None:
    """Forget what stages were made with: they are made anew until they have come to their end again."""
    _open(con)
    con.execute("delete from ops.build_state where list_contains(?, stage)", [list(stages)])


def _open(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create schema if not exists ops")
    con.execute("create table if not exists ops.build_state (stage varchar, state_json varchar)")


def _code() -> str:
    """Return a hash of the dbt project: what the tables mean."""
    read = hashlib.sha256(version("marginwise").encode())
    root = project_directory()
    for path in sorted(root.rglob("*")):
        if path.suffix in (".sql", ".csv") or path.name == "dbt_project.yml":
            read.update(path.relative_to(root).as_posix().encode())
            read.update(path.read_bytes())
    return read.hexdigest()[:16]


def _hash(told: Any) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:16]
