"""Everything planted in a store, apart from size, seed and dates."""

from __future__ import annotations

from dataclasses import dataclass, field

from marginwise.demo import default_shop
from marginwise.demo.ingredients import (
    AnomalyPlan,
    CampaignPlan,
    CategoryPlan,
    CountryPlan,
    PairPlan,
    PartnerPlan,
    PaymentPlan,
    PersonaPlan,
    RefundPlan,
    RepeatPlan,
    UntaggedSpendPlan,
    WeatherPlan,
)

__all__ = ["StorePlan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePlan:
    """Everything planted, apart from size, seed and dates.

    Money is in ``currency``, rates are shares (0 to 1). ``foreign_rates`` gives, for each further currency, its mean
    value in reporting currency.

    Examples
    --------
    >>> plan = StorePlan()
    >>> round(sum(campaign.share for campaign in plan.campaigns), 9)
    1.0
    >>> plan.channels[:3]
    ('Paid Search', 'Paid Shopping', 'Paid Social')
    """

    campaigns: tuple[CampaignPlan, ...] = field(default_factory=default_shop.campaigns)
    categories: tuple[CategoryPlan, ...] = field(default_factory=default_shop.categories)
    countries: tuple[CountryPlan, ...] = field(default_factory=default_shop.countries)
    payments: tuple[PaymentPlan, ...] = field(default_factory=default_shop.payments)
    partners: tuple[PartnerPlan, ...] = field(default_factory=default_shop.partners)
    personas: tuple[PersonaPlan, ...] = field(default_factory=default_shop.personas)
    pairs: tuple[PairPlan, ...] = field(default_factory=default_shop.pairs)
    anomalies: tuple[AnomalyPlan, ...] = field(default_factory=default_shop.anomalies)
    untagged_spend: tuple[UntaggedSpendPlan, ...] = field(default_factory=default_shop.untagged_spend)
    weather: WeatherPlan = field(default_factory=WeatherPlan)
    repeat: RepeatPlan = field(default_factory=RepeatPlan)
    refunds: RefundPlan = field(default_factory=RefundPlan)
    currency: str = "EUR"
    foreign_rates: tuple[tuple[str, float], ...] = (("GBP", 1.16),)
    horizon_days: int = 90
    window_days: int = 365
    growth_per_year: float = 0.30
    season_strength: float = 0.15
    weekday_weights: tuple[float, ...] = (1.08, 1.02, 0.99, 0.96, 0.90, 0.95, 1.10)
    guest_rate: float = 0.03
    test_rate: float = 0.002
    void_rate: float = 0.005
    cancelled_rate: float = 0.025
    own_brand_rate: float = 0.35
    own_late_rate: float = 0.03
    promised_days: int = 4
    bulk_sigma: float = 0.55
    bulk_tail: float = 2.5
    repeat_coupon_rate: float = 0.08
    coupon_percents: tuple[int, ...] = (10, 10, 15)
    line_discount_rate: float = 0.08
    line_discount_percents: tuple[int, ...] = (5, 10, 20)
    free_rate: float = 0.02
    shipping_charges: tuple[tuple[float, float], ...] = ((0.0, 0.35), (4.9, 0.55), (9.9, 0.10))
    handling_per_order: float = 1.10
    handling_per_line: float = 0.25
    split_payment_rate: float = 0.08
    sessions_per_order: float = 10.0
    lost_session_rate: float = 0.03
    subscription_rate: float = 0.03
    review_rate: float = 0.12
    dirt_rate: float = 0.001
    late_rate: float = 0.02
    corrected_rate: float = 0.01

    @property
    def channels(self) -> tuple[str, ...]:
        """Channel names in the order of the campaigns."""
        return tuple(dict.fromkeys(campaign.channel for campaign in self.campaigns))
