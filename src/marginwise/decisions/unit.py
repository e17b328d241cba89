"""A unit as the rules see it: its mart row, its posteriors, and the rest of the store it is held against."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marginwise.decisions.hysteresis import standing
from marginwise.decisions.information import value_of_information
from marginwise.decisions.rule import Verdict, rule

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from marginwise.settings import DecisionSettings

__all__ = ["NOT_JUDGED", "Key", "Unit", "has_window", "judged_units"]

NOT_JUDGED = ("Unassigned", "Guests")
_SUMMED = ("net_revenue_amount", "shipping_cost_amount", "payment_fee_amount", "goods_cost_amount", "commission_amount",
           "refund_amount", "discount_amount", "costed_revenue_amount", "unrefunded_revenue_amount", "paid_revenue_amount",
           "paid_spend_amount")  # fmt: skip

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Unit:
    """One unit with what is known of it.

    Attributes
    ----------
    row
        Its row of `mart_decision_units`.
    scenarios
        Its posteriors by scenario.
    rest
        Sums over the other units of its kind and store.
    """

    row: Mapping[str, Any]
    scenarios: Mapping[str, Mapping[str, Any]]
    rest: Mapping[str, float]

    @property
    def base(self) -> Mapping[str, Any]:
        """Posterior with costs and attribution as they are."""
        return self.scenarios["base"]

    @property
    def key(self) -> Key:
        """Store, kind and id."""
        return _key(self.row)

    @property
    def is_judged(self) -> bool:
        """Whether the unit is something one can act on."""
        return self.row["unit_id"] not in NOT_JUDGED

    @property
    def lacks_spend(self) -> bool:
        """Whether money was spent and nobody knows how much; with no day to judge there is nothing to know yet."""
        return has_window(self.row) and bool(self.row["is_paid"]) and not self.row["has_spend"]

    def number(self, name: str) -> float | None:
        """Return a figure of the mart row, or None when it is not known."""
        value = self.row.get(name)
        return None if value is None else float(value)

    def amount(self, name: str) -> float:
        """Return an amount of the mart row, 0 where there is none."""
        return self.number(name) or 0.0

    def p_repeat(self, settings: DecisionSettings, scenario: str = "base") -> float | None:
        """Return P(repeat rate >= rest), or None when too few customers allow no estimate."""
        found = self.scenarios[scenario]
        chance: float | None = found["p_repeat_above_rest"]
        has_rest = found["rest_repeat_rate"] is not None
        return None if has_rest and found["repeat_customers_count"] < settings.minimum_repeat_customers else chance

    def plain_verdict(
        self, settings: DecisionSettings, scenario: str = "base", previous_verdict: str | None = None
    ) -> Verdict:
        """Return what the rule alone says under a scenario, after a verdict that stands.

        A scenario that does not apply to the unit changes nothing.
        """
        if scenario not in self.scenarios:
            scenario = "base"
        margin, repeat = self.scenarios[scenario]["p_margin_positive"], self.p_repeat(settings, scenario)
        return standing(previous_verdict, margin, repeat, rule(margin, repeat, settings), settings)

    def worth(self) -> float | None:
        """Return what it is worth to know the margin, or None when it cannot be told.

        What is unattributed and what costs nobody knows may lie anywhere between none and all, so half the way is
        added to the mean and the variance of a uniform distribution to the variance.
        """
        mean, deviation = self.base["expected_margin_amount"], self.base["margin_deviation_amount"]
        if mean is None or deviation is None:
            return None
        variance, start = deviation**2, mean
        for name, found in self.scenarios.items():
            if name != "base" and found["expected_margin_amount"] is not None:
                way = found["expected_margin_amount"] - start
                mean, variance = mean + way / 2, variance + way**2 / 12
        return value_of_information(mean, variance**0.5)


def judged_units(units: pa.Table, posteriors: pa.Table) -> list[Unit]:
    """Return the units in the order of the mart, each with its posteriors and its rest."""
    scenarios: dict[Key, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for found in posteriors.to_pylist():
        scenarios[_key(found)][found["scenario"]] = found
    rows = units.to_pylist()
    own = [_sums(row) for row in rows]
    totals: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: dict.fromkeys(_SUMMED, 0.0))
    for row, sums in zip(rows, own, strict=True):
        total = totals[row["store_id"], row["unit_kind"]]
        for name, amount in sums.items():
            total[name] += amount
    return [
        Unit(row, scenarios[_key(row)], {
            name: totals[row["store_id"], row["unit_kind"]][name] - amount for name, amount in sums.items()
        })
        for row, sums in zip(rows, own, strict=True)
    ]  # fmt: skip


def has_window(row: Mapping[str, Any]) -> bool:
    """Say whether there are days whose customers can be judged; a young store has none yet, so its sums mean nothing.

    Parameters
    ----------
    row
        A row of `mart_decision_units` or `decisions.verdicts`. Where it does not name the window, there is one.
    """
    start, end = row.get("window_start_date"), row.get("window_end_date")
    return start is None or end is None or bool(start <= end)


def _key(row: Mapping[str, Any]) -> Key:
    return row["store_id"], row["unit_kind"], row["unit_id"]


def _sums(row: Mapping[str, Any]) -> dict[str, float]:
    revenue = float(row.get("net_revenue_amount") or 0)
    is_charged = bool(row.get("is_paid")) and bool(row.get("has_spend"))
    derived = {
        "costed_revenue_amount": revenue * (1 - float(row.get("goods_unknown_rate") or 0)),
        "unrefunded_revenue_amount": revenue + float(row.get("refund_amount") or 0),
        "paid_revenue_amount": revenue if is_charged else 0.0,
        "paid_spend_amount": float(row.get("spend_amount") or 0) if is_charged else 0.0,
    }
    return {name: derived[name] if name in derived else float(row.get(name) or 0) for name in _SUMMED}
