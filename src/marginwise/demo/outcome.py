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
    from marginwise.demo.plan import StorePlan
    from marginwise.demo.refunds import Refunds

__all__ = ["Outcome"]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What was drawn, added up part by part: CM2 within the horizon and return of every customer, and totals.

    Parameters
    ----------
    margin, has_repeated
        By customer. Shapes (N,).
    totals
        Sums over the whole store, named as in the truth.
    """

    margin: Array
    has_repeated: Array
    totals: Counter[str]

    @classmethod
    def empty(cls, customers: int) -> Self:
        """Return an outcome without orders."""
        return cls(margin=np.zeros(customers), has_repeated=np.zeros(customers, dtype=bool), totals=Counter())

    def add(self, plan: StorePlan, customers: Customers, orders: Orders, refunds: Refunds) -> None:
        """Add the orders of a part of the store, and their refunds."""
        visits = orders.visits
        per_order = orders.margin() + np.bincount(
            refunds.order, refunds.margin * ~refunds.is_orderless, minlength=orders.count
        )
        known = np.flatnonzero((visits.customer >= 0) & orders.is_sale)
        customer = visits.customer[known]
        lag = visits.day[known].astype(np.int64) - customers.day[customer]
        np.add.at(self.margin, customer, per_order[known] * (lag <= plan.horizon_days))
        loose = np.flatnonzero(refunds.is_orderless)
        buyer = visits.customer[refunds.order[loose]]
        inside = refunds.day[loose] - customers.day[buyer] <= plan.horizon_days
        np.add.at(self.margin, buyer, refunds.margin[loose] * inside)
        self.has_repeated[customer[(lag > 0) & (lag <= plan.horizon_days)]] = True
        self.totals.update(_totals(orders, refunds))


def _totals(orders: Orders, refunds: Refunds) -> dict[str, float]:
    counted, sale, rate, lines = orders.is_counted, orders.is_sale, orders.rate / 100, orders.lines
    cancelled = counted & ~sale
    gross = np.add.reduceat(lines.unit_price * lines.quantity, orders.first_line)
    refunded = float((refunds.amount * rate[refunds.order]).sum())
    return {
        "orders_count": int(counted.sum()),
        "cancelled_orders_count": int(cancelled.sum()),
        "guest_orders_count": int((counted & (orders.visits.customer < 0)).sum()),
        "order_lines_count": int(orders.line_count[counted].sum()),
        "gross_sales_amount": float((gross * rate)[counted].sum()),
        "discount_amount": float(((gross - orders.goods + orders.discount) * rate)[counted].sum()),
        "cancelled_amount": float(((orders.goods - orders.discount) * rate)[cancelled].sum()),
        "refund_amount": refunded,
        "net_revenue_amount": float(((orders.goods - orders.discount) * rate)[sale].sum()) - refunded,
        "cm2_amount": float(orders.margin().sum() + refunds.margin.sum()),
    }
