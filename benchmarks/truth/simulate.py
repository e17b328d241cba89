"""What the product says of a simulated store, beside what is true of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from benchmarks.truth.plan import StorePlan
from benchmarks.truth.stores import GRADES, SimulatedStore, simulated_store
from marginwise.decisions.unit import Key
from marginwise.decisions.verdict import verdicts
from marginwise.science.evidence import posteriors
from marginwise.settings import DecisionSettings

__all__ = ["SETTINGS", "judged_store", "verdict_rows"]

SETTINGS = DecisionSettings()
_NUMBERS = ("margin_amount", "margin_low_amount", "margin_high_amount", "expected_margin_amount", "p_margin_positive",
            "p_repeat_above_rest", "repeat_customers_count", "verdict", "label", "evidence_grade")  # fmt: skip


def verdict_rows(units: pa.Table, evidence: pa.Table, previous: Mapping[Key, str] | None = None) -> pa.Table:
    """Return what evidence model and verdict rules say of units, in their order, after the verdicts that stand."""
    return verdicts(units, posteriors(units, evidence), GRADES, SETTINGS, previous=previous)


def judged_store(plan: StorePlan) -> pa.Table:
    """Simulate a store and judge it.

    Returns
    -------
    pyarrow.Table
        One row per paid unit: traits of the store, what was said, and what is true (``true_margin``,
        ``standard_error`` of it in one window, ``repeat_gap`` to the rest and ``repeat_gap_error``).

    Examples
    --------
    >>> judged_store(StorePlan((1,), units=2)).num_rows
    2
    """
    store = simulated_store(plan)
    said = verdict_rows(store.units, store.evidence).slice(0, plan.units)
    columns = {name: said[name] for name in _NUMBERS}
    return pa.table({**_traits(plan), **columns, **_true(store)})


def _traits(plan: StorePlan) -> dict[str, list[object]]:
    traits = {
        "store": ".".join(map(str, plan.seed)),
        "tail": plan.tail,
        "size": plan.size,
        "return_centre": plan.return_centre,
        "untagged_rate": plan.untagged_rate,
    }
    return {name: [value] * plan.units for name, value in traits.items()}


def _true(store: SimulatedStore) -> dict[str, object]:
    truth = store.truth
    # break-even to the last digit is break-even
    is_even = np.abs(truth.margin) < 1e-9 * truth.spend
    return {
        "unit_tail": list(truth.tail),
        "expected_customers": truth.expected,
        "spend": truth.spend,
        "true_margin": np.where(is_even, 0.0, truth.margin),
        "standard_error": truth.standard_error,
        "repeat_gap": truth.repeat_rate - truth.rest_repeat_rate,
        "repeat_gap_error": truth.repeat_gap_error,
    }
