"""What a demo store is planned with: origins, goods, people, partners and events, each as frozen values."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "AnomalyPlan",
    "CampaignPlan",
    "CategoryPlan",
    "CountryPlan",
    "PairPlan",
    "PartnerPlan",
    "PaymentPlan",
    "PersonaPlan",
    "RefundPlan",
    "RepeatPlan",
    "UntaggedSpendPlan",
    "VisitPlan",
    "WeatherPlan",
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
    personas
        Factors on the shares of personas.
    elasticity
        Customers grow with (spend ÷ planned spend) to this power.
    spend_noise
        Standard deviation of the log of the weekly spend around its plan; it draws the response curve.
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
    personas: tuple[tuple[str, float], ...] = ()
    elasticity: float = 0.7
    spend_noise: float = 0.35
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
    """One seller or brand: what it costs and how good it is.

    Parameters
    ----------
    name, kind, country
        Who it is; kind is "brand" or "seller".
    commission_rate, later_commission_rate
        Share of its net sales paid, in the first and in the second half of the store's days.
    return_factor
        Factor on the return rate of its products.
    late_rate
        Probability that a line arrives after the day promised.
    free_factor
        Factor on the probability that a line carries a free piece.
    """

    name: str
    kind: str
    country: str
    commission_rate: float
    later_commission_rate: float
    return_factor: float
    late_rate: float = 0.04
    free_factor: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatPlan:
    """How customers come back: a renewal process with dropout after every order.

    The first return happens with the probability that gives the campaign's repeat rate, each later one with the
    persona's ``continue_rate``. The days between two orders are lognormal around the persona's ``median_days``, cut to
    ``shortest`` … ``longest``.
    """

    sigma: float = 0.75
    shortest: int = 2
    longest: int = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaPlan:
    """One kind of customer. A customer has one persona for good.

    Parameters
    ----------
    name
        Name.
    share
        Share of customers, before the campaign's factor.
    repeat_factor
        Repeat rate against that of the campaign's other personas; the campaign's own rate stays what it is.
    continue_rate
        Probability to order again after the second and every later order; else the customer has dropped out.
    median_days
        Median days between two orders.
    size_factor
        Factor on the pieces of a line.
    coupon_factor, return_factor
        Factors on the coupon rate and on the return rate.
    tilt
        Factors on the shares of categories.
    free_rate
        Share of lines with a free piece; that of the products when None. 1.0: buys only where something is free.
    """

    name: str
    share: float
    repeat_factor: float = 1.0
    continue_rate: float = 0.55
    median_days: float = 34.0
    size_factor: float = 1.0
    coupon_factor: float = 1.0
    return_factor: float = 1.0
    tilt: tuple[tuple[str, float], ...] = ()
    free_rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PairPlan:
    """Two products bought together: a line of the first brings a line of the second with ``attach_rate``.

    Products are named by category and popularity: rank 0 is the most popular of its category.
    """

    first: tuple[str, int]
    second: tuple[str, int]
    attach_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WeatherPlan:
    """How the day's weather moves first orders and guests' orders, as changes of the log of demand.

    Parameters
    ----------
    per_degree
        For each degree above what the day of the year brings, averaged over customers' cities.
    per_millimetre
        For each millimetre of rain, averaged over customers' cities.
    """

    per_degree: float = -0.012
    per_millimetre: float = 0.020


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyPlan:
    """Something that happened on named days.

    Parameters
    ----------
    kind
        demand_spike: first orders × ``strength`` in the channels of ``scope``. tracking_outage: no visit is recorded.
        refund_wave: lines of the categories in ``scope`` ordered in the ``days`` before come back with probability
        ``strength``, all on the named day. fee_spike: payment fees × ``strength``.
    days_before_end
        Days from the (first) named day to the last day of the store.
    days
        Number of days; for a refund wave, days of orders called back.
    strength, scope
        See ``kind``.
    """

    kind: str
    days_before_end: int
    days: int = 1
    strength: float = 1.0
    scope: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UntaggedSpendPlan:
    """Spend that no campaign owns: ``share`` of the spend of all campaigns, stated under these names."""

    channel: str
    campaign: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPlan:
    """What happens to a refunded line.

    ``kinds`` are (kind, share, handling cost in reporting currency, shortest and longest lag in days). A goodwill
    refund pays ``goodwill_rate`` of the line back and nothing returns. Otherwise one piece comes back for sure and each
    further one with ``piece_rate``; of what is returned, ``restock_rate`` goes back on the shelf (all of a
    cancellation, nothing of a chargeback; that of an order's first line also pays back the shipping charged).
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
