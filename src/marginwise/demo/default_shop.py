"""The default demo store: its campaigns, personas, assortment, countries, partners and what happened to it."""

from __future__ import annotations

from marginwise.demo.ingredients import (
    AnomalyPlan,
    CampaignPlan,
    CategoryPlan,
    CountryPlan,
    PairPlan,
    PartnerPlan,
    PaymentPlan,
    PersonaPlan,
    UntaggedSpendPlan,
    VisitPlan,
)

__all__ = [
    "anomalies",
    "campaigns",
    "categories",
    "countries",
    "pairs",
    "partners",
    "payments",
    "personas",
    "untagged_spend",
]


def _paid(channel: str, campaign: str, source: str, medium: str, **more: object) -> CampaignPlan:
    return CampaignPlan(channel=channel, campaign=campaign, source=source, medium=medium, is_paid=True, **more)  # type: ignore[arg-type]


_WINDOW_SHOPPERS = VisitPlan(weight=1.6, deepest_rates=(0.55, 0.35, 0.07, 0.03))
_BANNER = VisitPlan(weight=5.0, deepest_rates=(0.72, 0.23, 0.035, 0.015))
_CLOSE_TO_BUYING = VisitPlan(weight=0.7, deepest_rates=(0.30, 0.45, 0.16, 0.09))
_FASHION = (("Fashion", 2.4), ("Shoes", 1.8), ("Electronics", 0.4))
_FOR_GIFTS = (("gift buyer", 1.6), ("loyalist", 0.5))
_SERIOUS = (("Electronics", 1.4), ("Home & Living", 1.3), ("Fashion", 0.7))


def campaigns() -> tuple[CampaignPlan, ...]:
    """Return where customers come from, and at which cost."""
    return (
        _paid("Paid Search", "search_brand", "google", "cpc", share=0.07, cost_per_customer=6.0, repeat_rate=0.44,
              tilt=_SERIOUS, visits=_CLOSE_TO_BUYING, elasticity=0.45),
        _paid("Paid Search", "search_generic", "google", "cpc", share=0.12, cost_per_customer=11.0, repeat_rate=0.41,
              tilt=_SERIOUS, personas=(("bulk buyer", 1.5),), elasticity=0.75),
        _paid("Paid Shopping", "shop_feed", "google", "cpc", share=0.09, cost_per_customer=9.5, repeat_rate=0.41,
              lines_per_order=2.0),
        _paid("Paid Shopping", "shop_bestsellers", "google", "cpc", share=0.06, cost_per_customer=8.0, repeat_rate=0.43,
              lines_per_order=2.1),
        _paid("Paid Social", "social_prospecting", "facebook", "paid-social", share=0.11, cost_per_customer=52.0,
              repeat_rate=0.09, coupon_rate=0.35, return_factor=1.5, tilt=_FASHION, visits=_WINDOW_SHOPPERS,
              personas=_FOR_GIFTS),
        _paid("Paid Social", "social_retargeting", "instagram", "cpc", share=0.06, cost_per_customer=54.0,
              repeat_rate=0.12, coupon_rate=0.30, return_factor=1.4, tilt=_FASHION, visits=_WINDOW_SHOPPERS,
              personas=_FOR_GIFTS, elasticity=0.55),
        _paid("Display", "display_reach", "adnet", "display", share=0.016, cost_per_customer=290.0, repeat_rate=0.08,
              lines_per_order=1.5, spend_currency="GBP", elasticity=0.5, visits=_BANNER),
        _paid("Display", "display_retargeting", "adnet", "banner", share=0.009, cost_per_customer=420.0,
              repeat_rate=0.10, lines_per_order=1.5, spend_currency="GBP", elasticity=0.5, visits=_BANNER),
        _paid("Affiliates", "aff_coupons", "couponclub", "affiliate", share=0.065, cost_per_customer=4.5,
              repeat_rate=0.10, coupon_rate=0.30, visits=_CLOSE_TO_BUYING,
              personas=(("bargain hunter", 4.0), ("loyalist", 0.3))),
        _paid("Affiliates", "aff_reviews", "testpages", "affiliate", share=0.045, cost_per_customer=5.5,
              repeat_rate=0.13, coupon_rate=0.25),
        _paid("Influencer", "creator_spring", "creatorhub", "influencer", share=0.05, cost_per_customer=None,
              repeat_rate=0.22, is_declared=True, coupon_rate=0.5, tilt=(("Beauty", 3.0),), visits=_WINDOW_SHOPPERS,
              personas=(("free-goods buyer", 3.0),)),
        CampaignPlan(channel="Email", campaign="newsletter_weekly", source="newsletter", medium="email", share=0.045,
                     cost_per_customer=0.0, repeat_rate=0.54, visits=_CLOSE_TO_BUYING, personas=(("loyalist", 1.8),)),
        CampaignPlan(channel="Email", campaign="welcome_series", source="newsletter", medium="email", share=0.030,
                     cost_per_customer=0.0, repeat_rate=0.50, coupon_rate=0.3, visits=_CLOSE_TO_BUYING),
        CampaignPlan(channel="Organic Search", campaign=None, source="google", medium="organic", share=0.13,
                     cost_per_customer=0.0, repeat_rate=0.41),
        CampaignPlan(channel="Direct", campaign=None, source="(direct)", medium="(none)", share=0.07,
                     cost_per_customer=0.0, repeat_rate=0.42),
        CampaignPlan(channel="Unassigned", campaign=None, source=None, medium=None, share=0.03,
                     cost_per_customer=0.0, repeat_rate=0.27, has_visits=0.5, visits=VisitPlan(weight=2.5)),
    )  # fmt: skip


def categories() -> tuple[CategoryPlan, ...]:
    """Return what is sold."""
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


def countries() -> tuple[CountryPlan, ...]:
    """Return where it is shipped to."""

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


def payments() -> tuple[PaymentPlan, ...]:
    """Return how it is paid."""
    return (
        PaymentPlan(method="card", share=0.44, fee_basis_points=140, fee_fixed=0.25),
        PaymentPlan(method="wallet", share=0.30, fee_basis_points=249, fee_fixed=0.35),
        PaymentPlan(method="invoice", share=0.16, fee_basis_points=290, fee_fixed=0.40),
        PaymentPlan(method="bank_transfer", share=0.10, fee_basis_points=0, fee_fixed=0.20),
    )


def partners() -> tuple[PartnerPlan, ...]:
    """Return whose goods are sold."""

    def partner(
        name: str, kind: str, country: str, rate: float, later: float, returns: float, late: float, free: float = 1.0
    ) -> PartnerPlan:
        return PartnerPlan(name=name, kind=kind, country=country, commission_rate=rate, later_commission_rate=later,
                           return_factor=returns, late_rate=late, free_factor=free)  # fmt: skip

    return (
        partner("Nordlicht", "brand", "DE", 0.03, 0.03, 0.8, 0.02),
        partner("Haus Linde", "brand", "DE", 0.04, 0.04, 0.9, 0.03),
        partner("Maison Vert", "brand", "FR", 0.05, 0.06, 1.0, 0.06),
        partner("Ostwind", "brand", "AT", 0.03, 0.03, 1.1, 0.04, 3.0),
        partner("Pico", "brand", "ES", 0.04, 0.04, 1.0, 0.09),
        partner("Kanaal", "brand", "NL", 0.04, 0.05, 0.9, 0.03),
        partner("Seller Alpha", "seller", "DE", 0.09, 0.10, 1.0, 0.05),
        partner("Seller Brook", "seller", "GB", 0.10, 0.10, 2.2, 0.24),
        partner("Seller Cava", "seller", "ES", 0.08, 0.12, 1.3, 0.15),
        partner("Seller Dune", "seller", "NL", 0.09, 0.09, 0.7, 0.02, 4.0),
    )


def personas() -> tuple[PersonaPlan, ...]:
    """Return the kinds of customers."""
    return (
        PersonaPlan(name="regular", share=0.47),
        PersonaPlan(name="loyalist", share=0.15, repeat_factor=1.5, continue_rate=0.78, median_days=26.0,
                    coupon_factor=0.6, return_factor=0.7),
        PersonaPlan(name="bargain hunter", share=0.16, repeat_factor=0.8, continue_rate=0.45, median_days=45.0,
                    size_factor=0.95, coupon_factor=3.0, return_factor=1.1),
        PersonaPlan(name="gift buyer", share=0.12, repeat_factor=0.3, continue_rate=0.35, median_days=80.0,
                    size_factor=1.1, return_factor=0.8, tilt=(("Toys", 2.5), ("Beauty", 1.8), ("Grocery", 0.3))),
        PersonaPlan(name="bulk buyer", share=0.05, repeat_factor=1.2, continue_rate=0.65, median_days=40.0,
                    size_factor=3.0, coupon_factor=0.4, return_factor=0.3,
                    tilt=(("Grocery", 3.0), ("Home & Living", 1.5), ("Fashion", 0.2))),
        PersonaPlan(name="free-goods buyer", share=0.05, repeat_factor=0.9, continue_rate=0.5, free_rate=1.0,
                    tilt=(("Beauty", 2.0),)),
    )  # fmt: skip


def pairs() -> tuple[PairPlan, ...]:
    """Return what is bought together."""
    return (
        PairPlan(first=("Electronics", 0), second=("Electronics", 3), attach_rate=0.40),
        PairPlan(first=("Beauty", 0), second=("Beauty", 1), attach_rate=0.30),
        PairPlan(first=("Grocery", 0), second=("Home & Living", 2), attach_rate=0.25),
        PairPlan(first=("Shoes", 1), second=("Fashion", 4), attach_rate=0.20),
        PairPlan(first=("Toys", 0), second=("Toys", 2), attach_rate=0.35),
        PairPlan(first=("Outdoor", 0), second=("Outdoor", 5), attach_rate=0.30),
    )


def anomalies() -> tuple[AnomalyPlan, ...]:
    """Return what happened on named days."""
    return (
        AnomalyPlan(kind="demand_spike", days_before_end=150, strength=6.0, scope=("Direct", "Organic Search")),
        AnomalyPlan(kind="tracking_outage", days_before_end=121),
        AnomalyPlan(kind="refund_wave", days_before_end=80, days=21, strength=0.5, scope=("Electronics",)),
        AnomalyPlan(kind="fee_spike", days_before_end=40, days=2, strength=5.0),
    )


def untagged_spend() -> tuple[UntaggedSpendPlan, ...]:
    """Return spend that no campaign owns."""
    return (
        UntaggedSpendPlan(channel="Paid Search", campaign="(none)", share=0.010),
        UntaggedSpendPlan(channel="(unknown)", campaign="(none)", share=0.005),
        UntaggedSpendPlan(channel="Podcast", campaign="(none)", share=0.090),
    )
