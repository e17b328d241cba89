"""Drafts the table of a file that holds one contract table, column by column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marginwise.connectors.canonical import identifier, literal
from marginwise.connectors.proposal.drafts import (
    Draft,
    TableDraft,
    boolean_draft,
    extra_columns,
    is_private,
    plain,
    plain_draft,
    word_case,
)
from marginwise.connectors.proposal.file_roles import named_table
from marginwise.connectors.proposal.flat import dependencies
from marginwise.connectors.proposal.lexicon import concepts, vocabulary
from marginwise.connectors.proposal.order_columns import (
    ORDER_AMOUNTS,
    OrderColumns,
    customer_drafts,
    customer_expression,
)
from marginwise.contract.loader import contracts

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb

    from marginwise.connectors.proposal.matching import Match
    from marginwise.connectors.proposal.profile import FileProfile

__all__ = ["dates_of_customers", "keep_unused", "orders_file", "plain_file"]

PLATFORMS = {
    "google": "Google Ads",
    "facebook": "Facebook Ads",
    "meta": "Meta Ads",
    "microsoft": "Microsoft Ads",
    "bing": "Microsoft Ads",
    "tiktok": "TikTok Ads",
    "pinterest": "Pinterest Ads",
    "linkedin": "LinkedIn Ads",
    "snapchat": "Snapchat Ads",
    "twitter": "Twitter Ads",
    "amazon": "Amazon Ads",
    "apple": "Apple Search Ads",
    "reddit": "Reddit Ads",
    "criteo": "Criteo",
    "awin": "Awin",
}


def orders_file(
    con: duckdb.DuckDBPyConnection, profile: FileProfile, found: dict[str, Match], makes: frozenset[str]
) -> list[TableDraft]:
    """Draft orders, and the customers they name, from a file with one row per order.

    Parameters
    ----------
    con
        The database with the file's rows.
    profile
        The file.
    found
        Its columns by meaning.
    makes
        The tables wanted from it.
    """
    order = found.get("order_id")
    inside = (
        dependencies(
            con, profile.relation, order.sql, [c.name for c in profile.columns if c.filled and c.sql != order.sql]
        )
        if order
        else None
    )
    draft = TableDraft("orders", profile.group)
    if order:
        draft.columns["order_id"] = plain_draft(order)
        if inside and inside.groups < inside.rows:
            draft.one_row_per = ("order_id",)
    columns = OrderColumns(
        con, profile, found, order.sql if order else None, inside if inside and not inside.is_unique else None
    )
    draft.columns |= columns.drafts()
    for concept, name in ORDER_AMOUNTS.items():
        if concept in found and name not in draft.columns:
            draft.columns[name] = columns.amount(found[concept])
    if "tax_rate" in found and "tax_amount" not in draft.columns:
        told = f"{found['tax_rate'].column.name} holds rates; the tax is worked out where the lines' values stand"
        draft.left_out["tax_amount"] = Draft("", 0.0, told)
    more = columns.refunds() if "refunds" in makes else []
    return [draft, *more, *(customer_drafts(con, profile, found) if "customers" in makes else [])]


def plain_file(
    con: duckdb.DuckDBPyConnection, profile: FileProfile, table: str, found: dict[str, Match]
) -> list[TableDraft]:
    """Draft one contract table from a file of its own.

    Parameters
    ----------
    con
        The database with the file's rows.
    profile
        The file.
    table
        The contract table.
    found
        Its columns by meaning.
    """
    draft = TableDraft(table, profile.group)
    contract = contracts()[table]
    for name, match in found.items():
        for target in concepts()[name].fills:
            if target.partition(".")[0] == table and target.partition(".")[2] not in draft.columns:
                column = contract.column(target.partition(".")[2])
                draft.columns[column.name] = boolean_draft(match) if column.type == "boolean" else plain_draft(match)
    if table in _FILLERS:
        _FILLERS[table](draft, profile, found)
    keys = [name for name in contract.key if name != "store_id"]
    if contract.versioned_by is None and all(key in draft.columns for key in keys):
        listed = ", ".join(draft.columns[key].expression for key in keys)
        if "over (" not in listed:
            held = dependencies(con, profile.relation, f"({listed})" if len(keys) == 1 else f"row({listed})", [])
            if held.groups < held.rows and table not in ("orders", "order_items"):
                draft.remark = (
                    f"CHECK: {held.rows - held.groups:,} rows repeat the key {', '.join(keys)}; the newer row wins."
                )
    return [draft]


def keep_unused(profile: FileProfile, tables: list[TableDraft]) -> list[str]:
    """Add unused columns as ``x_…`` to the file's first table; return the personal ones that are left out."""
    used = set().union(*(table.used_columns(profile) for table in tables))
    unused = [column.name for column in profile.columns if column.filled and column.name not in used]
    private = [name for name in unused if is_private(profile.column(name))]
    tables[0].columns |= extra_columns(profile, [name for name in unused if name not in private], tables[0].columns)
    return private


def _refunds(draft: TableDraft, profile: FileProfile, found: dict[str, Match]) -> None:
    order = found.get("order_id")
    if "refund_id" not in draft.columns and order is not None:
        draft.number_within = order.sql
        draft.columns["refund_id"] = Draft(
            f"{order.sql} || '-R' || _number", 0.8, "no number of the refund: order and count"
        )
    for concept, name in (("refund_amount", "amount"), ("refund_quantity", "quantity")):
        if concept in found and (found[concept].column.minimum or 0) < 0:
            match = found[concept]
            draft.columns[name] = Draft(
                f"abs({match.number_sql})", match.confidence, f"{match.reason}; as a positive number"
            )
    if "amount" not in draft.columns and "line_total" in found:
        draft.columns["amount"] = Draft(
            f"abs({found['line_total'].number_sql})", found["line_total"].confidence * 0.8, found["line_total"].reason
        )
    draft.columns.setdefault("kind", Draft("'return'", 0.6, "nothing tells the kind"))


def _payments(draft: TableDraft, profile: FileProfile, found: dict[str, Match]) -> None:
    if "payment_number" not in draft.columns and "order_id" in found:
        draft.number_within = found["order_id"].sql
        draft.columns["payment_number"] = Draft("_number", 0.9, "counted inside each order")
    if "fee_amount" not in draft.columns and "payment_fee" in found:
        draft.columns["fee_amount"] = plain_draft(found["payment_fee"])


def _customers(draft: TableDraft, profile: FileProfile, found: dict[str, Match]) -> None:
    customer = customer_expression(found)
    if customer:
        draft.columns["customer_id"] = customer
    if "name" not in draft.columns and "first_name" in found and "last_name" in found:
        first, last = found["first_name"], found["last_name"]
        draft.columns["name"] = Draft(
            f"concat_ws(' ', {first.sql}, {last.sql})", min(first.confidence, last.confidence), first.reason
        )


def _products(draft: TableDraft, profile: FileProfile, found: dict[str, Match]) -> None:
    if "list_price" not in draft.columns and "unit_price" in found:
        draft.columns["list_price"] = plain_draft(found["unit_price"], factor=0.8, reason="taken as the list price")
    if "name" not in draft.columns and "product_id" in found:
        category = found.get("category")
        stand_in = (
            f"concat_ws(' ', {category.sql}, left({found['product_id'].sql}, 8))"
            if category
            else found["product_id"].sql
        )
        draft.columns["name"] = Draft(stand_in, 0.6, "no column with names: category and code stand in")


def _sessions(draft: TableDraft, profile: FileProfile, found: dict[str, Match]) -> None:
    if "visitor_id" not in draft.columns:
        other = found.get("customer_id") or found.get("session_id")
        if other:
            draft.columns["visitor_id"] = Draft(plain(other), 0.6, f"no visitor: {other.column.name} stands in")


def _events(draft: TableDraft, profile: FileProfile, found: dict[str, Match]) -> None:
    if "event_id" not in draft.columns:
        draft.columns["event_id"] = Draft(
            "left(_file_hash, 12) || '-' || _row_number", 0.8, "no number of the event: file and row stand in"
        )
    if "visitor_id" not in draft.columns:
        other = found.get("customer_id") or found.get("session_id")
        if other:
            draft.columns["visitor_id"] = Draft(plain(other), 0.75, f"no visitor: {other.column.name} stands in")
    event = found.get("event_type")
    if event is not None:
        words = [word for word, _ in event.column.common]
        case = word_case(event.sql, words, vocabulary("events"), otherwise=event.sql)
        draft.columns["event_type"] = Draft(case, event.confidence, event.reason)
    price = found.get("unit_price")
    if "value_amount" not in draft.columns and price is not None:
        draft.columns["value_amount"] = plain_draft(price, factor=0.8)


def _spend(draft: TableDraft, profile: FileProfile, found: dict[str, Match]) -> None:
    if "spend_amount" not in draft.columns and "spend_micros" in found:
        match = found["spend_micros"]
        draft.columns["spend_amount"] = Draft(
            f"try_cast({match.sql} as decimal(38, 6)) / 1000000",
            match.confidence,
            f"{match.reason}; millionths of the currency",
        )
    if "channel" not in draft.columns:
        name = profile.paths[0].name.casefold()
        platform = next((told for word, told in PLATFORMS.items() if word in name), None)
        if platform:
            draft.columns["channel"] = Draft(
                literal(platform),
                0.6,
                "named by the file; write the channel as your rules name it, such as 'Paid Search'",
            )
    if "campaign" not in draft.columns and "campaign_id" in found:
        draft.columns["campaign"] = plain_draft(found["campaign_id"], factor=0.9, reason="no name, the id stands in")


def _partners(draft: TableDraft, profile: FileProfile, found: dict[str, Match]) -> None:
    named = named_table(profile.paths[0].name) == "partners"
    if "kind" not in draft.columns:
        draft.columns["kind"] = Draft("'seller'", 0.5 if named else 0.4, "nothing tells the kind")
    if "name" not in draft.columns and "partner_id" in found:
        draft.columns["name"] = Draft(found["partner_id"].sql, 0.6, "no column with names: the number stands in")
    rate = found.get("commission_rate")
    if rate is not None and (rate.column.maximum or 0) > 1:
        draft.columns["commission_rate"] = Draft(
            f"{rate.number_sql} / 100", rate.confidence, f"{rate.reason}; percent as a fraction"
        )


def _budgets(draft: TableDraft, profile: FileProfile, found: dict[str, Match]) -> None:
    if "rate_date" in found:
        draft.columns["period"] = Draft(
            f"date_trunc('month', try_cast({found['rate_date'].sql} as date))",
            found["rate_date"].confidence,
            found["rate_date"].reason,
        )


_FILLERS: dict[str, Callable[[TableDraft, FileProfile, dict[str, Match]], None]] = {
    "refunds": _refunds,
    "payments": _payments,
    "customers": _customers,
    "products": _products,
    "sessions": _sessions,
    "events": _events,
    "marketing_spend": _spend,
    "partners": _partners,
    "budgets": _budgets,
}


def dates_of_customers(draft: TableDraft, orders: TableDraft | None) -> None:
    """Give customers without a date of their own the date of their first order."""
    if "created_at" in draft.columns or orders is None or "customer_id" not in draft.columns:
        return
    if (
        "customer_id" not in orders.columns
        or "ordered_at" not in orders.columns
        or "over (" in orders.columns["ordered_at"].expression
    ):
        return
    date, person = orders.columns["ordered_at"].expression, orders.columns["customer_id"].expression
    first = f"select min({date}) as first_at, {person} as person from {identifier(orders.group)} group by 2"
    if not draft.join:
        draft.join = (
            f"left join ({first}) as first_orders on first_orders.person = {draft.columns['customer_id'].expression}"
        )
        draft.columns["created_at"] = Draft(
            "first_orders.first_at", 0.75, "no date of their own: the first order is the first sign of the customer"
        )
