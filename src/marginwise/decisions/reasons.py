"""Why a unit got its verdict: what costs most comes first, every reason with its amount."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from marginwise.decisions.number_format import count, money, money_range, probability, rate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from marginwise.decisions.rule import Verdict
    from marginwise.decisions.sufficiency import Lack
    from marginwise.decisions.unit import Unit
    from marginwise.settings import DecisionSettings

__all__ = ["Reason", "abstaining_reasons", "held_reasons", "verdict_reasons"]

_COST_LINES = (
    ("goods_cost", "Cost of goods takes", "costed_revenue_amount"),
    ("shipping_cost", "Shipping cost takes", "net_revenue_amount"),
    ("payment_fee", "Payment fees take", "net_revenue_amount"),
    ("commission", "Commission takes", "net_revenue_amount"),
    ("discount", "Discounts take", "net_revenue_amount"),
    ("refund", "Refunds take", "unrefunded_revenue_amount"),
)
_OF = {"unrefunded_revenue_amount": "its net revenue before refunds"}
_NOTICEABLE = 0.005


@dataclass(frozen=True)
class Reason:
    """One reason: a short name, what it amounts to (store currency, None when it has no amount), and a sentence."""

    code: str
    amount: float | None
    text: str


def verdict_reasons(
    unit: Unit, verdict: Verdict, settings: DecisionSettings, currency: str, *, is_cut: bool = False
) -> list[Reason]:
    """Return why a unit is Scale, Fix or Kill, in the order of money; what alone keeps it from Scale comes first.

    Parameters
    ----------
    unit
        The unit with its posteriors.
    verdict
        What it got.
    settings
        The thresholds.
    currency
        ISO 4217 code of the amounts.
    is_cut
        Whether it met the rule of Scale or Kill and was cut so that few of those named together are wrong.
    """
    margin = _margin(unit, currency)
    if verdict == "scale":
        first = [Reason("margin_positive", unit.base["expected_margin_amount"], f"It earns: {margin}.")]
        return [*first, _repeats_well(unit)]
    found = [*_cost_lines(unit, currency), *_spend(unit, currency), *_low_repeat(unit, settings, currency),
             *_funnel(unit, currency)]  # fmt: skip
    found.sort(key=lambda reason: -(reason.amount or 0.0))
    if verdict == "kill":
        return [Reason("margin_negative", _loss(unit), f"It burns: {margin}."), *found]
    found += _uncertain(unit, settings, margin, currency, is_cut)
    # where it earns for certain, what it costs is not what keeps it from more: that nobody knows who comes back is
    earns = (unit.base["p_margin_positive"] or 0.0) >= settings.scale_probability
    found.sort(key=lambda reason: (not (earns and reason.code == "repeat_unknown"), -(reason.amount or 0.0)))
    return found


def abstaining_reasons(lacks: Sequence[Lack], worth: float | None, currency: str) -> list[Reason]:
    """Return why a unit is Insufficient: what is the case, which data is missing, and what knowing is worth.

    Parameters
    ----------
    lacks
        What keeps the unit from a verdict.
    worth
        What it is worth to know its margin (store currency); None where nothing can be told of it.
    currency
        ISO 4217 code of the amounts.
    """
    texts = [f"{lack.text} Missing: {lack.missing}." for lack in lacks]
    if texts:
        texts[-1] += f" Knowing the margin is worth: {money(worth, currency)}."
    return [Reason(lack.code, None, text) for lack, text in zip(lacks, texts, strict=True)]


def held_reasons(
    unit: Unit, verdict: Verdict, settings: DecisionSettings, currency: str, *, is_cut: bool = False
) -> list[Reason]:
    """Return why a unit keeps the Scale or Kill it had before, then what speaks against it; else as `verdict_reasons`."""
    if verdict == "scale":
        leaves = (f"below {probability(settings.scale_leave_probability)}, "
                  f"or P(≥ rest) below {probability(settings.scale_leave_repeat_probability)}")  # fmt: skip
    else:
        leaves = (f"above {probability(settings.kill_leave_probability)}, "
                  f"or P(≥ rest) above {probability(settings.kill_leave_repeat_probability)}")  # fmt: skip
    repeat = unit.p_repeat(settings)
    repeats = "" if repeat is None else f", P(≥ rest) {probability(repeat)}"
    text = (f"It was {verdict.title()} before and stays so until P(> 0) is {leaves}: "
            f"{_margin(unit, currency)}{repeats}.")  # fmt: skip
    return [Reason("verdict_held", None, text), *verdict_reasons(unit, "fix", settings, currency, is_cut=is_cut)]


def _margin(unit: Unit, currency: str) -> str:
    low, high = unit.base["margin_low_amount"], unit.base["margin_high_amount"]
    chance = probability(unit.base["p_margin_positive"])
    return f"margin {money(unit.base['margin_amount'], currency)} ({money_range(low, high, currency)}), P(> 0) {chance}"


def _loss(unit: Unit) -> float:
    return max(0.0, -float(unit.base["expected_margin_amount"]))


def _repeats_well(unit: Unit) -> Reason:
    rest = unit.base["rest_repeat_rate"]
    if rest is None:
        return Reason("repeat_passes", None, "There is no rest of the store to hold its repeat rate against.")
    chance = probability(unit.base["p_repeat_above_rest"])
    repeat = rate(unit.base["estimated_repeat_rate"])
    return Reason(
        "repeat_good", None, f"{repeat} of its customers repeat, {rate(rest)} in the rest (P(≥ rest) {chance})."
    )


def _cost_lines(unit: Unit, currency: str) -> Iterator[Reason]:
    """Yield the cost lines that take more of the unit's revenue than of the rest's, by what that costs."""
    largest: tuple[float, str, str] | None = None
    for name, words, basis in _COST_LINES:
        revenue = unit.amount("net_revenue_amount")
        if basis == "costed_revenue_amount":
            revenue *= 1 - unit.amount("goods_unknown_rate")
        elif basis == "unrefunded_revenue_amount":
            revenue += unit.amount("refund_amount")
        cost, rest = unit.amount(f"{name}_amount"), unit.rest[basis]
        if revenue <= 0:
            continue
        share, of = cost / revenue, _OF.get(basis, "its net revenue")
        if largest is None or cost > largest[0]:
            largest = (cost, words, f"{rate(share)} of {of}")
        if rest <= 0:
            continue
        usual = unit.rest[f"{name}_amount"] / rest
        if share - usual > _NOTICEABLE:
            more = (share - usual) * revenue
            text = f"{words} {rate(share)} of {of}, {rate(usual)} in the rest: {money(more, currency)} more."
            yield Reason(f"{name}_high", more, text)
    if unit.rest["net_revenue_amount"] <= 0 and largest and largest[0] > 0:
        cost, words, told = largest
        yield Reason("largest_cost", cost, f"{words} most: {money(cost, currency)}, {told}.")


def _spend(unit: Unit, currency: str) -> Iterator[Reason]:
    spend, revenue = unit.amount("spend_amount"), unit.amount("net_revenue_amount")
    rest_spend, rest_revenue = unit.rest["paid_spend_amount"], unit.rest["paid_revenue_amount"]
    if spend <= 0 or rest_revenue <= 0 or rest_spend <= 0:
        return
    usual = rest_spend / rest_revenue
    more = spend - usual * revenue
    if more > _NOTICEABLE * spend:
        share = f"{rate(spend / revenue)} of its net revenue" if revenue > 0 else "all and brought no revenue"
        text = f"Spend takes {share}, {rate(usual)} in the rest that is paid for: {money(more, currency)} more."
        yield Reason("spend_high", more, text)


def _low_repeat(unit: Unit, settings: DecisionSettings, currency: str) -> Iterator[Reason]:
    chance = unit.p_repeat(settings)
    judged = unit.base["repeat_customers_count"]
    if chance is None:
        text = (f"Too few customers to tell its repeat rate: {count(judged)}, "
                f"{count(settings.minimum_repeat_customers)} are needed.")  # fmt: skip
        yield Reason("repeat_unknown", None, text)
        return
    repeat, rest = unit.base["estimated_repeat_rate"], unit.base["rest_repeat_rate"]
    if chance >= settings.repeat_probability or repeat is None or rest is None:
        return
    text = f"{rate(repeat)} of its customers repeat, {rate(rest)} in the rest (P(≥ rest) {probability(chance)})"
    orders = unit.amount("orders_count")
    per_order = (float(unit.base["margin_amount"]) + unit.amount("spend_amount")) / orders if orders else 0.0
    lost = max(0.0, rest - repeat) * unit.base["customers_count"] * per_order
    if lost > 0:
        yield Reason("repeat_low", lost, f"{text}: {money(lost, currency)} less.")
    else:
        yield Reason("repeat_low", None, f"{text}.")


def _funnel(unit: Unit, currency: str) -> Iterator[Reason]:
    lost, step = unit.amount("funnel_loss_amount"), unit.row.get("funnel_worst_step")
    if lost > 0 and step:
        at = str(step).replace("_", " ")
        text = f"Its visitors leave at {at} more often than the rest: {money(lost, currency)} lost."
        yield Reason("funnel_loss", lost, text)


def _uncertain(unit: Unit, settings: DecisionSettings, margin: str, currency: str, is_cut: bool) -> Iterator[Reason]:
    chance = unit.base["p_margin_positive"]
    if chance <= settings.kill_probability and not is_cut:
        text = f"It burns, though its customers repeat: {margin}. Mend its costs before it gets more."
        yield Reason("margin_negative", _loss(unit), text)
    elif chance < settings.scale_probability or is_cut:
        worth = unit.worth() or 0.0
        why = "Its margin is not certain yet"
        if is_cut:
            why = "Named together with the others it would make too many of them wrong"
        yield Reason("margin_uncertain", worth, f"{why}: {margin}; knowing it is worth {money(worth, currency)}.")
