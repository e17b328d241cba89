"""Does every knob turn something, and only what it says?"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from marginwise.demo.knobs import Knobs
from marginwise.demo.plan import StorePlan
from marginwise.demo.store import generate_store, generate_tables, generate_truth
from marginwise.errors import BadSettings

if TYPE_CHECKING:
    from pathlib import Path

TURNED = {
    "visits_per_order": 3.0, "repeat_factor": 1.3, "dropout_factor": 0.5, "unassigned_share": 0.2, "free_goods_share": 0.3,
    "guest_share": 0.2, "spend_factor": 2.0, "spend_noise": 0.7, "elasticity_factor": 0.5, "untagged_spend_share": 0.3,
    "heavy_tail": 1.5, "coupon_factor": 2.0, "free_rate": 0.2, "pair_factor": 0.0, "return_factor": 2.0,
    "lateness_factor": 3.0, "cancelled_share": 0.2, "growth": 1.0, "season_strength": 0.5, "weather_effect": 4.0,
    "anomalies": False, "dirt_rate": 0.01, "lost_visit_share": 0.5, "test_share": 0.1, "void_share": 0.1,
    "late_rate": 0.2, "corrected_rate": 0.2,
}  # fmt: skip
OF_THE_CALL = {"orders", "days", "last_day", "seed", "format", "store_id", "drops"}


def test_untouched_knobs_give_the_default_store() -> None:
    assert Knobs().plan() == StorePlan()


def test_each_knob_is_tried_here() -> None:
    assert {knob.name for knob in fields(Knobs)} == {*TURNED, *OF_THE_CALL}


@pytest.mark.parametrize("name", TURNED)
def test_each_knob_turns_the_plan(name: str) -> None:
    assert Knobs(**{name: TURNED[name]}).plan() != StorePlan()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("knob", "value"), [("orders", 3), ("dirt_rate", 0.9), ("heavy_tail", 1.0), ("unassigned_share", float("nan"))]
)
def test_what_cannot_be_is_refused(knob: str, value: float) -> None:
    with pytest.raises(BadSettings, match=knob):
        Knobs(**{knob: value})  # type: ignore[arg-type]


def test_truth_stays_true_with_every_knob_turned() -> None:
    """Realised margins scatter around the expected ones, in a store far from the default."""
    away = {**TURNED, "visits_per_order": 0.0, "pair_factor": 2.0, "anomalies": True, "spend_factor": 0.7}
    plan = Knobs(**away).plan()  # type: ignore[arg-type]
    plan = replace(
        plan, anomalies=tuple(replace(item, days_before_end=item.days_before_end + 90) for item in plan.anomalies)
    )
    truths = [generate_truth(orders=4000, seed=seed, plan=plan)[0] for seed in range(12)]
    for name in plan.channels:
        units = [truth.unit("channel", name) for truth in truths]
        scores = [(u.realised_margin_amount - u.expected_margin_amount) / u.margin_standard_error for u in units]
        assert abs(np.mean(scores)) * np.sqrt(len(scores)) < 3.5, name
        customers = [
            (u.realised_customers_count - u.expected_customers_count) / np.sqrt(u.expected_customers_count)
            for u in units
        ]
        assert abs(np.mean(customers)) * np.sqrt(len(customers)) < 3.5, name


def test_a_store_without_visits_states_channels_in_its_orders(tmp_path: Path) -> None:
    plan = Knobs(visits_per_order=0.0).plan()
    tables, truth = generate_tables(orders=600, plan=plan)
    assert not {"sessions", "events"} & set(tables)
    assert set(tables["orders"]["channel"].to_pylist()) > {"Paid Search", "Email", None}
    assert truth.unit("channel", "Influencer").is_paid is False  # neither spend nor visits tell that it is paid for
    generate_store(tmp_path, orders=300)
    generate_store(tmp_path, orders=300, plan=plan)
    assert not (tmp_path / "sessions.csv").exists()


def test_large_stores_have_fewer_visits_unless_asked() -> None:
    assert Knobs(orders=6_000).visits == 10
    assert Knobs(orders=5_000_000).visits < 3
    assert Knobs(orders=5_000_000, visits_per_order=7.0).visits == 7


def test_size_knobs_reach_the_store(tmp_path: Path) -> None:
    knobs = Knobs(orders=500, days=300, last_day=date(2024, 6, 30), store_id="north")
    tables, truth = generate_tables(
        orders=knobs.orders, days=knobs.days, last_day=knobs.last_day, store_id=knobs.store_id, plan=knobs.plan()
    )
    assert (truth.first_day, truth.last_day) == (date(2023, 9, 5), date(2024, 6, 30))
    assert tables["orders"]["store_id"].unique().to_pylist() == ["north"]
