from __future__ import annotations

from itertools import product

import pytest

from marginwise.decisions.discovery import discoveries
from marginwise.decisions.hysteresis import standing
from marginwise.decisions.information import value_of_information
from marginwise.decisions.rule import rule
from marginwise.settings import DecisionSettings

SETTINGS = DecisionSettings()
MARGINS = (None, 0.0, 0.05, 0.0501, 0.5, 0.8999, 0.90, 1.0)
REPEATS = (None, 0.0, 0.4999, 0.5, 1.0)


def scale(margin: float | None, repeat: float | None) -> bool:
    return margin is not None and margin >= 0.90 and repeat is not None and repeat >= 0.5


def kill(margin: float | None, repeat: float | None) -> bool:
    return margin is not None and margin <= 0.05 and (repeat is None or repeat < 0.5)


def insufficient(margin: float | None, repeat: float | None) -> bool:
    return margin is None


def fix(margin: float | None, repeat: float | None) -> bool:
    return not (scale(margin, repeat) or kill(margin, repeat) or insufficient(margin, repeat))


RULES = {"scale": scale, "kill": kill, "insufficient": insufficient, "fix": fix}


@pytest.mark.parametrize(("margin", "repeat"), list(product(MARGINS, REPEATS)))
def test_every_unit_gets_exactly_one_verdict_and_it_is_the_documented_one(
    margin: float | None, repeat: float | None
) -> None:
    holding = [verdict for verdict, holds in RULES.items() if holds(margin, repeat)]
    assert holding == [rule(margin, repeat, SETTINGS)]


PREVIOUS = (None, "scale", "fix", "kill", "insufficient")
LEAVING_MARGINS = (*MARGINS, 0.3999, 0.40, 0.4001, 0.5999, 0.60)
LEAVING_REPEATS = (*REPEATS, 0.2499, 0.25, 0.7499, 0.75, 0.7501)


def stays_scale(previous: str | None, margin: float | None, repeat: float | None, fresh: str) -> bool:
    holds = margin is not None and margin >= 0.60 and repeat is not None and repeat >= 0.25
    return fresh == "scale" or (fresh == "fix" and previous == "scale" and holds)


def stays_kill(previous: str | None, margin: float | None, repeat: float | None, fresh: str) -> bool:
    holds = margin is not None and margin <= 0.40 and (repeat is None or repeat <= 0.75)
    return fresh == "kill" or (fresh == "fix" and previous == "kill" and holds)


def stays_insufficient(previous: str | None, margin: float | None, repeat: float | None, fresh: str) -> bool:
    return fresh == "insufficient"


def is_fix(previous: str | None, margin: float | None, repeat: float | None, fresh: str) -> bool:
    others = (stays_scale, stays_kill, stays_insufficient)
    return not any(holds(previous, margin, repeat, fresh) for holds in others)


STANDING = {"scale": stays_scale, "kill": stays_kill, "insufficient": stays_insufficient, "fix": is_fix}


@pytest.mark.parametrize("previous", PREVIOUS)
@pytest.mark.parametrize("has_data", [True, False])
def test_with_a_verdict_before_every_unit_still_gets_exactly_one(previous: str | None, has_data: bool) -> None:
    for margin, repeat, is_cut in product(LEAVING_MARGINS, LEAVING_REPEATS, (False, True)):
        fresh = rule(margin, repeat, SETTINGS) if has_data else "insufficient"
        if is_cut and fresh in ("scale", "kill"):
            fresh = "fix"
        holding = [verdict for verdict, holds in STANDING.items() if holds(previous, margin, repeat, fresh)]
        assert holding == [standing(previous, margin, repeat, fresh, SETTINGS)], (margin, repeat, fresh)


@pytest.mark.parametrize("previous", PREVIOUS)
def test_no_setting_of_the_thresholds_makes_a_hole(previous: str | None) -> None:
    grid = (0.0, 0.3, 0.7, 1.0)
    for scale_leave, kill_leave, repeat_leave in product(grid, grid, grid):
        settings = DecisionSettings(
            scale_leave_probability=scale_leave, kill_leave_probability=kill_leave,
            scale_leave_repeat_probability=repeat_leave, kill_leave_repeat_probability=repeat_leave,
        )  # fmt: skip
        for margin, repeat in product(MARGINS, REPEATS):
            fresh = rule(margin, repeat, settings)
            given = standing(previous, margin, repeat, fresh, settings)
            assert given == fresh or (fresh == "fix" and given == previous)
            assert standing(given, margin, repeat, fresh, settings) == given


def test_thresholds_are_settings() -> None:
    strict = DecisionSettings(scale_probability=0.99, repeat_probability=0.7)
    assert rule(0.95, 0.6, SETTINGS) == "scale"
    assert rule(0.95, 0.6, strict) == "fix"
    assert rule(0.995, 0.6, strict) == "fix"
    loose = DecisionSettings(scale_leave_probability=0.3, kill_leave_probability=0.7)
    assert standing("scale", 0.35, 0.5, "fix", SETTINGS) == "fix"
    assert standing("scale", 0.35, 0.5, "fix", loose) == "scale"
    assert standing("kill", 0.65, 0.5, "fix", SETTINGS) == "fix"
    assert standing("kill", 0.65, 0.5, "fix", loose) == "kill"


def test_false_discoveries_are_cut_to_their_mean() -> None:
    assert discoveries([], 0.1) == []
    assert discoveries([0.2], 0.1) == [False]
    assert discoveries([0.01, 0.02, 0.4], 0.1) == [True, True, False]
    assert discoveries([0.01, 0.19], 0.1) == [True, True]
    assert discoveries([0.1] * 7, 0.1) == [True] * 7


def test_equal_errors_share_their_fate_in_any_order() -> None:
    errors = [0.02, 0.15, 0.15, 0.15]
    assert discoveries(errors, 0.1) == [True, False, False, False]
    assert discoveries(errors[::-1], 0.1) == [False, False, False, True]


def test_value_of_information_is_the_reference_figure() -> None:
    assert value_of_information(1, 5) == pytest.approx(1.53447, abs=1e-5)
    assert value_of_information(-1, 5) == pytest.approx(1.53447, abs=1e-5)
    assert value_of_information(100, 1) == pytest.approx(0, abs=1e-12)
    assert value_of_information(0, 0) == 0
