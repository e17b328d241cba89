"""The same evidence under other assumptions: touch rule, horizon and cost, each judged like the evidence itself.

A variant is what the model would say if the setting were another: its customers are those of its own mature window,
its spend is that of the same days, its rest is the rest of the store under the same touch rule. Costs are varied on
every customer, so that their spread and tail change with them. Random numbers are shared by all variants: what differs
between two of them is the assumption and not the draw.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from marginwise.errors import MarginwiseError
from marginwise.science.customers import UnitGroup
from marginwise.science.evidence import POSTERIORS_SCHEMA, RandomSources, margin_of, posterior_rows, repeats_of

__all__ = ["COST_RATES", "TOUCH_RULES", "variant_posteriors"]

COST_RATES = (0.8, 1.0, 1.2)
TOUCH_RULES = ("first", "last")

Floats = NDArray[np.float64]

_KINDS = ("channel", "campaign")
_DRAWS = 1000
_KEPT = ("store_id", "unit_kind", "unit_id", "customers_count", "margin_amount", "margin_low_amount",
         "margin_high_amount", "expected_margin_amount", "p_margin_positive", "repeat_customers_count", "repeat_rate",
         "rest_repeat_rate", "p_repeat_above_rest")  # fmt: skip
_SCHEMA = pa.schema(
    [("touch_rule", pa.string()), ("horizon_days", pa.int64()), ("cost_rate", pa.float64()),
     *(POSTERIORS_SCHEMA.field(name) for name in _KEPT)]
)  # fmt: skip


def variant_posteriors(
    units: pa.Table,
    evidence: pa.Table,
    *,
    cost_rates: tuple[float, ...] = COST_RATES,
    interval: float = 0.90,
    seed: int = 20_101_201,
) -> pa.Table:
    """Return margin and repeat rate of every channel and campaign under every touch rule, horizon and cost.

    Parameters
    ----------
    units
        `mart_decision_variant_units`: one row per store, kind, unit, touch rule and horizon. Read: is_paid, has_spend,
        spend_amount (store currency).
    evidence
        `mart_decision_variants`: one row per store, horizon and customer. Read: the units of each touch rule
        (first_channel, first_campaign, last_channel, last_campaign), cm2_amount, cost_amount (store currency),
        has_repeated.
    cost_rates
        What the costs inside CM2 are multiplied by; the spend stays.
    interval
        Mass of the central intervals (0-1).
    seed
        The same seed and data give the same numbers, in whatever order the rows come.

    Returns
    -------
    pyarrow.Table
        One row per unit, touch_rule, horizon_days and cost_rate, with the numbers of the base scenario of
        `evidence.posteriors`, from fewer draws.

    Examples
    --------
    >>> units = pa.table({"store_id": ["main"], "unit_kind": ["channel"], "unit_id": ["Display"],
    ...                   "touch_rule": ["last"], "horizon_days": [30], "is_paid": [True], "has_spend": [True],
    ...                   "spend_amount": [1000.0]})
    >>> evidence = pa.table({"store_id": ["main"] * 40, "horizon_days": [30] * 40, "last_channel": ["Display"] * 40,
    ...                      "last_campaign": pa.nulls(40, pa.string()), "has_repeated": [n < 9 for n in range(40)],
    ...                      "cm2_amount": [20.0 + n for n in range(40)], "cost_amount": [75.0] * 40})
    >>> for row in variant_posteriors(units, evidence).to_pylist():
    ...     print(row["cost_rate"], row["margin_amount"], row["p_margin_positive"] > 0.9)
    0.8 1180.0 True
    1.0 580.0 True
    1.2 -20.0 False
    """
    parts = []
    stores: dict[tuple[str, str, int], tuple[float, float]] = {}
    for variant in _variants(units, evidence):
        group = variant.group
        sources = RandomSources(group, seed, _DRAWS)
        counts = (float(group.judged.sum()), float(group.repeated.sum()))
        key = (group.store_id, variant.touch_rule, variant.horizon_days)
        # channels come first and hold the whole store, which campaigns are held against
        repeats = repeats_of(group, max(counts, stores.setdefault(key, counts)), sources)
        for cost_rate in cost_rates:
            cm2 = group.cm2 - (cost_rate - 1) * variant.cost
            rows = posterior_rows(group, "base", cm2, margin_of(group, cm2, sources), repeats, interval)
            parts.append(_keyed(rows, variant, cost_rate))
    return pa.concat_tables(parts) if parts else _SCHEMA.empty_table()


@dataclass(frozen=True)
class _Variant:
    """The units of one kind under one touch rule and horizon, and the costs of each of their customers."""

    group: UnitGroup
    touch_rule: str
    horizon_days: int
    cost: Floats


def _variants(units: pa.Table, evidence: pa.Table) -> Iterator[_Variant]:
    keys = units.select(["store_id", "horizon_days"]).group_by(["store_id", "horizon_days"]).aggregate([])
    for key in keys.sort_by([("store_id", "ascending"), ("horizon_days", "ascending")]).to_pylist():
        store, days = key["store_id"], key["horizon_days"]
        customers = _Customers(_of(evidence, store, days))
        own_units = _of(units, store, days)
        for rule in TOUCH_RULES:
            for kind in _KINDS:
                chosen = own_units.filter((pc.field("touch_rule") == rule) & (pc.field("unit_kind") == kind))
                if chosen.num_rows:
                    group, cost = customers.grouped(chosen.sort_by("unit_id"), kind, f"{rule}_{kind}")
                    yield _Variant(group, rule, days, cost)


class _Customers:
    """The customers of one store and horizon, in an order that depends on their values alone."""

    def __init__(self, evidence: pa.Table) -> None:
        cm2, cost, repeated = (_floats(evidence[name]) for name in ("cm2_amount", "cost_amount", "has_repeated"))
        self._evidence = evidence
        self._order = np.lexsort((repeated, cost, cm2))
        self._cm2, self._cost, self._repeated = (part[self._order] for part in (cm2, cost, repeated))

    def grouped(self, units: pa.Table, kind: str, column: str) -> tuple[UnitGroup, Floats]:
        """Return the units, sorted by id, with the customers that `column` gives them, and each customer's costs."""
        names = units["unit_id"].combine_chunks()
        given = self._evidence[column].combine_chunks()
        found = pc.index_in(given, value_set=names)
        if found.null_count > given.null_count:
            strange = sorted(pc.unique(given.filter(pc.is_null(found))).drop_null().to_pylist())
            raise MarginwiseError(
                f"The variants speak of units that are not listed: {', '.join(strange[:5])}.",
                fix="Build the marts again.",
            )
        owner = np.asarray(found.fill_null(-1).to_numpy(zero_copy_only=False))[self._order]
        # few values in a short type: the stable sort is then one of a few passes
        ranks = np.argsort(owner.astype(np.int16) if len(names) < 1 << 15 else owner, kind="stable")
        ranks = ranks[np.searchsorted(owner[ranks], 0) :]
        unit, repeated = owner[ranks].astype(np.intp), self._repeated[ranks]
        is_known = ~np.isnan(repeated)
        has_spend = _floats(units["has_spend"]) > 0
        group = UnitGroup(
            units["store_id"][0].as_py(), kind, tuple(names.to_pylist()), unit, self._cm2[ranks],
            np.zeros(len(unit)), np.bincount(unit[is_known], minlength=len(names)).astype(np.float64),
            np.bincount(unit[is_known], repeated[is_known], len(names)).astype(np.float64),
            np.where(has_spend, np.nan_to_num(_floats(units["spend_amount"])), 0.0),
            (_floats(units["is_paid"]) > 0) & ~has_spend,
        )  # fmt: skip
        return group, self._cost[ranks]


def _of(table: pa.Table, store: str, days: int) -> pa.Table:
    return table.filter((pc.field("store_id") == store) & (pc.field("horizon_days") == days))


def _floats(column: pa.ChunkedArray) -> Floats:
    """Return a column as floats, NaN where it has no value."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return np.asarray(column.cast(pa.float64()).fill_null(np.nan).to_numpy(), dtype=np.float64)


def _keyed(rows: pa.Table, variant: _Variant, cost_rate: float) -> pa.Table:
    count = rows.num_rows
    columns = [
        pa.array([variant.touch_rule] * count, pa.string()),
        pa.array([variant.horizon_days] * count, pa.int64()),
        pa.array([cost_rate] * count, pa.float64()),
        *rows.select(list(_KEPT)).columns,
    ]
    return pa.table(columns, schema=_SCHEMA)
