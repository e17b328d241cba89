"""Every knob of a demo store: what can be turned, by how much, and the plan that comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from marginwise.demo.plan import StorePlan
from marginwise.errors import BadSettings

if TYPE_CHECKING:
    from marginwise.demo.ingredients import CampaignPlan, PersonaPlan

__all__ = ["Knobs"]

LAST_DAY = date(2025, 12, 31)
_SIZE, _CUSTOMERS, _SPEND, _ORDERS, _DAYS, _QUALITY = (
    "Size", "Customers", "Spend and response", "Baskets, returns and partners", "Days", "Data quality"
)  # fmt: skip
_SMALL, _MIDDLE = 200_000, 1_000_000
_VISITS_OF_A_SMALL_STORE, _VISITS_OF_A_MIDDLE_STORE = 10.0, 2.0


def _knob(default: Any, panel: str, text: str, low: float | None = None, high: float | None = None) -> Any:
    return field(default=default, metadata={"panel": panel, "text": text, "low": low, "high": high})


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """What a user can turn. Rates and shares are 0 to 1, factors multiply what the default store has.

    Each field's metadata says its group (``panel``), what it does (``text``) and its bounds (``low``, ``high``).

    Raises
    ------
    BadSettings
        When a value is out of bounds.

    Examples
    --------
    >>> Knobs(orders=500).visits
    10.0
    >>> Knobs(orders=10_000_000).visits
    0.0
    """

    orders: int = _knob(6000, _SIZE, "Expected orders; the number drawn varies around it.", 50, 200_000_000)
    days: int = _knob(730, _SIZE, "Days the store has been open.", 200, 7_300)
    last_day: date = field(
        default=LAST_DAY, metadata={"panel": _SIZE, "text": "Last day of the store.", "low": None, "high": None}
    )
    seed: int = _knob(7, _SIZE, "Equal seeds and knobs give equal stores.", 0)
    format: Literal["csv", "parquet"] = _knob("csv", _SIZE, "Format of the files.")
    store_id: str = _knob("main", _SIZE, "Written to every row.")
    visits_per_order: float | None = _knob(
        None, _SIZE, "Visits per order, those that buy included: at least about 1.4, or 0 for none, where orders state "
        "their channel. By default 10; 2 from 200,000 orders on; none from 1,000,000 on.", 0, 1_000)  # fmt: skip

    repeat_factor: float = _knob(1.0, _CUSTOMERS, "Factor on every campaign's repeat rate.", 0, 2)
    dropout_factor: float = _knob(1.0, _CUSTOMERS, "Factor on the probability to leave after a later order.", 0, 2)
    unassigned_share: float = _knob(0.03, _CUSTOMERS, "Share of customers whose origin no visit tells.", 0, 0.9)
    free_goods_share: float = _knob(0.05, _CUSTOMERS, "Share of customers who buy only with free pieces.", 0, 0.9)
    guest_share: float = _knob(0.03, _CUSTOMERS, "Share of orders without a customer.", 0, 0.9)

    spend_factor: float = _knob(1.0, _SPEND, "Factor on the planned spend per customer.", 0, 100)
    spend_noise: float = _knob(0.35, _SPEND, "How much the weekly spend varies (standard deviation of its log).", 0, 2)
    elasticity_factor: float = _knob(1.0, _SPEND, "Factor on the exponents of the response to spend.", 0, 1.3)
    untagged_spend_share: float = _knob(0.105, _SPEND, "Spend that no campaign owns, as a share of the rest.", 0, 5)

    heavy_tail: float = _knob(2.5, _ORDERS, "Pareto exponent of pieces bought; the smaller, the heavier.", 1.1, 20)
    coupon_factor: float = _knob(1.0, _ORDERS, "Factor on coupon rates.", 0, 10)
    free_rate: float = _knob(0.02, _ORDERS, "Share of other customers' lines with a free piece.", 0, 0.5)
    pair_factor: float = _knob(1.0, _ORDERS, "Factor on how often a product brings its pair along.", 0, 2.5)
    return_factor: float = _knob(1.0, _ORDERS, "Factor on return rates.", 0, 10)
    lateness_factor: float = _knob(1.0, _ORDERS, "Factor on the partners' late deliveries.", 0, 4)
    cancelled_share: float = _knob(0.025, _ORDERS, "Cancelled orders for each sale.", 0, 0.9)

    growth: float = _knob(0.30, _DAYS, "Growth of demand per year.", -0.9, 10)
    season_strength: float = _knob(0.15, _DAYS, "How far the year's high lies above its mean.", 0, 0.9)
    weather_effect: float = _knob(
        1.0, _DAYS, "Factor on what weather does to demand; negative turns it round.", -10, 10
    )
    anomalies: bool = _knob(True, _DAYS, "Demand spike, tracking outage, refund wave and fee spike on named days.")

    dirt_rate: float = _knob(
        0.001, _QUALITY, "Bad rows as a share of all, 1 to 1,000 of each kind; 0 for none.", 0, 0.2
    )
    lost_visit_share: float = _knob(0.03, _QUALITY, "Orders that do not name their visit.", 0, 1)
    test_share: float = _knob(0.002, _QUALITY, "Test orders for each sale.", 0, 0.5)
    void_share: float = _knob(0.005, _QUALITY, "Void orders for each sale.", 0, 0.5)
    drops: int = _knob(
        0, _QUALITY, "Later daily files with late and corrected rows, in drops/, one folder a day.", 0, 365
    )
    late_rate: float = _knob(0.02, _QUALITY, "Share of the last 30 days' orders that come in a drop.", 0, 0.9)
    corrected_rate: float = _knob(0.01, _QUALITY, "Share of orders, lines and spend that a drop corrects.", 0, 0.9)

    def __post_init__(self) -> None:
        for item in fields(self):
            value, low, high = getattr(self, item.name), item.metadata["low"], item.metadata["high"]
            if value is None or isinstance(value, bool | str | date):
                continue
            if (low is not None and not value >= low) or (high is not None and not value <= high):
                bounds = f"at least {low:,}" if high is None else f"{low:,} to {high:,}"
                raise BadSettings(f"A demo store cannot have {item.name} = {value}.", accepted=bounds)

    @property
    def visits(self) -> float:
        """Visits per order, chosen by size where none are asked for."""
        if self.visits_per_order is not None:
            return self.visits_per_order
        if self.orders < _SMALL:
            return _VISITS_OF_A_SMALL_STORE
        return _VISITS_OF_A_MIDDLE_STORE if self.orders < _MIDDLE else 0.0

    def plan(self) -> StorePlan:
        """Return the default plan, turned as the knobs say.

        >>> round(sum(campaign.share for campaign in Knobs(unassigned_share=0.2).plan().campaigns), 9)
        1.0
        """
        plan = StorePlan()
        untagged = round(sum(item.share for item in plan.untagged_spend), 12)
        return replace(
            plan,
            campaigns=tuple(self._campaign(campaign, plan) for campaign in plan.campaigns),
            personas=tuple(self._persona(persona, plan) for persona in plan.personas),
            untagged_spend=tuple(
                replace(item, share=item.share * (self.untagged_spend_share / untagged)) for item in plan.untagged_spend
            ),
            categories=tuple(
                replace(item, return_rate=min(item.return_rate * self.return_factor, 0.6)) for item in plan.categories
            ),
            pairs=tuple(
                replace(pair, attach_rate=min(pair.attach_rate * self.pair_factor, 1.0)) for pair in plan.pairs
            ),
            partners=tuple(
                replace(item, late_rate=min(item.late_rate * self.lateness_factor, 1.0)) for item in plan.partners
            ),
            own_late_rate=min(plan.own_late_rate * self.lateness_factor, 1.0),
            weather=replace(
                plan.weather,
                per_degree=plan.weather.per_degree * self.weather_effect,
                per_millimetre=plan.weather.per_millimetre * self.weather_effect,
            ),
            anomalies=plan.anomalies if self.anomalies else (),
            growth_per_year=self.growth,
            season_strength=self.season_strength,
            guest_rate=self.guest_share,
            test_rate=self.test_share,
            void_rate=self.void_share,
            cancelled_rate=self.cancelled_share,
            bulk_tail=self.heavy_tail,
            repeat_coupon_rate=min(plan.repeat_coupon_rate * self.coupon_factor, 0.95),
            free_rate=self.free_rate,
            sessions_per_order=self.visits,
            lost_session_rate=self.lost_visit_share,
            dirt_rate=self.dirt_rate,
            late_rate=self.late_rate,
            corrected_rate=self.corrected_rate,
        )

    def _campaign(self, campaign: CampaignPlan, plan: StorePlan) -> CampaignPlan:
        unassigned = sum(c.share for c in plan.campaigns if c.source is None)
        cost = campaign.cost_per_customer
        lost = campaign.source is None
        factor = self.unassigned_share / unassigned if lost else (1 - self.unassigned_share) / (1 - unassigned)
        return replace(
            campaign,
            share=campaign.share * factor,
            cost_per_customer=cost if cost is None else cost * self.spend_factor,
            repeat_rate=min(campaign.repeat_rate * self.repeat_factor, 0.9),
            coupon_rate=min(campaign.coupon_rate * self.coupon_factor, 0.95),
            elasticity=campaign.elasticity * self.elasticity_factor,
            spend_noise=self.spend_noise,
        )

    def _persona(self, persona: PersonaPlan, plan: StorePlan) -> PersonaPlan:
        dependent = sum(p.share for p in plan.personas if p.free_rate == 1.0)
        depends = persona.free_rate == 1.0
        factor = self.free_goods_share / dependent if depends else (1 - self.free_goods_share) / (1 - dependent)
        leave = (1 - persona.continue_rate) * self.dropout_factor
        return replace(persona, share=persona.share * factor, continue_rate=max(0.0, round(1 - leave, 12)))
