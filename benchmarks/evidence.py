"""`python -m benchmarks.evidence`: CPU time of the evidence model for 100 units and 1 M customers."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from marginwise.science.evidence import posteriors

__all__ = ["Cost", "measure"]

LIMIT_SECONDS = 5.0


@dataclass(frozen=True)
class Cost:
    """CPU seconds of the model, and of sorting its rows by unit and amount, which no model of this kind can avoid."""

    model: float
    sort: float

    @property
    def of_limit(self) -> float:
        """CPU time as a share of what is allowed for 100 units and 1 M customers."""
        return self.model / LIMIT_SECONDS

    @property
    def of_sort(self) -> float:
        """CPU time as a multiple of the sort, comparable between machines."""
        return self.model / self.sort


def measure(customers: int, units: int, seed: int = 1) -> Cost:
    """Time the posteriors of a store once.

    Parameters
    ----------
    customers, units
        Size of the store.
    seed
        Seeds what the customers are worth.
    """
    rng = np.random.default_rng(seed)
    unit = rng.integers(0, units, customers)
    values = 40 * rng.lognormal(-1, 1.4, customers)
    names = np.array([f"unit {number:03d}" for number in range(units)])
    mart = pa.table({
        "store_id": ["main"] * units, "unit_kind": ["channel"] * units, "unit_id": names, "is_paid": [True] * units,
        "has_spend": [True] * units, "spend_amount": 40 * customers / units * rng.uniform(0.5, 2, units),
    })  # fmt: skip
    evidence = pa.table({
        "store_id": ["main"] * customers, "unit_kind": ["channel"] * customers, "unit_id": names[unit],
        "subject_key": [f"{number:032x}" for number in range(customers)], "cm2_amount": values,
        "unknown_cost_revenue_amount": rng.random(customers), "has_repeated": rng.random(customers) < 0.3,
    })  # fmt: skip
    started = time.process_time()
    np.lexsort((values, unit))
    sorted_at = time.process_time()
    posteriors(mart, evidence)
    return Cost(time.process_time() - sorted_at, sorted_at - started)


def main() -> None:
    """Read the size, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence", description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--units", type=int, default=100)
    chosen = parser.parse_args()
    cost = measure(chosen.customers, chosen.units)
    print(
        f"{chosen.customers:,} customers, {chosen.units} units: {cost.model:.2f} s of CPU, "
        f"{cost.of_limit:.2f} of the {LIMIT_SECONDS:.0f} s allowed, {cost.of_sort:.1f} times sorting the rows"
    )


if __name__ == "__main__":
    main()
