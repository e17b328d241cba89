"""Evidence as arrays: one row per unit and customer, grouped by the units that are judged together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from marginwise.errors import MarginwiseError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["UnitGroup", "unit_groups"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Indexes = NDArray[np.intp]

_KEYS = ("store_id", "unit_kind", "unit_id")
_SEPARATOR = "\x1f"
_COHORT_KINDS = ("channel", "campaign", "segment", "persona")
_NEVER = 1 << 30


@dataclass(frozen=True)
class UnitGroup:
    """The units of one kind in one store, sorted by id, and their customers, ordered by unit.

    Attributes
    ----------
    store_id, kind, names
        What the units are.
    unit
        Index of each customer's unit.
    cm2, unknown_revenue
        CM2 of each customer and revenue of it whose costs are not known, store currency.
    judged, repeated
        Customers whose repeat is known, and those who did repeat, per unit.
    spend
        Acquisition spend per unit, 0 where there is none.
    lacks_spend
        Paid units whose spend is not known.
    """

    store_id: str
    kind: str
    names: tuple[str, ...]
    unit: Indexes
    cm2: Floats
    unknown_revenue: Floats
    judged: Floats
    repeated: Floats
    spend: Floats
    lacks_spend: Bools

    @property
    def customers(self) -> NDArray[np.int64]:
        """Customers per unit."""
        return np.bincount(self.unit, minlength=len(self.names))


def unit_groups(units: pa.Table, evidence: pa.Table) -> Iterator[UnitGroup]:
    """Yield the units that are judged together, per store channels first, rows of one customer summed.

    Raises
    ------
    MarginwiseError
        The evidence names a unit that is not among the units.
    """
    units = units.sort_by([(name, "ascending") for name in _KEYS])
    keys = _keys(units)
    unit = pc.index_in(_keys(evidence), value_set=keys)
    if unit.null_count:
        strange = sorted(pc.unique(_keys(evidence).filter(pc.is_null(unit))).to_pylist())
        named = ", ".join(strange[:5]).replace(_SEPARATOR, "/")
        raise MarginwiseError(
            f"The evidence speaks of units that are not listed: {named}.",
            fix="Build the marts again.",
        )
    owner = unit.to_numpy().astype(np.intp)
    cm2, unknown = _floats(evidence, "cm2_amount"), _floats(evidence, "unknown_cost_revenue_amount")
    is_repeat = _floats(evidence, "has_repeated", missing=np.nan)
    subject = _subjects(evidence)
    kinds = units["unit_kind"].to_pylist()
    mature = _is_mature(units, evidence, owner, np.array([kind in _COHORT_KINDS for kind in kinds]))
    owner, cm2, unknown, is_repeat = _one_row_per_customer(
        owner[mature], subject[mature], cm2[mature], unknown[mature], is_repeat[mature]
    )

    stores, names = units["store_id"].to_pylist(), units["unit_id"].to_pylist()
    spend = _floats(units, "spend_amount")
    has_spend = _floats(units, "has_spend", missing=0.0) > 0
    lacks_spend = (_floats(units, "is_paid") > 0) & ~has_spend
    is_known = ~np.isnan(is_repeat)
    judged = np.bincount(owner[is_known], minlength=len(names)).astype(np.float64)
    repeated = np.bincount(owner[is_known], is_repeat[is_known], len(names)).astype(np.float64)
    group_of = list(zip(stores, kinds, strict=True))
    for store, kind in sorted(set(group_of), key=lambda group: (group[0], group[1] != "channel", group[1])):
        members = np.flatnonzero([group == (store, kind) for group in group_of])
        chosen = np.flatnonzero(np.isin(owner, members))
        yield UnitGroup(
            store, kind, tuple(names[member] for member in members), np.searchsorted(members, owner[chosen]),
            cm2[chosen], unknown[chosen], judged[members], repeated[members],
            np.where(has_spend, spend, 0.0)[members], lacks_spend[members],
        )  # fmt: skip


def _keys(table: pa.Table) -> pa.Array:
    parts = [table[name].combine_chunks().cast(pa.string()) for name in _KEYS]
    return pc.binary_join_element_wise(*parts, _SEPARATOR)


def _floats(table: pa.Table, name: str, missing: float = 0.0) -> Floats:
    """Return a column as floats; a column that is absent is missing everywhere."""
    if name not in table.column_names:
        return np.full(table.num_rows, missing)
    column = table[name]
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return np.asarray(column.cast(pa.float64()).fill_null(missing).to_numpy(), dtype=np.float64)


def _subjects(evidence: pa.Table) -> NDArray[np.int64]:
    """Return a number per customer; a row without one stands for itself."""
    name = "subject_key" if "subject_key" in evidence.column_names else "customer_key"
    codes = evidence[name].combine_chunks().dictionary_encode().indices.cast(pa.int64())
    number = np.asarray(codes.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)
    return np.where(number < 0, evidence.num_rows + np.arange(evidence.num_rows), number)


def _is_mature(units: pa.Table, evidence: pa.Table, owner: Indexes, is_cohort: Bools) -> Bools:
    """Say which customers' horizon has passed on the as-of date; partners and categories have none."""
    needed = {"as_of_date", "horizon_days"} <= set(units.column_names) and "entered_date" in evidence.column_names
    if not needed:
        return np.ones(len(owner), dtype=bool)
    last = _days(units["as_of_date"], _NEVER) - _floats(units, "horizon_days").astype(np.int64)
    return ~is_cohort[owner] | (_days(evidence["entered_date"], 0) <= last[owner])


def _days(column: pa.ChunkedArray, missing: int) -> NDArray[np.int64]:
    days = column.cast(pa.date32()).cast(pa.int32()).fill_null(missing)
    return np.asarray(days.to_numpy(), dtype=np.int64)


def _one_row_per_customer(
    owner: Indexes, subject: NDArray[np.int64], cm2: Floats, unknown: Floats, is_repeat: Floats
) -> tuple[Indexes, Floats, Floats, Floats]:
    """Order by unit and customer's margin, summing what belongs to one customer, so that row order cannot matter."""
    width = int(subject.max()) + 1 if len(subject) else 1
    pair = owner * width + subject
    if len(np.unique(pair)) < len(pair):
        keys, inverse = np.unique(pair, return_inverse=True)
        order = np.lexsort((unknown, cm2, inverse))
        starts = np.searchsorted(inverse[order], np.arange(len(keys)))
        cm2, unknown = (np.add.reduceat(part[order], starts) for part in (cm2, unknown))
        is_repeat = np.fmax.reduceat(is_repeat[order], starts)
        owner = (keys // width).astype(np.intp)
    order = np.lexsort((unknown, cm2, owner))
    return owner[order], cm2[order], unknown[order], is_repeat[order]
