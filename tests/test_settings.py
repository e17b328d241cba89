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


def test_an_amount_that_no_table_holds_is_refused(tmp_path: Path) -> None:
    for amount in ("inf", "1e300"):
        assert "shipping_cost" in refused(tmp_path, f"[assumptions]\nshipping_cost = {amount}\n").message


@pytest.mark.parametrize(
    "declared",
    [
        "[assumptions]\npayment_fee_rate = nan\n",
        "[assumptions]\npayment_fee_fixed = { DE = 1e14 }\n",
        "[decisions]\nroas_target = 1e300\n",
        '[[assumptions.spend]]\nchannel = "TV"\nfrom = 2024-01-01\nto = 2024-01-31\namount = inf\n',
        '[[assumptions.spend]]\nchannel = "TV"\nfrom = 2024-01-01\nto = 2024-01-31\namount = 1e14\n',
    ],
)
def test_a_number_that_no_table_holds_is_refused_wherever_it_stands(tmp_path: Path, declared: str) -> None:
    assert refused(tmp_path, declared).exit_code == 2


def test_names_of_the_settings_reader_are_no_settings(tmp_path: Path) -> None:
    for name in ("directory", "_env_file", "_cli_parse_args"):
        assert f"{name!r} is not a setting" in refused(tmp_path, f'{name} = "x"\n').message


@pytest.mark.parametrize("name", ["MARGINWISE_STORE", "MARGINWISE_WAREHOUSE__READERS", "MARGINWISE_DIRECTORY"])
def test_a_variable_that_cannot_be_read_is_named(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found wrong once: one moved the whole project, the others were "a defect of Marginwise"."""
    monkeypatch.setenv(name, "{garbage")
    assert name in refused(tmp_path, "").message
