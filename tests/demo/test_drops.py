"""Do the first files and the later ones together give the store that would have been without them?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from marginwise.contract.loader import contracts
from marginwise.demo.plan import StorePlan
from marginwise.demo.store import generate_store
from marginwise.errors import BadSettings

if TYPE_CHECKING:
    from pathlib import Path

    from marginwise.demo.truth import StoreTruth

PLAN = StorePlan(sessions_per_order=2.0, dirt_rate=0.0, late_rate=0.1, corrected_rate=0.05)
VERSIONED = {
    "orders": "order_id",
    "order_items": "order_id, line_number",
    "marketing_spend": "spend_date, channel, campaign",
}


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StoreTruth, Path, StoreTruth]:
    whole, dropped = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("dropped")
    return (
        whole,
        generate_store(whole, orders=1500, format="parquet", plan=PLAN),
        dropped,
        generate_store(dropped, orders=1500, format="parquet", plan=PLAN, drops=3),
    )


def test_first_files_and_drops_make_the_whole_store(stores: tuple[Path, StoreTruth, Path, StoreTruth]) -> None:
    whole, _, dropped, _ = stores
    con = duckdb.connect()
    for name in contracts():
        files = [
            str(path) for path in [dropped / f"{name}.parquet", *sorted(dropped.glob(f"drops/*/{name}-*.parquet"))]
        ]
        newest = (
            f"qualify row_number() over (partition by {VERSIONED[name]} order by updated_at desc nulls last) = 1"
            if name in VERSIONED
            else ""
        )
        columns = "* exclude (updated_at)" if name in VERSIONED else "*"
        con.execute(
            f"create or replace table landed as select {columns} from (select * from read_parquet({files}) {newest})"
        )
        con.execute(f"create or replace table truth as select {columns} from '{whole / f'{name}.parquet'}'")
        gaps = (
            "select count(*) from ((from landed except all from truth) union all (from truth except all from landed))"
        )
        assert con.execute(gaps).fetchone() == (0,), name


def test_the_truth_tells_what_comes_late_and_what_is_corrected(
    stores: tuple[Path, StoreTruth, Path, StoreTruth],
) -> None:
    _, truth, dropped, with_drops = stores
    assert with_drops.units == truth.units
    assert with_drops.totals == truth.totals
    con = duckdb.connect()
    late = dict.fromkeys(truth.rows, 0)
    for drop in with_drops.drops:
        path = dropped / "drops" / drop.date / f"{drop.table}-{drop.date}.parquet"
        assert con.execute(f"select count(*) from '{path}'").fetchone() == (drop.late_rows + drop.corrected_rows,)
        late[drop.table] += drop.late_rows
    assert {name: with_drops.rows[name] + late[name] for name in late} == truth.rows
    assert {drop.date for drop in with_drops.drops} == {"2026-01-01", "2026-01-02", "2026-01-03"}
    assert {drop.table for drop in with_drops.drops if drop.corrected_rows} == set(VERSIONED)
    assert {"orders", "order_items", "payments", "product_costs"} <= {
        drop.table for drop in with_drops.drops if drop.late_rows
    }
    assert sum(drop.corrected_rows for drop in with_drops.drops) > 50


def test_the_first_files_are_wrong_where_a_correction_follows(
    stores: tuple[Path, StoreTruth, Path, StoreTruth],
) -> None:
    _, _, dropped, _ = stores
    query = f"""
        select count(*), count(*) filter (where first.shipping_cost_amount < later.shipping_cost_amount),
            bool_and(later.updated_at > first.updated_at)
        from '{dropped}/orders.parquet' as first join '{dropped}/drops/*/orders-*.parquet' as later using (order_id)
    """
    ((corrected, wrong, is_newer),) = duckdb.execute(query).fetchall()
    assert corrected > 10
    assert wrong > 0.8 * corrected  # what costs nothing cannot be wrong by a tenth
    assert is_newer


def test_a_folder_with_landed_drops_is_not_overwritten(tmp_path: Path) -> None:
    generate_store(tmp_path, orders=200, plan=PLAN, drops=1)
    drop = next(tmp_path.glob("drops/*/orders-*.csv"))
    (tmp_path / drop.name).write_bytes(drop.read_bytes())
    with pytest.raises(BadSettings, match="belongs to another store"):
        generate_store(tmp_path, orders=200, plan=PLAN)
