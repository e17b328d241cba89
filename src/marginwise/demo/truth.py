"""The planted truth of a demo store, in words that the memo uses: margin, repeat rate and verdict by unit."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from marginwise.demo.plan import StorePlan

__all__ = ["Dirt", "Drop", "StoreTruth", "UnitTruth", "Window", "true_verdict"]

FEW_TO_REPEAT = 30
_FEW_CUSTOMERS = 100
_NINETY_PERCENT = 1.6449


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
    expected_margin_per_customer_amount: float | None
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
class Drop:
    """Rows of one table that a later file brings: late ones, and corrections of rows that were wrong before."""

    date: str
    table: str
    late_rows: int
    corrected_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreTruth:
    """Everything planted in a store, and the settings a correct analysis of it uses.

    Parameters
    ----------
    seed, orders, currency, time_zone, horizon_days, first_day, last_day
        What the store was made with.
    as_of_date, window_start_date, window_end_date
        The decision window.
    units
        Margin, repeat rate and verdict of every channel and campaign.
    responses
        Response of customers to spend, by campaign.
    personas
        Parameters and shares of the kinds of customers.
    dropout
        The process by which customers come back and leave.
    pairs
        Products bought together.
    weather
        Effect of the weather on demand.
    anomalies
        What happened on named days.
    partners
        Return rate, lateness and margin by partner.
    shares
        Shares of customers and spend that no campaign owns, and of customers who buy only with free goods.
    totals
        Sums over the store, in reporting currency.
    rows
        Rows in the files by table, dirt included, later drops left out.
    dirt, drops
        Bad rows, and rows that later files bring. All other values hold once the drops have landed.
    settings
        Settings of the store, by the names of ``marginwise.toml``.
    planted
        The whole plan.
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
    responses: list[dict[str, Any]]
    personas: list[dict[str, Any]]
    dropout: dict[str, Any]
    pairs: list[dict[str, Any]]
    weather: dict[str, Any]
    anomalies: list[dict[str, Any]]
    partners: list[dict[str, Any]]
    shares: dict[str, float]
    totals: dict[str, float]
    rows: dict[str, int]
    dirt: tuple[Dirt, ...] = ()
    drops: tuple[Drop, ...] = ()
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
        given["drops"] = tuple(Drop(**drop) for drop in given["drops"])
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
    if repeat < rest or customers < FEW_TO_REPEAT:
        return "kill", "loses money, and customers do not come back"
    return "fix", "loses money, but customers come back"


def _text(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be written")
