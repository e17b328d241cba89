"""Drafts orders from the purchases in a stream of events, where no file holds the orders themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marginwise.connectors.canonical import literal
from marginwise.connectors.proposal.drafts import Draft, TableDraft, plain_draft
from marginwise.connectors.proposal.lexicon import value_key, vocabulary
from marginwise.connectors.proposal.order_columns import customer_expression

if TYPE_CHECKING:
    from marginwise.connectors.proposal.matching import Match
    from marginwise.connectors.proposal.profile import FileProfile

__all__ = ["purchases_of_events"]


def purchases_of_events(profile: FileProfile, found: dict[str, Match]) -> list[TableDraft]:
    """Draft orders, lines, products and customers from purchase events; empty when there are none with a price.

    Parameters
    ----------
    profile
        The file of events.
    found
        Its columns by meaning.
    """
    event, time, product = found.get("event_type"), found.get("occurred_at"), found.get("product_id")
    price = found.get("unit_price") or found.get("event_value")
    visit = found.get("session_id") or found.get("customer_id") or found.get("visitor_id")
    if event is None or time is None or product is None or price is None or visit is None:
        return []
    known = vocabulary("events")
    bought = sorted({word.lower() for word, _ in event.column.common if known.get(value_key(word)) == "purchase"})
    if not bought:
        return []
    where = f"lower({event.sql}) in ({', '.join(map(literal, bought))})"
    order = _order(found, visit)
    orders = TableDraft("orders", profile.group, where=where, one_row_per=("order_id",))
    orders.remark = "Made from purchase events, as a stand-in for the shop's own orders."
    first = f"min({time.sql}) over (partition by {order.expression})"
    orders.columns = {
        "order_id": order,
        "ordered_at": Draft(first, 0.7, "time of the first purchase event"),
        "status": Draft("'paid'", 0.6, "a purchase event says it was paid"),
    }
    person = customer_expression(found)
    if person is None and "visitor_id" in found:
        person = plain_draft(found["visitor_id"], factor=0.7, reason="no customer, the visitor stands in")
    if person:
        orders.columns["customer_id"] = person
    if "session_id" in found:
        orders.columns["session_id"] = plain_draft(found["session_id"])
    items = TableDraft("order_items", profile.group, where=where, number_within=order.expression)
    items.remark = "Each purchase event is one piece."
    items.columns = {
        "order_id": order,
        "line_number": Draft("_number", 0.9, "counted inside each order"),
        "product_id": plain_draft(product),
        "quantity": Draft("1", 0.55, "events carry no quantity: one piece each"),
        "unit_price": plain_draft(price, factor=0.8),
    }
    customers = _customers(profile, found, where) if person and "customer_id" in found else []
    return [orders, items, _products(profile, found, product), *customers]


def _order(found: dict[str, Match], visit: Match) -> Draft:
    if "order_id" in found:
        return plain_draft(found["order_id"])
    return Draft(visit.sql, 0.55, "no number of the order: the purchases of one visit are taken as one order")


def _products(profile: FileProfile, found: dict[str, Match], product: Match) -> TableDraft:
    draft = TableDraft("products", profile.group, where=f"{product.sql} is not null", one_row_per=("product_id",))
    draft.columns["product_id"] = plain_draft(product)
    if "product_name" in found:
        draft.columns["name"] = plain_draft(found["product_name"])
    else:
        parts = [found[concept].sql for concept in ("brand", "category", "product_id") if concept in found]
        told = "no column with names: brand, category and code stand in"
        draft.columns["name"] = Draft(f"concat_ws(' ', {', '.join(parts)})", 0.6, told)
    for concept in ("category", "brand"):
        if concept in found:
            draft.columns[concept] = plain_draft(found[concept])
    return draft


def _customers(profile: FileProfile, found: dict[str, Match], where: str) -> list[TableDraft]:
    person, time = found["customer_id"], found["occurred_at"]
    draft = TableDraft(
        "customers", profile.group, where=f"{person.sql} is not null and {where}", one_row_per=("customer_id",)
    )
    first = f"min({time.sql}) over (partition by {person.sql})"
    draft.columns = {
        "customer_id": plain_draft(person),
        "created_at": Draft(first, 0.7, "the first purchase is the first sign of the customer"),
    }
    return [draft]
