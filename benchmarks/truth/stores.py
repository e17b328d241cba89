"""A simulated store: the two marts the evidence model reads, and what is true of every unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.truth.plan import StorePlan
from benchmarks.truth.tails import TAILS, heavy_values, second_moment

__all__ = ["GRADES", "SimulatedStore", "UnitTruth", "channel_units", "customer_evidence", "simulated_store",
           "unit_truth"]  # fmt: skip

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

GRADES = pa.table({"table_name": ["orders", "order_items", "marketing_spend"], "is_present": [True] * 3,
                   "grade": ["A"] * 3})  # fmt: skip
_UNASSIGNED = "Unassigned"
_FAR, _NEAR, _FAR_SHARE = 0.8, 0.05, 0.3


@dataclass(frozen=True)
class UnitTruth:
    """The parameters of every paid unit of a store, each of shape (units,).

    ``expected`` customers of a window, ``mean`` CM2 of a customer, ``spend`` of a window, ``repeat_rate``.
    """

    tail: tuple[str, ...]
    expected: Floats
    mean: Floats
    spend: Floats
    repeat_rate: Floats

    @property
    def margin(self) -> Floats:
        """M: what a window like this one brings."""
        return self.expected * self.mean - self.spend

    @property
    def standard_error(self) -> Floats:
        """Standard deviation of the margin that one window shows."""
        moments = np.array([second_moment(tail) for tail in self.tail])
        return np.asarray(self.mean * np.sqrt(self.expected * moments))

    @property
    def rest_repeat_rate(self) -> Floats:
        """Repeat rate over everyone but the unit."""
        repeats = self.repeat_rate * self.expected
        return np.asarray((repeats.sum() - repeats) / (self.expected.sum() - self.expected))

    @property
    def repeat_gap_error(self) -> Floats:
        """Standard error of the difference between the repeat rates of unit and rest."""
        rest = self.rest_repeat_rate
        others = self.expected.sum() - self.expected
        own = self.repeat_rate * (1 - self.repeat_rate) / self.expected
        return np.asarray(np.sqrt(own + rest * (1 - rest) / others))


@dataclass(frozen=True)
class SimulatedStore:
    """The two marts of one store and its truth."""

    units: pa.Table
    evidence: pa.Table
    truth: UnitTruth

    @property
    def margin(self) -> Floats:
        """True margin of every unit."""
        return self.truth.margin


def unit_truth(plan: StorePlan, rng: np.random.Generator) -> UnitTruth:
    """Draw what is true of the units of a store."""
    expected = np.exp(rng.uniform(np.log(plan.customers[0]), np.log(plan.customers[1]), plan.units))
    mean = 40 * np.exp(rng.normal(0, plan.mean_spread, plan.units))
    off = rng.normal(0, 1, plan.units)
    deviation = plan.return_spread * off
    if plan.few_differ:
        deviation = np.where(rng.random(plan.units) < _FAR_SHARE, np.sign(off) * _FAR, _NEAR * off)
    spend = expected * mean / np.exp(plan.return_centre + deviation)
    rate = 1 / (1 + np.exp(-rng.normal(-1.2, plan.repeat_spread, plan.units)))
    tails = rng.choice(TAILS, plan.units).tolist() if plan.tail == "own" else [plan.tail] * plan.units
    return UnitTruth(tuple(tails), expected, mean, spend, rate)


def simulated_store(plan: StorePlan) -> SimulatedStore:
    """Return a store drawn from its plan.

    >>> store = simulated_store(StorePlan((1,), units=3))
    >>> store.units.num_rows, len(store.margin)
    (3, 3)
    """
    rng = np.random.default_rng(plan.seed)
    truth = unit_truth(plan, rng)
    seen = rng.poisson(truth.expected)
    values = [heavy_values(rng, *drawn) for drawn in zip(seen, truth.mean, truth.tail, strict=True)]
    repeats = [rng.random(count) < share for count, share in zip(seen, truth.repeat_rate, strict=True)]
    names = [f"unit {number:02d}" for number in range(plan.units)]
    units = channel_units(names, truth.spend, orders_count=seen)
    if plan.untagged_rate:
        lost = [rng.random(count) < plan.untagged_rate for count in seen]
        kept = [~mask for mask in lost]
        unknown_values = np.concatenate([part[mask] for part, mask in zip(values, lost, strict=True)])
        unknown_repeats = np.concatenate([part[mask] for part, mask in zip(repeats, lost, strict=True)])
        values = [*(part[mask] for part, mask in zip(values, kept, strict=True)), unknown_values]
        repeats = [*(part[mask] for part, mask in zip(repeats, kept, strict=True)), unknown_repeats]
        names = [*names, _UNASSIGNED]
        units = pa.concat_tables(
            [units, channel_units([_UNASSIGNED], [0.0], is_paid=[False], has_spend=[False], lever=[None])],
            promote_options="permissive",
        )
    return SimulatedStore(units, customer_evidence(names, values, repeats), truth)


def channel_units(names: list[str], spend: Floats | list[float | None], **columns: object) -> pa.Table:
    """Return rows of `mart_decision_units` for channels that are paid for, all costs known."""
    count = len(names)
    rows: dict[str, object] = {
        "store_id": ["main"] * count,
        "unit_kind": ["channel"] * count,
        "unit_id": names,
        "unit_name": names,
        "is_paid": [True] * count,
        "lever": ["budget"] * count,
        "has_spend": [True] * count,
        "is_spend_assumed": [False] * count,
        "spend_amount": spend,
        "orders_count": [100] * count,
        "net_revenue_amount": [10_000.0] * count,
        "previous_net_revenue_amount": [9_000.0] * count,
        "roas": [2.0] * count,
        "known_cost_rate": [1.0] * count,
        "assumed_cost_rate": [0.0] * count,
        "unknown_cost_rate": [0.0] * count,
        "goods_unknown_rate": [0.0] * count,
        "unattributed_rate": [0.0] * count,
    }
    return pa.table({**rows, **columns})


def customer_evidence(
    names: list[str], values: list[Floats], repeats: list[Bools] | None = None, **columns: object
) -> pa.Table:
    """Return rows of `mart_decision_evidence`: one customer each, no cost unknown."""
    sizes = [len(value) for value in values]
    count = sum(sizes)
    judged = np.concatenate(repeats) if repeats else np.zeros(count, dtype=bool)
    rows: dict[str, object] = {
        "store_id": ["main"] * count,
        "unit_kind": ["channel"] * count,
        "unit_id": np.repeat(names, sizes),
        "subject_key": [str(number) for number in range(count)],
        "cm2_amount": np.concatenate(values) if count else np.empty(0),
        "unknown_cost_revenue_amount": np.zeros(count),
        "has_repeated": judged,
    }
    return pa.table({**rows, **columns})
