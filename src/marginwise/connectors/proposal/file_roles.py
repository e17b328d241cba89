"""Tells which contract table a file holds, from its name and its columns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from marginwise.connectors.proposal.flat import dependencies
from marginwise.connectors.proposal.lexicon import folded, vocabulary_lists, words_of
from marginwise.connectors.proposal.matching import Match, match_columns

if TYPE_CHECKING:
    import duckdb

    from marginwise.connectors.proposal.profile import FileProfile

__all__ = ["file_role", "named_table"]

DISTINCT = 0.75
# what a file must have to be a table's: one column of each line; the first one sets the table apart
_SIGNATURES: dict[str, tuple[tuple[str, ...], ...]] = {
    "refunds": (
        ("refund_amount", "refund_quantity"),
        ("refund_id", "order_id", "product_id"),
        ("refunded_at", "refund_id"),
    ),
    "payments": (("payment_method",), ("order_id",), ("payment_amount",)),
    "reviews": (("review_score",), ("review_id", "order_id"), ("reviewed_at",)),
    "sessions": (
        ("session_id",),
        ("session_started_at",),
        ("utm_source", "utm_medium", "landing_page", "device", "channel"),
    ),
    "events": (("event_type",), ("occurred_at",), ("visitor_id", "customer_id", "session_id")),
    "marketing_spend": (
        ("spend", "spend_micros"),
        ("spend_date",),
        ("channel", "campaign", "campaign_id", "clicks", "impressions"),
    ),
    "product_costs": (("valid_from",), ("product_id",), ("unit_cost",)),
    "product_prices": (("valid_from",), ("product_id",), ("list_price",)),
    "inventory": (("on_hand",), ("product_id",)),
    "exchange_rates": (("rate",), ("rate_date",), ("currency",)),
    "budgets": (("planned_amount",), ("rate_date",), ("channel",)),
    "weather": (("temperature",), ("city",), ("rate_date",)),
    "subscriptions": (("subscription_id",), ("plan",), ("subscription_status",)),
    "partners": (("partner_id",), ("partner_name", "commission_rate", "partner_kind", "city", "region", "country")),
    "order_items": (("order_id",), ("product_id", "product_name"), ("unit_price", "line_total", "quantity")),
    "orders": (("order_id",), ("ordered_at",)),
    "customers": (
        ("customer_id", "email"),
        ("customer_name", "email", "city", "country", "customer_created_at", "first_name", "segment"),
    ),
    "products": (("product_id",), ("product_name", "category")),
}
# tables that describe one thing a row, so that its number may not repeat much
_UNIQUE = {"orders": "order_id", "customers": "customer_id", "products": "product_id", "partners": "partner_id"}
_EXTRAS = {
    "order_items": ("quantity", "unit_price", "line_total", "line_number", "discount"),
    "orders": ("status", "customer_id", "currency", "order_total", "shipping_charged", "discount"),
    "events": ("product_id", "session_id"), "products": ("category", "brand", "list_price", "unit_cost"),
    "customers": ("customer_name", "email", "phone", "segment"), "marketing_spend": ("clicks", "impressions", "spend"),
}  # fmt: skip


def named_table(file_name: str) -> str | None:
    """Return the contract table a file's name speaks of, None when it speaks of none.

    >>> named_table("Kunden_2024-01.csv"), named_table("order_item_refunds.csv.gz"), named_table("export.csv")
    ('customers', 'refunds', None)
    """
    stem = re.sub(r"(\.(csv|txt|tsv|parquet|gz|bz2|zst|dat))+$", "", file_name, flags=re.IGNORECASE)
    words = [word for word in words_of(re.sub(r"\d+", " ", stem)) if not word.isdigit()]
    parts = {folded(" ".join(words[i:j])) for i in range(len(words)) for j in range(i + 1, min(i + 3, len(words)) + 1)}
    for table, known in vocabulary_lists("files").items():
        if parts & {folded(word) for word in known}:
            return table
    return None


def file_role(con: duckdb.DuckDBPyConnection, profile: FileProfile) -> tuple[str | None, float, dict[str, Match]]:
    """Return the contract table whose file this is, how sure that is, and its columns by meaning.

    Parameters
    ----------
    con
        The database with the file's rows.
    profile
        The file.

    Returns
    -------
    str or None, float, dict
        ``order_items`` also stands for a flat file that holds more than lines; None when no table fits.
    """
    named = named_table(profile.paths[0].name)
    best: tuple[float, str, dict[str, Match]] | None = None
    for table, slots in _SIGNATURES.items():
        is_named = named == table
        found = match_columns(profile, table, is_named=is_named or table == "order_items")
        sure = [max((found[concept].confidence for concept in slot if concept in found), default=0.0) for slot in slots]
        if not is_named and sure[0] < DISTINCT:
            continue
        full = all(sure)
        if not full and (not is_named or sum(value > 0 for value in sure) * 2 < len(sure)):
            continue
        score = sum(sure) / len(sure) + (0.35 if is_named else 0.0)
        score += sum(0.08 for concept in _EXTRAS.get(table, ()) if concept in found)
        score += _grain(con, profile, table, found, is_named=is_named)
        if best is None or score > best[0] + 1e-9:
            best = (score, table, found)
    if (
        best is not None
        and best[1] == "orders"
        and not dependencies(con, profile.relation, best[2]["order_id"].sql, []).is_unique
    ):
        best = (best[0], "order_items", match_columns(profile, "order_items"))
    if best is None or best[0] < 0.5:
        return None, 0.0, {}
    return best[1], min(best[0], 1.0), best[2]


def _grain(
    con: duckdb.DuckDBPyConnection, profile: FileProfile, table: str, found: dict[str, Match], *, is_named: bool
) -> float:
    """Reward a number that is unique where it must be, and punish lines taken for orders or customers."""
    key = found.get(_UNIQUE.get(table, ""))
    if key is None:
        return 0.0
    is_unique = dependencies(con, profile.relation, key.sql, []).is_unique
    if table == "orders":
        return 0.15 if is_unique else -0.5
    if is_named:
        return 0.0
    other = match_columns(profile, "order_items")
    has_orders = "order_id" in other and other["order_id"].confidence > 0.8 and "ordered_at" in other
    return -0.6 if has_orders or not is_unique else 0.0
