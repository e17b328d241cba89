"""A store judged month after month: how often verdicts change when nothing did, and how soon when something did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.truth.plan import StorePlan
from benchmarks.truth.simulate import SETTINGS
from benchmarks.truth.stores import GRADES, channel_units, customer_evidence, unit_truth
from benchmarks.truth.tails import heavy_values
from marginwise.decisions.unit import Key
from marginwise.decisions.verdict import verdicts
from marginwise.science.evidence import posteriors

__all__ = ["MONTHS", "NARROW", "WINDOW", "judged_months", "month_plans"]

Floats = NDArray[np.float64]

MONTHS, WINDOW = 36, 12
_FIRST = 3
_TURN = 22
_FALL = float(np.exp(-0.9))
_SALT = 9
NARROW = SETTINGS.model_copy(update={"scale_leave_repeat_probability": 0.40, "kill_leave_repeat_probability": 0.60})
"""The narrower band of the repeat rate, which the one in use is measured against."""


@dataclass(frozen=True)
class _Month:
    """What one month brought: spend of every unit, margin and repeat of its customers once they are mature."""

    spend: Floats
    values: list[Floats]
    repeats: list[NDArray[np.bool_]]


def month_plans(count: int, seed: int) -> list[StorePlan]:
    """Return stores to be followed over 36 months; every second one has a unit that turns from earning to burning."""
    plans = []
    for number in range(count):
        rng = np.random.default_rng([seed, _SALT, number, 1])
        plans.append(
            StorePlan(
                seed=(seed, _SALT, number),
                tail=str(rng.choice(["gamma", "lognormal-1", "lognormal-1.5", "lognormal-2", "mixed"])),
                units=int(rng.integers(3, 9)),
                customers=(30.0, 1500.0),
                return_centre=float(rng.choice([-0.2, 0.0, 0.2])),
                return_spread=float(rng.choice([0.1, 0.35, 0.8])),
                repeat_spread=float(rng.choice([0.1, 0.35, 0.7])),
                turns=number % 2 == 1,
            )
        )
    return plans


def judged_months(plan: StorePlan) -> pa.Table:
    """Judge a store at the end of every month, from the customers of the last 12, and let verdicts stand.

    Returns
    -------
    pyarrow.Table
        One row per unit and month: the ``verdict`` that stands, the one under ``narrow`` thresholds, the one
        ``without_memory``, the ``sign`` rule's, ``true_margin`` of the window, and whether the unit ``has_turned``.
    """
    rng = np.random.default_rng(plan.seed)
    truth = unit_truth(plan, rng)
    mean, returns = truth.mean, truth.expected * truth.mean / truth.spend
    # the unit that turns is the one that earns most
    turning = np.arange(plan.units) == int(np.argmax(truth.margin)) if plan.turns else np.zeros(plan.units, dtype=bool)
    turning &= (returns > 1) & (returns * _FALL < 1)
    season = 1 + 0.3 * np.sin(2 * np.pi * (np.arange(MONTHS) + rng.integers(12)) / 12)
    names = [f"unit {number:02d}" for number in range(plan.units)]
    past: list[_Month] = []
    expected = np.zeros((MONTHS, plan.units))
    keys: list[Key] = [("main", "channel", name) for name in names]
    stood: dict[str, dict[Key, str]] = {"verdict": {}, "narrow": {}}
    tables = []
    for month in range(MONTHS):
        now = np.where(turning & (month >= _TURN), mean * _FALL, mean)
        due = truth.expected / WINDOW * season[month]
        spend = truth.spend / WINDOW * season[month] * np.exp(rng.normal(0, 0.1, plan.units))
        seen = rng.poisson(due)
        past.append(_Month(
            spend,
            [heavy_values(rng, *drawn) for drawn in zip(seen, now, truth.tail, strict=True)],
            [rng.random(count) < rate for count, rate in zip(seen, truth.repeat_rate, strict=True)],
        ))  # fmt: skip
        expected[month] = due * now - spend
        if month < _FIRST - 1:
            continue
        window = past[-WINDOW:]
        units = channel_units(names, np.sum([part.spend for part in window], axis=0))
        evidence = customer_evidence(names, *_joined(window, plan.units))
        beliefs = posteriors(units, evidence)
        said = verdicts(units, beliefs, GRADES, SETTINGS, previous=stood["verdict"])
        words = {
            "verdict": said["verdict"].to_pylist(),
            "narrow": verdicts(units, beliefs, GRADES, NARROW, previous=stood["narrow"])["verdict"].to_pylist(),
            "without_memory": verdicts(units, beliefs, GRADES, SETTINGS)["verdict"].to_pylist(),
        }
        stood = {rule: dict(zip(keys, words[rule], strict=True)) for rule in stood}
        tables.append(pa.table({
            "store": [".".join(map(str, plan.seed))] * plan.units,
            "unit": names,
            "month": [month] * plan.units,
            **words,
            "sign": ["scale" if observed > 0 else "kill" for observed in said["margin_amount"].to_pylist()],
            "true_margin": expected[max(0, month - WINDOW + 1) : month + 1].sum(axis=0),
            "has_turned": turning & (month >= _TURN),
            "is_turning": turning,
            "months_since": np.full(plan.units, month - _TURN),
        }))  # fmt: skip
    return pa.concat_tables(tables)


def _joined(window: list[_Month], units: int) -> tuple[list[Floats], list[NDArray[np.bool_]]]:
    values = [np.concatenate([part.values[unit] for part in window]) for unit in range(units)]
    repeats = [np.concatenate([part.repeats[unit] for part in window]) for unit in range(units)]
    return values, repeats
