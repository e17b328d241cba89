"""Stores built for one question each: age of a channel, spend without customers, a channel without any effect."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.truth.plan import StorePlan
from benchmarks.truth.simulate import verdict_rows
from benchmarks.truth.stores import channel_units, customer_evidence, unit_truth
from benchmarks.truth.tails import heavy_values

__all__ = ["ages", "few_customers", "placebo"]

Floats = NDArray[np.float64]

_AGES, _FEW, _PLACEBO = 20, 21, 22
_AS_OF, _HORIZON, _WINDOW = dt.date(2026, 6, 30), 90, 365
_MEAN = 20.0


def ages(seed: int, number: int) -> pa.Table:
    """Judge one process twice in one store: as a channel of 455 days and as one of 140, beside a third channel.

    Customers come evenly, order once and then again at a rate of their own; what they bring is known up to the as-of
    date, so that the young channel is full of customers whose horizon has not passed.

    Returns
    -------
    pyarrow.Table
        Old and Young: verdict, p_margin_positive, margin per customer that our reading gives and the one of a reading
        that takes everything to date.
    """
    rng = np.random.default_rng([seed, _AGES, number])
    returns = (0.5, 2.0)[number % 2]
    again = (0.3, 0.9)[number // 2 % 2]
    names = ["Old", "Young", "Third"]
    days, per_day = (455, 140, 455), (3, 8, 4)
    values: list[Floats] = []
    repeats, entered, spend, to_date = [], [], [], []
    for age, rate, orders in zip(days, per_day, (again, again, 0.6), strict=True):
        count = rng.poisson(age * rate)
        since = rng.integers(0, age, count)
        known = np.minimum(since, _HORIZON)
        later = rng.poisson(orders * rng.gamma(2, 0.5, count) * known / _HORIZON)
        # each order has its own value; a customer's orders are summed
        owner = np.repeat(np.arange(count), 1 + later)
        worth = np.bincount(owner, heavy_values(rng, len(owner), _MEAN, "lognormal-1"), count).astype(np.float64)
        values.append(worth)
        repeats.append(later > 0)
        entered += [_AS_OF - dt.timedelta(int(day)) for day in since]
        mature_days = min(age - _HORIZON, _WINDOW)
        per_customer = _MEAN * (1 + orders) / returns
        spend.append(per_customer * rate * mature_days)
        to_date.append(worth.mean() - per_customer)
    units = channel_units(names, np.array(spend), as_of_date=[_AS_OF] * 3, horizon_days=[_HORIZON] * 3)
    said = verdict_rows(units, customer_evidence(names, values, repeats, entered_date=entered)).slice(0, 2)
    return pa.table({
        "store": [str(number)] * 2,
        "unit": names[:2],
        "verdict": said["verdict"],
        "p_margin_positive": said["p_margin_positive"],
        "margin_per_customer": said["margin_per_customer_amount"],
        "margin_to_date": to_date[:2],
        "true_margin_per_customer": [_MEAN * (1 + again) * (1 - 1 / returns)] * 2,
    })  # fmt: skip


def few_customers(seed: int, number: int) -> pa.Table:
    """Judge a channel that spends as much as the largest of its store and brings 0 to 8 customers.

    Returns
    -------
    pyarrow.Table
        That channel: customers, spend, verdict.
    """
    plan = StorePlan((seed, _FEW, number), tail=("gamma", "lognormal-1", "lognormal-1.5", "mixed")[number % 4])
    rng = np.random.default_rng(plan.seed)
    truth = unit_truth(plan, rng)
    seen = [*rng.poisson(truth.expected), number % 9]
    names = [f"unit {position:02d}" for position in range(plan.units)] + ["Banner"]
    values = [
        heavy_values(rng, int(count), mean, plan.tail) for count, mean in zip(seen, [*truth.mean, 40], strict=True)
    ]
    repeats = [rng.random(int(count)) < 0.25 for count in seen]
    spend = np.append(truth.spend, max(truth.spend.max(), 4_000.0))
    said = verdict_rows(channel_units(names, spend), customer_evidence(names, values, repeats))
    return pa.table({
        "customers": [number % 9], "spend": [float(spend[-1])], "verdict": said["verdict"].slice(plan.units),
    })  # fmt: skip


def placebo(seed: int, number: int) -> pa.Table:
    """Judge channels without any effect: customers come by themselves and pass one of them on their way.

    Returns
    -------
    pyarrow.Table
        Every channel: verdict and label.
    """
    rng = np.random.default_rng([seed, _PLACEBO, number])
    names = [f"unit {position:02d}" for position in range(5)]
    seen = rng.multinomial(2_000, rng.dirichlet(np.full(5, 4.0)))
    values = [heavy_values(rng, int(count), 40, "lognormal-1") for count in seen]
    repeats = [rng.random(int(count)) < 0.25 for count in seen]
    spend = rng.uniform(2_000, 12_000, 5)
    said = verdict_rows(channel_units(names, spend), customer_evidence(names, values, repeats))
    return said.select(["unit_id", "verdict", "label", "evidence_grade"])
