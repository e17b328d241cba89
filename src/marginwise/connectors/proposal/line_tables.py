"""Drafts the tables that lie glued in one file of order lines: orders, items, refunds, customers, products, visits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from marginwise.connectors.proposal.amount_parts import sold_part
from marginwise.connectors.proposal.column_names import match_name
from marginwise.connectors.proposal.drafts import Draft, TableDraft, extra_columns, is_private, plain_draft
from marginwise.connectors.proposal.flat import Dependencies, dependencies, is_of_order, share_of_rows
from marginwise.connectors.proposal.lexicon import concepts
from marginwise.connectors.proposal.line_amounts import LineAmounts, line_amounts
from marginwise.connectors.proposal.matching import Match
from marginwise.connectors.proposal.order_columns import (
    ORDER_AMOUNTS,
    OrderColumns,
    customer_drafts,
    customer_expression,
)
from marginwise.connectors.proposal.product_drafts import product_draft, product_drafts
from marginwise.connectors.proposal.returns import Returns, find_returns, returned_by_state
from marginwise.connectors.refund_drafts import returned_rows

if TYPE_CHECKING:
    import duckdb

    from marginwise.connectors.proposal.profile import FileProfile

__all__ = ["LineFile", "with_time_of_day"]


class LineFile:
    """A file with one row per order line, and the tables that can be made from it.

    Parameters
    ----------
    con
        The database with the file's rows.
    profile
        The file.
    found
        Its columns by meaning.
    makes
        The contract tables wanted from it; those that other files deliver are left out.
    """

    def __init__(
        self, con: duckdb.DuckDBPyConnection, profile: FileProfile, found: dict[str, Match], makes: frozenset[str]
    ) -> None:
        self.con, self.profile, self.found, self.makes = con, profile, found, makes
        self.order = found.get("order_id")
        self.order_sql, self.order_draft = self._order_number()
        self.part = sold_part(con, profile, found, self.order_sql) if self.order_sql else ""
        self.returns = Returns() if self.part else find_returns(con, profile, found)
        self.inside = self._inside_order()
        self._look_for_order_discount()
        self.amounts: LineAmounts = line_amounts(con, profile, found, self.inside)
        self.in_order = OrderColumns(con, profile, found, self.order_sql, self.inside)

    def tables(self) -> list[TableDraft]:
        """Return the drafts of all tables the file can fill."""
        drafts = [self._orders()] if "orders" in self.makes else []
        drafts.append(self._items())
        if "refunds" in self.makes and self.amounts.value is not None:
            drafts += self._refunds()
        if "customers" in self.makes and "ordered_at" in self.found:
            drafts += customer_drafts(self.con, self.profile, self.found)
        if "products" in self.makes:
            drafts += product_drafts(self.con, self.profile, self.found)
        return drafts + (self._sessions() if self._has_visits() else [])

    def keep_extras(self, tables: list[TableDraft]) -> list[str]:
        """Add unused columns as ``x_…`` where they belong; return the personal ones that are left out."""
        used = set().union(*(table.used_columns(self.profile) for table in tables))
        unused = [column.name for column in self.profile.columns if column.filled and column.name not in used]
        private = [name for name in unused if is_private(self.profile.column(name))]
        kept = [name for name in unused if name not in private]
        by_table = {table.table: table for table in tables}
        inside = self.inside
        of_order = [
            name for name in kept if "orders" in by_table and inside and inside.repeated and inside.is_constant(name)
        ]
        if of_order:
            by_table["orders"].columns |= extra_columns(self.profile, of_order)
        lines = [name for name in kept if name not in of_order]
        by_table["order_items"].columns |= extra_columns(self.profile, lines)
        return private

    def _order_number(self) -> tuple[str | None, Draft | None]:
        if self.order is not None:
            return self.order.sql, plain_draft(self.order)
        date, customer = self.found.get("ordered_at"), customer_expression(self.found)
        if date is not None and customer is not None:
            expression = f"{customer.expression} || '@' || cast({date.sql} as varchar)"
            told = "no order number: what one customer buys at one time is taken as one order"
            return expression, Draft(expression, 0.5, told)
        return None, None

    def _inside_order(self) -> Dependencies | None:
        if self.order_sql is None:
            return None
        names = [column.name for column in self.profile.columns if column.filled and column.sql != self.order_sql]
        amounts = [column.name for column in self.profile.columns if column.is_number]
        sold = self.returns.sold or "true"
        return dependencies(self.con, self.profile.relation, self.order_sql, names, where=sold, ignoring_zero=amounts)

    def _look_for_order_discount(self) -> None:
        """Find a second discount beside that of the lines: one that is the same in all lines of an order."""
        line = self.found.get("discount")
        if line is None or "order_discount" in self.found or is_of_order(line.column.name, self.inside):
            return
        used = {match.column.name for match in self.found.values()}
        for column in self.profile.columns:
            named = match_name(column.name, concepts()["discount"], "orders")
            if column.name in used or named is None or named.score < 0.8 or not column.is_number:
                continue
            match = Match("order_discount", column, round(named.score * 0.9, 2), "name; a discount of the order")
            if is_of_order(column.name, self.inside):
                self.found["order_discount"] = match
                return

    def _orders(self) -> TableDraft:
        draft = TableDraft("orders", self.profile.group, where=self.returns.sold)
        if self.order_draft:
            draft.columns["order_id"] = self.order_draft
            draft.one_row_per = ("order_id",)
        draft.columns |= self.in_order.drafts()
        for concept, name in ORDER_AMOUNTS.items():
            is_lines = concept in ("discount", "tax") and name in self.amounts.columns
            if concept in self.found and name not in draft.columns and not is_lines:
                draft.columns[name] = self.in_order.amount(self.found[concept])
        if self._has_visits():
            told = "the visit made below from the order's UTM tags"
            draft.columns["session_id"] = Draft(f"'order-' || {self.order_sql}", 0.7, told)
        draft.remark = "One row of each order is kept; columns that stay the same inside an order belong here."
        return draft

    def _has_visits(self) -> bool:
        has_tags = "utm_source" in self.found or "utm_medium" in self.found
        is_whole = self.order_sql is not None and "ordered_at" in self.found and "session_id" not in self.found
        return "sessions" in self.makes and has_tags and is_whole

    def _line_number(self) -> Draft | None:
        line = self.found.get("line_number")
        if self.order_sql is None:
            return None
        if line is not None and line.column.fill_share > 0.99:
            rows, keys = self.con.execute(
                f"select count(*), count(distinct ({self.order_sql}, {line.sql})) from {self.profile.relation}"
                f" where {self.returns.sold or 'true'} and {line.sql} is not null"
            ).fetchall()[0]
            if rows and rows == keys:
                return plain_draft(line, reason="unique inside each order")
        told = "no column that numbers the lines: counted inside each order, in file order"
        return Draft("_number", 0.95, told)

    def _items(self) -> TableDraft:
        draft = TableDraft("order_items", self.profile.group, where=self.returns.sold)
        drafts = {
            "order_id": self.order_draft,
            "line_number": self._line_number(),
            "product_id": product_draft(self.found),
        }
        draft.columns |= {name: column for name, column in drafts.items() if column is not None}
        if self.order_sql and draft.columns["line_number"].expression == "_number":
            draft.number_within = self.order_sql
        draft.columns |= self.amounts.columns
        draft.left_out |= self.amounts.left_out
        for concept in ("free_quantity", "partner_id"):
            if concept in self.found:
                draft.columns[concept] = plain_draft(self.found[concept])
        draft.remark = (
            "Every row that is no return is an order line." if self.returns else "Every row is an order line."
        )
        if self.part:
            draft.where = self.part
            draft.remark = f"CHECK: each row is a part of an amount; those with {self.part} are taken for the sales."
            return draft
        none = self._nothing_sold()
        if none:
            draft.where = f"({draft.where}) and {none}" if draft.where else none
            draft.remark = draft.remark.removesuffix(".") + ", but for those of quantity 0 without any amount."
        return draft

    def _nothing_sold(self) -> str:
        """Return the condition that leaves out cancelled lines, of quantity 0 and without an amount; empty without any."""
        quantity = self.found.get("quantity")
        amount = next((self.found[name] for name in ("unit_price", "line_total") if name in self.found), None)
        if quantity is None or amount is None:
            return ""
        share, count = share_of_rows(
            self.con, self.profile.relation, f"{amount.sql} is null", f"{quantity.number_sql} = 0"
        )
        return f"{quantity.number_sql} is distinct from 0" if count and share == 1 else ""

    def _refunds(self) -> list[TableDraft]:
        if self.returns:
            sold = self.returns.sold
            return [returned_rows(self.profile, self.found, self.amounts, self.order_sql, self.returns, sold=sold)]
        stated = self.in_order.refunds() if "orders" in self.makes else []
        if stated:
            return stated
        by_state = returned_by_state(self.profile, self.found) if "orders" in self.makes else None
        if not by_state:
            return []
        return [returned_rows(self.profile, self.found, self.amounts, self.order_sql, by_state, sold="")]

    def _sessions(self) -> list[TableDraft]:
        draft = TableDraft("sessions", self.profile.group, where=self.returns.sold, one_row_per=("session_id",))
        draft.remark = (
            "One visit for each order, made from its UTM tags, so that the channel rules apply. "
            "It says nothing of visits without an order."
        )
        visit = f"'order-' || {self.order_sql}"
        draft.columns["session_id"] = Draft(visit, 0.7, "one for each order")
        told = "the time of the order stands in"
        draft.columns["started_at"] = plain_draft(self.found["ordered_at"], factor=0.8, reason=told)
        customer = customer_expression(self.found)
        draft.columns["visitor_id"] = customer or Draft(visit, 0.6, "no customer: the order stands in")
        if customer:
            draft.columns["customer_id"] = customer
        for concept, column in (("utm_source", "source"), ("utm_medium", "medium"), ("campaign", "campaign")):
            if concept in self.found:
                draft.columns[column] = self.in_order.attribute(self.found[concept])
        return [draft]


def with_time_of_day(found: dict[str, Match]) -> dict[str, Match]:
    """Join a date and a time of day that stand in two columns into one time of the order."""
    date, clock = found.get("ordered_at"), found.get("time_of_day")
    if date is None or clock is None or date.expression or date.column.time is None or date.column.time.has_clock:
        return found
    expression = f"(cast({date.sql} as varchar) || ' ' || {clock.sql})"
    reason = f"{date.reason}; with the time of day from {clock.column.name}"
    return {**found, "ordered_at": replace(date, expression=expression, reason=reason)}
