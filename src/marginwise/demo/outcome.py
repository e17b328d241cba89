"""What was drawn: the margin and return of every customer as a correct warehouse computes them, and the totals."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from marginwise.demo.arrow_columns import Array
    from marginwise.demo.customers import Customers
    from marginwise.demo.orders import Orders
    from marginwise.demo.refunds import Refunds
    from marginwise.demo.shop import Shop

__all__ = ["Outcome", "PartOutcome"]

PARTNER_COLUMNS = ("lines", "late", "arrived", "returned", "net_revenue", "goods_cost", "commission")


@dataclass(frozen=True, slots=True, eq=False)
class PartOutcome:
    """What one part of a store adds to the outcome.

    Parameters
    ----------
    customer, margin
        Customers, and what each of their orders and refunds adds to their CM2 within the horizon. Shapes (M,).
    repeated
        Customers who ordered again within the horizon. Shape (R,).
    first_customer, first_at
        Customers whose first order is in this part, and its second. Shapes (F,).
    partners
        Lines and amounts by partner. Shape (partners + 1, PARTNER_COLUMNS).
    totals
        Sums over the part.
    """

    customer: Array
    margin: Array
    repeated: Array
    first_customer: Array
    first_at: Array
    partners: Array
    totals: dict[str, float]

    @classmethod
    def of(cls, shop: Shop, customers: Customers, orders: Orders, refunds: Refunds) -> Self:
        """Add up the orders of a part of the store, and their refunds."""
        horizon, visits = shop.plan.horizon_days, orders.visits
        before_refunds = orders.margin()
        per_order = before_refunds + np.bincount(
            refunds.order, refunds.margin * ~refunds.is_orderless, minlength=orders.count
        )
        known = np.flatnonzero((visits.customer >= 0) & orders.is_sale)
        customer = visits.customer[known]
        lag = visits.day[known] - customers.day[customer]
        inside = lag <= horizon
        loose = np.flatnonzero(refunds.is_orderless)
        buyer = visits.customer[refunds.order[loose]]
        soon = refunds.day[loose] - customers.day[buyer] <= horizon
        first = np.flatnonzero(visits.is_first)
        return cls(
            customer=np.concatenate([customer[inside], buyer[soon]]),
            margin=np.concatenate([per_order[known[inside]], refunds.margin[loose[soon]]]),
            repeated=customer[inside & (lag > 0)],
            first_customer=visits.customer[first],
            first_at=visits.at[first],
            partners=_partners(shop, orders, refunds),
            totals=_totals(orders, refunds, float(before_refunds.sum())),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What was drawn, added up part by part: CM2 within the horizon and return of every customer, and totals.

    Parameters
    ----------
    margin, has_repeated, first_at
        By customer. Shapes (N,).
    partners
        Lines and amounts by partner, own brands last. Shape (partners + 1, PARTNER_COLUMNS).
    totals
        Sums over the whole store, named as in the truth.
    """

    margin: Array
    has_repeated: Array
    first_at: Array
    partners: Array
    totals: Counter[str]

    @classmethod
    def empty(cls, customers: int, partners: int) -> Self:
        """Return an outcome without orders."""
        return cls(
            margin=np.zeros(customers),
            has_repeated=np.zeros(customers, dtype=bool),
            first_at=np.zeros(customers, dtype=np.int64),
            partners=np.zeros((partners + 1, len(PARTNER_COLUMNS))),
            totals=Counter(),
        )

    def add(self, part: PartOutcome) -> None:
        """Add what one part of the store brought."""
        np.add.at(self.margin, part.customer, part.margin)
        self.has_repeated[part.repeated] = True
        self.first_at[part.first_customer] = part.first_at
        self.partners[:] += part.partners
        self.totals.update(part.totals)


def _totals(orders: Orders, refunds: Refunds, margin: float) -> dict[str, float]:
    is_counted, is_sale, rate, lines = orders.is_counted, orders.is_sale, orders.rate / 100, orders.lines
    goods, kept = orders.goods * rate, (orders.goods - orders.discount) * rate
    gross = goods + np.add.reduceat(lines.discount, orders.first_line) * rate
    refunded = float((refunds.amount * rate[refunds.order]).sum())
    # sums of what is chosen, not dot products: those wake the threads of the linear algebra for each small array
    sold, counted = float(kept[is_sale].sum()), float(kept[is_counted].sum())
    return {
        "orders_count": int(is_counted.sum()),
        "cancelled_orders_count": int(is_counted.sum() - is_sale.sum()),
        "guest_orders_count": int((is_counted & (orders.visits.customer < 0)).sum()),
        "order_lines_count": int(orders.line_count[is_counted].sum()),
        "gross_sales_amount": float(gross[is_counted].sum()),
        "discount_amount": float((gross - kept)[is_counted].sum()),
        "cancelled_amount": counted - sold,
        "refund_amount": refunded,
        "net_revenue_amount": sold - refunded,
        "cm2_amount": margin + float(refunds.margin.sum()),
    }


def _partners(shop: Shop, orders: Orders, refunds: Refunds) -> Array:
    lines, catalogue, plan = orders.lines, shop.catalogue, shop.plan
    count = len(catalogue.commission)
    row = catalogue.partner_row.take(lines.product)
    sold = orders.is_sale.take(lines.order)
    arrived = sold & (orders.visits.day.take(lines.order) + plan.promised_days + lines.days_late < shop.season.count)
    scale = (orders.rate * (100 - orders.coupon_percent) * orders.is_sale / 1e4).take(lines.order)
    revenue = lines.net * scale
    cost = (lines.quantity + lines.free) * lines.unit_cost * sold / 100
    royalty = catalogue.commission.ravel().take(row * shop.season.count + orders.visits.day.take(lines.order)) / 1e4
    back, order = row[refunds.line], refunds.order
    columns = [
        np.bincount(row, sold, count),
        np.bincount(row, arrived & (lines.days_late > 0), count),
        np.bincount(row, arrived, count),
        np.bincount(back, minlength=count),
        np.bincount(row, revenue, count) - np.bincount(back, refunds.amount * orders.rate[order] / 100, count),
        np.bincount(row, cost, count)
        - np.bincount(back, refunds.restocked * lines.unit_cost[refunds.line] / 100, count),
        np.bincount(row, revenue * royalty, count),
    ]
    return np.stack(columns, axis=1).astype(np.float64)
