from __future__ import annotations

import numpy as np

from marginwise.decisions.verdict import verdicts
from marginwise.science.evidence import posteriors
from marginwise.settings import DecisionSettings
from tests.science.simulated_stores import GRADES, SimulatedStore, simulated_store

SETTINGS = DecisionSettings()
TRUTH = {(True, True): "scale", (True, False): "fix", (False, True): "fix", (False, False): "kill"}


def verdicts_of(store: SimulatedStore) -> list[str]:
    found = posteriors(store.units, store.evidence)
    words: list[str] = verdicts(store.units, found, GRADES, SETTINGS)["verdict"].to_pylist()
    return words


def test_sixty_campaigns_that_break_even_get_no_verdicts_by_chance() -> None:
    stores = [simulated_store(300 + seed, units=60, customers=(30, 300), return_spread=0) for seed in range(20)]
    found = [verdicts_of(store) for store in stores]
    assert np.mean(["scale" in words for words in found]) <= 0.10
    assert np.mean(["kill" in words for words in found]) <= 0.05


def test_small_stores_that_break_even_get_no_verdicts_by_chance() -> None:
    found = [verdicts_of(simulated_store(600 + seed, tail="lognormal-2", return_spread=0)) for seed in range(40)]
    assert np.mean(["scale" in words for words in found]) <= 0.10
    assert np.mean(["kill" in words for words in found]) <= 0.05


def test_where_the_truth_is_clear_the_verdict_is_right_and_wrong_ones_cost_less_than_the_sign() -> None:
    right, wrong_cost, sign_cost = [], 0.0, 0.0
    for seed in range(50):
        store = simulated_store(800 + seed, tail="lognormal-1", return_spread=0.6, repeat_spread=0.6)
        found = posteriors(store.units, store.evidence)
        words = verdicts(store.units, found, GRADES, SETTINGS)["verdict"].to_pylist()
        observed = [row["margin_amount"] for row in found.to_pylist() if row["scenario"] == "base"]
        gap = store.repeat_rate - store.rest_repeat_rate
        clear = (np.abs(store.margin) >= 3 * store.standard_error) & (np.abs(gap) >= 3 * store.repeat_error)
        for word, margin, repeats, is_clear, sign in zip(words, store.margin, gap > 0, clear, observed, strict=True):
            if is_clear:
                right.append(word == TRUTH[bool(margin > 0), bool(repeats)])
            wrong_cost += abs(margin) * ((word == "scale" and margin < 0) or (word == "kill" and margin > 0))
            sign_cost += abs(margin) * (margin * sign < 0)
    assert len(right) > 60
    assert np.mean(right) >= 0.95
    assert wrong_cost < 0.2 * sign_cost


def test_much_spend_for_very_few_customers_is_killed() -> None:
    store = simulated_store(42, return_spread=0.1)
    spend = store.units["spend_amount"].to_pylist()
    kept = [row for row in store.evidence.to_pylist() if row["unit_id"] != "unit 00" or int(row["subject_key"]) < 6]
    evidence = store.evidence.from_pylist(kept, schema=store.evidence.schema)
    assert spend[0] > 1_000
    words = verdicts_of(SimulatedStore(store.units, evidence, *(np.empty(0) for _ in range(5))))
    assert words[0] == "kill"
