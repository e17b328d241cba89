"""What happened on named days: demand spikes, tracking outages, refund waves and fee spikes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from marginwise.errors import BadSettings

if TYPE_CHECKING:
    from marginwise.demo.arrow_columns import Array
    from marginwise.demo.ingredients import AnomalyPlan
    from marginwise.demo.plan import StorePlan
    from marginwise.demo.season import Season

__all__ = ["NamedDays", "Recall"]

KINDS = ("demand_spike", "tracking_outage", "refund_wave", "fee_spike")
_SIGNS = {
    "demand_spike": "more first orders than the day of the week and the season bring",
    "tracking_outage": "no visits and no events; customers without an earlier visit become Unassigned",
    "refund_wave": "refunds of one category, far above those of other days",
    "fee_spike": "payment fees far above their share of what is paid",
}


@dataclass(frozen=True, slots=True)
class Recall:
    """A refund wave: lines of ``categories`` ordered on ``first`` … ``last`` come back on ``day`` with ``chance``."""

    categories: tuple[int, ...]
    first: int
    last: int
    day: int
    chance: float


@dataclass(frozen=True, slots=True, eq=False)
class NamedDays:
    """What the anomalies do to each day. K campaigns, D days.

    Parameters
    ----------
    demand
        Factor on the customers acquired. Shape (K, D).
    is_untracked
        True where no visit is recorded. Shape (D,).
    fee
        Factor on payment fees. Shape (D,).
    recalls
        Refund waves.
    told
        The anomalies that fall within the store's days, for the truth.
    """

    demand: Array
    is_untracked: Array
    fee: Array
    recalls: tuple[Recall, ...]
    told: tuple[dict[str, Any], ...]

    @classmethod
    def of(cls, plan: StorePlan, season: Season) -> Self:
        """Lay the plan's anomalies over the days; those before the store opened are left out.

        Raises
        ------
        BadSettings
            When an anomaly is of no known kind.
        """
        count = season.count
        demand = np.ones((len(plan.campaigns), count))
        is_untracked = np.zeros(count, dtype=bool)
        fee = np.ones(count)
        recalls, told = [], []
        for item in plan.anomalies:
            if item.kind not in KINDS:
                raise BadSettings(f"There is no anomaly {item.kind!r}.", accepted=KINDS)
            start = count - 1 - item.days_before_end
            stop = start + (1 if item.kind == "refund_wave" else item.days)
            if start < (item.days if item.kind == "refund_wave" else 1) or stop > count:
                continue
            if item.kind == "demand_spike":
                rows = [k for k, c in enumerate(plan.campaigns) if not item.scope or c.channel in item.scope]
                demand[rows, start:stop] *= item.strength
            elif item.kind == "tracking_outage":
                is_untracked[start:stop] = True
            elif item.kind == "fee_spike":
                fee[start:stop] *= item.strength
            else:
                rows = [i for i, c in enumerate(plan.categories) if not item.scope or c.name in item.scope]
                recalls.append(Recall(tuple(rows), start - item.days, start - 1, start, item.strength))
            told.append(_told(item, season, start, stop))
        return cls(demand=demand, is_untracked=is_untracked, fee=fee, recalls=tuple(recalls), told=tuple(told))


def _told(item: AnomalyPlan, season: Season, start: int, stop: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "kind": item.kind,
        "first_date": season.day(start).isoformat(),
        "last_date": season.day(stop - 1).isoformat(),
        "strength": item.strength,
        "scope": list(item.scope),
        "sign": _SIGNS[item.kind],
    }
    if item.kind == "refund_wave":
        found["ordered_from"] = season.day(start - item.days).isoformat()
        found["ordered_to"] = season.day(start - 1).isoformat()
    return found
