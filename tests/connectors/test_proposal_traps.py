"""Traps of real exports: names that say something else than the amounts, files that hold no table, or two."""

from __future__ import annotations

import csv
import random
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from marginwise.connectors.dialect import Dialect
from marginwise.connectors.proposal.flat import dependencies
from marginwise.connectors.proposal.propose import propose_mapping
from marginwise.connectors.reader import inspect_file
from marginwise.errors import MissingFile, UnreadableFile
from tests.connectors.landed_truth import land_proposed

Row = dict[str, Any]
PRICES = [Decimal(395 + 731 * item) / 100 for item in range(12)]


def sold(orders: int = 90) -> list[Row]:
    """Order lines as a shop knows them: order, day, item, quantity, price, discount and shipping of the order."""
    chance = random.Random(11)
    lines = []
    for order in range(1, orders + 1):
        for line, item in enumerate(chance.sample(range(12), 1 + order % 3)):
            lines.append(
                {"order": f"R{order}", "line": line, "day": f"2024-{order % 9 + 1:02}-{order % 28 + 1:02}", "item": item,
                 "quantity": chance.randint(1, 4), "price": PRICES[item], "discount": Decimal(order % 5 == 0) * 2,
                 "shipping": Decimal("4.90") * (order % 2), "person": f"buyer{order % 40}@shop.example"}
            )  # fmt: skip
    return lines


def write(path: Path, rows: list[Row], delimiter: str = ",") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def of_order(lines: list[Row], order: str) -> Decimal:
    return sum((row["quantity"] * row["price"] for row in lines if row["order"] == order), Decimal(0))


@pytest.mark.parametrize("inside", [True, False])
def test_the_sums_of_the_orders_tell_whether_prices_include_tax(inside: bool, tmp_path: Path) -> None:
    """Found wrong once: a shop with British prices was 20 % too rich, since only its order totals tell of the tax."""
    lines, rows = sold(), []
    for row in lines:
        goods = of_order(lines, row["order"]) - row["discount"]
        base = goods + row["shipping"]
        tax = round(base / 6 if inside else base / 5, 2)
        total = base if inside else base + tax
        once = [goods, row["shipping"], tax, total] if row["line"] == 0 else [""] * 4
        named = zip(("Subtotal", "Shipping", "Taxes", "Total"), once, strict=True)
        rows.append({"Name": row["order"], "Email": row["person"], **dict(named), "Created at": row["day"],
                     "Lineitem quantity": row["quantity"], "Lineitem name": f"Thing {row['item']}",
                     "Lineitem price": row["price"], "Lineitem sku": f"T-{row['item']}"})  # fmt: skip
    proposal = propose_mapping([write(tmp_path / "orders_export.csv", rows)])
    header = tomllib.loads(proposal.text)["source"]
    assert header["prices_include_tax"] is inside
    assert "source.prices_include_tax" not in proposal.doubtful
    assert "Total is Subtotal and Shipping" in proposal.text


@pytest.mark.parametrize("sign", [1, -1])
def test_a_return_gives_back_the_price_less_its_discount(sign: int, tmp_path: Path) -> None:
    """Found wrong once: a return of 10.00 sold with 1.00 off became a refund of 11.00."""
    rows = []
    for order in range(1, 41):
        row = {"Order": f"R{order}", "Date": f"2025-01-{order % 28 + 1:02}", "SKU": "T-1", "Quantity": 2,
               "Unit Price": "10.00", "Discount": "2.00"}  # fmt: skip
        rows += [row, *([{**row, "Quantity": -1, "Discount": f"{sign}.00"}] if order % 8 == 0 else [])]
    proposal = propose_mapping([write(tmp_path / "sales.csv", rows)])
    refunds = next(table for table in tomllib.loads(proposal.text)["tables"] if table["table"] == "refunds")
    with duckdb.connect() as con:
        con.execute(
            'create table sales as select -1 as "Quantity", 10.00 as "Unit Price", ?::decimal(18, 4) as "Discount"',
            [sign],
        )
        assert con.sql(f"select {refunds['columns']['amount']} from sales").fetchall() == [(9,)]


def test_a_cost_that_makes_the_total_is_the_price(tmp_path: Path) -> None:
    """Found wrong once: a shop's "Item Cost", its price, became the cost of goods, and every margin was nought."""
    rows = [{"Order Number": row["order"], "Order Date": row["day"], "SKU": f"T-{row['item']}", "Quantity": row["quantity"],
             "Item Cost": row["price"], "Item Total": row["quantity"] * row["price"]} for row in sold()]  # fmt: skip
    landed = land_proposed(tmp_path, [write(tmp_path / "woo.csv", rows)])
    assert "order_items.unit_cost" not in landed.proposal.confidence
    total = landed.rows("select sum(quantity::decimal(9, 0) * unit_price::decimal(18, 4)) from landed.order_items")
    assert total == [(sum(row["Item Total"] for row in rows),)]


def test_a_price_that_grows_with_the_quantity_is_the_lines_total(tmp_path: Path) -> None:
    """Found wrong once: a marketplace's item-price is that of the whole line, and was multiplied by the quantity again."""
    rows = [{"amazon-order-id": row["order"], "purchase-date": row["day"], "sku": f"T-{row['item']}",
             "quantity": row["quantity"], "item-price": row["quantity"] * row["price"],
             "currency": "EUR", "item-promotion-discount": "1.0" if row["item"] % 3 == 0 else "0.0"} for row in sold()]  # fmt: skip
    nothing = {
        **rows[0],
        "amazon-order-id": "R999",
        "quantity": 0,
        "item-price": "",
        "currency": "",
    }  # a cancelled order
    landed = land_proposed(tmp_path, [write(tmp_path / "amazon.csv", [*rows, nothing])])
    assert landed.rows("select currency from landed.orders where order_id = 'R999'") == [("EUR",)]
    assert landed.rows("select count(*) from landed.order_items where order_id = 'R999' or unit_price is null") == [
        (0,)
    ]
    assert landed.rows("select rule, row_count from ops.landing_checks") == [("rows_unreached", 1)]  # told, not lost
    total = landed.rows("select sum(quantity::decimal(9, 0) * unit_price::decimal(18, 4)) from landed.order_items")
    assert abs(total[0][0] - sum(row["item-price"] for row in rows)) < Decimal("0.05")
    off = landed.rows("select sum(discount_amount::decimal(18, 4)) from landed.order_items")
    assert off == [(sum(row["item-promotion-discount"] == "1.0" for row in rows),)]


def test_a_price_per_piece_stays_one(tmp_path: Path) -> None:
    rows = [{"order": row["order"], "order date": row["day"], "sku": f"T-{row['item']}", "quantity": row["quantity"],
             "price": row["price"]} for row in sold()]  # fmt: skip
    proposal = propose_mapping([write(tmp_path / "sales.csv", rows)])
    assert "unit_price = '\"price\"'" in proposal.text


def test_sales_stand_apart_from_the_fees_below_them(tmp_path: Path) -> None:
    """Found wrong once: the commission rows of a settlement became order lines of their own, at a negative price."""
    parts = (("Principal", 1), ("Tax", Decimal("0.19")), ("Commission", Decimal("-0.15")))
    rows = [{"order-id": row["order"], "posted-date": row["day"], "sku": f"T-{row['item']}", "quantity": row["quantity"],
             "amount-description": told, "amount": round(row["quantity"] * row["price"] * part, 2)}
            for row in sold() for told, part in parts]  # fmt: skip
    landed = land_proposed(tmp_path, [write(tmp_path / "settlement.csv", rows)])
    assert "order_items.unit_price" in landed.proposal.doubtful
    assert "negative in 33% of the rows with a positive quantity" in landed.proposal.reasons["order_items.unit_price"]
    total = landed.rows("select sum(quantity::decimal(9, 0) * unit_price::decimal(18, 4)) from landed.order_items")
    assert abs(total[0][0] - sum(row["quantity"] * row["price"] for row in sold())) < Decimal("0.05")
    assert landed.rows("select rule, row_count from ops.landing_checks") == [("rows_unreached", 2 * len(sold()))]


def test_customers_told_by_their_names_are_hashed(tmp_path: Path) -> None:
    people = ["Ada Byron", "Karl Maier", "Ines Prado", "Tom Hill"]
    rows = [{"order": row["order"], "order date": row["day"], "Customer": people[int(row["order"][1:]) % 4],
             "sku": f"T-{row['item']}", "quantity": row["quantity"], "price": row["price"]} for row in sold()]  # fmt: skip
    proposal = propose_mapping([write(tmp_path / "sales.csv", rows)])
    assert "customer_id = 'md5(lower(\"Customer\"))'" in proposal.text
    assert not any(person in proposal.text for person in people)


def test_the_currency_of_the_orders_is_that_of_the_source(tmp_path: Path) -> None:
    """Found wrong once: a shop that states pounds in every row got euros in its settings, and its first run stopped."""
    rows = [{"order": row["order"], "order date": row["day"], "Currency": "GBP", "sku": f"T-{row['item']}",
             "quantity": row["quantity"], "price": row["price"]} for row in sold()]  # fmt: skip
    proposal = propose_mapping([write(tmp_path / "sales.csv", rows)])
    assert tomllib.loads(proposal.text)["source"]["currency"] == "GBP"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'[\n {"id": 1, "total": 2}\n]', "is JSON"),
        (b'{"id": 1, "total": 2}\n{"id": 2, "total": 3}\n', "is JSON"),
        (b'\xef\xbb\xbf{"orders": []}', "is JSON"),
        (b"<?xml version='1.0'?>\n<orders><order/></orders>", "is XML or a web page"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "is XML or a web page"),
        (b"PK\x03\x04" + bytes(500), r"is an Excel workbook .* save the sheet as CSV"),
        (b"\xd0\xcf\x11\xe0" + bytes(500), r"is an old Excel workbook.* save the sheet as CSV"),
    ],
)
@pytest.mark.parametrize("name", ["orders.csv", "orders.json"])
def test_what_is_no_table_is_called_what_it_is(content: bytes, told: str, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableFile, match=told):
        propose_mapping([tmp_path / name])
    with pytest.raises(UnreadableFile, match=told):
        inspect_file(tmp_path / name, declared=Dialect())


def test_a_file_that_is_not_there_gets_its_nearest(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("a,b\n1,2\n")
    with pytest.raises(MissingFile, match=r"Did you mean 'orders\.csv'"):
        propose_mapping([tmp_path / "order.csv"])


def test_what_is_no_regular_file_is_called_so() -> None:
    with pytest.raises(UnreadableFile, match=r"/dev/null is no regular file\. Accepted: CSV"):
        propose_mapping([Path("/dev/null")])


def test_names_with_control_characters_make_a_mapping_that_loads(tmp_path: Path) -> None:
    """Found wrong once: the rest of a file's name below its line end stood in the mapping outside of the comment."""
    rows = [{name: row[name] for name in ("order", "day", "item", "quantity", "price")} for row in sold()]
    write(tmp_path / "new\nsales\x01\x7f.csv", rows)
    write(tmp_path / "no\n[shop].csv", [{"sepal": "5.1", "petal": "3.5"}] * 9)
    landed = land_proposed(tmp_path, [tmp_path])
    text = propose_mapping([tmp_path]).text
    assert r"# new\nsales\x01\x7f.csv: " in text
    assert r"# Not used: no\n[shop].csv" in text
    assert landed.rows("select count(*) from landed.order_items") == [(len(rows),)]


def test_columns_are_measured_alike_however_many_there_are() -> None:
    con = duckdb.connect(":memory:")
    names = [f"c{number}" for number in range(70)]
    listed = ", ".join(f"nullif(i // 2 + i % {number + 1}, 3) as {name}" for number, name in enumerate(names))
    con.execute(f"create table wide as select i // 4 as k, {listed} from range(40) as t(i)")
    together = dependencies(con, "wide", "k", names)
    for name in names:
        alone = dependencies(con, "wide", "k", [name])
        facts = (together.comparable[name], together.varying[name], together.gaps[name])
        assert facts == (alone.comparable[name], alone.varying[name], alone.gaps[name])
    assert (together.groups, together.repeated, together.rows) == (10, 10, 40)


def test_two_tables_in_one_file_are_told_apart(tmp_path: Path) -> None:
    """Found wrong once: the rows of the second table became orders, or were put aside as unreadable."""
    lines = sold()
    orders = "order_id,order_date,customer_id,shipping\n" + "".join(
        f"{row['order']},{row['day']},7,{row['shipping']}\n" for row in lines if row["line"] == 0
    )
    items = "order_id,sku,quantity,unit_price\n" + "".join(
        f"{row['order']},T-{row['item']},{row['quantity']},{row['price']}\n" for row in lines
    )
    products = "sku,name,cost\n" + "".join(f"T-{item},Thing {item},1.5\n" for item in range(12))
    path = tmp_path / "export.csv"
    for text, told in (
        (f"{orders}\n{items}", r"row 91 after the header is the header of another one \(order_id, sku, quantity"),
        (f"{items}\n{products}", rf"row {len(lines) + 1} after the header .* \(sku, name, cost\)"),
        (f"{products}\n{items}", r"13 rows with 3 columns \(sku, name, cost\) stand above the larger one"),
    ):
        path.write_text(text)
        with pytest.raises(UnreadableFile, match=told):
            propose_mapping([path])


def test_a_header_that_comes_again_is_told(tmp_path: Path) -> None:
    rows = [{"order": row["order"], "order date": row["day"], "sku": f"T-{row['item']}", "quantity": row["quantity"],
             "price": row["price"]} for row in sold()]  # fmt: skip
    path = write(tmp_path / "sales.csv", rows)
    path.write_text(path.read_text() * 2)
    assert f"the header comes again in 1 row(s), first in row {len(rows) + 1}" in propose_mapping([path]).text
