from __future__ import annotations

import datetime as dt
import json
import threading
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from marginwise.decisions.memo import render_memo
from marginwise.errors import BadQuery, BrokenStore, NothingPublished
from marginwise.serving.queries import PublishedStore

if TYPE_CHECKING:
    from pathlib import Path

LINES = """
create table core.fct_order_lines as select * from (values
    ('Email', 60.00::decimal(18, 4), true, 'known', 'assumed'),
    ('Email', -50.00, true, 'known', 'unknown'),
    ('Email', 20.00, true, 'unknown', 'assumed'),
    ('Unassigned', 20.00, true, 'known', 'assumed'),
    ('Email', 999.00, false, 'unknown', 'unknown')
) as t(channel_name, net_revenue_amount, is_counted, goods_cost_basis, shipping_cost_basis)
"""


def publish(path: Path, *, verdict: str = "scale", full: bool = True) -> Path:
    """Put a store in place the way a run does: complete first, then replaced in one step."""
    draft = path.with_name("draft.duckdb")
    draft.unlink(missing_ok=True)
    con = duckdb.connect(str(draft))
    for schema in ("core", "marts", "decisions", "ops", "quarantine"):
        con.execute(f"create schema {schema}")
    manifest: dict[str, Any] = {"manifest_id": "feed01", "run": {"store": "Harbour Tea", "currency": "EUR"}}
    con.execute(
        "create table ops.manifest as select 'feed01' as manifest_id, ? as manifest_json", [json.dumps(manifest)]
    )
    con.execute(
        "create table decisions.verdicts as select 'main' as store_id, 'channel' as unit_kind, 'email' as unit_id,"
        " 'Email' as unit_name, ? as verdict, 80.00::decimal(18, 4) as net_revenue_amount,"
        " ['because'] as reasons",
        [verdict],
    )
    if full:
        manifest["declared"] = {"definition": {"decisions.interval": 0.8}}
        con.execute("update ops.manifest set manifest_json = ?", [json.dumps(manifest)])
        con.execute(LINES)
        con.execute(
            "create table marts.mart_decision_units as select 0.2::double as unattributed_rate, 90 as horizon_days,"
            " date '2026-11-19' as as_of_date, date '2025-08-22' as window_start_date,"
            " date '2026-08-21' as window_end_date"
        )
        con.execute(
            "create table marts.mart_margin_bridge as select 'main' as store_id, 100 as step_order,"
            " 'Raw total' as step, 'total' as step_kind, 100.00::decimal(18, 4) as amount, 4 as row_count"
        )
        con.execute("create table ops.table_grades as select 'orders' as table_name, true as is_present, 'A' as grade")
    con.close()
    draft.replace(path)
    return path


@pytest.fixture
def store(tmp_path: Path) -> PublishedStore:
    return PublishedStore(publish(tmp_path / "store.duckdb"))


def test_nothing_published_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NothingPublished, match="marginwise run"):
        PublishedStore(tmp_path / "store.duckdb").verdicts()


def test_a_file_that_is_no_store_is_named_without_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(BrokenStore, match=r"store\.duckdb"):
        PublishedStore(path).verdicts()


def test_the_store_answers(store: PublishedStore) -> None:
    assert store.query("select unit_name from decisions.verdicts").to_pylist() == [{"unit_name": "Email"}]
    assert store.verdicts()[0]["net_revenue_amount"] == Decimal("80.0000")
    assert store.manifest()["manifest_id"] == "feed01"
    tables = {f"{row['schema_name']}.{row['table_name']}": row for row in store.tables().to_pylist()}
    assert set(tables) == {
        "core.fct_order_lines",
        "decisions.verdicts",
        "marts.mart_decision_units",
        "marts.mart_margin_bridge",
        "ops.manifest",
        "ops.table_grades",
    }
    assert tables["core.fct_order_lines"]["rows_count"] == 5
    assert tables["ops.manifest"]["columns"] == ["manifest_id", "manifest_json"]


@pytest.mark.parametrize(
    "sql",
    [
        "select 1 as one",
        "  with a as (select 1 as one) select * from a ;",
        "-- a remark; with a semicolon\nselect 1 as one",
        "/* from */ (select 1 as one)",
        "from decisions.verdicts",
        "describe decisions.verdicts",
        "show all tables",
        "summarize decisions.verdicts",
        "explain select 1",
        "select ';' as semicolon",
    ],
)
def test_reading_statements_are_answered(store: PublishedStore, sql: str) -> None:
    assert store.query(sql).num_rows >= 1


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "-- nothing",
        "select 1; select 2",
        "insert into decisions.verdicts select * from decisions.verdicts",
        "update decisions.verdicts set verdict = 'kill'",
        "delete from decisions.verdicts",
        "drop table decisions.verdicts",
        "create table memory.main.mine as select 1",
        "create temp table mine as select 1",
        "with a as (select 1) insert into memory.main.mine select * from a",
        "set threads = 1",
        "reset lock_configuration",
        "use memory",
        "attach ':memory:' as other",
        "detach published",
        "copy (select 1) to 'out.csv'",
        "export database 'out'",
        "install httpfs",
        "load httpfs",
        "pragma database_list",
        "call pragma_version()",
        "checkpoint",
        "prepare p as select 1",
        "vacuum",
        "begin transaction",
        "selct 1",
        "select nonsense from decisions.verdicts",
        "select 'a'::integer",
        "select * from nowhere",
    ],
)
def test_anything_else_is_refused_as_a_fact(store: PublishedStore, sql: str) -> None:
    with pytest.raises(BadQuery) as caught:
        store.query(sql)
    assert "\n" not in caught.value.message
    assert store.verdicts()[0]["verdict"] == "scale", "the store is as it was"


def test_no_file_is_reachable_from_sql(store: PublishedStore, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("word\nopensesame\n", encoding="utf-8")
    reads = ("'{0}'", "read_csv('{0}')", "read_text('{0}')", "read_blob('{0}')", "read_parquet('{0}')",
             "read_json('{0}')", "glob('{0}')", "read_csv('https://example.org/x.csv')",
             "query('select * from read_text(''{0}'')')", "query_table(['{0}'])")  # fmt: skip
    for read in reads:
        with pytest.raises(BadQuery):
            store.query(f"select * from {read.format(secret)}")


def test_variables_of_the_process_are_not_tables(store: PublishedStore) -> None:
    import pyarrow as pa

    confidential = pa.table({"a": [1]})
    assert confidential.num_rows == 1
    with pytest.raises(BadQuery):
        store.query("select * from confidential")


def test_a_misspelt_table_is_told_its_nearest(store: PublishedStore) -> None:
    with pytest.raises(BadQuery) as caught:
        store.query("select * from decisions.verdict")
    assert caught.value.nearest == "decisions.verdicts"
    with pytest.raises(BadQuery) as caught:
        store.query("select * from verdicts")
    assert caught.value.nearest == "decisions.verdicts"


def test_a_misspelt_column_is_told_its_nearest(store: PublishedStore) -> None:
    for sql in ("select verdikt from decisions.verdicts", "select v.verdikt from decisions.verdicts as v"):
        with pytest.raises(BadQuery) as caught:
            store.query(sql)
        assert caught.value.nearest == "verdict"
    with pytest.raises(BadQuery) as caught:
        store.query("select coun(*) from decisions.verdicts")
    assert caught.value.nearest == "count"


def test_a_replaced_store_is_reopened_by_every_reader(tmp_path: Path) -> None:
    path = publish(tmp_path / "store.duckdb", verdict="scale")
    readers = [PublishedStore(path), PublishedStore(path)]
    assert [reader.verdicts()[0]["verdict"] for reader in readers] == ["scale", "scale"]
    for verdict in ("kill", "fix"):
        publish(path, verdict=verdict)
        assert [reader.verdicts()[0]["verdict"] for reader in readers] == [verdict, verdict]


def test_a_store_that_is_gone_is_said_to_be_gone(store: PublishedStore, tmp_path: Path) -> None:
    store.verdicts()
    (tmp_path / "store.duckdb").unlink()
    with pytest.raises(NothingPublished):
        store.verdicts()


def test_threads_share_a_reader_while_stores_are_swapped(tmp_path: Path) -> None:
    path = publish(tmp_path / "store.duckdb")
    reader, seen, failed = PublishedStore(path), set(), []

    def read() -> None:
        try:
            for _ in range(25):
                seen.add(reader.verdicts()[0]["verdict"])
        except Exception as error:  # the test reports whatever a thread met
            failed.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        publish(path, verdict="kill")
    for thread in threads:
        thread.join()
    assert not failed
    assert seen <= {"scale", "kill"}


def test_memo_facts_are_what_the_store_says(store: PublishedStore) -> None:
    facts = store.memo_facts()
    assert (facts.store_name, facts.currency, facts.manifest_id) == ("Harbour Tea", "EUR", "feed01")
    assert (facts.as_of_date, facts.horizon_days) == (dt.date(2026, 11, 19), 90)
    assert (facts.window_start_date, facts.window_end_date) == (dt.date(2025, 8, 22), dt.date(2026, 8, 21))
    assert facts.unattributed_rate == pytest.approx(0.2)
    assert facts.interval_rate == 0.8
    coverage = {row["cost_line"]: row for row in facts.cost_coverage}
    assert coverage["Goods"]["known_rate"] == pytest.approx(0.8)
    assert coverage["Goods"]["unknown_rate"] == pytest.approx(0.2)
    assert coverage["Shipping"] == {
        "cost_line": "Shipping",
        "known_rate": 0.0,
        "assumed_rate": 1.0,
        "unknown_rate": 0.0,
    }
    memo = render_memo(facts)
    assert "# Harbour Tea: margin memo" in memo.markdown
    assert "because" in memo.markdown


def test_what_the_store_does_not_hold_is_not_available(tmp_path: Path) -> None:
    facts = PublishedStore(publish(tmp_path / "store.duckdb", full=False)).memo_facts()
    assert facts.unattributed_rate is None
    assert list(facts.bridge) == list(facts.grades) == list(facts.cost_coverage) == []
    markdown = render_memo(facts).markdown
    assert "Cost coverage: not available" in markdown
    assert "unattributed revenue not available" in markdown


def test_a_path_with_a_quote_is_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "it's here"
    folder.mkdir()
    assert PublishedStore(publish(folder / "store.duckdb")).verdicts()


def test_columns_of_one_name_are_all_answered(store: PublishedStore) -> None:
    assert store.query("select 1 as a, 2 as a").to_pylist() == [{"a": 1, "a_2": 2}]


@pytest.mark.parametrize(
    "damage", ["drop table ops.manifest", "delete from ops.manifest", "update ops.manifest set manifest_json = '{'"]
)
def test_a_store_without_its_manifest_is_damaged(tmp_path: Path, damage: str) -> None:
    path = publish(tmp_path / "store.duckdb")
    with duckdb.connect(str(path)) as con:
        con.execute(damage)
    damaged = PublishedStore(path)
    for ask in (damaged.manifest, damaged.ledger, damaged.memo_facts):
        with pytest.raises(BrokenStore, match="no manifest"):
            ask()


def test_the_file_of_someone_else_is_no_store(tmp_path: Path) -> None:
    """Found wrong once: a memo was written of it, and the next publication wrote over it."""
    path = tmp_path / "store.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create table mine as select 1 as one")
    stranger = PublishedStore(path)
    for ask in (stranger.ledger, stranger.memo_facts, stranger.verdicts, lambda: stranger.query("from mine")):
        with pytest.raises(BrokenStore, match="move it away"):
            ask()


def test_what_stands_where_the_store_belongs_keeps_it_from_being_read(tmp_path: Path) -> None:
    """Found wrong once: those who only read were told that it "cannot be written"."""
    (tmp_path / "published").write_text("in the way")
    with pytest.raises(BrokenStore, match="cannot be read: Not a directory"):
        PublishedStore(tmp_path / "published" / "store.duckdb").verdicts()


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("'infinity'::date", "infinity"),
        ("date '200000-01-01'", "200000-01-01"),
        ("date '0044-03-15 (BC)'", "0044-03-15 (BC)"),
        ("'-infinity'::timestamp", "-infinity"),
        ("'infinity'::timestamptz", "infinity"),
        ("timestamp_ns '2024-01-01 00:00:00.123456789'", "2024-01-01 00:00:00.123456789"),
        ("['infinity'::date]", "[infinity]"),
        ("interval 1 month", (1, 0, 0)),
        ("date '2024-02-29'", dt.date(2024, 2, 29)),
    ],
)
def test_days_and_times_that_python_cannot_hold_come_as_text(store: PublishedStore, value: str, told: object) -> None:
    assert store.query(f"select 1 as a, {value} as a").to_pylist() == [{"a": 1, "a_2": told}]
