"""What is planted in the demo store: every parameter the truth is computed from, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = [
    "CampaignPlan",
    "CategoryPlan",
    "CountryPlan",
    "PartnerPlan",
    "PaymentPlan",
    "RefundPlan",
    "RepeatPlan",
    "StorePlan",
    "VisitPlan",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitPlan:
    """How visits of one origin end that do not end in a purchase.

    Parameters
    ----------
    weight
        Visits without a purchase for each customer acquired, relative to the other origins.
    deepest_rates
        Share of these visits whose deepest step is: none, product view, add to cart, checkout. Adds up to 1.
    """

    weight: float = 1.0
    deepest_rates: tuple[float, float, float, float] = (0.42, 0.43, 0.10, 0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignPlan:
    """One origin of customers: a campaign, or a free channel as a whole.

    Parameters
    ----------
    channel
        Channel that the default channel rules give to ``source`` / ``medium`` / ``campaign``.
    campaign
        Campaign name, or None for a channel without campaigns.
    source, medium
        Tags of the visits; None where the traffic is untagged.
    share
        Share of all acquired customers.
    cost_per_customer
        Planned spend per acquired customer in reporting currency; 0 if free, None when the spend is in no file.
    repeat_rate
        Probability that a customer orders again within the plan's horizon.
    is_paid
        True when the visits cost money.
    is_declared
        True when the visits carry the channel themselves, because no rule would find it.
    has_visits
        Share of first orders that leave a visit at all.
    lines_per_order
        Mean number of order lines.
    coupon_rate
        Share of first orders with a coupon on the whole order.
    return_factor
        Factor on the return rate of what is bought.
    tilt
        Factors on the shares of categories.
    elasticity
        Customers grow with (spend ÷ planned spend) to this power.
    spend_noise
        Standard deviation of the log of the weekly spend around its plan.
    spend_currency
        Currency the spend is billed in.
    visits
        Visits that do not buy.
    """

    channel: str
    campaign: str | None
    source: str | None
    medium: str | None
    share: float
    cost_per_customer: float | None
    repeat_rate: float
    is_paid: bool = False
    is_declared: bool = False
    has_visits: float = 1.0
    lines_per_order: float = 1.9
    coupon_rate: float = 0.10
    return_factor: float = 1.0
    tilt: tuple[tuple[str, float], ...] = ()
    elasticity: float = 0.7
    spend_noise: float = 0.25
    spend_currency: str = "EUR"
    visits: VisitPlan = VisitPlan()

    @property
    def name(self) -> str:
        """The campaign, or the channel where there is none."""
        return self.campaign or self.channel


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryPlan:
    """One category: what is sold, at which price and margin, and how often it comes back.

    Parameters
    ----------
    name, subcategories
        Names.
    share
        Share of order lines.
    median_price
        Median list price in reporting currency, excluding tax.
    price_sigma
        Standard deviation of the log of list prices; the dearest twentieth follows a Pareto tail.
    margin_rate
        Share of the list price left after the cost of goods, on the first day.
    return_rate
        Probability that a line comes back, before the factors of partner and campaign.
    products
        Number of products.
    """

    name: str
    subcategories: tuple[str, ...]
    share: float
    median_price: float
    price_sigma: float
    margin_rate: float
    return_rate: float
    products: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryPlan:
    """One country shipped to; costs are in reporting currency, ``cities`` are (city, region)."""

    code: str
    share: float
    tax_percent: int
    shipping_cost: float
    shipping_cost_per_piece: float
    cities: tuple[tuple[str, str], ...]
    currency: str = "EUR"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentPlan:
    """One means of payment: its share of orders, fee in basis points of what is paid, and fixed fee."""

    method: str
    share: float
    fee_basis_points: int
    fee_fixed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerPlan:
    """One seller or brand: commission paid on its net sales, before and after it changed, and factor on returns."""

    name: str
    kind: str
    country: str
    commission_rate: float
    later_commission_rate: float
    return_factor: float
    free_factor: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatPlan:
    """How customers come back: a renewal process with dropout after every order.

    The first return happens with the probability that gives the campaign's repeat rate, each later one with
    ``continue_rate``. The days between two orders are lognormal, cut to ``shortest`` … ``longest``.
    """

    continue_rate: float = 0.55
    median_days: float = 34.0
    sigma: float = 0.75
    shortest: int = 2
    longest: int = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPlan:
    """What happens to a refunded line.

    ``kinds`` are (kind, share, handling cost in reporting currency, shortest and longest lag in days). A goodwill
    refund pays ``goodwill_rate`` of the line back and nothing returns. Otherwise one piece comes back for sure and each
    further one with ``piece_rate``; of what is returned, ``restock_rate`` goes back on the shelf (all of a
    cancellation, nothing of a chargeback, which also pays back the line's part of the shipping).
    ``orderless_rate`` of the goodwill refunds to customers name no order.
    """

    kinds: tuple[tuple[str, float, float, int, int], ...] = (
        ("return", 0.82, 3.20, 5, 32),
        ("cancellation", 0.08, 0.50, 0, 1),
        ("chargeback", 0.04, 15.00, 10, 45),
        ("goodwill", 0.06, 0.00, 3, 25),
    )
    piece_rate: float = 0.6
    restock_rate: float = 0.8
    goodwill_rate: float = 0.15
    orderless_rate: float = 0.5


def _paid(channel: str, campaign: str, source: str, medium: str, **more: object) -> CampaignPlan:
    return CampaignPlan(channel=channel, campaign=campaign, source=source, medium=medium, is_paid=True, **more)  # type: ignore[arg-type]


_WINDOW_SHOPPERS = VisitPlan(weight=1.6, deepest_rates=(0.55, 0.35, 0.07, 0.03))
_BANNER = VisitPlan(weight=5.0, deepest_rates=(0.72, 0.23, 0.035, 0.015))
_CLOSE_TO_BUYING = VisitPlan(weight=0.7, deepest_rates=(0.30, 0.45, 0.16, 0.09))
_FASHION = (("Fashion", 2.4), ("Shoes", 1.8), ("Electronics", 0.4))
_SERIOUS = (("Electronics", 1.4), ("Home & Living", 1.3), ("Fashion", 0.7))


def _campaigns() -> tuple[CampaignPlan, ...]:
    return (
        _paid("Paid Search", "search_brand", "google", "cpc", share=0.07, cost_per_customer=6.0, repeat_rate=0.44,
              tilt=_SERIOUS, visits=_CLOSE_TO_BUYING),
        _paid("Paid Search", "search_generic", "google", "cpc", share=0.12, cost_per_customer=11.0, repeat_rate=0.41,
              tilt=_SERIOUS),
        _paid("Paid Shopping", "shop_feed", "google", "cpc", share=0.09, cost_per_customer=9.5, repeat_rate=0.41,
              lines_per_order=2.0),
        _paid("Paid Shopping", "shop_bestsellers", "google", "cpc", share=0.06, cost_per_customer=8.0, repeat_rate=0.43,
              lines_per_order=2.1),
        _paid("Paid Social", "social_prospecting", "facebook", "paid-social", share=0.11, cost_per_customer=52.0,
              repeat_rate=0.09, coupon_rate=0.35, return_factor=1.5, tilt=_FASHION, visits=_WINDOW_SHOPPERS),
        _paid("Paid Social", "social_retargeting", "instagram", "cpc", share=0.06, cost_per_customer=54.0,
              repeat_rate=0.12, coupon_rate=0.30, return_factor=1.4, tilt=_FASHION, visits=_WINDOW_SHOPPERS),
        _paid("Display", "display_reach", "adnet", "display", share=0.016, cost_per_customer=290.0, repeat_rate=0.08,
              lines_per_order=1.5, spend_currency="GBP", elasticity=0.5, visits=_BANNER),
        _paid("Display", "display_retargeting", "adnet", "banner", share=0.009, cost_per_customer=420.0,
              repeat_rate=0.10, lines_per_order=1.5, spend_currency="GBP", elasticity=0.5, visits=_BANNER),
        _paid("Affiliates", "aff_coupons", "couponclub", "affiliate", share=0.065, cost_per_customer=6.0,
              repeat_rate=0.10, coupon_rate=0.70, visits=_CLOSE_TO_BUYING),
        _paid("Affiliates", "aff_reviews", "testpages", "affiliate", share=0.045, cost_per_customer=6.5,
              repeat_rate=0.13, coupon_rate=0.25),
        _paid("Influencer", "creator_spring", "creatorhub", "influencer", share=0.05, cost_per_customer=None,
              repeat_rate=0.22, is_declared=True, coupon_rate=0.5, tilt=(("Beauty", 3.0),), visits=_WINDOW_SHOPPERS),
        CampaignPlan(channel="Email", campaign="newsletter_weekly", source="newsletter", medium="email", share=0.045,
                     cost_per_customer=0.0, repeat_rate=0.54, visits=_CLOSE_TO_BUYING),
        CampaignPlan(channel="Email", campaign="welcome_series", source="newsletter", medium="email", share=0.030,
                     cost_per_customer=0.0, repeat_rate=0.50, coupon_rate=0.3, visits=_CLOSE_TO_BUYING),
        CampaignPlan(channel="Organic Search", campaign=None, source="google", medium="organic", share=0.13,
                     cost_per_customer=0.0, repeat_rate=0.41),
        CampaignPlan(channel="Direct", campaign=None, source="(direct)", medium="(none)", share=0.07,
                     cost_per_customer=0.0, repeat_rate=0.42),
        CampaignPlan(channel="Unassigned", campaign=None, source=None, medium=None, share=0.03,
                     cost_per_customer=0.0, repeat_rate=0.27, has_visits=0.5, visits=VisitPlan(weight=2.5)),
    )  # fmt: skip


def _categories() -> tuple[CategoryPlan, ...]:
    return (
        CategoryPlan(name="Fashion", subcategories=("Women", "Men", "Kids"), share=0.20, median_price=34.0,
                     price_sigma=0.5, margin_rate=0.55, return_rate=0.20),
        CategoryPlan(name="Shoes", subcategories=("Sneakers", "Boots", "Sandals"), share=0.10, median_price=52.0,
                     price_sigma=0.4, margin_rate=0.50, return_rate=0.18),
        CategoryPlan(name="Beauty", subcategories=("Skin", "Hair", "Fragrance"), share=0.17, median_price=16.0,
                     price_sigma=0.6, margin_rate=0.62, return_rate=0.03),
        CategoryPlan(name="Home & Living", subcategories=("Kitchen", "Textiles", "Decor"), share=0.18,
                     median_price=24.0, price_sigma=0.7, margin_rate=0.52, return_rate=0.06),
        CategoryPlan(name="Electronics", subcategories=("Audio", "Smart home", "Accessories"), share=0.10,
                     median_price=48.0, price_sigma=0.8, margin_rate=0.30, return_rate=0.08),
        CategoryPlan(name="Outdoor", subcategories=("Camping", "Cycling", "Garden"), share=0.09, median_price=38.0,
                     price_sigma=0.7, margin_rate=0.46, return_rate=0.08),
        CategoryPlan(name="Toys", subcategories=("Building", "Games", "Outdoor play"), share=0.08, median_price=21.0,
                     price_sigma=0.5, margin_rate=0.45, return_rate=0.04),
        CategoryPlan(name="Grocery", subcategories=("Coffee", "Snacks", "Tea"), share=0.08, median_price=11.0,
                     price_sigma=0.4, margin_rate=0.40, return_rate=0.01),
    )  # fmt: skip


def _countries() -> tuple[CountryPlan, ...]:
    def country(
        code: str, share: float, tax: int, cost: float, *cities: tuple[str, str], currency: str = "EUR"
    ) -> CountryPlan:
        return CountryPlan(code=code, share=share, tax_percent=tax, shipping_cost=cost, shipping_cost_per_piece=0.15,
                           cities=cities, currency=currency)  # fmt: skip

    return (
        country(
            "DE", 0.56, 19, 3.10, ("Berlin", "Berlin"), ("Hamburg", "Hamburg"), ("München", "Bayern"), ("Köln", "NRW")
        ),
        country("AT", 0.10, 20, 4.60, ("Wien", "Wien"), ("Graz", "Steiermark")),
        country("FR", 0.12, 20, 5.40, ("Paris", "Île-de-France"), ("Lyon", "Auvergne-Rhône-Alpes")),
        country("NL", 0.09, 21, 4.20, ("Amsterdam", "Noord-Holland"), ("Utrecht", "Utrecht")),
        country("ES", 0.07, 21, 6.30, ("Madrid", "Madrid"), ("València", "Comunitat Valenciana")),
        country("GB", 0.06, 20, 7.20, ("London", "Greater London"), ("Leeds", "West Yorkshire"), currency="GBP"),
    )


def _payments() -> tuple[PaymentPlan, ...]:
    return (
        PaymentPlan(method="card", share=0.44, fee_basis_points=140, fee_fixed=0.25),
        PaymentPlan(method="wallet", share=0.30, fee_basis_points=249, fee_fixed=0.35),
        PaymentPlan(method="invoice", share=0.16, fee_basis_points=290, fee_fixed=0.40),
        PaymentPlan(method="bank_transfer", share=0.10, fee_basis_points=0, fee_fixed=0.20),
    )


def _partners() -> tuple[PartnerPlan, ...]:
    def partner(
        name: str, kind: str, country: str, rate: float, later: float, returns: float, free: float = 1.0
    ) -> PartnerPlan:
        return PartnerPlan(name=name, kind=kind, country=country, commission_rate=rate, later_commission_rate=later,
                           return_factor=returns, free_factor=free)  # fmt: skip

    return (
        partner("Nordlicht", "brand", "DE", 0.03, 0.03, 0.8),
        partner("Haus Linde", "brand", "DE", 0.04, 0.04, 0.9),
        partner("Maison Vert", "brand", "FR", 0.05, 0.06, 1.0),
        partner("Ostwind", "brand", "AT", 0.03, 0.03, 1.1, 3.0),
        partner("Pico", "brand", "ES", 0.04, 0.04, 1.0),
        partner("Kanaal", "brand", "NL", 0.04, 0.05, 0.9),
        partner("Seller Alpha", "seller", "DE", 0.09, 0.10, 1.0),
        partner("Seller Brook", "seller", "GB", 0.10, 0.10, 2.2),
        partner("Seller Cava", "seller", "ES", 0.08, 0.12, 1.3),
        partner("Seller Dune", "seller", "NL", 0.09, 0.09, 0.7, 4.0),
    )


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

    campaigns: tuple[CampaignPlan, ...] = field(default_factory=_campaigns)
    categories: tuple[CategoryPlan, ...] = field(default_factory=_categories)
    countries: tuple[CountryPlan, ...] = field(default_factory=_countries)
    payments: tuple[PaymentPlan, ...] = field(default_factory=_payments)
    partners: tuple[PartnerPlan, ...] = field(default_factory=_partners)
    repeat: RepeatPlan = RepeatPlan()
    refunds: RefundPlan = RefundPlan()
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

    @property
    def channels(self) -> tuple[str, ...]:
        """Channel names in the order of the campaigns."""
        return tuple(dict.fromkeys(campaign.channel for campaign in self.campaigns))
