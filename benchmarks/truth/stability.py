"""How often verdicts change where nothing did, and how soon they do where something did."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.truth.months import WINDOW

__all__ = ["Stability", "stability"]


@dataclass(frozen=True)
class Stability:
    """Changes of one rule's verdict: per unit-year, of which reversals between Scale and Kill; and months to notice.

    ``flips`` counts months with a full year of customers behind them, ``flips_from_start`` all, the first verdict
    included. ``months_to_leave`` is the median time from the turn until a standing Scale is left.
    """

    flips: float
    flips_from_start: float
    reversals: float
    months_to_leave: float
    turned_units: int
    unit_years: float


def stability(months: pa.Table, rule: str) -> Stability:
    """Return how stable a rule is.

    Parameters
    ----------
    months
        What `months.judged_months` returned.
    rule
        Column of the verdicts: verdict or sign.
    """
    of_unit: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in months.to_pylist():
        of_unit[row["store"], row["unit"]].append(row)
    still = [rows for rows in of_unit.values() if not rows[0]["is_turning"]]
    full = [[row for row in rows if row["month"] >= WINDOW - 1] for rows in still]
    changes, years = _changes(full, rule)
    all_changes, all_years = _changes(still, rule)
    lags = [_lag(rows, rule) for rows in of_unit.values() if rows[0]["is_turning"]]
    known = [lag for lag in lags if lag is not None]
    return Stability(
        sum(changes.values()) / max(years, 1e-9),
        sum(all_changes.values()) / max(all_years, 1e-9),
        sum(count for pair, count in changes.items() if set(pair) == {"scale", "kill"}) / max(years, 1e-9),
        float(np.median(known)) if known else float("nan"),
        len(known),
        years,
    )


def _changes(units: list[list[dict[str, Any]]], rule: str) -> tuple[Counter[tuple[str, str]], float]:
    pairs = [(before[rule], after[rule]) for rows in units for before, after in pairwise(rows)]
    return Counter(pair for pair in pairs if pair[0] != pair[1]), len(pairs) / 12


def _lag(rows: list[dict[str, Any]], rule: str) -> int | None:
    """Return the months from the turn until the unit's Scale is left; None where it was no Scale."""
    standing = [row[rule] for row in rows if row["months_since"] < 0]
    if not standing or standing[-1] != "scale":
        return None
    after = [row for row in rows if row["months_since"] >= 0]
    left = [row["months_since"] for row in after if row[rule] != "scale"]
    return int(left[0]) + 1 if left else len(after) + 1
