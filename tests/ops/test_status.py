"""`status` tells the truth by its exit code too: 0 only where the next run can read every source."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from marginwise.cli.commands import app
from marginwise.engine.publish import PUBLISHED_STORE
from marginwise.ops.doctor import examine
from marginwise.ops.projects import create_project
from tests.connectors.shop_exports import german, shop


@pytest.fixture
def project(tmp_path: Path) -> Path:
    german(tmp_path / "exports", shop(120))
    create_project(tmp_path, tmp_path / "exports")
    return tmp_path


def test_a_project_that_can_run_has_status_0(project: Path) -> None:
    done = CliRunner().invoke(app, ["status", "-p", str(project)])
    assert done.exit_code == 0
    assert "Never run yet" in done.output


def test_a_broken_mapping_is_told_and_is_not_0(project: Path) -> None:
    mapping = project / "verkaufe.map.toml"
    mapping.write_text(mapping.read_text().replace("\nquantity = ", "\nquantitty = "))
    done = CliRunner().invoke(app, ["status", "-p", str(project)])
    assert done.exit_code == 2
    assert "BROKEN" in done.output
    assert "Did you mean 'quantity'" in done.output
    told = json.loads(CliRunner().invoke(app, ["status", "-p", str(project), "--json"]).output)
    assert told["problems"][0]["error"] == "BadMapping"


def test_a_data_folder_that_is_gone_is_told(project: Path) -> None:
    (project / "exports").rename(project / "exports2")
    done = CliRunner().invoke(app, ["status", "-p", str(project)])
    assert done.exit_code == 3
    assert "Did you mean 'exports2'" in done.output


def test_the_version_is_told() -> None:
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.output) == (0, f"marginwise {version('marginwise')}\n")


def test_the_doctor_looks_at_the_published_store(project: Path) -> None:
    """Found wrong once: all was said to be well with a published store of garbage."""
    told = {finding.check: finding for finding in examine(project)}
    assert told["published store"].detail == "none yet"
    store = project / ".marginwise" / PUBLISHED_STORE
    store.parent.mkdir(parents=True)
    store.write_bytes(b"garbage")
    told = {finding.check: finding for finding in examine(project)}
    assert told["published store"].state == "broken"
