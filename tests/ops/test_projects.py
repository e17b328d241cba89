"""Projects are made once, refuse to overwrite, reuse what is there, and hand the warehouse to dbt itself."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import duckdb
import pytest
import yaml
from typer.testing import CliRunner

from marginwise.cli.commands import app
from marginwise.connectors.mapping import load_mapping
from marginwise.demo.knobs import Knobs
from marginwise.errors import BadMapping, BadSettings, MissingFile, UnreadableFile
from marginwise.ops.projects import create_demo, create_project, eject_warehouse, warehouse_paths
from marginwise.ops.settings_text import SourceEntry, settings_text
from marginwise.settings import (
    Assumptions,
    ChannelSettings,
    DecisionSettings,
    StoreSettings,
    WarehouseSettings,
    load_settings,
)
from tests.connectors.shop_exports import VARIANTS, german, shop


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    german(tmp_path / "exports", shop(120))
    return tmp_path / "exports"


def test_the_settings_text_names_every_setting_and_its_default() -> None:
    text = settings_text([SourceEntry("shop", "shop.map.toml", "exports")])
    for model in (StoreSettings, Assumptions, ChannelSettings, DecisionSettings, WarehouseSettings):
        for name in model.model_fields:
            assert f"{name} =" in text or f"[assumptions.{name}]" in text or f"[[assumptions.{name}]]" in text, name
    uncommented = "\n".join(
        line.removeprefix("# ") if " = " in line else line for line in text.splitlines() if not line.startswith("# [[")
    )
    shown = tomllib.loads(
        uncommented.split("# Marketing spend")[0] + uncommented[uncommented.index("\n# How traffic") :]
    )
    for section, model in (("store", StoreSettings), ("decisions", DecisionSettings)):
        for name, field in model.model_fields.items():
            if field.default is not None:
                assert shown[section][name] == field.default, name


def test_a_demo_store_is_a_project_and_twice_is_once(tmp_path: Path) -> None:
    folder = tmp_path / "my-store"
    first = create_demo(folder, Knobs(orders=250, seed=3))
    settings = load_settings(folder)
    edited = (folder / "marginwise.toml").read_text().replace("# horizon_days = 90", "horizon_days = 60")
    (folder / "marginwise.toml").write_text(edited)
    assert create_demo(folder, Knobs(orders=250, seed=3)) == first
    assert (folder / "marginwise.toml").read_text() == edited
    assert settings.sources["demo"].mapping == "contract"
    assert Path(first["truth"]).is_file()
    landed = [path for path in (folder / "data").glob("*.csv") if not path.name.startswith("truth")]
    assert first["files"] == len(landed)


def test_a_demo_store_does_not_replace_another_project(exports: Path, tmp_path: Path) -> None:
    create_project(tmp_path / "shop", exports)
    with pytest.raises(BadSettings, match="another project"):
        create_demo(tmp_path / "shop", Knobs(orders=250, seed=3))


def test_own_files_get_a_mapping_and_settings_that_load(exports: Path, tmp_path: Path) -> None:
    project = tmp_path / "shop"
    created = create_project(project, exports)
    settings = load_settings(project)
    source = settings.sources["verkaufe"]
    assert (source.mapping, source.data) == ("verkaufe.map.toml", exports)
    assert load_mapping(project / source.mapping).source.time_zone == settings.store.time_zone == "Europe/Berlin"
    assert created["mapping"] == "verkaufe.map.toml"
    assert any("Mapping proposed" in line for line in created["told"])


def test_one_file_instead_of_a_folder(exports: Path, tmp_path: Path) -> None:
    (exports / "notes.csv").write_text("a,b\n1,2\n")
    create_project(tmp_path / "shop", exports / "verkäufe.csv")
    assert load_mapping(tmp_path / "shop" / "verkaufe.map.toml").files.keys() == {"verkaufe"}


def test_several_files_become_one_mapping(tmp_path: Path) -> None:
    VARIANTS["three_files"](tmp_path / "exports", shop(120))
    create_project(tmp_path, tmp_path / "exports")
    mapping = load_mapping(tmp_path / "exports.map.toml")
    assert mapping.files.keys() == {"bestellingen", "orderregels", "klanten"}


def test_a_file_that_is_not_used_is_told(exports: Path, tmp_path: Path) -> None:
    """Found wrong once: only a comment at the end of the mapping said that a file of the folder was left out."""
    (exports / "more.csv").write_text('[{"id": 1}]')
    (exports / "colours.csv").write_text("shade,tone\n" + "red,warm\nblue,cold\n" * 20)
    told = create_project(tmp_path, exports)["told"]
    assert any(line.startswith("Not used: more.csv is JSON") for line in told)
    assert any(line.startswith("Not used: colours.csv") for line in told)


def test_a_mapping_that_lies_there_is_used(exports: Path, tmp_path: Path) -> None:
    create_project(tmp_path, exports)
    mapping = tmp_path / "verkaufe.map.toml"
    mapping.rename(tmp_path / "mine.map.toml")
    created = create_project(tmp_path, exports, force=True)
    assert created["mapping"] == "mine.map.toml"
    assert not mapping.exists()


def test_the_mappings_that_lie_there_are_told_used_or_not(exports: Path, tmp_path: Path) -> None:
    """Found wrong once: a mapping beside the settings that fits no file got no word."""
    create_project(tmp_path, exports)
    mapping = tmp_path / "verkaufe.map.toml"
    text = mapping.read_text()
    (tmp_path / "again.map.toml").write_text(text.replace('name = "verkaufe"', 'name = "again"'))
    (tmp_path / "other.map.toml").write_text(re.sub(r'path = ".*"', 'path = "nothing.csv"', text))
    told = create_project(tmp_path, exports, force=True)["told"]
    assert told[:3] == [
        "Using the mapping again.map.toml, which fits the files.",
        "Using the mapping verkaufe.map.toml, which fits the files.",
        f"Not used: other.map.toml names no file of {exports}.",
    ]
    for name in ("again.map.toml", "verkaufe.map.toml"):
        (tmp_path / name).unlink()
    told = create_project(tmp_path, exports, force=True)["told"]
    assert told[0].startswith("Not used: other.map.toml")
    assert told[1].startswith("Mapping proposed")


def test_map_tells_init_the_folder_it_was_given(exports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found wrong once: after `map FOLDER` the advice was `init .`."""
    monkeypatch.chdir(tmp_path)
    for given in ("exports", next(exports.iterdir()).relative_to(tmp_path)):
        told = CliRunner().invoke(app, ["map", str(given), "--out", "x.map.toml"]).output
        assert "run `marginwise init exports`" in " ".join(told.split())


def test_a_mapping_that_lies_there_unfinished_is_named(exports: Path, tmp_path: Path) -> None:
    create_project(tmp_path, exports)
    mapping = tmp_path / "verkaufe.map.toml"
    mapping.write_text(mapping.read_text().replace("\nquantity = ", "\n# quantity = "))
    with pytest.raises(BadMapping, match="quantity"):
        create_project(tmp_path, exports, force=True)


def test_what_is_missing_is_told_and_stops_the_run_not_the_making(tmp_path: Path) -> None:
    exports = tmp_path / "exports"
    exports.mkdir()
    rows = "".join(f"A{i // 2},2024-05-{i % 28 + 1:02},2,9.90\n" for i in range(60))
    (exports / "sales.csv").write_text("order_id,order_date,quantity,unit_price\n" + rows)
    created = create_project(tmp_path, exports)
    assert "order_items.product_id" in created["told"][-1]
    with pytest.raises(BadMapping, match="product_id"):
        load_mapping(tmp_path / created["mapping"])


def test_nothing_is_overwritten_without_force(exports: Path, tmp_path: Path) -> None:
    create_project(tmp_path, exports)
    before = (tmp_path / "marginwise.toml").read_text()
    with pytest.raises(BadSettings, match="--force"):
        create_project(tmp_path, exports)
    assert (tmp_path / "marginwise.toml").read_text() == before


def olist(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in ("orders", "order_items", "customers"):
        (folder / f"olist_{name}_dataset.csv").write_text("a,b\n1,2\n")
    return folder


def test_a_known_pack_is_taken_and_an_unknown_one_gets_its_nearest(tmp_path: Path) -> None:
    data = olist(tmp_path / "data")
    assert create_project(tmp_path, data, pack="olist")["mapping"] == "olist"
    with pytest.raises(BadMapping, match="online_retail"):
        create_project(tmp_path, data, pack="online_retial", force=True)


def test_a_pack_without_its_files_is_refused(exports: Path, tmp_path: Path) -> None:
    """Found wrong once: the settings were written, and the run said only later that nothing was there."""
    with pytest.raises(MissingFile, match=r"lacks files of the pack 'olist': orders.*verkäufe\.csv") as told:
        create_project(tmp_path / "shop", exports, pack="olist")
    assert "orders: olist_orders_dataset.csv*" in (told.value.accepted or "")
    assert not (tmp_path / "shop").exists()
    data = olist(tmp_path / "all" / "brazil")
    with pytest.raises(MissingFile, match=f"Did you mean '{data}'"):
        create_project(tmp_path / "shop", data.parent, pack="olist")
    (data / "olist_customers_dataset.csv").rename(data / "olist_customer_dataset.csv")
    with pytest.raises(MissingFile, match=r"'olist': customers\..*Did you mean 'olist_customer_dataset\.csv'"):
        create_project(tmp_path / "shop", data, pack="olist")
    create_demo(tmp_path / "demo", Knobs(orders=250, seed=3))
    with pytest.raises(MissingFile, match=r"`marginwise init contract .*` would fit"):
        create_project(tmp_path / "shop", tmp_path / "demo" / "data", pack="olist")


def test_the_data_are_named_as_they_were_given_and_relative_inside_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, outside = olist(tmp_path / "shop" / "data"), olist(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    for given, written in ((inside, "data"), (Path("shop/data"), "data"), (outside, str(outside)),
                           (Path("data"), "../data")):  # fmt: skip
        create_project(tmp_path / "shop", given, pack="olist", force=True)
        assert load_settings(tmp_path / "shop").sources["olist"].data == Path(written)


def test_no_folder_and_no_files(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    with pytest.raises(MissingFile, match="exports"):
        create_project(tmp_path / "shop", tmp_path / "export")
    with pytest.raises(MissingFile, match="no CSV or Parquet"):
        create_project(tmp_path / "shop", tmp_path / "exports")
    (tmp_path / "exports" / "x.csv").write_text("just words\n")
    with pytest.raises(UnreadableFile):
        create_project(tmp_path / "shop", tmp_path / "exports")
    assert not (tmp_path / "shop" / "marginwise.toml").exists()


def test_files_of_the_contract_are_recognised_by_their_columns(tmp_path: Path) -> None:
    demo = tmp_path / "demo"
    create_demo(demo, Knobs(orders=250, seed=3))
    assert create_project(tmp_path / "shop", demo / "data")["mapping"] == "contract"
    (demo / "data" / "order_items.csv").write_text(
        "Belegnr;Artikel;Menge;Preis\n" + "".join(f"{i};A{i % 5};1;2,50\n" for i in range(50))
    )
    assert create_project(tmp_path / "other", demo / "data")["mapping"].endswith(".map.toml")


def test_known_sources_are_recognised(shared_data: Path, tmp_path: Path) -> None:
    for name, folder in (("olist", shared_data / "olist"), ("maven_fuzzy_factory", shared_data / "maven_fuzzy_factory"),
                         ("online_retail", shared_data / "uci_online_retail")):  # fmt: skip
        assert create_project(tmp_path / name, folder)["mapping"] == name
    with tarfile.open(shared_data / "uci_online_retail" / "by_day_csv.tar.gz") as archive:
        archive.extractall(tmp_path / "days", [m for m in archive.getmembers() if m.name.endswith(".csv")][:3])
    assert create_project(tmp_path / "daily", tmp_path / "days")["mapping"] == "online_retail"


def test_paths_of_a_project(exports: Path, tmp_path: Path) -> None:
    create_project(tmp_path, exports)
    paths = warehouse_paths(tmp_path)
    assert paths["published_store"] == str(tmp_path / ".marginwise" / "published" / "store.duckdb")
    assert Path(paths["dbt_project"], "dbt_project.yml").is_file()


def test_the_warehouse_is_handed_to_dbt_with_the_stores_settings(exports: Path, tmp_path: Path) -> None:
    project, target = tmp_path / "shop", tmp_path / "dbt"
    create_project(project, exports)
    with pytest.raises(MissingFile, match="marginwise run"):
        eject_warehouse(project, target)
    state = load_settings(project).state_directory
    state.mkdir()
    duckdb.connect(str(state / "warehouse.duckdb")).close()
    told = eject_warehouse(project, target)
    declared = yaml.safe_load((target / "dbt_project.yml").read_text())
    assert declared["vars"]["time_zone"] == "Europe/Berlin"
    assert declared["vars"]["prices_include_tax_sources"] == ["verkaufe"]
    profile = yaml.safe_load((target / "profiles.yml").read_text())["marginwise"]["outputs"]["duckdb"]
    assert profile["path"] == "../shop/.marginwise/warehouse.duckdb"
    assert told["command"].endswith("dbt build --profiles-dir .")
    with pytest.raises(BadSettings, match="not empty"):
        eject_warehouse(project, target)
    parsed = subprocess.run(
        [str(Path(sys.executable).with_name("dbt")), "--no-send-anonymous-usage-stats", "parse", "--profiles-dir", "."],
        cwd=target, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert parsed.returncode == 0, parsed.stdout
