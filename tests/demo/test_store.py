from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from marginwise.contract.loader import contracts
from marginwise.demo import generation
from marginwise.demo.plan import StorePlan
from marginwise.demo.store import CUSTOMER_TRUTH, TRUTH_FILE, generate_store, generate_tables
from marginwise.errors import BadSettings
from tests.demo.conftest import read_files

if TYPE_CHECKING:
    from pathlib import Path

    from tests.demo.conftest import Store

FITS = {
    "text": lambda t: pa.types.is_string(t) or (pa.types.is_dictionary(t) and pa.types.is_string(t.value_type)),
    "integer": pa.types.is_integer,
    "decimal": lambda t: pa.types.is_decimal(t) or pa.types.is_integer(t),
    "timestamp": pa.types.is_timestamp,
    "date": pa.types.is_date,
    "boolean": pa.types.is_boolean,
}


def digest(directory: Path) -> dict[str, str]:
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_every_contract_table_and_column_is_there_and_typed() -> None:
    tables, truth = generate_tables(orders=1000)
    assert list(tables) == list(contracts())
    for name, contract in contracts().items():
        table = tables[name]
        own = tuple(column for column in table.column_names if not column.startswith("x_"))
        assert own == contract.column_names
        assert table.num_rows == truth.rows[name] > 0
        for column in contract.columns:
            assert FITS[column.type](table.schema.field(column.name).type), f"{name}.{column.name}"
            if column.is_required:
                assert table[column.name].null_count == 0, f"{name}.{column.name}"
            if column.allowed:
                assert set(table[column.name].unique().to_pylist()) <= {*column.allowed, None}


@pytest.mark.parametrize("name", list(contracts()))
def test_keys_are_unique_and_references_hold(clean_store: Store, name: str) -> None:
    con, _ = clean_store
    contract = contracts()[name]
    key = [*contract.key, "updated_at"] if contract.versioned_by else list(contract.key)
    twice = con.execute(f"select count(*) from (select {', '.join(key)} from {name} group by all having count(*) > 1)")
    assert twice.fetchone() == (0,)
    for reference in contract.references:
        pairs = list(zip(reference.columns, reference.to_columns, strict=True))
        on = " and ".join(f"a.{mine} = b.{other}" for mine, other in pairs)
        known = " and ".join(f"a.{mine} is not null" for mine, _ in pairs)
        orphans = con.execute(
            f"select count(*) from {name} as a anti join {reference.table} as b on {on} where {known}"
        )
        assert orphans.fetchone() == (0,), reference


def test_same_seed_same_files_and_another_seed_other_files(tmp_path: Path) -> None:
    for folder, seed in (("one", 3), ("again", 3), ("other", 4)):
        generate_store(tmp_path / folder, orders=300, seed=seed)
    assert digest(tmp_path / "one") == digest(tmp_path / "again")
    assert digest(tmp_path / "one")["orders.csv"] != digest(tmp_path / "other")["orders.csv"]


def test_how_many_work_on_a_store_changes_no_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "ROWS_OF_A_PART", 2_000)
    for workers in (1, 2, 5):
        monkeypatch.setattr(generation, "_WORKERS", workers)
        for form in ("csv", "parquet"):
            generate_store(tmp_path / f"{workers}-{form}", orders=1_500, sessions_per_order=3.0, format=form, drops=1)
    for form in ("csv", "parquet"):
        one = digest(tmp_path / f"1-{form}")
        assert digest(tmp_path / f"2-{form}") == one
        assert digest(tmp_path / f"5-{form}") == one


def test_csv_and_parquet_hold_the_same_rows(tmp_path: Path) -> None:
    truths = [generate_store(tmp_path / form, orders=300, format=form, dirt_rate=0.0) for form in ("csv", "parquet")]
    assert truths[0] == truths[1]
    text, typed = read_files(tmp_path / "csv"), read_files(tmp_path / "parquet", "parquet")
    for name, contract in contracts().items():
        columns = ", ".join(f"cast({c.name} as {c.sql_type}) as {c.name}" for c in contract.columns)
        query = f"select {columns} from {name} order by all"
        assert text.execute(query).fetchall() == typed.execute(query).fetchall(), name


def test_a_store_made_in_many_parts_hangs_together(tmp_path: Path) -> None:
    truth = generate_store(tmp_path, orders=3000, sessions_per_order=150.0, format="parquet", dirt_rate=0.0)
    con = read_files(tmp_path, "parquet")
    assert (
        con.execute(
            "select count(distinct row_group_id) from parquet_metadata($1)", [str(tmp_path / "sessions.parquet")]
        ).fetchone()[0]
        > 2
    )
    for name, key in (
        ("orders", "order_id"),
        ("sessions", "session_id"),
        ("events", "event_id"),
        ("refunds", "refund_id"),
    ):
        assert con.execute(f"select count(*), count(distinct {key}) from {name}").fetchone() == (truth.rows[name],) * 2
    assert con.execute("select count(*) from order_items anti join orders using (order_id)").fetchone() == (0,)
    assert con.execute("select count(*) from events anti join sessions using (session_id)").fetchone() == (0,)
    mine = """
        select count(*) from orders join sessions using (session_id)
        where ordered_at not between started_at and started_at + interval 1 hour
    """
    assert con.execute(mine).fetchone() == (0,)


def test_parts_do_not_change_the_truth() -> None:
    few, many = (
        generate_tables(orders=2000, plan=replace(StorePlan(), sessions_per_order=each))[1] for each in (2.0, 4.0)
    )
    assert few.units == many.units


def test_truth_lies_beside_the_tables(tmp_path: Path) -> None:
    generate_store(tmp_path / "new" / "store", orders=200)
    names = {path.name for path in (tmp_path / "new" / "store").iterdir()}
    assert names == {TRUTH_FILE, f"{CUSTOMER_TRUTH}.csv", *(f"{name}.csv" for name in contracts())}


def test_store_id_is_in_every_row() -> None:
    tables, _ = generate_tables(orders=1000, store_id="north")
    assert all(table["store_id"].unique().to_pylist() == ["north"] for table in tables.values())


def test_last_day_and_length_are_kept() -> None:
    tables, truth = generate_tables(orders=500, days=300, last_day=date(2024, 6, 30))
    assert (truth.first_day, truth.last_day) == (date(2023, 9, 5), date(2024, 6, 30))
    days = [moment.date() for moment in tables["orders"]["ordered_at"].to_pylist()]
    assert min(days) >= truth.first_day
    assert max(days) <= truth.last_day


def test_what_cannot_be_a_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="nothing to decide"):
        generate_tables(orders=10)
    with pytest.raises(BadSettings, match="nothing to decide"):
        generate_tables(days=90)
    with pytest.raises(BadSettings, match="xlsx"):
        generate_store(tmp_path, format="xlsx")  # type: ignore[arg-type]
    generate_store(tmp_path, orders=200)
    with pytest.raises(BadSettings, match=r"already holds orders\.csv"):
        generate_store(tmp_path, orders=200, format="parquet")
