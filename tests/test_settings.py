"""What is wrong in a settings file is told with the place, what is accepted there, and how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from marginwise.errors import BadSettings
from marginwise.settings import load_settings


def refused(folder: Path, text: str) -> BadSettings:
    (folder / "marginwise.toml").write_text(text)
    with pytest.raises(BadSettings) as caught:
        load_settings(folder)
    return caught.value


def test_a_value_that_is_none_of_those_accepted_gets_its_nearest(tmp_path: Path) -> None:
    error = refused(tmp_path, '[store]\nbusiness_model = "market place"\n')
    assert error.nearest == "marketplace"
    assert error.accepted == "'retailer' or 'marketplace'"
    assert "MARGINWISE_STORE__BUSINESS_MODEL" in str(error)


def test_a_name_that_is_no_setting_gets_its_nearest(tmp_path: Path) -> None:
    assert refused(tmp_path, "[decisions]\nhorizon_day = 60\n").nearest == "horizon_days"


def test_a_file_that_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    error = refused(tmp_path, "[store]\nname = My shop\n")
    assert "line 2" in error.message
    assert error.fix


def test_scopes_that_differ_in_case_only_are_one_and_may_be_declared_once(tmp_path: Path) -> None:
    """Found wrong once: which of the two counted was left to chance."""
    error = refused(tmp_path, "[assumptions]\nshipping_cost = { DE = 4.2, de = 5.0 }\n")
    assert "'DE' and 'de'" in error.message
