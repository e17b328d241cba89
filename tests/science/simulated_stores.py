"""Small stores whose truth is known: customers, spend and repeats drawn from what the truth says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["SimulatedStore", "channel_units", "customer_evidence", "simulated_store"]

Floats = NDArray[np.float64]
GRADES = pa.table(
    {
        "table_name": ["orders", "order_items", "marketing_spend"],
        "is_present": [True, True, True],
        "grade": ["A", "A", "A"],
    }
)


@dataclass(frozen=True)
class SimulatedStore:
    """The two marts of one store, and per unit the true margin, its standard error, and the true repeat rate."""

    units: pa.Table
    evidence: pa.Table
    margin: Floats
    standard_error: Floats
    repeat_rate: Floats
    repeat_error: Floats
    rest_repeat_rate: Floats


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
    names: list[str], values: list[Floats], repeats: list[NDArray[np.bool_]] | None = None, **columns: object
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


def second_moment(tail: str) -> float:
    """Return E[value^2] / mean^2 of what `heavy_values` draws."""
    kind, _, size = tail.partition("-")
    if kind == "gamma":
        return 2.0
    if kind == "lognormal":
        return float(np.exp(float(size) ** 2))
    if kind == "pareto":
        alpha = float(size)
        return 2 * (alpha - 1) / (alpha - 2) if alpha > 2 else np.inf
    return float(0.85 * (1.05 / 0.85) ** 2 * np.exp(1.69) + 0.1 * np.exp(1) / 4)


def heavy_values(rng: np.random.Generator, count: int, mean: float, tail: str) -> Floats:
    """Return CM2 of customers with a known mean: gamma, lognormal-<sigma>, pareto-<alpha>, or mixed."""
    kind, _, size = tail.partition("-")
    if kind == "gamma":
        values = rng.gamma(1, 1, count)
    elif kind == "lognormal":
        sigma = float(size)
        values = rng.lognormal(-(sigma**2) / 2, sigma, count)
    elif kind == "pareto":
        alpha = float(size)
        values = rng.pareto(alpha, count) * (alpha - 1)
    else:  # 5 % bring nothing, 10 % a loss, the rest a lognormal margin
        chance = rng.random(count)
        gain, loss = rng.lognormal(-0.845, 1.3, count) * 1.05 / 0.85, -rng.lognormal(-0.5, 1, count) / 2
        values = np.where(chance < 0.05, 0.0, np.where(chance < 0.15, loss, gain))
    return mean * values


def simulated_store(
    seed: int,
    *,
    tail: str = "lognormal-1.5",
    units: int = 6,
    customers: tuple[float, float] = (40, 600),
    return_spread: float = 0.35,
    mean_spread: float = 0.35,
    repeat_spread: float = 0.35,
) -> SimulatedStore:
    """Return a store; with ``return_spread`` 0 every unit exactly breaks even."""
    rng = np.random.default_rng([seed, 90])
    expected = np.exp(rng.uniform(*np.log(customers), units))
    mean = 40 * np.exp(rng.normal(0, mean_spread, units))
    spend = expected * mean / np.exp(rng.normal(0, return_spread, units))
    rate = 1 / (1 + np.exp(-rng.normal(-1.2, repeat_spread, units)))
    seen = rng.poisson(expected)
    values = [heavy_values(rng, count, centre, tail) for count, centre in zip(seen, mean, strict=True)]
    repeats = [rng.random(count) < share for count, share in zip(seen, rate, strict=True)]
    names = [f"unit {number:02d}" for number in range(units)]
    total = expected.sum()
    return SimulatedStore(
        channel_units(names, spend, orders_count=seen),
        customer_evidence(names, values, repeats),
        expected * mean - spend,
        mean * np.sqrt(expected * second_moment(tail)),
        rate,
        np.sqrt(rate * (1 - rate) / np.maximum(seen, 1)),
        ((rate * expected).sum() - rate * expected) / (total - expected),
    )
