"""The models' own unit tests hold: they run here, and not in a store's run, whose data they do not touch."""

from __future__ import annotations

from pathlib import Path

from marginwise.engine.dbt import WarehouseProject, project_directory
from tests.warehouse.harness import build


def test_every_unit_test_of_the_models_passes(tmp_path: Path) -> None:
    described = [path for path in project_directory().rglob("*.yml") if "unit_tests:" in path.read_text()]
    models = sorted(path.stem for path in described)
    build({}, select=" ".join(f"+{model}" for model in models), directory=tmp_path).close()
    results = WarehouseProject(tmp_path / "warehouse.duckdb", {}).build(" ".join(models), unit_tests=True)
    tests = [node for node in results if node.kind == "unit_test"]
    assert len(tests) >= len(models) >= 4
    assert {node.status for node in tests} == {"pass"}
