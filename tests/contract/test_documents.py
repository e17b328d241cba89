"""The YAML documents: real Open Data Contract Standard, and the tables the product promises."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import pytest
import yaml

from marginwise.contract.loader import TABLE_NAMES

TABLES = files("marginwise.contract").joinpath("tables")
# the promised columns: required ones, then the others; store_id and updated_at belong to every table
PROMISED = {
    "orders": (
        "order_id ordered_at status currency",
        "customer_id channel campaign sales_channel session_id partner_id discount_amount shipping_charged_amount "
        "tax_amount shipping_cost_amount payment_fee_amount commission_amount handling_cost_amount ship_country "
        "ship_region ship_city is_test",
    ),
    "order_items": (
        "order_id line_number product_id quantity unit_price",
        "discount_amount tax_amount unit_cost free_quantity partner_id",
    ),
    "refunds": (
        "refund_id refunded_at amount",
        "order_id line_number customer_id product_id quantity restocked_quantity tax_amount shipping_amount kind "
        "handling_cost_amount",
    ),
    "payments": ("order_id payment_number method amount", "installments fee_amount paid_at"),
    "customers": (
        "customer_id created_at",
        "email name phone birth_date country region city segment acquisition_channel consent",
    ),
    "products": (
        "product_id name",
        "kind category subcategory brand partner_id list_price unit_cost is_active launched_at",
    ),
    "product_costs": ("product_id valid_from unit_cost currency", ""),
    "product_prices": ("product_id valid_from list_price currency", ""),
    "inventory": ("product_id location as_of_date on_hand_quantity", "reorder_point_quantity reserved_quantity"),
    "sessions": (
        "session_id started_at visitor_id",
        "customer_id source medium campaign channel device country landing_page is_paid",
    ),
    "events": (
        "event_id occurred_at event_type visitor_id",
        "session_id customer_id product_id order_id value_amount",
    ),
    "marketing_spend": (
        "spend_date channel campaign spend_amount currency",
        "impressions clicks platform_conversions platform_revenue_amount",
    ),
    "partners": ("partner_id name", "kind segment joined_at commission_rate country"),
    "subscriptions": (
        "subscription_id valid_from customer_id plan status monthly_amount started_at",
        "ended_at cancelled_at valid_to",
    ),
    "reviews": ("review_id order_id score created_at", ""),
    "weather": ("city date temperature_celsius precipitation_mm", ""),
    "exchange_rates": ("date currency rate", ""),
    "budgets": ("period channel planned_amount", ""),
}
PHYSICAL = {
    "string": {"varchar"},
    "integer": {"bigint"},
    "number": {"decimal(18,4)", "decimal(18,8)"},
    "timestamp": {"timestamp"},
    "date": {"date"},
    "boolean": {"boolean"},
}


def read(name: str) -> Any:
    return yaml.safe_load(TABLES.joinpath(f"{name}.yaml").read_text(encoding="utf-8"))


def custom(item: dict[str, Any]) -> dict[str, Any]:
    return {entry["property"]: entry["value"] for entry in item.get("customProperties", ())}


def test_there_is_one_document_for_each_table_and_none_beside() -> None:
    assert sorted(path.name for path in TABLES.iterdir()) == sorted(f"{name}.yaml" for name in TABLE_NAMES)
    assert tuple(PROMISED) == TABLE_NAMES


def test_documents_are_valid_against_the_published_json_schema() -> None:
    standard = pytest.importorskip("open_data_contract_standard", reason="open-data-contract-standard is not installed")
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(files(standard.__name__).joinpath("schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft201909Validator(schema)
    broken = [
        f"{name}: {list(error.path)} {error.message}"
        for name in TABLE_NAMES
        for error in validator.iter_errors(read(name))
    ]
    assert not broken


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_document_has_the_fields_of_the_standard(name: str) -> None:
    document = read(name)
    assert document["apiVersion"] == "v3.1.0"
    assert document["kind"] == "DataContract"
    assert document["id"] == "marginwise-" + name.replace("_", "-")
    assert re.fullmatch(r"\d+\.\d+\.\d+", document["version"])
    assert document["status"] == "active"
    (schema,) = document["schema"]
    assert schema["name"] == name
    assert schema["dataGranularityDescription"].endswith(".")
    for item in schema["properties"]:
        assert item["physicalType"] in PHYSICAL[item["logicalType"]], item["name"]
        assert item["description"].endswith("."), item["name"]
        assert ("primaryKey" in item) == ("primaryKeyPosition" in item), item["name"]
        assert not item.get("primaryKey") or item["required"], item["name"]
        for rule in item.get("quality", ()):
            # the rule as other tools read it says the same as the fields this product reads
            assert rule["metric"] == "invalidValues"
            assert rule["mustBe"] == 0
            assert rule["severity"] == custom(item).get("onViolation", "quarantine")
            options = item.get("logicalTypeOptions", {})
            assert {key: value for key, value in rule["arguments"].items() if key != "validValues"} == {
                key: value for key, value in options.items() if "validValues" not in rule["arguments"]
            }
        assert set(custom(item)) <= {"unit", "default", "mayBeFuture", "onViolation"}, item["name"]
        if item["logicalType"] == "number":
            assert "unit" in custom(item) or item["name"] == "platform_conversions", item["name"]
        if item["logicalType"] == "timestamp":
            assert custom(item)["unit"] == "UTC", item["name"]


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_document_has_exactly_the_promised_columns(name: str) -> None:
    required, others = (part.split() for part in PROMISED[name])
    properties = read(name)["schema"][0]["properties"]
    names = [item["name"] for item in properties]
    assert names[0] == "store_id"
    assert names[-1] == "updated_at"
    assert names[1:-1] == [*required, *others]
    assert [item["name"] for item in properties if item.get("required")] == ["store_id", *required]


def test_only_customers_hold_personal_data() -> None:
    marked = {
        (name, item["name"])
        for name in TABLE_NAMES
        for item in read(name)["schema"][0]["properties"]
        if item.get("classification") == "pii"
    }
    assert marked == {("customers", column) for column in ("email", "name", "phone", "birth_date")}
