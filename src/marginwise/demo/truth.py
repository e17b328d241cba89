"""The planted truth of a demo store, in words that the memo uses: margin, repeat rate and verdict by unit."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from marginwise.demo.arrow_columns import Array
    from marginwise.demo.customers import Customers
    from marginwise.demo.demand import Demand
    from marginwise.demo.expectation import Expectation
    from marginwise.demo.outcome import Outcome
    from marginwise.demo.plan import StorePlan

__all__ = ["Dirt", "StoreTruth", "UnitTruth", "Window", "true_verdict"]

UNASSIGNED, GUESTS = "Unassigned", "Guests"
_FEW_CUSTOMERS = 100
_FEW_TO_REPEAT = 30
_NINETY_PERCENT = 1.6449
_CLEAR = 3.0


@dataclass(frozen=True, slots=True)
class Window:
    """The days the decision looks at, as numbers of days of the store, both ends included."""

    start: int
    end: int
    as_of: int

    @classmethod
    def of(cls, plan: StorePlan, first_order_day: int, last_order_day: int) -> Window:
        """Return the newest window of customers who are mature and not left-censored.

        >>> from marginwise.demo.plan import StorePlan
        >>> Window.of(StorePlan(), 0, 729)
        Window(start=274, end=638, as_of=728)
        """
        as_of = last_order_day - 1
        end = as_of - plan.horizon_days
        return cls(start=max(first_order_day + plan.horizon_days, end - plan.window_days + 1), end=end, as_of=as_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTruth:
    """What is true of a channel or campaign in the decision window; amounts in reporting currency.

    ``expected_*`` follow from the planted parameters, ``realised_*`` from the customers that were drawn, as a correct
    warehouse computes them from the files. ``verdict`` is what the rules give to the expected values; it is None for
    units without a lever. A margin is clear when it is at least 3 standard errors from 0, with none and with all of the
    unattributed customers; a repeat rate when it is as far from the rest of the store.
    """

    unit_kind: str
    unit_name: str
    channel_name: str
    is_paid: bool
    lever: str | None
    has_spend: bool
    spend_amount: float | None
    expected_customers_count: float
    realised_customers_count: int
    expected_margin_amount: float
    realised_margin_amount: float
    margin_standard_error: float
    expected_margin_per_customer_amount: float
    realised_margin_per_customer_amount: float | None
    expected_repeat_rate: float
    realised_repeat_rate: float | None
    expected_rest_repeat_rate: float
    realised_rest_repeat_rate: float | None
    verdict: str | None
    reason: str
    is_margin_clear: bool
    is_repeat_clear: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Dirt:
    """Bad rows added to a file, all bound for quarantine: how many, and which rule finds them in which column."""

    table: str
    kind: str
    rule: str
    column: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreTruth:
    """Everything planted in a store, and the settings a correct analysis of it uses.

    ``rows`` are rows in the files by table, dirt included. ``settings`` uses the names of ``marginwise.toml``.
    """

    seed: int
    orders: int
    currency: str
    time_zone: str
    horizon_days: int
    first_day: date
    last_day: date
    as_of_date: date
    window_start_date: date
    window_end_date: date
    units: tuple[UnitTruth, ...]
    totals: dict[str, float]
    rows: dict[str, int]
    dirt: tuple[Dirt, ...]
    settings: dict[str, dict[str, str]]
    planted: dict[str, Any] = field(repr=False)

    def unit(self, kind: str, name: str) -> UnitTruth:
        """Return one unit.

        Raises
        ------
        KeyError
            When there is no such unit.
        """
        for unit in self.units:
            if (unit.unit_kind, unit.unit_name) == (kind, name):
                return unit
        raise KeyError((kind, name))

    def write(self, path: Path) -> None:
        """Write the truth as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1, default=_text, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> StoreTruth:
        """Read a truth that was written before."""
        given = json.loads(path.read_text(encoding="utf-8"))
        for name in ("first_day", "last_day", "as_of_date", "window_start_date", "window_end_date"):
            given[name] = date.fromisoformat(given[name])
        given["units"] = tuple(UnitTruth(**unit) for unit in given["units"])
        given["dirt"] = tuple(Dirt(**dirt) for dirt in given["dirt"])
        return cls(**given)


def true_verdict(
    *,
    has_spend: bool,
    margin: float,
    margin_error: float,
    customers: float,
    repeat: float,
    rest: float,
    given_margin: float,
    given_repeat: float,
    given_rest: float,
) -> tuple[str, str]:
    """Return the verdict, and why, that the rules give when margin and repeat rate are known.

    Parameters
    ----------
    has_spend
        False for a paid unit whose spend is in no file.
    margin, margin_error, customers
        Expected cohort margin, its standard error and expected customers.
    repeat, rest
        Repeat rate of the unit and of the rest of the store.
    given_margin, given_repeat, given_rest
        The same when all unattributed customers belonged to the unit.

    Examples
    --------
    >>> true_verdict(has_spend=True, margin=5, margin_error=1, customers=200, repeat=0.4, rest=0.3,
    ...              given_margin=6, given_repeat=0.4, given_rest=0.3)
    ('scale', 'earns, and customers come back')
    """
    if not has_spend:
        return "insufficient", "paid, and its spend is in no file"
    verdict, reason = _verdict(margin, repeat, rest, customers)
    if _verdict(given_margin, given_repeat, given_rest, _FEW_CUSTOMERS)[0] != verdict:
        return "insufficient", "the unattributed customers could turn the verdict"
    if customers < _FEW_CUSTOMERS and abs(margin) < _NINETY_PERCENT * margin_error:
        return "insufficient", "too few customers for the size of its margin"
    return verdict, reason


def _verdict(margin: float, repeat: float, rest: float, customers: float) -> tuple[str, str]:
    if margin > 0:
        if repeat >= rest:
            return "scale", "earns, and customers come back"
        return "fix", "earns, but customers come back less than elsewhere"
    if repeat < rest or customers < _FEW_TO_REPEAT:
        return "kill", "loses money, and customers do not come back"
    return "fix", "loses money, but customers come back"


@dataclass(frozen=True, slots=True, eq=False)
class _Planned:
    """Expected values of the window by campaign, shapes (K,), added up over groups of campaigns."""

    count: Array
    earned: Array
    spend: Array
    repeat_rate: Array

    @classmethod
    def of(cls, window: Window, demand: Demand, expectation: Expectation) -> Self:
        inside = slice(window.start, max(window.start, window.end + 1))
        return cls(
            count=demand.customers[:, inside].sum(axis=1),
            earned=(demand.customers[:, inside] * expectation.customer[:, inside]).sum(axis=1),
            spend=demand.spend_in_reporting[:, inside].sum(axis=1),
            repeat_rate=expectation.repeat_rate,
        )

    def customers(self, rows: Array) -> float:
        return float(self.count[rows].sum())

    def repeat(self, rows: Array) -> float:
        return float((self.repeat_rate * self.count)[rows].sum()) / max(self.customers(rows), 1e-9)

    def repeat_variance(self, rows: Array) -> float:
        return self.repeat(rows) * (1 - self.repeat(rows)) / max(self.customers(rows), 1e-9)


def unit_truths(
    plan: StorePlan, window: Window, demand: Demand, expectation: Expectation, customers: Customers, outcome: Outcome
) -> tuple[UnitTruth, ...]:
    """Return the truth of every channel and named campaign, in the order of the plan."""
    planned = _Planned.of(window, demand, expectation)
    is_inside = (customers.day >= window.start) & (customers.day <= window.end)
    drawn = [np.flatnonzero(is_inside & (customers.campaign == k)) for k in range(len(plan.campaigns))]
    everyone = np.concatenate(drawn)
    unassigned = np.array([k for k, c in enumerate(plan.campaigns) if c.channel == UNASSIGNED], dtype=np.int64)

    def squares(rows: Array) -> float:
        """Variance of the margin that these campaigns bring, for a Poisson number of customers."""
        members = np.concatenate([drawn[k] for k in rows]) if len(rows) else everyone[:0]
        pool = members if len(members) >= _FEW_TO_REPEAT else everyone
        return planned.customers(rows) * float(np.mean(outcome.margin[pool] ** 2)) if len(pool) else 0.0

    units = []
    for kind, name, members in _members(plan):
        rows = np.array(members)
        rest = np.setdiff1d(np.arange(len(plan.campaigns)), rows)
        given = np.union1d(rows, unassigned)
        first = plan.campaigns[members[0]]
        has_spend = all(plan.campaigns[k].cost_per_customer is not None for k in members)
        has_lever = first.channel != UNASSIGNED
        spend = float(planned.spend[rows].sum())
        expected = float(planned.earned[rows].sum()) - spend
        expected_given = float(planned.earned[given].sum()) - spend
        error, error_given = np.sqrt(squares(rows)), np.sqrt(squares(given))
        repeat, rest_repeat = planned.repeat(rows), planned.repeat(rest)
        verdict, reason = true_verdict(
            has_spend=has_spend,
            margin=expected,
            margin_error=float(error),
            customers=planned.customers(rows),
            repeat=repeat,
            rest=rest_repeat,
            given_margin=expected_given,
            given_repeat=planned.repeat(given),
            given_rest=planned.repeat(np.setdiff1d(rest, given)),
        )
        mine = np.concatenate([drawn[k] for k in rows])
        others = np.setdiff1d(everyone, mine)
        realised = float(outcome.margin[mine].sum()) - spend
        is_far = abs(expected) >= _CLEAR * error and abs(expected_given) >= _CLEAR * error_given
        gap_error = np.sqrt(planned.repeat_variance(rows) + planned.repeat_variance(rest))
        units.append(
            UnitTruth(
                unit_kind=kind,
                unit_name=name,
                channel_name=first.channel,
                is_paid=first.is_paid,
                lever=("budget" if first.is_paid else "effort") if has_lever else None,
                has_spend=has_spend,
                spend_amount=round(spend, 2) if has_spend else None,
                expected_customers_count=round(planned.customers(rows), 2),
                realised_customers_count=len(mine),
                expected_margin_amount=round(expected, 2),
                realised_margin_amount=round(realised, 2),
                margin_standard_error=round(float(error), 2),
                expected_margin_per_customer_amount=round(expected / max(planned.customers(rows), 1e-9), 4),
                realised_margin_per_customer_amount=round(realised / len(mine), 4) if len(mine) else None,
                expected_repeat_rate=round(repeat, 6),
                realised_repeat_rate=_share(outcome.has_repeated[mine]),
                expected_rest_repeat_rate=round(rest_repeat, 6),
                realised_rest_repeat_rate=_share(outcome.has_repeated[others]),
                verdict=verdict if has_lever else None,
                reason=reason if has_lever else "no lever",
                is_margin_clear=bool(has_spend and is_far),
                is_repeat_clear=bool(abs(repeat - rest_repeat) >= _CLEAR * gap_error),
            )
        )
    return tuple(units)


def _members(plan: StorePlan) -> list[tuple[str, str, list[int]]]:
    channels = [
        ("channel", name, [k for k, c in enumerate(plan.campaigns) if c.channel == name]) for name in plan.channels
    ]
    return channels + [("campaign", c.campaign, [k]) for k, c in enumerate(plan.campaigns) if c.campaign is not None]


def _share(flags: Array) -> float | None:
    return round(float(flags.mean()), 6) if len(flags) else None


def _text(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be written")
