"""What comes back: refunds of lines, and what they take from the margin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa

from marginwise.demo.arrow_columns import (
    Array,
    contract_table,
    identifiers,
    labels,
    masked,
    money,
    numbered,
    timestamps,
    words_column,
)
from marginwise.demo.chance import Streams, draw, index_table
from marginwise.demo.season import order_by_time

if TYPE_CHECKING:
    from marginwise.demo.orders import Orders
    from marginwise.demo.shop import Shop

__all__ = ["MOST_RETURNS", "Refunds", "refund_table"]

MOST_RETURNS = 0.6
"""The return rate of a line never exceeds this, whatever its factors."""


@dataclass(frozen=True, slots=True, eq=False)
class Refunds:
    """Refunds, sorted by time. R refunds; cents of the order's currency. All shapes (R,).

    Parameters
    ----------
    line, order
        Index of the line and the order refunded.
    kind
        Index into the plan's kinds.
    is_orderless
        True when the row names customer and product but no order.
    day, at
        Day of the store and second since 1970.
    quantity, restocked
        Pieces returned, and of them back on the shelf.
    amount, tax, shipping, handling
        Goods, tax and shipping paid back; cost of handling the return.
    margin
        What the refund adds to CM2, in reporting currency; negative for most.
    """

    line: Array
    order: Array
    kind: Array
    is_orderless: Array
    day: Array
    at: Array
    quantity: Array
    restocked: Array
    amount: Array
    tax: Array
    shipping: Array
    handling: Array
    margin: Array

    @classmethod
    def of(cls, shop: Shop, orders: Orders, streams: Streams) -> Self:
        """Draw which lines come back, when and how; refunds after the last day are not in the data yet."""
        plan, season = shop.plan, shop.season
        rng = streams.of("refunds")
        lines, visits = orders.lines, orders.visits
        factor = shop.personas.return_factor.ravel().take(orders.cell).take(lines.order)
        chance = np.minimum(shop.catalogue.return_rate.take(lines.product) * factor, MOST_RETURNS)
        comes_back = (rng.random(len(chance), dtype=np.float32) < chance) & orders.is_sale.take(lines.order)
        line = np.flatnonzero(comes_back)
        names = [kind for kind, *_ in plan.refunds.kinds]
        kind = draw(rng, index_table([share for _, share, *_ in plan.refunds.kinds]).astype(np.int8), len(line))
        shortest = np.array([low for *_, low, _ in plan.refunds.kinds])[kind]
        longest = np.array([high for *_, high in plan.refunds.kinds])[kind]
        day = visits.day[lines.order[line]] + rng.integers(shortest, longest + 1)
        is_recalled = np.zeros(len(line), dtype=bool)
        called, called_on = _recalled(shop, orders, np.flatnonzero(~comes_back), rng)
        if len(called):
            line, day = np.concatenate([line, called]), np.concatenate([day, called_on])
            kind = np.concatenate([kind, np.full(len(called), names.index("return"), dtype=np.int8)])
            is_recalled = np.arange(len(line)) >= len(is_recalled)
        seen = day < season.count
        line, kind, day, is_recalled = line[seen], kind[seen], day[seen], is_recalled[seen]
        order = lines.order[line]
        at = np.minimum(np.maximum(season.moments(day, rng), visits.at[order] + 600), season.end)
        by_time = order_by_time(at)
        line, kind, day, at, order, is_recalled = (a[by_time] for a in (line, kind, day, at, order, is_recalled))
        is_kind = {name: kind == i for i, name in enumerate(names)}
        rate = orders.rate[order]
        sold = lines.quantity[line]
        quantity = np.where(is_kind["goodwill"], 0, 1 + rng.binomial(sold - 1, plan.refunds.piece_rate))
        restocked = rng.binomial(quantity, plan.refunds.restock_rate)
        restocked = np.where(is_kind["cancellation"], quantity, np.where(is_kind["chargeback"], 0, restocked))
        restocked = np.where(is_recalled, 0, restocked)
        part = np.where(is_kind["goodwill"], plan.refunds.goodwill_rate, quantity / sold)
        paid = lines.net[line] * (100 - orders.coupon_percent[order]) / 100
        amount = np.floor(paid * part).astype(np.int64)
        shipping = np.where(is_kind["chargeback"] & (lines.number[line] == 1), orders.shipping[order], 0)
        tax_percent = np.array([c.tax_percent for c in plan.countries])[visits.country[order]]
        costs = np.array([cost for _, _, cost, *_ in plan.refunds.kinds])
        handling = np.floor(costs[kind] * 100 / rate + 0.5).astype(np.int64)
        is_orderless = is_kind["goodwill"] & (rng.random(len(line)) < plan.refunds.orderless_rate)
        is_orderless &= (rate == 1.0) & (visits.customer[order] >= 0)
        return cls(
            line=line,
            order=order,
            kind=kind,
            is_orderless=is_orderless,
            day=day,
            at=at,
            quantity=quantity,
            restocked=restocked,
            amount=amount,
            tax=(amount * tax_percent + 50) // 100,
            shipping=shipping,
            handling=handling,
            margin=(restocked * lines.unit_cost[line] - (amount + shipping + handling) * rate) / 100,
        )


def _recalled(shop: Shop, orders: Orders, line: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return (line, day) of the lines among ``line`` that a refund wave brings back."""
    lines, visits = orders.lines, orders.visits
    called, called_on = [line[:0]], [line[:0]]
    for recall in shop.named_days.recalls:
        if not len(visits.day) or visits.day[0] > recall.last or visits.day[-1] < recall.first:
            continue
        day = visits.day[lines.order[line]]
        inside = (day >= recall.first) & (day <= recall.last) & orders.is_sale[lines.order[line]]
        inside &= np.isin(shop.catalogue.category[lines.product[line]], recall.categories)
        inside &= rng.random(len(line)) < recall.chance
        called.append(line[inside])
        called_on.append(np.full(int(inside.sum()), recall.day))
        line = line[~inside]
    return np.concatenate(called), np.concatenate(called_on)


def refund_table(shop: Shop, orders: Orders, refunds: Refunds, before: int) -> pa.Table:
    """Return refunds: one row a line refunded; some name no order, a goodwill gesture to a customer for a product."""
    customer = orders.visits.customer[refunds.order]
    return contract_table(
        "refunds",
        {
            "refund_id": words_column(numbered("r", before, len(refunds.line))),
            "refunded_at": timestamps(refunds.at),
            "amount": money(refunds.amount),
            "order_id": identifiers("o", orders.number(np.where(refunds.is_orderless, -1, refunds.order))),
            "line_number": masked(pa.array(orders.lines.number[refunds.line]), refunds.is_orderless),
            "customer_id": identifiers("c", np.where(customer < 0, -1, customer + 1)),
            "product_id": labels(orders.lines.product[refunds.line], shop.catalogue.ids),
            "quantity": pa.array(refunds.quantity),
            "restocked_quantity": pa.array(refunds.restocked),
            "tax_amount": money(refunds.tax),
            "shipping_amount": money(refunds.shipping),
            "kind": labels(refunds.kind, [kind for kind, *_ in shop.plan.refunds.kinds]),
            "handling_cost_amount": money(refunds.handling),
        },
        shop.store_id,
    )
