"""Does `marginwise validate` pass a sound installation, and fail one that is off by a cent?"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from marginwise.demo.truth import StoreTruth
from marginwise.engine.publish import PUBLISHED_STORE
from marginwise.errors import BadSettings
from marginwise.ops import validation
from marginwise.ops.validation import Check, validate
from marginwise.serving.queries import PublishedStore
from tests.beginnings import VALIDATED, Beginnings
from tests.shell import Outcome, marginwise

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def validated(beginnings: Beginnings) -> tuple[Path, Outcome]:
    """Return the folder of the stores that `marginwise validate` has kept, and what it ended with."""
    folder, (done,) = beginnings.shared(VALIDATED)
    return folder / "stores", done


def test_stores_with_drops_and_without_visits_pass(validated: tuple[Path, Outcome]) -> None:
    _, done = validated
    assert done.code == 0
    assert "Store 1: late and corrected files" in done.out
    assert "Store 2: Parquet, orders state their channel" in done.out
    for name in ("margins", "quarantined = planted dirt", "verdicts where the truth is clear", "rows landed"):
        assert len(re.findall(rf"^{name} .* pass *$", done.out, re.MULTILINE)) == 2
    assert done.out.endswith("All 16 checks pass.\n")


def test_progress_is_told_by_store_and_stage(validated: tuple[Path, Outcome]) -> None:
    _, done = validated
    assert {"store 1 of 2, demo …", "store 2 of 2, build …", "store 1 of 2, check …"} <= set(done.err.splitlines())


def test_numbers_that_are_off_fail(validated: tuple[Path, Outcome]) -> None:
    folder, _ = validated
    project = folder / "store-2"
    truth = StoreTruth.read(project / "data" / "truth.json")
    store = PublishedStore(project / ".marginwise" / PUBLISHED_STORE)

    def failed(wrong: StoreTruth) -> set[str]:
        checks = [
            *validation._rows(store, wrong),
            *validation._totals(store, wrong),
            *validation._units(store.verdicts(), wrong),
        ]
        return {name for name, _, _, passed in checks if not passed}

    assert failed(truth) == set()
    unit = truth.unit("channel", "Paid Search")
    rest = tuple(other for other in truth.units if other is not unit)
    dearer = replace(unit, realised_margin_amount=unit.realised_margin_amount + 0.03)
    assert failed(replace(truth, units=(dearer, *rest))) == {"margins"}
    assert failed(replace(truth, units=(replace(unit, realised_customers_count=1), *rest))) == {
        "customers and repeat rates"
    }
    clear = next(other for other in truth.units if other.verdict == "kill" and validation._is_clear(other, truth))
    others = tuple(other for other in truth.units if other is not clear)
    assert failed(replace(truth, units=(replace(clear, verdict="scale"), *others))) == {
        "verdicts where the truth is clear"
    }
    assert failed(replace(truth, units=(replace(clear, unit_name="Radio"), *others))) == {"units"}
    assert failed(replace(truth, totals={**truth.totals, "refund_amount": 0.0})) == {"sales, refunds, CM2, spend"}
    assert failed(replace(truth, dirt=truth.dirt[1:])) == {"quarantined = planted dirt"}
    assert failed(replace(truth, rows={**truth.rows, "orders": 1})) == {"rows landed"}


def test_a_store_that_cannot_run_is_a_failed_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise BadSettings("The disk is full.")

    monkeypatch.setattr(validation, "run", broken)
    found = validate(tmp_path / "stores", stores=1, orders=500)
    assert [(check.passed, check.observed) for check in found] == [(False, "The disk is full.")]


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(BadSettings, match="not empty"):
        validate(tmp_path)


def test_the_command_exits_with_1_when_a_check_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from marginwise.cli import commands

    for passed, code in ((True, 0), (False, 1)):
        check = Check("1: any", "margins", "24 to the cent", "largest gap 3.0000 (Email)", passed)
        monkeypatch.setattr(validation, "validate", lambda *_, check=check, **__: [check])
        monkeypatch.setattr("sys.argv", ["marginwise", "validate"])
        with pytest.raises(SystemExit) as ended:
            commands.main()
        assert (ended.value.code or 0) == code
        assert ("FAIL" in capsys.readouterr().out) is not passed


def test_help_shows_every_knob_in_its_group(tmp_path: Path) -> None:
    from dataclasses import fields

    from marginwise.demo.knobs import Knobs

    shown = marginwise("demo", "--help", cwd=tmp_path).out
    for knob in fields(Knobs):
        assert f"--{knob.name.replace('_', '-')}" in shown
        assert knob.metadata["panel"] in shown


def test_knobs_reach_the_files(tmp_path: Path) -> None:
    made = marginwise(
        "demo", "shop", "--orders", "1_000", "--format", "parquet", "--drops", "1", "--no-anomalies", "--last-day",
        "2024-06-30", "--visits-per-order", "2", "--json", cwd=tmp_path,
    )  # fmt: skip
    assert made.code == 0, made.err
    truth = StoreTruth.read(tmp_path / "shop" / "data" / "truth.json")
    assert truth.last_day.isoformat() == "2024-06-30"
    assert truth.anomalies == []
    assert [re.sub(r".*/", "", path) for path in made.json["drops"]] == ["2024-07-01"]
    assert (tmp_path / "shop" / "data" / "orders.parquet").is_file()
    refused = marginwise("demo", "shop", "--orders", "3", cwd=tmp_path)
    assert refused.code == 2
