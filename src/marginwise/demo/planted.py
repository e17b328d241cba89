"""The truth beside the units: personas, dropout, partners, shares, and the truth of every single customer."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from marginwise.demo.arrow_columns import days, id_words, labels, masked, words_column
from marginwise.demo.expectation import expected_lines
from marginwise.demo.orders import line_tables
from marginwise.demo.unit_truths import UNASSIGNED

if TYPE_CHECKING:
    from marginwise.demo.arrow_columns import Array
    from marginwise.demo.customers import Customers
    from marginwise.demo.outcome import Outcome
    from marginwise.demo.shop import Shop
    from marginwise.demo.truth import Window
    from marginwise.demo.unit_truths import Planned
    from marginwise.demo.visits import Calendar

__all__ = ["customer_truth", "dropout_truth", "pair_truths", "partner_truths", "persona_truths", "share_truths"]


def persona_truths(
    shop: Shop, window: Window, customers: Customers, calendar: Calendar, outcome: Outcome
) -> list[dict[str, Any]]:
    """Return every persona's parameters, expected share of customers, and what was drawn of it."""
    personas = shop.personas
    weights = shop.demand.customers.sum(axis=1) @ personas.shares
    count = personas.count
    drawn = np.bincount(customers.persona, minlength=count)
    gone = np.bincount(customers.persona, calendar.next_day < 0, count)
    orders = np.bincount(customers.persona, calendar.orders, count)
    inside = np.flatnonzero((customers.day >= window.start) & (customers.day <= window.end))
    mature = np.bincount(customers.persona[inside], minlength=count)
    repeated = np.bincount(customers.persona[inside], outcome.has_repeated[inside], count)
    margin = np.bincount(customers.persona[inside], outcome.margin[inside], count)
    expected = shop.demand.customers[:, window.start : window.end + 1].sum(axis=1)[:, None] * personas.shares
    told = []
    for p, persona in enumerate(shop.plan.personas):
        told.append(
            {
                **asdict(persona),
                "expected_share_rate": round(float(weights[p] / weights.sum()), 6),
                "expected_repeat_rate": _ratio(
                    float(expected[:, p] @ personas.repeat_rate[:, p]), expected[:, p].sum()
                ),
                "mean_pieces_per_line": round(float(personas.sizes[p].mean()), 4),
                "realised_customers_count": int(drawn[p]),
                "realised_orders_count": int(orders[p]),
                "realised_dropped_out_rate": _ratio(gone[p], drawn[p]),
                "realised_repeat_rate": _ratio(repeated[p], mature[p]),
                "realised_margin_per_customer_amount": _ratio(margin[p], mature[p], 4),
            }
        )
    return told


def dropout_truth(shop: Shop, calendar: Calendar) -> dict[str, Any]:
    """Return the process by which customers come back and leave for good, with its parameters."""
    plan, personas = shop.plan, shop.personas
    names = [persona.name for persona in plan.personas]
    return {
        "process": "After an order the customer comes back with a probability, or has dropped out for good; the days "
        "until the next order are lognormal(log(median_days), sigma), cut to shortest and longest.",
        "after_first_order": {
            campaign.name: {name: round(float(value), 6) for name, value in zip(names, row, strict=True)}
            for campaign, row in zip(plan.campaigns, personas.first_return, strict=True)
        },
        "after_later_orders": {persona.name: persona.continue_rate for persona in plan.personas},
        "median_days": {persona.name: persona.median_days for persona in plan.personas},
        **asdict(plan.repeat),
        "realised_dropped_out_rate": _ratio(int((calendar.next_day < 0).sum()), len(calendar.next_day)),
    }


def pair_truths(shop: Shop, names: list[str]) -> list[dict[str, Any]]:
    """Return the planted pairs with the lift to expect over all orders."""
    lines = np.repeat(line_tables(shop.plan), shop.personas.count, axis=0)
    return shop.pairs.truth(shop.catalogue, names, lines, _expected_orders(shop))


def partner_truths(shop: Shop, outcome: Outcome) -> list[dict[str, Any]]:
    """Return every partner's planted quality, and what was drawn of it; own brands come last.

    The expected return rate leaves out refund waves, the realised one has them, and lacks what will come back after
    the last day. Margins are after goods and commission, before what an order costs as a whole.
    """
    plan, catalogue = shop.plan, shop.catalogue
    lines, chance = expected_lines(shop)
    orders = _expected_orders(shop)
    row = catalogue.partner_row
    sold = np.bincount(row, orders @ lines, len(plan.partners) + 1)
    back = np.bincount(row, orders @ (lines * chance), len(plan.partners) + 1)
    late = (catalogue.days_late > 0).mean(axis=1)
    told = []
    for i, partner in enumerate([*plan.partners, None]):
        count, was_late, arrived, returned, revenue, cost, commission = outcome.partners[i].tolist()
        told.append(
            {
                "partner_id": f"partner{i + 1:02d}" if partner else None,
                "name": partner.name if partner else "(own brands)",
                "return_factor": partner.return_factor if partner else 1.0,
                "commission_rate": partner.commission_rate if partner else 0.0,
                "later_commission_rate": partner.later_commission_rate if partner else 0.0,
                "free_factor": partner.free_factor if partner else 1.0,
                "expected_return_rate": _ratio(back[i], sold[i]),
                "expected_late_rate": round(float(late[i]), 6),
                "realised_lines_count": int(count),
                "realised_return_rate": _ratio(returned, count),
                "realised_late_rate": _ratio(was_late, arrived),
                "realised_net_revenue_amount": round(revenue, 2),
                "realised_margin_amount": round(revenue - cost - commission, 2),
                "realised_margin_rate": _ratio(revenue - cost - commission, revenue),
            }
        )
    return told


def share_truths(shop: Shop, planned: Planned, customers: Customers, calendar: Calendar) -> dict[str, float]:
    """Return what no campaign owns, and who depends on free goods, as shares of the whole."""
    plan = shop.plan
    origin = customers.traced
    unassigned = [k for k, c in enumerate(plan.campaigns) if c.channel == UNASSIGNED]
    dependent = [p for p, persona in enumerate(plan.personas) if persona.free_rate == 1.0]
    untagged = float(shop.demand.untagged_spend.sum()) / 100
    spend = float(shop.demand.spend_in_reporting.sum()) + untagged
    is_dependent = np.isin(customers.persona, dependent)
    found = {
        "expected_unassigned_customers_rate": _ratio(planned.customers(np.array(unassigned, dtype=np.int64)),
                                                     planned.count.sum()),
        "realised_unassigned_customers_rate": _ratio(int(np.isin(origin, unassigned).sum()), customers.count),
        "untagged_spend_rate": _ratio(untagged, spend),
        "free_goods_customers_rate": _ratio(int(is_dependent.sum()), customers.count),
        "free_goods_orders_rate": _ratio(int(calendar.orders[is_dependent].sum()), int(calendar.orders.sum())),
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}


def customer_truth(shop: Shop, customers: Customers, calendar: Calendar, outcome: Outcome, rows: slice) -> pa.Table:
    """Return the truth of customers: one row each.

    Columns: customer_id, persona, origin (campaign or channel that brought the customer), traced_channel and
    traced_campaign (what the data show of it), first_order_date, orders_count, last_order_date, is_dropped_out (no
    order will ever follow), next_order_date (of customers still active: after the store's last day), margin_amount
    (CM2 within the horizon, before spend, as far as the horizon lies in the data), has_repeated (within the horizon).
    """
    plan, first_day = shop.plan, shop.season.first_day
    traced = customers.traced[rows]
    next_day = calendar.next_day[rows]
    number = np.arange(rows.start, rows.start + len(traced)) + 1
    return pa.table(
        {
            "customer_id": words_column(id_words("c", number)),
            "persona": labels(customers.persona[rows], [p.name for p in plan.personas]),
            "origin": labels(customers.campaign[rows], [c.name for c in plan.campaigns]),
            "traced_channel": labels(traced, [c.channel for c in plan.campaigns]),
            "traced_campaign": labels(traced, [c.campaign for c in plan.campaigns]),
            "first_order_date": days(first_day + customers.day[rows].astype(np.int32)),
            "orders_count": pa.array(calendar.orders[rows]),
            "last_order_date": days(first_day + calendar.last_day[rows].astype(np.int32)),
            "is_dropped_out": pa.array(next_day < 0),
            "next_order_date": masked(days(first_day + next_day.astype(np.int32)), next_day < 0),
            "margin_amount": pa.array(np.round(outcome.margin[rows], 2)),
            "has_repeated": pa.array(outcome.has_repeated[rows]),
        }
    )


def _expected_orders(shop: Shop) -> Array:
    """Return expected orders by cell over all days. Shape (cells,)."""
    personas, demand = shop.personas, shop.demand
    to_come = np.cumsum(demand.densities, axis=1)[:, ::-1]
    returns = personas.shares * personas.first_return * (demand.customers @ to_come.T)
    orders: Array = (demand.customers.sum(axis=1)[:, None] * personas.shares + returns).ravel()
    return orders


def _ratio(part: float, of: float, digits: int = 6) -> float | None:
    return round(float(part) / float(of), digits) if of else None
