"""A second export that overlaps the first brings what is new and what has changed, and counts nothing twice."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.connectors.landed_truth import land_proposed
from tests.connectors.test_proposal_traps import of_order, sold, write

NEWEST = "qualify row_number() over (partition by {key} order by _file_date desc, _file_hash) = 1"


def exported(lines: list[dict[str, Any]], *, newest_state: str, newest_shipping: Decimal) -> list[dict[str, Any]]:
    """Return rows as a shop exports them that names an order's state and shipping on its first row only."""
    rows = []
    for row in lines:
        is_first, is_new = row["line"] == 0, int(row["order"][1:]) % 4 == 0
        rows.append(
            {"Order": row["order"], "Date": row["day"], "Email": row["person"],
             "Status": (newest_state if is_new else "shipped") if is_first else "",
             "Shipping": (newest_shipping if is_new else row["shipping"]) if is_first else "",
             "SKU": f"item-{row['item']}", "Quantity": row["quantity"], "Unit price": row["price"]}
        )  # fmt: skip
    return rows


def test_overlapping_exports_of_a_flat_file(tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    lines = sold()
    march = [row for row in lines if row["day"] < "2024-07"]
    files = [
        write(
            folder / "sales_2024-07-01.csv", exported(march, newest_state="pending", newest_shipping=Decimal("9.90"))
        ),
        write(folder / "sales_2024-10-01.csv", exported(lines, newest_state="cancelled", newest_shipping=Decimal(0))),
    ]
    landed = land_proposed(folder, files)
    assert landed.report.checks == []
    orders = landed.rows("select order_id, status, cast(shipping_charged_amount as decimal(18, 2)) from landed.orders")
    assert len(orders) == len({row["order"] for row in lines})
    changed = {order: (status, shipping) for order, status, shipping in orders if int(order[1:]) % 4 == 0}
    assert set(changed.values()) == {("cancelled", Decimal(0))}
    kept = landed.rows(
        "select order_id, sum(try_cast(quantity as int) * try_cast(unit_price as decimal(18, 2))) from ("
        f"from landed.order_items {NEWEST.format(key='order_id, line_number')}) group by 1"
    )
    assert dict(kept) == {row["order"]: of_order(lines, row["order"]) for row in lines}
