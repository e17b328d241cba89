"""A template is compiled by one process and read by the next; what cannot be read or written is compiled, and nothing is told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment

from marginwise.engine import dbt, dbt_templates
from marginwise.engine.dbt import WarehouseProject
from marginwise.engine.dbt_savings import TEMPLATES
from marginwise.engine.dbt_templates import CompiledTemplates

SUM = "{{ a + b }}"


class Process:
    """What a process compiles of templates, with what earlier ones have kept in a folder."""

    def __init__(self) -> None:
        self.compiled: list[str] = []
        self.templates = CompiledTemplates()
        compile_template = Environment.compile

        def noted(environment: Environment, source: str, *arguments: Any) -> Any:
            self.compiled.append(source)
            return compile_template(environment, source, *arguments)

        self.once = self.templates.compiled_once(noted)

    def filled(self, source: str, folder: Path) -> str:
        environment = Environment()
        with self.templates.kept_in(folder):
            code = self.once(environment, source)
        return environment.template_class.from_code(environment, code, {}).render(a=1, b=2)


def test_the_next_process_compiles_only_what_is_new(tmp_path: Path) -> None:
    first, second, third = Process(), Process(), Process()
    assert [first.filled(SUM, tmp_path), first.filled(SUM, tmp_path)] == ["3", "3"]
    assert [second.filled(SUM, tmp_path), second.filled("{{ a - b }}", tmp_path)] == ["3", "-1"]
    assert [third.filled(SUM, tmp_path), third.filled("{{ a - b }}", tmp_path)] == ["3", "-1"]
    assert [process.compiled for process in (first, second, third)] == [[SUM], ["{{ a - b }}"], []]


@pytest.mark.parametrize("harm", ["cut", "changed", "emptied", "versions"])
def test_what_is_damaged_or_of_other_versions_is_compiled_anew(
    harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Process().filled(SUM, tmp_path)
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    harmed = {"cut": content[:-1], "changed": content[:-1] + bytes([content[-1] ^ 1]), "emptied": b""}
    file.write_bytes(harmed.get(harm, content))
    if harm == "versions":
        monkeypatch.setattr(dbt_templates, "version", lambda name: "0.1")
    after, next_one = Process(), Process()
    assert [after.filled(SUM, tmp_path), next_one.filled(SUM, tmp_path)] == ["3", "3"]
    assert (after.compiled, next_one.compiled) == ([SUM], [])


def test_a_folder_that_cannot_be_written_to_keeps_nothing(tmp_path: Path) -> None:
    first, second = Process(), Process()
    assert [process.filled(SUM, tmp_path / "absent") for process in (first, second)] == ["3", "3"]
    assert (first.compiled, second.compiled) == ([SUM], [SUM])


def test_the_templates_of_a_build_are_kept_beside_the_parsed_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(TEMPLATES, "_code", {})
    WarehouseProject(tmp_path / "warehouse.duckdb", {}).build("channel_rules")
    (folder,) = (tmp_path / "cache" / "marginwise").iterdir()
    assert folder.stat().st_mode & 0o077 == 0
    known = len(TEMPLATES._code)
    assert known
    monkeypatch.setattr(TEMPLATES, "_code", {})
    monkeypatch.setattr(TEMPLATES, "_looked_in", set())
    with TEMPLATES.kept_in(folder):
        assert len(TEMPLATES._code) == known


def test_what_is_run_is_read_from_no_folder_that_others_may_write_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> Path:
        dbt._own_directory.cache_clear()  # as the next process would
        return dbt._cache_directory()

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(dbt.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(dbt.tempfile, "mkdtemp", lambda prefix: str(tmp_path / "new"))
    in_cache = found()
    assert in_cache.parent == tmp_path / "cache" / "marginwise"
    in_cache.chmod(0o777)
    temporary = found()
    assert (temporary.parent, temporary.stat().st_mode & 0o777) == (tmp_path, 0o700)
    in_cache.chmod(0o755)
    assert found() == in_cache
    (tmp_path / "cache").rename(tmp_path / "moved")
    (tmp_path / "cache").write_text("no folder can be made here")
    assert found() == temporary
    temporary.rename(tmp_path / "elsewhere")
    temporary.symlink_to(tmp_path / "elsewhere")
    assert found() == tmp_path / "new"
    user = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: user + 1)
    (tmp_path / temporary.name.replace(str(user), str(user + 1))).mkdir()
    assert found() == tmp_path / "new"
    dbt._own_directory.cache_clear()
