"""Unknown files get a mapping that works unedited; what is in doubt is said, what is missing is named, nobody is shown."""

from __future__ import annotations

import gzip
import random
import re
import tarfile
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from marginwise.connectors.mapping import load_mapping
from marginwise.connectors.proposal.propose import Proposal, propose_mapping
from marginwise.errors import BadMapping, MarginwiseError
from tests.connectors.landed_truth import Expected, Landed, land_proposed, right_columns
from tests.connectors.more_exports import MORE, SHAPES
from tests.connectors.shop_exports import VARIANTS, Shop, ambiguous_dates, german, shop
from tests.connectors.system_exports import SYSTEMS

DELIVERED = lambda line: "delivered"  # noqa: E731
SHOPIFY = {"pending": "pending", "cancelled": "void"}
EXPECTED = {
    "american_tabs": Expected(currency="USD"),
    "headerless": Expected(status=DELIVERED, has_discount=False),
    "french": Expected(has_clock=False),
    "quoted_totals": Expected(has_discount=False),
    "spanish": Expected(has_clock=False, has_discount=False),
    "italian": Expected(has_clock=False),
    "portuguese": Expected(currency="BRL"),
    "ambiguous_dates": Expected(status=DELIVERED, has_clock=False, has_discount=False),
    "three_files": Expected(has_returns=False),
    "shopify": Expected(status=lambda line: SHOPIFY.get(line.status, "paid"), has_returns=False, utc_offset=-1),
    "mysql_dump": Expected(status=DELIVERED, has_clock=False),
    "woocommerce": Expected(has_returns=False),
    "magento": Expected(status=lambda line: {"shipped": "delivered"}.get(line.status, line.status), has_returns=False),
    "amazon": Expected(order_id=lambda line: f"302-{line.order[1:]}-77", has_returns=False, customers=0),
    "etsy": Expected(status=DELIVERED, currency="USD", has_clock=False, has_returns=False),
    "ebay": Expected(status=DELIVERED, currency="USD", has_clock=False, has_returns=False, has_discount=False),
    "jtl": Expected(has_clock=False),
    "shopware": Expected(has_discount=False),
    "square": Expected(status=DELIVERED, currency="USD", has_returns=False),
    "superstore": Expected(status=DELIVERED, has_clock=False, has_returns=False),
    "prestashop": Expected(has_discount=False),
}
WRONG_WITHOUT_AN_EDIT = {"amazon": {"customers.customer_id"}}


@pytest.fixture(scope="module")
def truth() -> Shop:
    return shop(160)


@pytest.fixture(scope="module")
def landed_as(truth: Shop, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Landed]:
    """Return what lands the exports of a system as it is proposed, once, for reading only."""

    @cache
    def landed(name: str) -> Landed:
        folder = tmp_path_factory.mktemp(name) / "data"
        return land_proposed(folder, (VARIANTS | SYSTEMS | MORE)[name](folder, _told(name, truth)))

    return landed


def _told(name: str, truth: Shop) -> Shop:
    return shop(160, short=True) if name == "ambiguous_dates" else truth


@pytest.mark.parametrize("name", [*VARIANTS, *SYSTEMS, *MORE])
def test_every_required_column_is_right_without_an_edit(
    name: str, truth: Shop, landed_as: Callable[[str], Landed]
) -> None:
    landed, told = landed_as(name), _told(name, truth)
    expected = SHAPES[name][3] if name in SHAPES else EXPECTED.get(name, Expected())
    right = right_columns(landed, told, expected)
    wrong = {column for column, is_right in right.items() if not is_right}
    assert wrong == WRONG_WITHOUT_AN_EDIT.get(name, set()), landed.proposal.text
    assert landed.proposal.missing == ()


@pytest.mark.parametrize("name", ["german", "french", "headerless", "shopify"])
def test_every_row_is_an_order_line_or_a_refund(name: str, landed_as: Callable[[str], Landed]) -> None:
    landed = landed_as(name)
    source = landed.rows("select raw_table from ops.files")[0][0]
    lost = landed.rows(
        f"select count(*) from raw.{source} as r anti join (select _file_hash, _row_number from landed.order_items"
        " union all select _file_hash, _row_number from landed.refunds) as t using (_file_hash, _row_number)"
    )
    assert lost == [(0,)]
    assert landed.report.unreadable == 0
    assert landed.rows("select count(*) from ops.landing_checks") == [(0,)]


def test_amounts_add_up_to_the_ledger(truth: Shop, landed_as: Callable[[str], Landed]) -> None:
    landed = landed_as("german")
    sold = landed.rows("select sum(quantity::decimal(18, 4) * unit_price::decimal(18, 4)) from landed.order_items")[0][
        0
    ]
    back = landed.rows("select sum(amount::decimal(18, 4)) from landed.refunds")[0][0]
    shipping = landed.rows("select sum(shipping_charged_amount::decimal(18, 4)) from landed.orders")[0][0]
    assert sold == sum(line.quantity * line.price for line in truth.sold)
    assert back == sum(line.price for line in truth.returned)
    assert shipping == sum({line.order: line.shipping for line in truth.sold}.values())


def test_the_text_says_why_and_what_is_in_doubt(landed_as: Callable[[str], Landed]) -> None:
    proposal = landed_as("german").proposal
    assert tomllib.loads(proposal.text)["files"]["verkaufe"]["decimal"] == ","
    for part in ('encoding = "cp1252"', 'delimiter = ";"', "Bestelldatum = \"%d.%m.%Y %H:%M\"", "# 0.98 name",
                 "prices_include_tax = true", "# is_test = ''",
                 "# Personal data, left out of verkaufe: Bemerkung"):  # fmt: skip
        assert part in proposal.text
    assert proposal.confidence["orders.order_id"] > 0.9
    assert "refunds.restocked_quantity" in proposal.doubtful
    assert proposal.as_dict()["mapping"] == proposal.text


def test_nobody_is_shown(landed_as: Callable[[str], Landed]) -> None:
    for name in ("german", "shopify", "woocommerce", "etsy", "three_files"):
        text = landed_as(name).proposal.text
        for secret in ("@", "Groß", "Müller", "Köhler", "+49", "Am Weg", "kunde1"):
            assert secret not in text.replace("'@'", ""), f"{name}: {secret}"


def test_an_ambiguous_date_is_named_and_its_confidence_low(landed_as: Callable[[str], Landed]) -> None:
    proposal = landed_as("ambiguous_dates").proposal
    assert "AMBIGUOUS" in proposal.text
    assert "orders.ordered_at" in proposal.doubtful


def test_utm_tags_become_visits_of_the_orders(truth: Shop, tmp_path: Path) -> None:
    landed = land_proposed(tmp_path / "data", ambiguous_dates(tmp_path / "data", truth))
    assert landed.rows(
        "select count(*), count(s.source), count(s.medium) from landed.orders as o join landed.sessions as s using (session_id)"
    ) == [(len({line.order for line in truth.sold}),) * 3]


def test_a_missing_required_column_is_marked_and_keeps_the_mapping_from_loading(tmp_path: Path) -> None:
    file = tmp_path / "sales.csv"
    file.write_text(
        "order_id,order_date,quantity,unit_price\n"
        + "".join(f"A{i // 2},2024-05-{i % 28 + 1:02},2,9.90\n" for i in range(60))
    )
    proposal = propose_mapping([file])
    assert proposal.missing == ("order_items.product_id",)
    assert "MISSING" in proposal.summary
    assert "# product_id = ''  # REQUIRED" in proposal.text
    mapping = tmp_path / "sales.map.toml"
    mapping.write_text(proposal.text)
    with pytest.raises(BadMapping, match="product_id"):
        load_mapping(mapping)


def test_lines_with_a_header_in_the_middle_and_null_words(tmp_path: Path) -> None:
    lines = ["Umsatzliste;;;;", "Stand 01.02.2025;;;;", "Bestellnr;Datum;Artikel;Menge;Preis"]
    lines += [
        f"{100 + i // 2};{i % 27 + 1:02}.03.2024;Ware {i % 7};{'k.A.' if i == 3 else i % 3 + 1};{i % 9},50"
        for i in range(80)
    ]
    file = tmp_path / "liste.csv"
    file.write_text("\n".join(lines), encoding="utf-8")
    proposal = propose_mapping([file])
    assert "k.A." in proposal.text.split("null = ")[1].splitlines()[0]
    assert {"orders.ordered_at", "order_items.unit_price", "order_items.product_id"} <= proposal.confidence.keys()


def test_returned_documents_with_positive_quantities_become_refunds(tmp_path: Path) -> None:
    rows = [f"{i};Rechnung;{i % 28 + 1:02}.03.2024;A{i % 9};2;10,00" for i in range(1, 90)]
    rows += [f"{i};Gutschrift;{i % 28 + 1:02}.03.2024;A{i % 9};1;10,00" for i in range(90, 100)]
    file = tmp_path / "data" / "belege.csv"
    file.parent.mkdir()
    file.write_text("Belegnummer;Belegart;Datum;Artikelnummer;Menge;Einzelpreis\n" + "\n".join(rows))
    landed = land_proposed(file.parent, [file])
    assert landed.rows("select count(*), sum(amount::double) from landed.refunds") == [(10, 100.0)]
    assert landed.rows("select count(*) from landed.order_items") == [(89,)]


def test_orders_that_came_back_are_sold_and_refunded(tmp_path: Path) -> None:
    rows = [
        f"{i},2024-03-{i % 28 + 1:02},A{i % 9},1,10.00,{'Refunded' if i % 10 == 0 else 'Completed'}"
        for i in range(1, 101)
    ]
    file = tmp_path / "data" / "lines.csv"
    file.parent.mkdir()
    file.write_text("order_id,order_date,sku,qty,price,order_status\n" + "\n".join(rows))
    landed = land_proposed(file.parent, [file])
    assert landed.rows("select count(*) from landed.order_items") == [(100,)]
    assert landed.rows("select count(*), sum(amount::double), min(order_id) from landed.refunds") == [(10, 100.0, "10")]
    assert landed.rows("select distinct status from landed.orders") == [("delivered",)]


def test_a_folder_stands_for_its_files(truth: Shop, tmp_path: Path) -> None:
    VARIANTS["three_files"](tmp_path, truth)
    assert {"orders", "order_items", "customers"} <= set(propose_mapping([tmp_path]).tables)


def test_a_typing_error_does_not_overflow(tmp_path: Path) -> None:
    rows = [
        f"{i},2024-03-{i % 28 + 1:02},A{i % 9},{99999999999 if i == 7 else 2},{9999999.99 if i == 7 else 10.0},1,19"
        for i in range(1, 60)
    ]
    file = tmp_path / "data" / "lines.csv"
    file.parent.mkdir()
    file.write_text(
        "order_id,order_date,sku,qty,price,line_discount,vat_rate\n"
        + "\n".join([*rows, "99,2024-03-01,A1,-1,10.0,0,19"])
    )
    landed = land_proposed(file.parent, [file])
    assert landed.rows("select count(quantity), count(unit_price) from landed.order_items") == [(59, 59)]


def test_shipping_and_vouchers_sold_as_lines_are_no_goods(tmp_path: Path) -> None:
    rows = []
    for i in range(60):
        rows += [
            f"{i},2024-03-{i % 28 + 1:02},A{i % 9},Ware,1,20.00",
            f"{i},2024-03-{i % 28 + 1:02},VERS,Versandkosten,1,4.90",
        ]
        rows += [f"{i},2024-03-{i % 28 + 1:02},GUT,Gutschein,1,-5.00"] if i % 5 == 0 else []
    file = tmp_path / "data" / "lines.csv"
    file.parent.mkdir()
    file.write_text("order_id,date,sku,description,qty,price\n" + "\n".join(rows))
    landed = land_proposed(file.parent, [file])
    kinds = dict(landed.rows("select product_id, kind from landed.products"))
    assert (kinds["VERS"], kinds["GUT"], kinds["A1"]) == ("shipping", "adjustment", "good")
    assert landed.rows("select count(*) from landed.refunds") == [(0,)]


def test_tax_amounts_tell_whether_prices_include_tax(tmp_path: Path) -> None:
    for share, told in ((0.19 / 1.19, "true"), (0.19, "false")):
        rows = [f"{i},2024-03-{i % 28 + 1:02},A{i % 9},1,{20 + i}.00,{(20 + i) * share:.2f}" for i in range(60)]
        file = tmp_path / f"tax_{told}.csv"
        file.write_text("order_id,order_date,sku,qty,price,vat\n" + "\n".join(rows))
        assert f"prices_include_tax = {told}" in propose_mapping([file]).text


@pytest.mark.parametrize("seed", range(3))
def test_column_order_and_row_order_change_nothing_but_the_counting(seed: int, tmp_path: Path, truth: Shop) -> None:
    chance = random.Random(seed)
    file = german(tmp_path / "a", truth)[0]
    header, *rows = [line.split(";") for line in file.read_text("cp1252").splitlines() if '"' not in line]
    places = list(range(len(header)))
    chance.shuffle(places)
    chance.shuffle(rows)
    mixed = tmp_path / "b" / file.name
    mixed.parent.mkdir()
    mixed.write_text("\n".join(";".join(row[i] for i in places) for row in [header, *rows]), "cp1252")
    plain, other = propose_mapping([file]), propose_mapping([mixed])
    assert {name for name, sure in plain.confidence.items() if sure > 0.8} == {
        name for name, sure in other.confidence.items() if sure > 0.8
    }


GARBAGE = {
    "empty.csv": b"",
    "header_only.csv": b"order_id,date,sku,qty,price\n",
    "prose.txt": b"It was a dark and stormy night; the rain fell in torrents.\n" * 40,
    "one_column.csv": b"value\n" + b"7\n" * 50,
    "noise.csv": bytes(random.Random(1).randrange(256) for _ in range(5000)),
    "workbook.csv": b"PK\x03\x04" + b"\0" * 500,
    "zeros.csv": b"\0" * 4000,
    "flowers.csv": b"sepal,petal,species\n" + b"5.1,3.5,setosa\n4.9,3.0,virginica\n" * 30,
    "cut.csv.gz": gzip.compress(b"order_id,date,sku,qty,price\n" + b"1,2024-01-01,A,1,2.00\n" * 4000)[:90],
    "quote.csv": b'a,b\n"never closed,1\n' + b"x,y\n" * 20,
    "not.parquet": b"PAR1 this is no parquet file PAR1",
}  # fmt: skip


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_refused_with_a_clear_word(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(GARBAGE[name])
    with pytest.raises(MarginwiseError, match=re.escape(name.split(".")[0])):
        load_or_refuse(file)


def load_or_refuse(file: Path) -> None:
    """Propose, write and load: one of the three must say no."""
    mapping = file.with_suffix(".map.toml")
    mapping.write_text(propose_mapping([file]).text)
    load_mapping(mapping)


def test_nothing_to_look_at(tmp_path: Path) -> None:
    with pytest.raises(MarginwiseError):
        propose_mapping([])
    with pytest.raises(MarginwiseError, match="nowhere"):
        propose_mapping([tmp_path / "nowhere.csv"])


def test_names_that_break_sql_and_toml_do_no_harm(tmp_path: Path) -> None:
    header = ['order "id"', "date;of 'order'", "sku\\code", "qty\t", "price #1", "x' or 1=1 --", "Ünï\u2028code"]
    table = pa.table({name: [f"v{i}" for i in range(20)] for name in header}
                     | {header[1]: [f"2024-01-{i + 1:02}" for i in range(20)], header[3]: list(range(1, 21)), header[4]: [1.5] * 20})  # fmt: skip
    file = tmp_path / "data" / "odd 'name' [1].parquet"
    file.parent.mkdir()
    pq.write_table(table, file)
    landed = land_proposed(file.parent, [file])
    assert landed.rows("select count(*) from landed.order_items") == [(20,)]


def columns_of(proposal: Proposal, table: str) -> dict[str, str]:
    entry = next(entry for entry in tomllib.loads(proposal.text)["tables"] if entry["table"] == table)
    return {name: sql.replace('"', "") for name, sql in entry["columns"].items()}


def test_online_retail_comes_near_its_pack(shared_data: Path, tmp_path: Path) -> None:
    with tarfile.open(shared_data / "uci_online_retail" / "by_day_csv.tar.gz") as archive:
        days = [member for member in archive.getmembers() if member.name.endswith(".csv")][:12]
        archive.extractall(tmp_path, days)
    proposal = propose_mapping(sorted(tmp_path.rglob("*.csv")), root=tmp_path)
    assert len(tomllib.loads(proposal.text)["files"]) == 1
    orders, lines, refunds = (columns_of(proposal, table) for table in ("orders", "order_items", "refunds"))
    assert (orders["order_id"], orders["customer_id"], orders["ship_country"]) == ("InvoiceNo", "CustomerID", "Country")
    assert (lines["product_id"], lines["quantity"], lines["unit_price"]) == ("StockCode", "Quantity", "UnitPrice")
    assert refunds["kind"] == "'cancellation'"
    assert "'POST'" in columns_of(proposal, "products")["kind"]
    pack = {entry.table: entry for entry in load_mapping("online_retail").tables}
    assert {entry["table"] for entry in tomllib.loads(proposal.text)["tables"]} == pack.keys()


def test_shopify_tables_join_orders_and_lines_by_the_number_that_fits(shared_data: Path, tmp_path: Path) -> None:
    with tarfile.open(shared_data / "connector_fixtures" / "fivetran_shopify_seeds.tar.gz") as archive:
        names = ("shopify_order_data.csv", "shopify_order_line_data.csv", "shopify_product_data.csv")
        archive.extractall(tmp_path, [m for m in archive.getmembers() if Path(m.name).name in names])
    proposal = propose_mapping(sorted(tmp_path.rglob("*.csv")), root=tmp_path)
    assert proposal.missing == ()
    assert columns_of(proposal, "orders")["order_id"] == "id"
    assert columns_of(proposal, "order_items")["order_id"] == "order_id"
    assert columns_of(proposal, "order_items")["unit_price"] == "price"


def test_events_alone_give_a_funnel_and_stand_in_orders(shared_data: Path) -> None:
    proposal = propose_mapping([shared_data / "rees46_events_1000" / "2019_oct_first1000.parquet"])
    assert {"events", "orders", "order_items", "products"} <= set(proposal.tables)
    events = columns_of(proposal, "events")
    assert (events["occurred_at"], events["session_id"], events["product_id"]) == (
        "event_time",
        "user_session",
        "product_id",
    )
    assert "then 'add_to_cart'" in events["event_type"]
    assert "orders.order_id" in proposal.doubtful


def test_maven_and_olist_files_are_recognised_table_by_table(shared_data: Path) -> None:
    for name, wanted in (("maven_fuzzy_factory/raw", {"orders", "order_items", "refunds", "products", "sessions"}),
                         ("olist", {"orders", "order_items", "payments", "reviews", "customers", "products", "partners"})):  # fmt: skip
        folder = shared_data / name
        proposal = propose_mapping(sorted(folder.glob("*.csv.gz")), root=folder)
        assert proposal.missing == ()
        assert wanted <= set(proposal.tables)


def test_advertising_reports_become_spend(shared_data: Path, tmp_path: Path) -> None:
    with tarfile.open(shared_data / "connector_fixtures" / "fivetran_ad_reporting_seeds.tar.gz") as archive:
        wanted = ("google_ads_campaign_stats_data.csv", "facebook_ads_basic_ad_data.csv")
        archive.extractall(tmp_path, [m for m in archive.getmembers() if Path(m.name).name in wanted])
    for file in sorted(tmp_path.rglob("*.csv")):
        assert "marketing_spend.spend_amount" in propose_mapping([file]).confidence


def test_a_landed_proposal_reports_nothing_odd(truth: Shop, tmp_path: Path) -> None:
    landed: Landed = land_proposed(tmp_path / "data", VARIANTS["three_files"](tmp_path / "data", truth))
    assert landed.rows("select count(*) from landed.customers") == [(len({line.customer for line in truth.sold}),)]
    assert landed.report.files_new == 3
