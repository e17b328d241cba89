"""What a proposal cannot be sure of is told as it is: rates are no amounts, the first row is the first, names stay open."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from marginwise.connectors.proposal.propose import Proposal, propose_mapping
from tests.connectors.landed_truth import land_proposed
from tests.connectors.shop_exports import german, shop

HEADER = "order_id,order_date,channel,sku,quantity"


def lines(path: Path, prices: str, tax: str, row: Callable[[float, int], str], *, orders: int = 120) -> Path:
    """Write order lines: `prices` and `tax` head the last columns, `row` makes them of a price and a rate in percent."""
    chance = random.Random(4)
    text = [f"{HEADER},{prices},{tax}"]
    for order in range(1, orders + 1):
        channel = chance.choice(["web", "app", "shop"])
        for line in range(1 + order % 3):
            price, rate = chance.randint(100, 9000) / 100, chance.choice([19, 19, 7])
            where = channel if order % 10 or not line else "phone"
            text.append(f"O{order},2024-0{order % 9 + 1}-{order % 28 + 1:02},{where},P{chance.randint(1, 20)},"
                        f"{chance.randint(1, 3)},{row(price, rate)}")  # fmt: skip
    path.write_text("\n".join(text) + "\n")
    return path


def columns_of(proposal: Proposal, table: str) -> dict[str, str]:
    return next(entry for entry in tomllib.loads(proposal.text)["tables"] if entry["table"] == table)["columns"]


@pytest.mark.parametrize("written", ["{0}%", "{0} %", "{0}.0", "{0}.00", "{0}"])
@pytest.mark.parametrize("named", ["VAT", "Tax"])
def test_a_rate_is_no_tax_amount(written: str, named: str, tmp_path: Path) -> None:
    """Found wrong once: a column with 19% became 19 euros of tax on every line."""
    path = lines(tmp_path / "sales.csv", "unit_price", named, lambda price, rate: f"{price},{written.format(rate)}")
    proposal = propose_mapping([path])
    assert "tax_amount" not in columns_of(proposal, "orders") | columns_of(proposal, "order_items")
    assert f"left out: {named} holds rates, and nothing tells whether prices include tax" in proposal.text


@pytest.mark.parametrize(("prices", "told"), [("gross price", "is gross"), ("net price", "is net")])
def test_tax_is_worked_out_of_a_rate_where_the_prices_say_net_or_gross(prices: str, told: str, tmp_path: Path) -> None:
    path = lines(tmp_path / "sales.csv", prices, "VAT", lambda price, rate: f"{price},{rate}%")
    landed = land_proposed(tmp_path, [path])
    assert told in landed.proposal.reasons["order_items.tax_amount"]
    share = "r / (1 + r)" if "gross" in prices else "r"
    wrong = landed.rows(
        "select count(*) from landed.order_items as i join raw.sales__sales as s using (_row_number), lateral"
        " (select replace(s.\"VAT\", '%', '')::double / 100 as r)"
        f" where abs(i.tax_amount::double - i.quantity::double * i.unit_price::double * {share}) > 0.0001"
    )
    assert wrong == [(0,)]


def test_round_tax_amounts_are_no_rates(tmp_path: Path) -> None:
    path = lines(tmp_path / "sales.csv", "unit_price", "Tax", lambda price, rate: "100.00,20.00")
    assert {"orders.tax_amount", "order_items.tax_amount"} & propose_mapping([path]).confidence.keys()


def test_what_differs_inside_an_order_is_doubtful_and_said_as_it_is_done(tmp_path: Path) -> None:
    path = lines(tmp_path / "sales.csv", "unit_price", "note", lambda price, rate: f"{price},n{rate}")
    proposal = propose_mapping([path])
    assert "orders.channel" in proposal.doubtful
    assert "the first row is taken" in proposal.reasons["orders.channel"]
    assert columns_of(proposal, "orders")["channel"] == '"channel"'


def test_with_gaps_the_first_row_that_has_one_is_taken(tmp_path: Path) -> None:
    """Found wrong once: the comment said the first row, the expression took the last word of the alphabet."""
    text = ["order_id,order_date,channel,sku,quantity,unit_price"]
    for order in range(100):
        for line, channel in enumerate(("", "zoo", "app") if order % 2 else ("web", "", "web")):
            text.append(f"O{order},2024-01-{order % 28 + 1:02},{channel},P{line},1,9.99")
    (tmp_path / "sales.csv").write_text("\n".join(text) + "\n")
    landed = land_proposed(tmp_path, [tmp_path / "sales.csv"])
    assert "the first row that has one is taken" in landed.proposal.reasons["orders.channel"]
    assert "orders.channel" in landed.proposal.doubtful
    found = landed.rows("select channel, count(*) from landed.orders group by 1 order by 1")
    assert found == [("web", 50), ("zoo", 50)]


def test_settings_in_doubt_are_looked_at_first(tmp_path: Path) -> None:
    path = lines(tmp_path / "sales.csv", "unit_price", "note", lambda price, rate: f"{price},n{rate}")
    proposal = propose_mapping([path])
    assert proposal.doubtful[:2] == ("source.currency", "source.prices_include_tax")
    assert "Look at first: source.currency, source.prices_include_tax" in proposal.summary
    assert proposal.text.count("  # ? ") == len(proposal.doubtful)


@pytest.mark.parametrize(
    ("name", "glob"),
    [
        ("orders_2024-05.csv", "orders_*.csv"),
        ("orders_export_1.csv", "orders_export_*.csv"),
        ("verkaeufe20240501.csv", "verkaeufe*.csv"),
        ("b2b_orders.csv", "b2b_orders.csv"),
        ("orders_v2.csv", "orders_v2.csv"),
        ("orders.csv", "orders.csv"),
        ("orders [2024].csv", "orders [[]*].csv"),
    ],
)
def test_a_date_or_number_in_the_name_is_left_open(name: str, glob: str, tmp_path: Path) -> None:
    path = lines(tmp_path / name, "unit_price", "note", lambda price, rate: f"{price},n{rate}")
    proposal = propose_mapping([path])
    (group,) = tomllib.loads(proposal.text)["files"].values()
    assert group["path"] == glob
    assert ("is left open" in proposal.text) == (f"Reads every file named {glob}" in proposal.summary) == (name != glob)


def test_an_open_name_takes_in_the_next_export_and_nothing_else(tmp_path: Path) -> None:
    path = lines(tmp_path / "orders_2024-05.csv", "unit_price", "note", lambda price, rate: f"{price},n{rate}")
    lines(tmp_path / "orders_2024-06.csv", "unit_price", "note", lambda price, rate: f"{price},n{rate}")
    assert 'path = "orders_*.csv"' in propose_mapping([path]).text
    (tmp_path / "orders_items.csv").write_text("a,b\n1,2\n")
    assert 'path = "orders_[0-9]*.csv"' in propose_mapping([path]).text
    (tmp_path / "orders_2024-07.csv").write_text("a,b\n1,2\n")
    assert 'path = "orders_2024-05.csv"' in propose_mapping([path]).text


def test_the_formats_a_mapping_declares_are_kept_for_the_reasons_in_quarantine(tmp_path: Path) -> None:
    landed = land_proposed(tmp_path / "data", german(tmp_path / "data", shop(120)))
    told = dict(landed.rows("select table_name || '.' || column_name, accepted from ops.declared_formats"))
    assert told["orders.ordered_at"] == 'accepted in "Bestelldatum" is %d.%m.%Y %H:%M'
    assert told["order_items.unit_price"].endswith(" is a number such as 1.234,56")
    assert "orders.order_id" not in told
