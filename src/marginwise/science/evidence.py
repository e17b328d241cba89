"""What the data say about every unit: margin and repeat rate with intervals and probabilities.

The unit of evidence is the customer: whatever orders a customer placed within the horizon are one observation, so
orders of one customer never count as independent. The model of the margin stands in `margin`; the repeat rate is a
partially pooled beta-binomial held against the rest of the store, never against a total that includes the unit.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from marginwise.science.customers import UnitGroup, unit_groups
from marginwise.science.margin import MarginDraws, UnitEvidence, margin_draws
from marginwise.science.repeat import RepeatPosterior, repeat_posterior

__all__ = [
    "POSTERIORS_SCHEMA",
    "SCENARIOS",
    "RandomSources",
    "margin_of",
    "posterior_rows",
    "posteriors",
    "repeats_of",
]

SCENARIOS = ("base", "unattributed_given", "unknown_costs_free")

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_UNATTRIBUTED, _GUESTS = "Unassigned", "Guests"
_BOUNDED_KINDS = ("channel", "campaign")
_DRAWS, _DRAWS_OF_MANY, _MANY_UNITS = 4000, 1000, 400
POSTERIORS_SCHEMA = pa.schema(
    [("store_id", pa.string()), ("unit_kind", pa.string()), ("unit_id", pa.string()), ("scenario", pa.string()),
     ("customers_count", pa.int64()), ("margin_amount", pa.float64()), ("margin_low_amount", pa.float64()),
     ("margin_high_amount", pa.float64()), ("margin_per_customer_amount", pa.float64()),
     ("margin_per_customer_low_amount", pa.float64()), ("margin_per_customer_high_amount", pa.float64()),
     ("expected_margin_amount", pa.float64()), ("margin_deviation_amount", pa.float64()),
     ("p_margin_positive", pa.float64()), ("repeat_customers_count", pa.int64()), ("repeat_rate", pa.float64()),
     ("estimated_repeat_rate", pa.float64()), ("repeat_low_rate", pa.float64()), ("repeat_high_rate", pa.float64()),
     ("rest_repeat_rate", pa.float64()), ("p_repeat_above_rest", pa.float64())]
)  # fmt: skip


def posteriors(units: pa.Table, evidence: pa.Table, *, interval: float = 0.90, seed: int = 20_101_201) -> pa.Table:
    """Return margin and repeat rate of every unit, with intervals and probabilities, under each scenario.

    Parameters
    ----------
    units
        `mart_decision_units`: one row per store, kind and unit. Read: is_paid, has_spend, spend_amount (store
        currency), as_of_date, horizon_days.
    evidence
        `mart_decision_evidence`: one row per unit and customer (several are summed). Read: subject_key or
        customer_key, entered_date, cm2_amount, unknown_cost_revenue_amount (store currency), has_repeated.
        Customers whose horizon has not passed yet are left out (not of partners and categories, which have none).
    interval
        Mass of the central intervals (0-1).
    seed
        The same seed and data give the same numbers, in whatever order the rows come.

    Returns
    -------
    pyarrow.Table
        One row per unit and scenario: ``base``; ``unattributed_given``, the unattributed customers of the store
        given wholly to the unit (channels and campaigns); ``unknown_costs_free``, unknown costs taken as 0.
        ``margin_amount`` and ``repeat_rate`` are what was observed; intervals, ``expected_margin_amount``,
        ``margin_deviation_amount``, ``estimated_repeat_rate`` (the median, so that it lies in its interval) and
        probabilities come from the model. Where the spend of a paid unit is not
        known, ``margin_amount`` is before spend and nothing is inferred from it.

    Raises
    ------
    marginwise.errors.MarginwiseError
        The evidence names a unit that is not among the units.

    Examples
    --------
    >>> units = pa.table({"store_id": ["main"], "unit_kind": ["channel"], "unit_id": ["Display"], "is_paid": [True],
    ...                   "has_spend": [True], "spend_amount": [5000.0]})
    >>> evidence = pa.table({"store_id": ["main"] * 40, "unit_kind": ["channel"] * 40, "unit_id": ["Display"] * 40,
    ...                      "subject_key": [str(n) for n in range(40)], "cm2_amount": [20.0 + n for n in range(40)],
    ...                      "unknown_cost_revenue_amount": [0.0] * 40, "has_repeated": [n < 9 for n in range(40)]})
    >>> row = posteriors(units, evidence).to_pylist()[0]
    >>> row["margin_amount"], row["repeat_rate"], row["p_margin_positive"] < 0.01
    (-3420.0, 0.225, True)
    """
    parts = []
    unattributed: dict[str, _Unattributed] = {}
    judged: dict[str, tuple[float, float]] = {}
    for group in unit_groups(units, evidence):
        sources = RandomSources(group, seed)
        counts = (float(group.judged.sum()), float(group.repeated.sum()))
        if group.kind == "channel":
            judged[group.store_id] = counts
        # campaigns cover a part of the store only; the rest is the rest of the store
        store = max(counts, judged.get(group.store_id, counts)) if group.kind in _BOUNDED_KINDS else counts
        base = margin_of(group, group.cm2, sources)
        if group.kind == "channel" and _UNATTRIBUTED in group.names:
            unattributed[group.store_id] = _Unattributed(group, base)
        repeats = repeats_of(group, store, sources)
        parts.append(posterior_rows(group, "base", group.cm2, base, repeats, interval))
        if group.kind in _BOUNDED_KINDS:
            extra = unattributed.get(group.store_id)
            given = repeats_of(group, store, sources, (extra.judged, extra.repeated)) if extra else repeats
            parts.append(posterior_rows(group, "unattributed_given", group.cm2, base, given, interval, extra))
        free_cm2 = group.cm2 + group.unknown_revenue
        free = margin_of(group, free_cm2, sources) if group.unknown_revenue.any() else base
        parts.append(posterior_rows(group, "unknown_costs_free", free_cm2, free, repeats, interval))
    return pa.concat_tables(parts) if parts else POSTERIORS_SCHEMA.empty_table()


class RandomSources:
    """Random sources that depend on the seed and the names alone, so that one unit does not disturb another's."""

    def __init__(self, group: UnitGroup, seed: int, draws: int = _DRAWS) -> None:
        self._seed = seed
        self._group = f"{group.store_id}\x1f{group.kind}"
        self._names = group.names
        self.draws = draws if len(group.names) <= _MANY_UNITS else min(draws, _DRAWS_OF_MANY)

    def of(self, purpose: str) -> tuple[np.random.Generator, list[np.random.Generator]]:
        """Return the source of what units share, and one for each unit."""
        return self._source(purpose, ""), [self._source(purpose, name) for name in self._names]

    def _source(self, purpose: str, name: str) -> np.random.Generator:
        text = "\x1f".join((str(self._seed), purpose, self._group, name))
        digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
        return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))


class _Unattributed:
    """What the customers of a store that no touch explains bring."""

    def __init__(self, group: UnitGroup, found: MarginDraws) -> None:
        at = group.names.index(_UNATTRIBUTED)
        self.margin, self.customers_drawn = found.margin[at], found.customers[at]
        self.observed = float(group.cm2[group.unit == at].sum())
        self.customers = int(group.customers[at])
        self.judged, self.repeated = float(group.judged[at]), float(group.repeated[at])


def margin_of(group: UnitGroup, cm2: Floats, sources: RandomSources) -> MarginDraws:
    """Draw the margin of every unit of a group whose customers bring `cm2`."""
    shared, units = sources.of("margin")
    is_pooled = ~group.lacks_spend & (np.array(group.names) != _GUESTS)
    return margin_draws(UnitEvidence(cm2, group.unit, group.spend, is_pooled), shared, units, sources.draws)


def repeats_of(
    group: UnitGroup, store: tuple[float, float], sources: RandomSources, given: tuple[float, float] = (0.0, 0.0)
) -> RepeatPosterior:
    """Return the repeat rate of every unit of a group against the rest of a store with these counts."""
    shared, units = sources.of("repeat")
    return repeat_posterior(group.judged, group.repeated, store, shared, units, sources.draws, given)


def posterior_rows(
    group: UnitGroup,
    scenario: str,
    cm2: Floats,
    found: MarginDraws,
    repeats: RepeatPosterior,
    interval: float,
    extra: _Unattributed | None = None,
) -> pa.Table:
    """Return one row per unit, summarising draws; `extra` is added to every unit but the unattributed one itself."""
    count, draws = found.margin.shape
    margin, expected = found.margin, found.customers
    observed = np.bincount(group.unit, cm2, count) - group.spend
    customers = group.customers
    is_told = found.is_defined & ~group.lacks_spend
    if extra is not None:
        others = (np.array(group.names) != _UNATTRIBUTED) | (group.kind != "channel")
        margin = margin + np.where(others[:, None], extra.margin[:draws], 0.0)
        expected = expected + np.where(others[:, None], extra.customers_drawn[:draws], 0.0)
        observed, customers = observed + others * extra.observed, customers + others * extra.customers
    ends = ((1 - interval) / 2, (1 + interval) / 2)
    low, high = np.quantile(margin, ends, axis=1)
    per_low, per_high = np.quantile(margin / expected, ends, axis=1)
    repeat_low, repeat_median, repeat_high = np.quantile(repeats.draws, (ends[0], 0.5, ends[1]), axis=1)
    has_customers, is_judged = customers > 0, repeats.judged > 0
    columns = {
        "store_id": [group.store_id] * count,
        "unit_kind": [group.kind] * count,
        "unit_id": list(group.names),
        "scenario": [scenario] * count,
        "customers_count": customers,
        "margin_amount": observed,
        "margin_low_amount": _where(is_told, low),
        "margin_high_amount": _where(is_told, high),
        "margin_per_customer_amount": _where(has_customers, observed / np.maximum(customers, 1)),
        "margin_per_customer_low_amount": _where(is_told & has_customers, per_low),
        "margin_per_customer_high_amount": _where(is_told & has_customers, per_high),
        "expected_margin_amount": _where(is_told, margin.mean(axis=1)),
        "margin_deviation_amount": _where(is_told, margin.std(axis=1)),
        "p_margin_positive": _where(is_told, np.mean(margin > 0, axis=1) + np.mean(margin == 0, axis=1) / 2),
        "repeat_customers_count": repeats.judged.astype(np.int64),
        "repeat_rate": _where(is_judged, repeats.rate),
        "estimated_repeat_rate": _where(is_judged, repeat_median),
        "repeat_low_rate": _where(is_judged, repeat_low),
        "repeat_high_rate": _where(is_judged, repeat_high),
        "rest_repeat_rate": _where(~np.isnan(repeats.rest_rate), repeats.rest_rate),
        "p_repeat_above_rest": _where(~np.isnan(repeats.p_above_rest), repeats.p_above_rest),
    }
    return pa.table(columns, schema=POSTERIORS_SCHEMA)


def _where(is_known: Bools, values: Floats) -> pa.Array:
    return pa.array(values, mask=~is_known)
