"""How a command ends: interrupted with 130 and what stays, and with the user's own names printed as they are."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import duckdb
import pyarrow as pa
import pytest
from dbt.contracts.graph.manifest import Manifest

from marginwise.cli import reports
from marginwise.cli.console import print_arrow, terminal
from marginwise.engine.dbt import WarehouseProject
from tests.shell import called


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt(), RuntimeError("Query interrupted")])
def test_an_interrupt_is_told_and_ends_with_130(
    interrupt: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found wrong once: Typer ended in silence, and what DuckDB raises was told as a defect of Marginwise."""

    def interrupted(*_: object, **__: object) -> None:
        raise interrupt

    monkeypatch.setattr(reports, "print_run", interrupted)
    done = called("run", cwd=tmp_path)
    assert (done.code, done.out) == (130, "")
    assert done.err == "Interrupted. What was published before stays; run again to go on.\n"


def test_what_nobody_foresaw_is_told_without_the_value_it_fails_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> None:
        duckdb.sql("select cast('anna@example.org' as integer)").fetchall()

    monkeypatch.setattr(reports, "print_run", failing)
    done = called("run", cwd=tmp_path)
    assert done.code == 1
    assert "Unexpected ConversionException: Conversion Error" in done.err
    assert "anna" not in done.err


@pytest.mark.parametrize("is_parsed", [False, True])
def test_an_interrupt_that_dbt_swallows_goes_on(
    is_parsed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found wrong once: "BuildFailed: The warehouse could not be built" and no reason."""
    outcome = SimpleNamespace(success=False, exception=KeyboardInterrupt(), result=None)
    runner = SimpleNamespace(invoke=lambda *_: outcome)
    monkeypatch.setattr("dbt.cli.main.dbtRunner", lambda *_, **__: runner)
    parsed = {(None, ""): (Manifest(), {})} if is_parsed else {}
    monkeypatch.setattr(WarehouseProject, "_parsed", parsed)
    with pytest.raises(KeyboardInterrupt):
        WarehouseProject(tmp_path / "warehouse.duckdb", {}).build("tag:check")


def test_names_of_the_user_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    """Found wrong once: a folder called `x[/y]` ended a run in MarkupError after all its work, `[old] shop` lost its name."""
    terminal().print("x[/y] [old] shop :smile:")
    print_arrow(pa.table({"[/b]": ["[red]"], ":smile:": [1]}), as_json=False)
    assert capsys.readouterr().out.split() == ["x[/y]", "[old]", "shop", ":smile:", "[/b]", ":smile:", "[red]", "1"]
