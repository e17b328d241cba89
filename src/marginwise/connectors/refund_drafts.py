"""Drafts refunds from the rows of a file of order lines that are returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marginwise.connectors.canonical import identifier, literal
from marginwise.connectors.proposal.drafts import Draft, TableDraft, plain_draft
from marginwise.connectors.proposal.order_columns import customer_expression
from marginwise.connectors.proposal.product_drafts import product_draft
from marginwise.connectors.proposal.tax_position import share_of_tax

if TYPE_CHECKING:
    from marginwise.connectors.proposal.line_amounts import LineAmounts
    from marginwise.connectors.proposal.matching import Match
    from marginwise.connectors.proposal.profile import FileProfile
    from marginwise.connectors.proposal.returns import Returns

__all__ = ["returned_rows"]


def returned_rows(
    profile: FileProfile,
    found: dict[str, Match],
    amounts: LineAmounts,
    order_sql: str | None,
    returns: Returns,
    *,
    sold: str,
) -> TableDraft:
    """Draft one refund for each row that is a return.

    Parameters
    ----------
    profile
        The file.
    found
        Its columns by meaning.
    amounts
        The amounts of its lines.
    order_sql
        The number of the order in SQL, None when there is none.
    returns
        Which rows are returns.
    sold
        The condition of rows that are sold lines; empty when the returned rows are sold lines too.
    """
    draft = TableDraft("refunds", profile.group, where=returns.condition, remark=f"Returns: {returns.reason}.")
    draft.number_within = order_sql or "''"
    told = "made from the number and a count, since returns have none of their own"
    draft.columns["refund_id"] = Draft(f"{order_sql or literal('return')} || '-R' || _number", 0.9, told)
    if "ordered_at" in found:
        told, sure = "the date of the return's row", 0.9
        if not sold:
            told, sure = "CHECK: the date of the order stands in for that of the return", 0.6
        draft.columns["refunded_at"] = plain_draft(found["ordered_at"], factor=sure, reason=told)
    draft.columns["amount"] = _amount(found, amounts)
    order = found.get("order_id")
    if order is not None and sold:
        there = f"select {order.sql} from {identifier(profile.group)} where {sold}"
        told = "only where the number is that of an order with sold lines; else customer and product are kept"
        draft.columns["order_id"] = Draft(f"case when {order.sql} in ({there}) then {order.sql} end", 0.85, told)
    elif order is not None:
        draft.columns["order_id"] = plain_draft(order)
    for name, column in (("customer_id", customer_expression(found)), ("product_id", product_draft(found))):
        if column is not None:
            draft.columns[name] = column
    sure = amounts.columns["quantity"].confidence
    draft.columns["quantity"] = Draft(f"abs({amounts.quantity})", sure, "as a positive number")
    told = "nothing tells whether it was put back on the shelf: if so, write the quantity here"
    draft.columns["restocked_quantity"] = Draft("0", 0.6, told)
    draft.columns["kind"] = Draft(literal(returns.kind), 0.8, returns.reason)
    return draft


def _amount(found: dict[str, Match], amounts: LineAmounts) -> Draft:
    value, told = f"abs({amounts.value})", "value of the rows, as a positive amount"
    if amounts.with_tax:
        tax, rate = found.get("tax"), found.get("tax_rate")
        if tax is not None and "tax_amount" in amounts.columns:
            value, told = f"{value} - abs(coalesce({tax.number_sql}, 0))", f"{told}, without its tax"
        elif rate is not None:
            value, told = f"{value} * (1 - {share_of_tax(rate, with_tax=True)})", f"{told}, without its tax"
        else:
            told += "; CHECK: prices include tax and no column tells it, while the contract wants this without"
    sure = min(amounts.columns[name].confidence for name in ("unit_price", "quantity") if name in amounts.columns)
    return Draft(value, round(sure * 0.9, 2), told)
