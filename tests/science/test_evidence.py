from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from benchmarks.truth.plan import StorePlan
from benchmarks.truth.stores import SimulatedStore, channel_units, customer_evidence, simulated_store
from benchmarks.truth.tails import heavy_values, second_moment

from marginwise.errors import MarginwiseError
from marginwise.science.evidence import posteriors

Row = dict[str, object]


def rows(found: pa.Table, scenario: str = "base") -> dict[str, dict[str, float]]:
    return {row["unit_id"]: row for row in found.to_pylist() if row["scenario"] == scenario}


def covered(store: SimulatedStore, found: pa.Table) -> list[bool]:
    base = list(rows(found).values())
    return [
        row["margin_low_amount"] <= truth <= row["margin_high_amount"]
        for row, truth in zip(base, store.margin, strict=True)
    ]


@pytest.mark.parametrize("tail", ["gamma", "lognormal-2", "pareto-1.6", "mixed"])
def test_intervals_keep_their_word_on_heavy_tails_where_t_intervals_do_not(tail: str) -> None:
    ours, plain = [], []
    for seed in range(40):
        store = simulated_store(StorePlan((5_000 + seed,), tail, customers=(40, 200)))
        ours += covered(store, posteriors(store.units, store.evidence))
        observed = store.evidence.group_by("unit_id").aggregate([("cm2_amount", "list")]).sort_by("unit_id")
        spends = store.units["spend_amount"].to_pylist()
        for values, spend, truth in zip(observed["cm2_amount_list"].to_pylist(), spends, store.margin, strict=True):
            half = 1.645 * np.sqrt(np.sum(np.square(values)))
            plain.append(abs(sum(values) - spend - truth) <= half)
    assert 0.85 <= np.mean(ours) <= 0.96
    if tail in ("lognormal-2", "pareto-1.6"):
        assert np.mean(plain) < 0.78


def test_probabilities_mean_what_they_say() -> None:
    said, was = [], []
    for seed, tail in enumerate(("gamma", "lognormal-1", "lognormal-1.5", "lognormal-2", "pareto-2.5") * 14):
        store = simulated_store(StorePlan((7_000 + seed,), tail))
        said += [row["p_margin_positive"] for row in rows(posteriors(store.units, store.evidence)).values()]
        was += list(store.margin > 0)
    chances, truths = np.array(said), np.array(was)
    for low, high in ((0.0, 0.1), (0.1, 0.35), (0.35, 0.65), (0.65, 0.9), (0.9, 1.0)):
        inside = (chances >= low) & (chances <= high)
        expected = chances[inside].mean()
        error = np.sqrt(expected * (1 - expected) / inside.sum())
        assert abs(truths[inside].mean() - expected) <= 0.05 + 2 * error, (low, high)


def test_orders_of_one_customer_are_one_observation() -> None:
    rng = np.random.default_rng(8)
    orders = np.repeat(10 * rng.lognormal(0, 0.8, (300, 1)), 6, axis=1)
    units = channel_units(["Display"], [float(orders.sum()) * 0.3])
    per_customer = customer_evidence(["Display"], [orders.sum(axis=1)])
    per_order = customer_evidence(
        ["Display"], [orders.ravel()], subject_key=[str(number) for number in range(300) for _ in range(6)]
    )
    found, split = (rows(posteriors(units, evidence))["Display"] for evidence in (per_customer, per_order))
    assert split["customers_count"] == 300
    for name in ("margin_amount", "margin_low_amount", "margin_high_amount", "p_margin_positive"):
        assert split[name] == pytest.approx(found[name])
    unclustered = customer_evidence(["Display"], [orders.ravel()])
    naive = rows(posteriors(units, unclustered))["Display"]
    width = found["margin_high_amount"] - found["margin_low_amount"]
    assert naive["margin_high_amount"] - naive["margin_low_amount"] < 0.6 * width


def test_the_best_of_many_equal_units_is_not_taken_at_its_word() -> None:
    observed, shrunk = [], []
    for seed in range(20):
        store = simulated_store(
            StorePlan((9_000 + seed,), units=20, customers=(30, 60), return_spread=0, mean_spread=0)
        )
        found = list(rows(posteriors(store.units, store.evidence)).values())
        spend = store.units["spend_amount"].to_numpy()
        best = int(np.argmax([row["margin_amount"] / cost for row, cost in zip(found, spend, strict=True)]))
        observed.append(1 + found[best]["margin_amount"] / spend[best])
        shrunk.append(1 + found[best]["expected_margin_amount"] / spend[best])
    assert np.mean(observed) > 1.6
    assert np.mean(shrunk) == pytest.approx(1.0, abs=0.12)


def test_a_young_cohort_of_the_same_process_is_not_worse_than_an_old_one() -> None:
    as_of, rng = dt.date(2026, 6, 30), np.random.default_rng(5)
    old, young, too_young = (heavy_values(rng, count, 40, "lognormal-1") for count in (900, 300, 300))
    names = ["Old", "Young"]
    units = channel_units(names, [900 * 25.0, 300 * 25.0], as_of_date=[as_of] * 2, horizon_days=[90] * 2)
    days = [as_of - dt.timedelta(400)] * 900 + [as_of - dt.timedelta(95)] * 300
    mature = customer_evidence(names, [old, young], entered_date=days)
    with_immature = customer_evidence(
        names, [old, np.concatenate([young, too_young / 10])], entered_date=[*days, *[as_of - dt.timedelta(20)] * 300]
    )
    found, again = (rows(posteriors(units, evidence)) for evidence in (mature, with_immature))
    assert again["Young"]["customers_count"] == 300
    assert again["Young"] == found["Young"]
    assert abs(found["Young"]["p_margin_positive"] - found["Old"]["p_margin_positive"]) < 0.03


def test_a_unit_is_held_against_the_rest_of_the_store_not_against_itself() -> None:
    repeats = [np.arange(9_600) % 10 < 3, np.arange(400) % 10 < 4]
    units = channel_units(["Large", "Small"], [1000.0, 100.0])
    evidence = customer_evidence(["Large", "Small"], [np.full(9_600, 5.0), np.full(400, 5.0)], repeats)
    found = rows(posteriors(units, evidence))
    assert found["Large"]["repeat_rate"] == pytest.approx(0.3)
    assert found["Large"]["rest_repeat_rate"] == pytest.approx(0.4)
    assert found["Large"]["p_repeat_above_rest"] < 0.01
    assert found["Small"]["p_repeat_above_rest"] > 0.99


def test_the_estimated_repeat_rate_lies_in_its_interval_where_the_observed_one_does_not() -> None:
    repeats = [np.arange(2_000) % 10 < 2, np.ones(4, dtype=bool), np.arange(1_500) % 10 < 2, np.arange(900) % 9 < 2]
    names = ["Large", "Few", "Other", "Third"]
    values = [np.full(len(part), 5.0) for part in repeats]
    found = rows(posteriors(channel_units(names, [10.0] * 4), customer_evidence(names, values, repeats)))
    few = found["Few"]
    assert few["repeat_rate"] == 1.0 > few["repeat_high_rate"]  # four of four: pulled towards the others
    assert all(
        row["repeat_low_rate"] < row["estimated_repeat_rate"] < row["repeat_high_rate"] for row in found.values()
    )


def test_a_campaign_is_held_against_the_whole_rest_of_the_store() -> None:
    kinds = ["channel"] * 300 + ["campaign"] * 100
    units = channel_units(
        ["Email", "Search", "Spring"], [10.0, 10.0, 5.0], unit_kind=["channel", "channel", "campaign"]
    )
    repeats = [np.arange(200) % 2 == 0, np.arange(100) % 5 == 0, np.arange(100) % 5 == 0]
    evidence = customer_evidence(
        ["Email", "Search", "Spring"],
        [np.full(200, 5.0), np.full(100, 5.0), np.full(100, 5.0)],
        repeats,
        unit_kind=kinds,
    )
    assert rows(posteriors(units, evidence))["Spring"]["rest_repeat_rate"] == pytest.approx(0.5)


def test_a_lone_unit_passes_the_repeat_leg_and_no_judged_customer_means_no_estimate() -> None:
    evidence = customer_evidence(["Only"], [np.full(50, 5.0)])
    lone = rows(posteriors(channel_units(["Only"], [10.0]), evidence))["Only"]
    assert (lone["p_repeat_above_rest"], lone["rest_repeat_rate"]) == (1.0, None)
    two = rows(posteriors(channel_units(["Empty", "Only"], [10.0, 10.0]), evidence))["Empty"]
    assert (two["p_repeat_above_rest"], two["repeat_rate"]) == (None, None)


def test_a_credit_above_the_spend_stays_in_the_margin() -> None:
    values = [np.linspace(-20, 60, 200), np.linspace(-10, 40, 150)]
    evidence = customer_evidence(["Direct", "Search"], values)
    plain, credited = (
        rows(posteriors(channel_units(["Direct", "Search"], [0.0, spend]), evidence))["Search"]
        for spend in (0.0, -500.0)
    )
    for name in ("margin_amount", "margin_low_amount", "expected_margin_amount", "margin_high_amount"):
        assert credited[name] == pytest.approx(plain[name] + 500), name


def test_spend_that_brought_no_customer_is_a_loss_not_a_gap() -> None:
    rng = np.random.default_rng(3)
    values = [heavy_values(rng, 400, 40, "lognormal-1.5"), np.empty(0)]
    found = rows(
        posteriors(
            channel_units(["Search", "Banner"], [8_000.0, 5_000.0]), customer_evidence(["Search", "Banner"], values)
        )
    )
    banner = found["Banner"]
    assert banner["margin_amount"] == -5_000.0
    assert banner["p_margin_positive"] < 0.01
    assert -5_250 < banner["margin_low_amount"] < banner["margin_high_amount"] < -4_000
    assert banner["margin_per_customer_amount"] is None


def test_a_store_without_any_customer_tells_nothing() -> None:
    found = rows(posteriors(channel_units(["Search"], [8_000.0]), customer_evidence(["Search"], [np.empty(0)])))
    assert found["Search"]["p_margin_positive"] is None
    assert found["Search"]["margin_low_amount"] is None


def test_unknown_spend_tells_the_margin_before_spend_and_infers_nothing() -> None:
    units = channel_units(["Search", "Social"], [500.0, None], has_spend=[True, False])
    found = rows(posteriors(units, customer_evidence(["Search", "Social"], [np.full(60, 9.0)] * 2)))
    assert found["Social"]["margin_amount"] == pytest.approx(540)
    assert found["Social"]["p_margin_positive"] is None
    assert found["Search"]["margin_amount"] == pytest.approx(40)


def test_scenarios_bound_what_is_unattributed_and_what_costs_nobody_knows() -> None:
    names = ["Search", "Unassigned"]
    units = channel_units(names, [3_000.0, 0.0], is_paid=[True, False], has_spend=[True, False])
    rng = np.random.default_rng(4)
    values = [heavy_values(rng, 100, 20, "gamma"), heavy_values(rng, 200, 20, "gamma")]
    repeats = [np.arange(100) < 10, np.arange(200) < 80]
    evidence = customer_evidence(names, values, repeats, unknown_cost_revenue_amount=[2.0] * 100 + [0.0] * 200)
    found = posteriors(units, evidence)
    base, given, free = (rows(found, name) for name in ("base", "unattributed_given", "unknown_costs_free"))
    assert base["Search"]["margin_amount"] == pytest.approx(values[0].sum() - 3_000)
    assert given["Search"]["margin_amount"] == pytest.approx(values[0].sum() + values[1].sum() - 3_000)
    assert given["Search"]["repeat_rate"] == pytest.approx(90 / 300)
    assert given["Search"]["rest_repeat_rate"] is None
    assert given["Unassigned"]["margin_amount"] == pytest.approx(base["Unassigned"]["margin_amount"])
    assert free["Search"]["margin_amount"] == pytest.approx(base["Search"]["margin_amount"] + 200)
    assert free["Search"]["expected_margin_amount"] > base["Search"]["expected_margin_amount"]


def test_the_same_data_in_any_order_give_the_same_numbers() -> None:
    store = simulated_store(StorePlan((77,), "mixed"))
    order = np.random.default_rng(1).permutation(store.evidence.num_rows)
    shuffled = posteriors(store.units.take(pa.array([3, 1, 5, 0, 2, 4])), store.evidence.take(pa.array(order)))
    assert shuffled.equals(posteriors(store.units, store.evidence))


def test_stores_and_kinds_do_not_touch_each_other() -> None:
    store = simulated_store(StorePlan((78,)))
    other = simulated_store(StorePlan((79,)))
    names = pa.array(["other"] * other.units.num_rows), pa.array(["other"] * other.evidence.num_rows)
    units = pa.concat_tables([store.units, other.units.set_column(0, "store_id", names[0])])
    evidence = pa.concat_tables([store.evidence, other.evidence.set_column(0, "store_id", names[1])])
    both = posteriors(units, evidence)
    alone = posteriors(store.units, store.evidence)
    assert both.slice(0, alone.num_rows).equals(alone)


def test_evidence_of_an_unlisted_unit_is_an_error_that_names_it() -> None:
    with pytest.raises(MarginwiseError, match="main/channel/Ghost"):
        posteriors(channel_units(["Search"], [1.0]), customer_evidence(["Ghost"], [np.ones(3)]))


@pytest.mark.parametrize("value", [0.0, 7.5, -3.0])
def test_customers_who_are_all_alike_give_finite_numbers(value: float) -> None:
    found = rows(posteriors(channel_units(["Search"], [100.0]), customer_evidence(["Search"], [np.full(40, value)])))
    row = found["Search"]
    assert np.isfinite([row["margin_low_amount"], row["margin_high_amount"], row["expected_margin_amount"]]).all()
    assert row["p_margin_positive"] == pytest.approx(1.0 if value > 2.5 else 0.0, abs=0.02)


def test_simulated_values_have_the_moments_they_claim() -> None:
    rng = np.random.default_rng(2)
    for tail in ("gamma", "lognormal-1", "mixed"):
        values = heavy_values(rng, 400_000, 10, tail)
        assert values.mean() == pytest.approx(10, rel=0.02)
        assert (values**2).mean() / 100 == pytest.approx(second_moment(tail), rel=0.1)


def test_one_customer_worth_a_fortune_breaks_no_number() -> None:
    rng = np.random.default_rng(6)
    names = [f"unit {number:02d}" for number in range(12)]
    values = [heavy_values(rng, 3, 20, "gamma") for _ in names]
    values[4][0], values[7][1] = 5e6, -3e6
    found = rows(posteriors(channel_units(names, [40.0] * 12), customer_evidence(names, values)))
    for row in found.values():
        assert np.isfinite([row["margin_low_amount"], row["margin_high_amount"], row["expected_margin_amount"]]).all()
        assert row["margin_low_amount"] <= row["expected_margin_amount"]
