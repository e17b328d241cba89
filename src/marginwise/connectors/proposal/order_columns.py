"""Drafts what is said once per order, and the customers behind the orders."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from marginwise.connectors.canonical import literal
from marginwise.connectors.proposal.drafts import Draft, TableDraft, boolean_draft, plain, plain_draft, status_draft
from marginwise.connectors.proposal.flat import Dependencies, dependencies, is_of_order
from marginwise.connectors.proposal.lexicon import value_key, vocabulary

if TYPE_CHECKING:
    import duckdb

    from marginwise.connectors.proposal.matching import Match
    from marginwise.connectors.proposal.profile import FileProfile

__all__ = ["ORDER_AMOUNTS", "OrderColumns", "customer_drafts", "customer_expression"]

# meanings of order amounts and the contract column each fills; the order's own discount comes before that of its lines
ORDER_AMOUNTS = {
    "shipping_charged": "shipping_charged_amount",
    "shipping_cost": "shipping_cost_amount",
    "payment_fee": "payment_fee_amount",
    "commission": "commission_amount",
    "handling_cost": "handling_cost_amount",
    "order_discount": "discount_amount",
    "discount": "discount_amount",
    "tax": "tax_amount",
}
# confidence in what an order should have once, where its rows differ
DIFFERING = 0.7
ATTRIBUTES = {
    "channel": "channel",
    "campaign": "campaign",
    "sales_channel": "sales_channel",
    "session_id": "session_id",
    "country": "ship_country",
    "region": "ship_region",
    "city": "ship_city",
    "updated_at": "updated_at",
}
CUSTOMER_ATTRIBUTES = {
    "email": "email",
    "phone": "phone",
    "birth_date": "birth_date",
    "country": "country",
    "region": "region",
    "city": "city",
    "segment": "segment",
}


class OrderColumns:
    """Drafts of the columns that an order has once, from rows that may be orders or order lines.

    Parameters
    ----------
    con
        The database with the file's rows.
    profile
        The file.
    found
        Its columns by meaning.
    order_sql
        The order's number in SQL, None when there is none.
    inside
        What the order number determines.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        profile: FileProfile,
        found: dict[str, Match],
        order_sql: str | None,
        inside: Dependencies | None,
    ) -> None:
        self.con, self.profile, self.found, self.order_sql, self.inside = con, profile, found, order_sql, inside

    def drafts(self) -> dict[str, Draft]:
        """Return date, status, currency, customer and attributes of the order."""
        columns: dict[str, Draft] = {}
        found = self.found
        if "ordered_at" in found:
            columns["ordered_at"] = self._date(found["ordered_at"])
        columns["status"] = self._status()
        if "currency" in found:
            columns["currency"] = self._currency(found["currency"])
        customer = customer_expression(found)
        if customer:
            match = found.get("customer_id")
            columns["customer_id"] = self.attribute(match) if match and customer.expression == match.sql else customer
        for concept, name in ATTRIBUTES.items():
            if concept in found:
                columns[name] = self.attribute(found[concept])
        if "is_test" in found:
            columns["is_test"] = boolean_draft(found["is_test"])
        return columns

    def attribute(self, match: Match) -> Draft:
        """Return an attribute of the order; where its rows differ, that of the first row that has one, marked as doubtful."""
        return Draft(self._value(match), self._sure(match), match.reason + self._told(match))

    def amount(self, match: Match) -> Draft:
        """Return an amount of the order: the one it repeats on every row, or the sum of its rows."""
        name, number = match.column.name, match.number_sql
        number = (
            f"abs({number})"
            if (match.column.minimum or 0) < 0 and match.concept in ("discount", "order_discount", "shipping_charged")
            else number
        )
        if self.inside is None or not self.inside.repeated:
            return Draft(plain(match) if number == match.number_sql else number, match.confidence, match.reason)
        if self.inside.is_constant(name, tolerance=0.05) and self.inside.comparable[name]:
            value = self._newest(number) if self.inside.has_gaps(name) else number
            told = "the same in all rows of an order, so counted once"
            if self.inside.varying[name]:
                value = f"max({number}) over (partition by {self.order_sql}, _file_hash)"
                told = f"DIFFERS inside {self._differing(name)}: the largest is taken, once"
            return Draft(value, self._sure(match), f"{match.reason}; {told}")
        if self.inside.is_constant(name, tolerance=0.05) and self.inside.has_gaps(name):
            return Draft(
                self._newest(number),
                match.confidence,
                f"{match.reason}; stands in one row of each order",
            )
        return Draft(
            f"sum({number}) over (partition by {self.order_sql}, _file_hash)",
            match.confidence * 0.9,
            f"{match.reason}; differs between the rows of an order, so summed",
        )

    def refunds(self) -> list[TableDraft]:
        """Return refunds from an amount that the order or its line states as refunded; empty when there is none."""
        match, date = self.found.get("refund_amount"), self.found.get("refunded_at") or self.found.get("ordered_at")
        if match is None or self.order_sql is None or date is None or not (match.column.maximum or 0) > 0:
            return []
        of_order = self.inside is None or not self.inside.repeated or is_of_order(match.column.name, self.inside)
        draft = TableDraft("refunds", self.profile.group, where=f"{match.number_sql} > 0")
        draft.remark = "Made from the amount that the file states as refunded."
        number = "" if of_order else " || _number"
        draft.columns["refund_id"] = Draft(
            f"{self.order_sql} || '-R'{number}", 0.75, "one for each order or line refunded"
        )
        told = "" if "refunded_at" in self.found else "CHECK: the date of the order stands in for that of the refund"
        draft.columns["refunded_at"] = plain_draft(date, factor=0.6 if told else 1.0, reason=told)
        told = "CHECK: goods only, without tax and shipping?"
        draft.columns["amount"] = Draft(plain(match), round(match.confidence * 0.75, 2), f"{match.reason}; {told}")
        draft.columns["order_id"] = Draft(self.order_sql, 0.9, "the order refunded")
        customer = customer_expression(self.found)
        if customer:
            draft.columns["customer_id"] = customer
        if of_order:
            draft.one_row_per = ("refund_id",)
        else:
            draft.number_within = self.order_sql
        return [draft]

    def _value(self, match: Match) -> str:
        if self.inside is not None and self.inside.repeated and self.inside.has_gaps(match.column.name):
            return self._newest(match.sql)
        return plain(match)

    def _newest(self, value: str) -> str:
        """Return the first value that an order has, in the newest file that gives one."""
        return f"max_by({value}, row(_file_date, _file_hash, -_row_number)) over (partition by {self.order_sql})"

    def _sure(self, match: Match) -> float:
        """Return the confidence in what an order has once: low enough to be looked at where its rows differ."""
        is_one = self.inside is None or not self.inside.varying.get(match.column.name)
        return match.confidence if is_one else min(match.confidence, DIFFERING)

    def _differing(self, name: str) -> str:
        assert self.inside is not None
        share = self.inside.varying[name] / self.inside.comparable[name]
        return f"{share:.0%} of the orders" if share >= 0.01 else f"{self.inside.varying[name]:,} order(s)"

    def _told(self, match: Match) -> str:
        if self.inside is None or not self.inside.comparable.get(match.column.name):
            return ""
        name = match.column.name
        if self.inside.varying[name]:
            row = "row that has one" if self.inside.has_gaps(name) else "row"
            return f"; DIFFERS inside {self._differing(name)}: the first {row} is taken"
        return f"; the same in all rows of an order ({self.inside.comparable[name]:,} orders compared)"

    def _date(self, match: Match) -> Draft:
        if (
            self.inside is not None
            and self.inside.comparable.get(match.column.name)
            and not self.inside.is_constant(match.column.name, tolerance=0)
        ):
            value = f"min({match.sql}) over (partition by {self.order_sql})"
            told = f"DIFFERS inside {self._differing(match.column.name)}: the first date of each order is taken"
            return Draft(value, self._sure(match), f"{match.reason}; {told}")
        return self.attribute(match)

    def _currency(self, match: Match) -> Draft:
        known = vocabulary("currencies")
        words = [value for value, _ in match.column.common]
        if all(len(word) == 3 and word.isupper() for word in words):
            draft = self.attribute(match)
            if len(words) == 1 and match.column.fill_share < 1 and "over (" not in draft.expression:
                told = f"{draft.reason}; where it is empty, the one that all others have"
                return Draft(f"coalesce({draft.expression}, {literal(words[0])})", draft.confidence, told)
            return draft
        cases = "".join(
            f" when {match.sql} = {literal(word)} then {literal(known[value_key(word)])}"
            for word in words
            if value_key(word) in known
        )
        return (
            Draft(f"case{cases} else upper({match.sql}) end", match.confidence, match.reason)
            if cases
            else self.attribute(match)
        )

    def _status(self) -> Draft:
        found = self.found
        if "status" in found:
            match = found["status"]
            draft = status_draft(match, self._value(match))
            if self.inside is not None and self.inside.varying.get(match.column.name):
                draft = replace(
                    draft, confidence=min(draft.confidence, DIFFERING), reason=draft.reason + self._told(match)
                )
            if match.column.fill_share < 1 and not (self.inside and self.inside.has_gaps(match.column.name)):
                draft = Draft(
                    f"coalesce({draft.expression}, 'delivered')",
                    draft.confidence * 0.95,
                    f"{draft.reason}; empty counts as delivered",
                )
        else:
            draft = Draft("'delivered'", 0.6, "no column with the state of the order: every order counts as delivered")
        if "cancelled_at" in found:
            match = found["cancelled_at"]
            expression = f"case when {self._value(match)} is not null then 'cancelled' else {draft.expression} end"
            return Draft(
                expression,
                max(draft.confidence, 0.75),
                f"{draft.reason}; cancelled where {match.column.name} is filled",
            )
        return draft


def customer_expression(found: dict[str, Match]) -> Draft | None:
    """Return the person behind a row: the customer's number, else a hash of e-mail, phone or name."""
    customer = found.get("customer_id")
    if customer is not None and customer.column.looks.get("email", 0) < 0.02 and not _reads_like_names(customer):
        return plain_draft(customer)
    for concept, confidence in (("customer_id", 0.85), ("email", 0.85), ("phone", 0.6), ("customer_name", 0.45)):
        if concept in found and found[concept].column.fill_share > 0.3:
            match = found[concept]
            told = f"a hash of {match.column.name}, so that the address itself goes no further"
            if confidence <= 0.8:
                told = f"no customer number: a hash of {match.column.name}; two people who share it fall into one"
            return Draft(f"md5(lower({match.sql}))", round(min(confidence, match.confidence), 2), told)
    return None


def _reads_like_names(match: Match) -> bool:
    """Tell whether a column called customer holds people's names, which go no further than their hash."""
    column = match.column
    two_words = sum(
        count for value, count in column.common if " " in value.strip() and not any(map(str.isdigit, value))
    )
    return column.looks.get("letters", 0) > 0.9 and two_words > 0.6 * sum(count for _, count in column.common)


def customer_drafts(con: duckdb.DuckDBPyConnection, profile: FileProfile, found: dict[str, Match]) -> list[TableDraft]:
    """Draft the customers that a file of orders or lines names; empty when it names none.

    Parameters
    ----------
    con
        The database with the file's rows.
    profile
        The file.
    found
        Its columns by meaning, with the date of the order.
    """
    customer = customer_expression(found)
    if customer is None or "ordered_at" not in found:
        return []
    key = customer.expression
    draft = TableDraft("customers", profile.group, where=f"{key} is not null", one_row_per=("customer_id",))
    draft.remark = "One row for each customer named in the orders; personal data stay out of what is published."
    draft.columns["customer_id"] = customer
    date = found["ordered_at"]
    if "customer_created_at" in found:
        draft.columns["created_at"] = plain_draft(found["customer_created_at"])
    else:
        draft.columns["created_at"] = Draft(
            f"min({date.sql}) over (partition by {key})", 0.8, "the first order is the first sign of the customer"
        )
    present = {concept: name for concept, name in CUSTOMER_ATTRIBUTES.items() if concept in found}
    held = (
        dependencies(con, profile.relation, key, [found[concept].column.name for concept in present])
        if present
        else None
    )
    for concept, name in present.items():
        match = found[concept]
        assert held is not None
        share = held.constant_share(match.column.name)
        if share < 0.9 and concept in ("city", "region"):
            continue
        told = "" if share >= 0.98 else f"; differs between orders of {1 - share:.0%} of the customers: the latest"
        newest = f"row(coalesce(cast({date.sql} as varchar), ''), _row_number)"
        latest = f"max_by({plain(match)}, {newest}) over (partition by {key})"
        is_plain = share == 1 and not held.has_gaps(match.column.name)
        draft.columns[name] = Draft(
            plain(match) if is_plain else latest, match.confidence * (1 if share > 0.9 else 0.7), match.reason + told
        )
    if "customer_name" in found:
        draft.columns["name"] = plain_draft(found["customer_name"])
    elif "first_name" in found and "last_name" in found:
        first, last = found["first_name"], found["last_name"]
        draft.columns["name"] = Draft(
            f"concat_ws(' ', {first.sql}, {last.sql})", min(first.confidence, last.confidence), first.reason
        )
    if "consent" in found:
        draft.columns["consent"] = boolean_draft(found["consent"])
    return [draft]
