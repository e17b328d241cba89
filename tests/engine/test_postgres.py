"""A store on PostgreSQL is the store on DuckDB, to the cent; its readers never see a build; its errors tell no secret."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from benchmarks.day import LastDays

from marginwise.engine.dbt import WarehouseProject
from marginwise.engine.duckdb import open_warehouse, write_declared
from marginwise.engine.exchange import Exchange
from marginwise.engine.postgres import PostgresServer, rows, server_of
from marginwise.errors import (
    BadMapping,
    BadSettings,
    BuildFailed,
    MissingExtra,
    ServerUnreachable,
    UnfitServer,
    UnsetVariable,
)
from marginwise.ops.doctor import examine
from marginwise.ops.pipeline import run
from marginwise.settings import Settings, load_settings
from tests.engine.engines import differences, on_server, run_on_both
from tests.engine.test_landing import shop_that_fails_when_read
from tests.reliability.stores import built, differing, run_here
from tests.warehouse.harness import build, land_rows

VARIABLE = "MARGINWISE_POSTGRES_DSN"
# what a run tells of itself, beside what it found
TOLD_OF_THE_RUN = {"decisions.history", "decisions.memos"}


@pytest.fixture(scope="module")
def dsn(postgres: str) -> Iterator[str]:
    with PostgresServer(postgres, "marginwise_").connected() as connection:
        with connection.cursor() as cursor:
            cursor.execute("create role analyst login")
        connection.commit()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, postgres)
        yield postgres


@pytest.fixture(scope="module")
def stores(dsn: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a store on both engines, built once as a whole and once more when another day has come, with late and corrected rows."""
    folder = tmp_path_factory.mktemp("stores")
    store = LastDays(folder / "demo", orders=800, dirt_rate=0.004, drops=1, late_rate=0.2, corrected_rate=0.2)
    data = store.directory / "data"
    (data / "drops").rename(folder / "late")
    settings = (store.directory / "marginwise.toml").read_text()
    settings = settings.replace('data = "data"', f"data = {json.dumps(str(data))}")
    projects = run_on_both(folder, settings, prefix="demo_", stages=("land", "check", "build"))
    before = as_of(projects[0])
    store.arrive()
    for file in (folder / "late").glob("*/*"):
        file.rename(data / file.name)
    for project in projects:
        stages = {stage.stage: stage.facts for stage in run(load_settings(project)).stages}
        assert (stages["check"]["made_anew_because"], stages["build"]["made_anew_because"]) == (None, None)
    assert as_of(projects[0]) == before + dt.timedelta(days=1)
    return projects


def asked(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with PostgresServer(dsn, "").connected() as connection:
        return rows(connection, query)


def as_of(project: Path) -> dt.date:
    with duckdb.connect(str(project / ".marginwise" / "warehouse.duckdb"), read_only=True) as con:
        (day,) = con.execute("select max(as_of_date) from intermediate.int_periods_set").fetchall()[0]
        assert isinstance(day, dt.date)
        return day


def manifest(project: Path) -> dict[str, Any]:
    with duckdb.connect(str(project / ".marginwise" / "published" / "store.duckdb"), read_only=True) as con:
        return dict(json.loads(con.execute("select manifest_json from ops.manifest").fetchall()[0][0]))


# texts as files hold them, good and bad
NUMBERS = ["1", "1.5", "-2.25", "+3", ".5", "5.", "1e3", "1E-2", " 7 ", "1,5", "1_000", "0x10", "NaN", "inf", "-", "1.00005",
           "99999999999999.9999", "123456789012345678", "abc", "1 000", "$5", "6.5"]  # fmt: skip
TIMES = ["2025-01-31 18:30:00", "2025-01-31T18:30:00", "2025-01-31T18:30:00Z", "2025-01-31T18:30:00+02:00", "2025-01-31",
         "2025-01-31 18:30", "2025-1-3 8:30:00", "2025-01-31 18:30:00.123456", "2025-02-30 10:00:00", "now", "today", "infinity",
         "20250131", "31.01.2025", "2025-01-31 24:00:00", "2025-01-31 18:30:00-0530", "epoch", " 2025-01-31 18:30:00 "]  # fmt: skip
FLAGS = ["true", "false", "TRUE", "t", "f", "1", "0", "yes", "no", "y", "n", "on", "off", "2", "maybe", " true"]


def test_a_text_becomes_the_same_value_on_both_engines_or_is_refused_by_both(dsn: str, tmp_path: Path) -> None:
    orders = [{"order_id": f"t{n}", "ordered_at": text, "updated_at": text} for n, text in enumerate(TIMES)]
    orders += [{"order_id": f"f{n}", "ordered_at": "2025-01-01", "is_test": text} for n, text in enumerate(FLAGS)]
    orders += [{"order_id": f"n{n}", "ordered_at": "2025-01-01", "tax_amount": text} for n, text in enumerate(NUMBERS)]
    items = [{"order_id": f"n{n}", "line_number": text, "product_id": "p", "quantity": "1", "unit_price": text}
             for n, text in enumerate(NUMBERS)]  # fmt: skip
    budgets = [{"period": text, "channel": f"c{n}", "planned_amount": "1"} for n, text in enumerate(TIMES)]
    tables = {
        "orders": [{"status": "paid", "currency": "EUR", **order} for order in orders],
        "order_items": items,
        "budgets": budgets,
    }
    local = build(tables, select="tag:check", directory=tmp_path)
    remote = open_warehouse(tmp_path / "remote" / "warehouse.duckdb")
    land_rows(remote, tables)
    write_declared(remote, Settings())
    # under the name of the stores below, which find what is none of theirs, and are parsed already
    assert asked(dsn, "select nspname from pg_namespace where nspname like 'demo\\_%'") == []
    server = PostgresServer(dsn, "demo_")
    Exchange(server).load(remote)
    WarehouseProject(tmp_path / "remote" / "warehouse.duckdb", {}, server=server).build("tag:check")
    Exchange(server).fetch(remote, "staging.*", "quarantine.*")
    for query in (
        "select order_id, ordered_at, updated_at, is_test, tax_amount from staging.stg_orders order by all",
        "select order_id, line_number, unit_price from staging.stg_order_items order by all",
        "select channel, period from staging.stg_budgets order by all",
        "select table_name, row_number, rule, column_name, case when rule <> 'impossible_date' then value end"
        " from quarantine.quarantined_rows order by all",
    ):
        assert remote.execute(query).fetchall() == local.execute(query).fetchall()
    local.close()
    remote.close()


def test_every_table_of_core_and_marts_is_the_same(stores: tuple[Path, Path]) -> None:
    assert differences(*stores) == []


def test_a_day_that_passes_ends_as_a_build_of_all(stores: tuple[Path, Path], tmp_path: Path) -> None:
    """Windows move on, customers come of age, visits close: what the passing of time reaches is made anew as well."""
    shutil.copy(stores[0] / "marginwise.toml", tmp_path)
    run_here(tmp_path, "land", "check", "build")
    schemas = ("core", "marts", "quarantine", "checks")
    assert not differing(built(stores[0], *schemas), built(tmp_path, *schemas))


def test_the_published_file_holds_the_same_content(stores: tuple[Path, Path]) -> None:
    local, remote = (manifest(project)["tables"] for project in stores)
    assert local.keys() == remote.keys()
    assert {name for name in local if local[name] != remote[name]} == TOLD_OF_THE_RUN
    assert manifest(stores[1])["engine"].startswith("postgres 1")


def test_readers_of_the_server_see_what_is_published_and_nothing_else(stores: tuple[Path, Path], dsn: str) -> None:
    run(load_settings(stores[1]), ("publish",))  # over what is published
    published = asked(dsn, "select manifest_id from demo_ops.manifest")
    assert published == [(manifest(stores[1])["manifest_id"],)]
    may_read = "select has_table_privilege('analyst', '{}', 'select'), has_schema_privilege('analyst', '{}', 'usage')"
    table = "mart_decision_units"
    assert asked(dsn, may_read.format(f"demo_marts.{table}", "demo_marts")) == [(True, True)]
    assert asked(dsn, may_read.format(f"demo_build_marts.{table}", "demo_build_marts")) == [(False, False)]
    columns = "select count(*) from information_schema.columns where table_schema = 'demo_core' and column_name = '{}'"
    assert asked(dsn, columns.format("email")) == [(0,)]
    assert asked(dsn, columns.format("order_line_key"))[0][0] > 0


def test_a_switch_that_breaks_off_leaves_readers_the_store_of_before(stores: tuple[Path, Path], dsn: str) -> None:
    before = asked(dsn, "select count(*) from demo_marts.mart_daily_revenue")
    exchange = Exchange(server_of(load_settings(stores[1])))
    published = {"marts.mart_daily_revenue": ["store_id"], "ops.there_is_none": ["store_id"]}
    with pytest.raises(UnfitServer, match="there_is_none"):
        exchange.switch(published, ("id", "{}"), ())
    assert (
        asked(dsn, "select count(*) from demo_marts.mart_daily_revenue where net_revenue_amount is not null") == before
    )
    assert asked(dsn, "select count(*) from pg_namespace where nspname like 'demo_next_%'") == [(0,)]


def test_a_reader_that_is_no_role_is_told(stores: tuple[Path, Path]) -> None:
    exchange = Exchange(server_of(load_settings(stores[1])))
    with pytest.raises(UnfitServer, match=r'role "nobody" does not exist.*warehouse\.readers'):
        exchange.switch({"ops.checks": ["table_name"]}, ("id", "{}"), ["nobody"])


def test_a_failed_test_publishes_nothing(stores: tuple[Path, Path], dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = asked(dsn, "select manifest_id from demo_ops.manifest")

    def failing(*_: object, **__: object) -> None:
        raise BuildFailed("A test failed.", fix="Look at it.")

    monkeypatch.setattr(WarehouseProject, "build", failing)
    with pytest.raises(BuildFailed):
        run(load_settings(stores[1]), ("build", "learn", "decide", "publish"))
    assert asked(dsn, "select manifest_id from demo_ops.manifest") == before


def test_only_what_changed_is_loaded_again(dsn: str, tmp_path: Path) -> None:
    exchange = Exchange(PostgresServer(dsn, "changed_"))
    con = open_warehouse(tmp_path / "warehouse.duckdb")
    orders = [{"order_id": "1", "ordered_at": "2026-01-01 10:00:00", "status": "paid", "currency": "EUR"}]
    land_rows(con, {"orders": orders})
    write_declared(con, Settings())
    assert "landed.orders" in exchange.load(con)
    assert exchange.load(con) == []
    con.execute("update landed.orders set status = 'shipped'")
    assert exchange.load(con) == ["landed.orders"]
    assert asked(dsn, "select status from changed_build_landed.orders") == [("shipped",)]
    con.close()


def test_an_expression_that_fails_on_a_value_is_told_without_the_value(dsn: str, tmp_path: Path) -> None:
    """Found wrong once: "Unexpected ConversionException"; a Parquet file's rows are only reckoned as they are sent."""
    shop = shop_that_fails_when_read(tmp_path)
    with pytest.raises(BadMapping, match=r"Table order_items.* fails on a value.*try_cast") as caught:
        Exchange(PostgresServer(dsn, "failing_")).load(shop.con)
    assert "anna" not in str(caught.value)


def settings_of(tmp_path: Path) -> Settings:
    return load_settings(on_server(tmp_path / "shop", "", prefix="shop_"))


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnsetVariable, match=VARIABLE):
        server_of(settings_of(tmp_path), {})


@pytest.mark.parametrize("given", ["postgresql://me:sesame@[bad", "sesame", "host=x passwort=sesame"])
def test_what_is_no_connection_string_is_refused_and_not_repeated(tmp_path: Path, given: str) -> None:
    with pytest.raises(BadSettings, match=VARIABLE) as caught:
        server_of(settings_of(tmp_path), {VARIABLE: given})
    assert "sesame" not in str(caught.value)


def test_a_server_that_does_not_answer_stops_the_run_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "postgresql://me:sesame@127.0.0.1:9/shop")
    with pytest.raises(ServerUnreachable, match="port 9") as caught:
        run(settings_of(tmp_path))
    assert "sesame" not in str(caught.value)
    (finding,) = [finding for finding in examine(tmp_path / "shop") if finding.check == "server"]
    assert finding.state == "broken"


def test_a_missing_extra_is_told_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "adbc_driver_postgresql.dbapi", None)
    with pytest.raises(MissingExtra, match=r"pip install 'marginwise\[postgres\]'"):
        server_of(settings_of(tmp_path), {VARIABLE: "postgresql://me@host/shop"})


def test_a_server_that_can_be_used_is_told_with_its_version(dsn: str, tmp_path: Path) -> None:
    assert os.environ[VARIABLE] == dsn
    settings_of(tmp_path)
    (finding,) = [finding for finding in examine(tmp_path / "shop") if finding.check == "server"]
    assert (finding.state, finding.detail.startswith("PostgreSQL 1")) == ("ok", True)
