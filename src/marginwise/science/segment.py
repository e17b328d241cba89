"""What a segment of customers brings after it was formed: formed at t, judged on (t, t + H].

Customers are put into segments by what they did. Judged on the same days, a segment of frequent buyers buys
frequently by definition, and one of lapsed customers never; only what comes after says anything about them.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from marginwise.errors import MarginwiseError

__all__ = ["segment_evidence"]

_SUMMED = ("net_revenue_amount", "cm2_amount", "unknown_cost_revenue_amount")


def segment_evidence(
    members: pa.Table, orders: pa.Table, formed_on: dt.date, horizon_days: int, unit_kind: str = "segment"
) -> pa.Table:
    """Return the evidence by which segments are judged, in the shape that `evidence.posteriors` reads.

    Parameters
    ----------
    members
        One row per customer: store_id, unit_id (the segment it was in on ``formed_on``), customer_key.
    orders
        Orders of the store: store_id, customer_key, order_date, net_revenue_amount, cm2_amount,
        unknown_cost_revenue_amount (store currency). Those up to ``formed_on`` and after the horizon are left out.
    formed_on
        The last day whose behaviour the segments were formed on.
    horizon_days
        H: how many days after it count.
    unit_kind
        Kind of the units: segment or persona.

    Returns
    -------
    pyarrow.Table
        One row per member, those who bought nothing included: store_id, unit_kind, unit_id, customer_key,
        entered_date (``formed_on``), orders_count, the summed amounts, has_repeated (bought within the horizon).

    Raises
    ------
    MarginwiseError
        A customer stands in two segments, or twice in one.

    Examples
    --------
    >>> members = pa.table({"store_id": ["main"] * 2, "unit_id": ["Loyal", "New"], "customer_key": ["a", "b"]})
    >>> orders = pa.table({"store_id": ["main"] * 2, "customer_key": ["a", "a"],
    ...                    "order_date": [dt.date(2026, 3, 31), dt.date(2026, 4, 1)], "net_revenue_amount": [9.0, 5.0],
    ...                    "cm2_amount": [4.0, 2.0], "unknown_cost_revenue_amount": [0.0, 0.0]})
    >>> found = segment_evidence(members, orders, dt.date(2026, 3, 31), 90)
    >>> found.select(["unit_id", "cm2_amount", "has_repeated"]).to_pylist()
    [{'unit_id': 'Loyal', 'cm2_amount': 2.0, 'has_repeated': True}, {'unit_id': 'New', 'cm2_amount': 0.0, 'has_repeated': False}]
    """
    keys = ["store_id", "customer_key"]
    if members.group_by(keys).aggregate([]).num_rows < members.num_rows:
        raise MarginwiseError(
            "A customer stands in more than one segment.", fix="Give each customer one row in the members."
        )
    after = pc.and_(
        pc.greater(orders["order_date"], pa.scalar(formed_on)),
        pc.less_equal(orders["order_date"], pa.scalar(formed_on + dt.timedelta(horizon_days))),
    )
    bought = orders.filter(after).group_by(keys).aggregate([("order_date", "count"), *((n, "sum") for n in _SUMMED)])
    found = members.join(bought, keys, join_type="left outer").sort_by([("unit_id", "ascending"), *_ascending(keys)])
    count = found["order_date_count"].fill_null(0)
    return pa.table({
        "store_id": found["store_id"],
        "unit_kind": [unit_kind] * found.num_rows,
        "unit_id": found["unit_id"],
        "customer_key": found["customer_key"],
        "entered_date": np.full(found.num_rows, formed_on, dtype="datetime64[D]"),
        "orders_count": count,
        **{name: pc.cast(found[f"{name}_sum"], pa.float64()).fill_null(0.0) for name in _SUMMED},
        "has_repeated": pc.greater(count, 0),
    })  # fmt: skip


def _ascending(names: list[str]) -> list[tuple[str, str]]:
    return [(name, "ascending") for name in names]
