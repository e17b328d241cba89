"""The only reader of the published store: SQL in, Arrow out, nothing else reachable."""

from __future__ import annotations

import json
import re
import threading
from typing import TYPE_CHECKING, Any

import duckdb

from marginwise.connectors.canonical import literal
from marginwise.decisions.ledger import Ledger
from marginwise.decisions.memo import MemoFacts
from marginwise.errors import BadQuery, BrokenStore, NothingPublished, nearest
from marginwise.serving.readable import readable
from marginwise.serving.statement import first_line, hold_reading_statement

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

__all__ = ["PublishedStore"]

_LOCKED = (
    "set enable_progress_bar = false",
    "set autoinstall_known_extensions = false",
    "set autoload_known_extensions = false",
    "set enable_external_access = false",
    "set lock_configuration = true",
)
_COST_LINES = (
    ("Goods", "goods_cost_basis"),
    ("Shipping", "shipping_cost_basis"),
    ("Payment fees", "payment_fee_basis"),
    ("Commission", "commission_basis"),
)


class PublishedStore:
    """The last published store, opened read-only and reopened when a run has replaced it.

    Parameters
    ----------
    path
        The published DuckDB file, ``.marginwise/published/store.duckdb``.

    Notes
    -----
    SQL sees the tables of this file and nothing else: no other file, no network, no extension, no setting, no variable
    of the Python process. One object may be shared by threads.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._con: duckdb.DuckDBPyConnection | None = None
        self._identity: tuple[int, int, int] | None = None

    def query(self, sql: str) -> pa.Table:
        """Run one reading statement.

        Raises
        ------
        NothingPublished
            When there is no published store.
        BadQuery
            When the text is not exactly one reading statement, or the store cannot answer it.
        BrokenStore
            When the file is no readable store.

        Notes
        -----
        No two columns of the answer have one name, and Python can hold every value: a column with days or times that it
        cannot hold, such as an infinite one, comes as text.
        """
        hold_reading_statement(sql)
        return readable(self._run(sql))

    def verdicts(self) -> list[dict[str, Any]]:
        """Return the rows of ``decisions.verdicts``: one per unit, with its verdict and all numbers beside it."""
        rows: list[dict[str, Any]] = self._run("select * from decisions.verdicts order by all").to_pylist()
        return rows

    def grades(self) -> list[dict[str, Any]]:
        """Return the grade of every contract table: rows in, loaded, superseded, quarantined and warned."""
        rows: list[dict[str, Any]] = self._run("select * from ops.table_grades order by all").to_pylist()
        return rows

    def quarantined(self) -> list[dict[str, Any]]:
        """Return how many rows each rule holds back: table_name, rule, column_name, row_count."""
        rows: list[dict[str, Any]] = self._run(
            "select table_name, rule, column_name, count(*) as row_count from quarantine.quarantined_rows"
            " group by all order by all"
        ).to_pylist()
        return rows

    def bridge(self) -> list[dict[str, Any]]:
        """Return the steps of the margin bridge, in order."""
        rows: list[dict[str, Any]] = self._run("select * from marts.mart_margin_bridge order by all").to_pylist()
        return rows

    def tables(self) -> pa.Table:
        """Return every published table: schema_name, table_name, rows_count, columns (names, in order)."""
        return self._run(
            "select t.schema_name, t.table_name, t.estimated_size as rows_count,"
            " list(c.column_name order by c.column_index) as columns"
            " from duckdb_tables() as t join duckdb_columns() as c using (database_name, schema_name, table_name)"
            " where t.database_name = current_catalog() group by all order by all"
        )

    def manifest(self) -> dict[str, Any]:
        """Return the manifest of the published run: hashes of inputs, settings, code and tables."""
        with self._lock:
            return _manifest(self._open(), self._path)

    def ledger(self) -> Ledger:
        """Return what the store tells of its past: every memo, verdict and change, and its newest manifest."""
        with self._lock:
            con = self._open()
            manifest = _manifest(con, self._path)
            tables = {name: _table(con, f"decisions.{name}") for name in Ledger().tables()}
            return Ledger(
                day_contents=_table(con, "ops.day_contents"),
                manifest=manifest,
                **{name: table for name, table in tables.items() if table is not None},
            )

    def last_changes(self, limit: int = 10) -> list[dict[str, Any]]:
        """Return the newest rows of ``decisions.changes``, the newest memo's first."""
        changes = self.ledger().changes.to_pylist()
        return sorted(changes, key=lambda row: -row["memo_number"])[:limit]

    def memo_facts(self) -> MemoFacts:
        """Return everything the memo tells, read from one and the same published store.

        A table that this store does not hold gives no rows, which the memo tells as "not available".
        """
        with self._lock:
            con = self._open()
            told = _manifest(con, self._path)
            run = told.get("run", {})
            units = _rows(con, "marts.mart_decision_units")
            judged = _first_known(units, "as_of_date", "window_start_date", "window_end_date", "horizon_days")
            return MemoFacts(
                store_name=str(run.get("store", "Store")),
                currency=str(run.get("currency", "")),
                verdicts=_rows(con, "decisions.verdicts"),
                looks_good=_rows(con, "decisions.looks_good_loses_money"),
                robustness=_rows(con, "decisions.robustness"),
                bridge=_rows(con, "marts.mart_margin_bridge"),
                grades=_rows(con, "ops.table_grades"),
                findings=_rows(con, "ops.checks"),
                cost_coverage=_cost_coverage(con),
                memos=_rows(con, "decisions.memos"),
                movements=_rows(con, "decisions.movements"),
                unattributed_rate=_first_known(units, "unattributed_rate")["unattributed_rate"],
                interval_rate=told.get("declared", {}).get("definition", {}).get("decisions.interval", 0.9),
                manifest_id=told.get("manifest_id"),
                **judged,
            )

    def _run(self, sql: str) -> pa.Table:
        with self._lock:
            con = self._open()
            try:
                return con.sql(sql).to_arrow_table()
            except duckdb.Error as error:
                raise _told(error, con) from error

    def _open(self) -> duckdb.DuckDBPyConnection:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            self._close()
            raise NothingPublished("Nothing is published yet.", fix="Run `marginwise run` first.") from None
        except OSError as error:
            raise BrokenStore(
                f"The published store {self._path} cannot be read: {error.strerror}.",
                fix="Give the user who runs Marginwise the right to read it, or move away what stands in its place.",
            ) from error
        identity = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if self._con is None or identity != self._identity:
            self._close()
            self._con = _opened(self._path)
            self._identity = identity
        return self._con

    def _close(self) -> None:
        if self._con is not None:
            self._con.close()
        self._con = self._identity = None


def _opened(path: Path) -> duckdb.DuckDBPyConnection:
    # An instance of its own per reader: a second `connect` to the same path would share the first one's old file.
    con = duckdb.connect(":memory:", config={"python_enable_replacements": "false"})
    try:
        con.execute(f"attach {literal(str(path))} as published (read_only)")
        con.execute("use published")
        for setting in _LOCKED:
            con.execute(setting)
        _manifest(con, path)  # the file of someone else has none: it is not read, nor written over
    except duckdb.Error as error:
        con.close()
        raise _broken(path, f"cannot be read: {first_line(error)}") from error
    except BrokenStore:
        con.close()
        raise
    return con


def _broken(path: Path, why: str) -> BrokenStore:
    return BrokenStore(
        f"The published store {path.name} {why}",
        fix=f"It held the history of all verdicts. Restore {path.name} from a backup, or move it away: the next"
        " `marginwise run` then begins a new history.",
    )


def _told_by_the_engine(whole: str, message: str) -> BadQuery:
    """Return the error with what the engine itself offers: the columns there are, or a function of a like name."""
    listed = re.search(r"^Candidate bindings:.*$", whole, re.MULTILINE)
    columns = re.findall(r'"([^"]+)"', listed[0]) if listed else []
    unknown = re.search(r'column (?:named )?"([^"]+)"', message)
    function = re.search(r'Did you mean "([^"]+)"', whole)
    return BadQuery(
        message,
        nearest=nearest(unknown[1], columns) if unknown else function[1] if function else None,
        accepted=columns or None,
        fix=None if columns else "`describe marts.mart_daily_revenue` shows a table's columns and their types.",
    )


def _told(error: duckdb.Error, con: duckdb.DuckDBPyConnection) -> BadQuery:
    message = first_line(error)
    if not isinstance(error, duckdb.CatalogException) or "Table with name" not in message:
        return _told_by_the_engine(str(error), message)
    tables = con.execute(
        "select schema_name || '.' || table_name from duckdb_tables()"
        " where database_name = current_catalog() order by all"
    ).fetchall()
    names = [name for (name,) in tables]
    asked = message.split("Table with name", 1)[1].split()[0].strip('"')
    by_table = {name.split(".", 1)[1]: name for name in names}
    close = nearest(asked, names) or by_table.get(nearest(asked, by_table) or "")
    return BadQuery(f"There is no table {asked!r} in the published store.", nearest=close, accepted=names)


def _manifest(con: duckdb.DuckDBPyConnection, path: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = dict(json.loads(_rows(con, "ops.manifest")[0]["manifest_json"]))
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise _broken(path, "is damaged, or not one of Marginwise: it holds no manifest that can be read.") from error
    return manifest


def _rows(con: duckdb.DuckDBPyConnection, table: str) -> list[dict[str, Any]]:
    found = _table(con, table, "order by all")
    return found.to_pylist() if found is not None else []


def _table(con: duckdb.DuckDBPyConnection, table: str, order: str = "") -> pa.Table | None:
    """Return a table, or None where the store holds none of that name: asking the catalogue first would take longer than to read it."""
    try:
        return con.sql(f"select * from {table} {order}").to_arrow_table()
    except duckdb.CatalogException:
        return None


def _columns(con: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    schema, name = table.split(".")
    found = con.execute(
        "select column_name from duckdb_columns()"
        " where database_name = current_catalog() and schema_name = ? and table_name = ?",
        [schema, name],
    ).fetchall()
    return {column for (column,) in found}


def _first_known(rows: list[dict[str, Any]], *names: str) -> dict[str, Any]:
    return {name: next((row[name] for row in rows if row.get(name) is not None), None) for name in names}


def _cost_coverage(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    columns = _columns(con, "core.fct_order_lines")
    lines = [(label, column) for label, column in _COST_LINES if column in columns]
    if not lines:
        return []
    revenue = "sum(greatest(net_revenue_amount, 0))"
    shares = " union all ".join(
        f"select {place} as place, '{label}' as cost_line,"
        + ",".join(
            f" {revenue} filter (where {column} = '{basis}') / nullif({revenue}, 0) as {basis}_rate"
            for basis in ("known", "assumed", "unknown")
        )
        + f" from core.fct_order_lines where is_counted and {column} is not null"
        for place, (label, column) in enumerate(lines)
    )
    rows = con.sql(f"select * exclude (place) from ({shares}) order by place").to_arrow_table().to_pylist()
    return [
        {name: 0.0 if value is None else value for name, value in row.items()}
        for row in rows
        if any(row[f"{basis}_rate"] is not None for basis in ("known", "assumed", "unknown"))
    ]
