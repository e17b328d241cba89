"""`doctor` binds mappings to the columns of the files that are there, before a run does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from marginwise.ops.doctor import Finding, examine
from marginwise.ops.projects import create_project
from tests.connectors.shop_exports import german, shop
from tests.reliability.stores import small_store
from tests.shell import called


@pytest.fixture
def project(tmp_path: Path) -> Path:
    german(tmp_path / "exports", shop(120))
    create_project(tmp_path, tmp_path / "exports")
    return tmp_path


def files(project: Path) -> list[Finding]:
    return [finding for finding in examine(project) if finding.check.startswith("files of")]


def test_files_that_fit_are_told_so(project: Path, tmp_path: Path) -> None:
    assert [finding.state for finding in files(project)] == ["ok"]
    assert [finding.state for finding in files(small_store(tmp_path / "demo", orders=50))] == ["ok"]


def test_a_column_that_no_file_has_is_told_with_file_and_nearest(project: Path) -> None:
    """Found wrong once: `doctor` said ok of a mapping that no file fitted."""
    mapping = project / "verkaufe.map.toml"
    text = mapping.read_text(encoding="utf-8")
    quantity = next(line for line in text.splitlines() if line.startswith("quantity = "))
    column = quantity.split('"')[1]
    mapping.write_text(text.replace(f'"{column}"', f'"{column}x"'), encoding="utf-8")
    (told,) = files(project)
    assert told.state == "broken"
    assert told.detail.startswith("verkäufe.csv: ")
    assert f"Did you mean '{column}'?" in told.detail


def test_a_group_without_a_file_is_told(project: Path) -> None:
    (project / "exports" / "verkäufe.csv").rename(project / "exports" / "other.csv")
    (told,) = files(project)
    assert told.state == "broken"
    assert told.detail.startswith("no file for the group verkaufe; accepted: ")


def test_files_that_the_mapping_does_not_name_are_told_also_where_their_name_is_no_text(project: Path) -> None:
    for name in (b"caf\xe9.csv", b"notes.md", b"others.csv"):
        (project / "exports" / os.fsdecode(name)).write_text("a;b\n1;2\n", encoding="utf-8")
    landed = called("run", "land", "--json", cwd=project)
    assert landed.code == 0, landed.err
    assert landed.json["stages"][0]["files_that_match_no_group"] == ["caf\\xe9.csv", "others.csv"]
