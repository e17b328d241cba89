"""A store as the memo sees it, with every case the memo must be able to tell."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from marginwise.decisions.memo import MemoFacts


def unit(name: str, verdict: str | None, label: str, **known: Any) -> dict[str, Any]:
    """Return one row of decisions.verdicts; whatever is not given is not there."""
    return {
        "store_id": "main",
        "unit_kind": "channel",
        "unit_id": name.lower(),
        "unit_name": name,
        "verdict": verdict,
        "label": label,
        **known,
    }


def judged(
    name: str, verdict: str | None, label: str, revenue: int, margin: tuple[int, int, int], **known: Any
) -> dict[str, Any]:
    amount, low, high = margin
    customers = max(revenue // 140, 1)
    given = {
        "net_revenue_amount": Decimal(revenue),
        "revenue_share_rate": revenue / 1_943_000,
        "mature_customers_count": customers,
        "repeat_rate": 0.315,
        "estimated_repeat_rate": 0.312,
        "repeat_low_rate": 0.298,
        "repeat_high_rate": 0.326,
        "rest_repeat_rate": 0.281,
        "p_repeat_above_rest": 0.97,
        "margin_amount": float(amount),
        "margin_low_amount": float(low),
        "margin_high_amount": float(high),
        "margin_per_customer_amount": amount / customers,
        "margin_per_customer_low_amount": low / customers,
        "margin_per_customer_high_amount": high / customers,
        "p_margin_positive": 0.998 if low > 0 else 0.61,
        "funnel_loss_rate": 0.952,
        "funnel_worst_step": "add_to_cart",
        "funnel_loss_amount": 18_240.0,
        "known_cost_rate": 0.91,
        "assumed_cost_rate": 0.07,
        "unknown_cost_rate": 0.02,
        "refund_rate": 0.061,
        "is_paid": True,
        "lever": "budget",
        "has_spend": True,
        "is_spend_assumed": False,
        "spend_amount": revenue * 0.2,
        "roas": 5.0,
        "basis": "known",
        "is_judged": True,
        "evidence_grade": "one model only",
        "unattributed_given_verdict": verdict,
        "unknown_costs_free_verdict": verdict,
    }
    return unit(name, verdict, label, **{**given, **known})


CHANNELS = [
    judged(
        "Paid Search",
        "scale",
        "Scale (test)",
        612_400,
        (148_300, 121_900, 175_100),
        reasons=[
            "It earns: margin €148,300 (121,900 to 175,100), P(> 0) >99%.",
            "31.2% of its customers repeat, 28.1% in the rest (P(≥ rest) 97%).",
        ],
        action="Raise its budget in a test, against a holdout.",
    ),
    judged(
        "Email",
        "scale",
        "Scale (test)",
        214_800,
        (96_200, 88_400, 104_100),
        spend_amount=3_100,
        roas=69.3,
        reasons=["Margin is positive with probability >99%."],
    ),
    judged(
        "Organic Search",
        "scale",
        "Scale (effort)",
        402_100,
        (131_700, 119_800, 143_900),
        is_paid=False,
        lever="effort",
        has_spend=False,
        spend_amount=0,
        roas=None,
        reasons=["Margin is positive; there is no budget to raise."],
    ),
    judged(
        "Paid Social",
        "fix",
        "Fix (assumed)",
        298_700,
        (4_100, -11_800, 19_600),
        repeat_rate=0.211,
        estimated_repeat_rate=0.214,
        repeat_low_rate=0.196,
        repeat_high_rate=0.233,
        p_repeat_above_rest=0.02,
        refund_rate=0.142,
        basis="assumed",
        is_spend_assumed=True,
        reasons=[
            "Refunds cost €42,400, twice the rate of the rest of the store.",
            "Repeat rate is below the rest of the store.",
            "The margin is not yet certain.",
        ],
    ),
    judged(
        "Display",
        "kill",
        "Kill candidate: run a holdout",
        121_300,
        (-58_900, -71_200, -46_700),
        p_margin_positive=0.0004,
        repeat_rate=0.116,
        estimated_repeat_rate=0.118,
        p_repeat_above_rest=0.001,
        roas=1.4,
        reasons=[
            "Spend of €88,100 exceeds the €29,200 its customers brought.",
            "Customers come back less than the rest.",
        ],
    ),
    judged(
        "Affiliates",
        "insufficient",
        "Insufficient",
        64_900,
        (21_500, 9_000, 34_000),
        has_spend=False,
        spend_amount=None,
        roas=None,
        reasons=["It is a paid channel without spend data."],
        missing=["spend per day of Affiliates (table marketing_spend, or declared in the settings)"],
        worth_amount=7_350.0,
    ),
    unit(
        "TikTok Ads",
        "insufficient",
        "Insufficient",
        net_revenue_amount=Decimal("940.20"),
        revenue_share_rate=0.0005,
        mature_customers_count=11,
        is_paid=True,
        has_spend=True,
        spend_amount=2_400,
        reasons=["Only 11 mature customers."],
        missing=["89 more mature customers"],
        worth_amount=310.0,
    ),
    judged(
        "Unassigned",
        None,
        "Not judged",
        171_000,
        (40_100, 31_000, 49_400),
        is_judged=False,
        is_paid=False,
        has_spend=False,
        spend_amount=None,
        roas=None,
        lever=None,
        funnel_loss_rate=None,
        basis=None,
        evidence_grade=None,
        reasons=[],
    ),
    unit(
        "Guests",
        None,
        "Not judged",
        is_judged=False,
        net_revenue_amount=Decimal(57_860),
        revenue_share_rate=0.0298,
        reasons=[],
        missing=[],
    ),
]


OTHERS = [
    {
        **judged("Brand", "scale", "Scale (test)", 340_000, (98_000, 81_000, 115_000)),
        "unit_kind": "campaign",
        "parent_name": "Paid Search",
    },
    {
        **judged("Generic 2026", "fix", "Fix", 272_400, (50_300, -4_000, 104_000)),
        "unit_kind": "campaign",
        "parent_name": "Paid Search",
    },
    {**judged("Teaware", "fix", "Fix", 512_000, (120_000, 99_000, 141_000)), "unit_kind": "category"},
]

BRIDGE = [
    {
        "store_id": "main",
        "step_order": order,
        "step": step,
        "step_kind": kind,
        "amount": Decimal(amount),
        "row_count": rows,
        "net_revenue_rate": float(amount) / 1_943_860.10,
    }
    for order, (step, kind, amount, rows) in enumerate(
        [
            ("raw_total", "total", "2310480.25", 88_410),
            ("test_orders", "change", "-4120.00", 61),
            ("non_product_codes", "change", "-18340.10", 902),
            ("discounts", "change", "-142903.55", 20_114),
            ("cancellations", "change", "-61204.10", 2_310),
            ("of_which_without_earlier_sale", "memo", "-1204.10", 41),
            ("refunds", "change", "-140052.40", 5_044),
            ("net_revenue", "total", "1943860.10", 80_193),
            ("cost_of_goods", "change", "-978112.33", 80_193),
            ("cm1", "total", "965747.77", 80_193),
            ("shipping", "change", "-121904.80", 31_007),
            ("payment_fees", "change", "-38877.20", 31_007),
            ("return_handling", "change", "-15132.00", 5_044),
            ("cm2", "total", "789833.77", 80_193),
            ("marketing_spend", "change", "-401870.45", 4_380),
            ("cm3", "total", "387963.32", 80_193),
        ],
        start=1,
    )
]

GRADES = [
    {
        "table_name": "orders",
        "is_present": True,
        "rows_in": 31_068,
        "rows_loaded": 31_068,
        "rows_quarantined": 0,
        "rows_warned": 0,
        "grade": "A",
    },
    {
        "table_name": "order_items",
        "is_present": True,
        "rows_in": 88_480,
        "rows_loaded": 88_410,
        "rows_quarantined": 70,
        "rows_warned": 12,
        "grade": "B",
    },
    {
        "table_name": "marketing_spend",
        "is_present": True,
        "rows_in": 4_510,
        "rows_loaded": 4_380,
        "rows_quarantined": 130,
        "rows_warned": 0,
        "grade": "C",
    },
    {
        "table_name": "payments",
        "is_present": False,
        "rows_in": 0,
        "rows_loaded": 0,
        "rows_quarantined": 0,
        "rows_warned": 0,
        "grade": None,
    },
    {"table_name": "reviews", "is_present": False, "grade": None},
]


def full_facts(**changed: Any) -> MemoFacts:
    """Return the facts of a store that has nearly everything."""
    facts: dict[str, Any] = {
        "store_name": "Harbour Tea",
        "currency": "EUR",
        "verdicts": [*CHANNELS, *OTHERS],
        "looks_good": [{**CHANNELS[4], "previous_net_revenue_amount": Decimal(98_400)}],
        "bridge": BRIDGE,
        "grades": GRADES,
        "findings": [
            {
                "table_name": "order_items",
                "rule": "relationship",
                "severity": "quarantine",
                "row_count": 70,
                "message": "70 lines belong to no order that was landed.",
            },
            {"table_name": "orders", "rule": "freshness", "severity": "warn", "row_count": 0, "message": "fresh"},
        ],
        "cost_coverage": [
            {"cost_line": "Goods", "known_rate": 0.94, "assumed_rate": 0.04, "unknown_rate": 0.02},
            {"cost_line": "Shipping", "known_rate": 0.0, "assumed_rate": 1.0, "unknown_rate": 0.0},
        ],
        "unattributed_rate": 0.088,
        "as_of_date": dt.date(2026, 11, 19),
        "window_start_date": dt.date(2025, 8, 22),
        "window_end_date": dt.date(2026, 8, 21),
        "horizon_days": 90,
        "manifest_id": "9f2c41d07be8a350",
    }
    return MemoFacts(**{**facts, **changed})
