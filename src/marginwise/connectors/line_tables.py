"""Drafts the tables that lie glued in one file of order lines: orders, items, refunds, customers, products, visits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marginwise.connectors.canonical import identifier, literal
from marginwise.connectors.column_names import value_key, vocabulary
from marginwise.connectors.drafts import Draft, TableDraft, extra_columns, is_private, plain, plain_draft
from marginwise.connectors.flat import Dependencies, dependencies, share_of_rows
from marginwise.connectors.line_amounts import LineAmounts, line_amounts
from marginwise.connectors.order_columns import OrderColumns, customer_drafts, customer_expression

if TYPE_CHECKING:
    import duckdb

    from marginwise.connectors.matching import Match
    from marginwise.connectors.profile import FileProfile

__all__ = ["LineFile"]

ORDER_AMOUNTS = {
    "shipping_charged": "shipping_charged_amount", "shipping_cost": "shipping_cost_amount", "payment_fee": "payment_fee_amount",
    "commission": "commission_amount", "handling_cost": "handling_cost_amount",
}  # fmt: skip


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
        self.inside = self._inside_order()
        self.amounts: LineAmounts = line_amounts(con, profile, found, self.inside)
        self.returned, self.return_reason, self.return_kind = self._returns()
        self.in_order = OrderColumns(con, profile, found, self.order_sql, self.inside)

    def tables(self) -> list[TableDraft]:
        """Return the drafts of all tables the file can fill."""
        drafts = []
        if "orders" in self.makes:
            drafts.append(self._orders())
        drafts.append(self._items())
        if self.returned and "refunds" in self.makes and self.amounts.value is not None:
            drafts.append(self._refunds())
        if "customers" in self.makes and "ordered_at" in self.found:
            drafts += customer_drafts(self.con, self.profile, self.found, self._where(sold=None))
        if "products" in self.makes:
            drafts += self._products()
        if "sessions" in self.makes:
            drafts += self._sessions()
        return drafts

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
        amounts = [
            match.column.name
            for concept, match in self.found.items()
            if concept in (*ORDER_AMOUNTS, "discount", "order_discount", "tax", "line_total", "order_total")
        ]
        return dependencies(self.con, self.profile.relation, self.order_sql, names, ignoring_zero=amounts)

    def _returns(self) -> tuple[str, str, str]:
        """Find the condition under which a row is a return: a prefix of the number, a kind of document, a negative sign."""
        relation, quantity, document = (
            self.profile.relation,
            self.found.get("quantity"),
            self.found.get("document_type"),
        )
        total = self.found.get("line_total") or self.found.get("unit_price")
        negative = ""
        if quantity is not None and quantity.column.negative_share:
            negative = f"{quantity.number_sql} < 0"
        elif total is not None and 0 < total.column.negative_share < 0.5 and not self._negative_are_no_goods(total):
            negative = f"{total.number_sql} < 0"
        if negative and self.order is not None:
            prefix = self._return_prefix(negative)
            if prefix:
                return (f"upper(left({self.order.sql}, 1)) = {literal(prefix)}",
                        f"the numbers of returns start with {prefix}; other negative rows are left for the check to name", "cancellation")  # fmt: skip
        conditions = [f"coalesce({negative}, false)"] if negative else []
        told = [f"{share_of_rows(self.con, relation, negative)[0]:.1%} of the rows are negative"] if negative else []
        if document is not None:
            words = sorted(
                {value.lower() for value, _ in document.column.common if value_key(value) in vocabulary("returned")}
            )
            if words:
                conditions.append(f"coalesce(lower({document.sql}) in ({', '.join(map(literal, words))}), false)")
                told.append(f"{document.column.name} says {', '.join(map(repr, words))}")
        if not conditions:
            return "", "", ""
        return " or ".join(conditions), " and ".join(told), "return"

    def _negative_are_no_goods(self, amount: Match) -> bool:
        name = self.found.get("product_name") or self.found.get("product_id")
        if name is None:
            return False
        words = self.con.execute(
            f"select {name.sql}, count(*) from {self.profile.relation} where {amount.number_sql} < 0 and {name.sql} is not null group by 1 limit 500"
        ).fetchall()
        known = vocabulary("kinds")
        total = sum(count for _, count in words)
        return bool(total) and sum(count for word, count in words if _kind_of(str(word), known)) > 0.5 * total

    def _return_prefix(self, negative: str) -> str:
        assert self.order is not None
        rows = self.con.execute(
            f"select upper(left({self.order.sql}, 1)) as p, count(*), count(*) filter (where {negative}), sum(count(*) filter (where {negative})) over ()"
            f" from {self.profile.relation} where {self.order.sql} is not null group by 1"
        ).fetchall()
        for prefix, count, negatives, all_negatives in rows:
            if (
                str(prefix).isalpha()
                and negatives >= 0.9 * count
                and negatives >= 0.6 * all_negatives
                and len(rows) > 1
            ):
                return str(prefix)
        return ""

    def _where(self, *, sold: bool | None) -> str:
        if sold is None or not self.returned:
            return ""
        return f"not ({self.returned})" if sold else self.returned

    def _orders(self) -> TableDraft:
        draft = TableDraft("orders", self.profile.group, where=self._where(sold=True), one_row_per=("order_id",))
        if self.order_draft:
            draft.columns["order_id"] = self.order_draft
        draft.columns |= self.in_order.drafts()
        for concept, name in ORDER_AMOUNTS.items():
            if concept in self.found:
                draft.columns[name] = self.in_order.amount(self.found[concept])
        for concept, name in (
            ("order_discount", "discount_amount"),
            ("discount", "discount_amount"),
            ("tax", "tax_amount"),
        ):
            if concept in self.found and name not in draft.columns and name not in self.amounts.columns:
                draft.columns[name] = self.in_order.amount(self.found[concept])
        if self._has_visits():
            draft.columns["session_id"] = Draft(
                f"'order-' || {self.order_sql}", 0.7, "the visit made below from the order's UTM tags"
            )
        draft.remark = "One row of each order is kept; columns that stay the same inside an order belong here."
        if self.order is None:
            draft.one_row_per = ("order_id",) if self.order_draft else ()
        return draft

    def _has_visits(self) -> bool:
        return "sessions" in self.makes and "session_id" not in self.found and self.order_sql is not None and (
            "utm_source" in self.found or "utm_medium" in self.found
        ) and "ordered_at" in self.found  # fmt: skip

    def _line_number(self) -> Draft | None:
        if self.order_sql is None:
            return None
        line = self.found.get("line_number")
        relation = self.profile.relation
        if line is not None:
            where = self._where(sold=True) or "true"
            rows = self.con.execute(
                f"select count(*), count(distinct ({self.order_sql}, {line.sql})), count(distinct {line.sql}) from {relation}"
                f" where {where} and {line.sql} is not null"
            ).fetchall()[0]
            if rows[0] and rows[1] == rows[0] and line.column.fill_share > 0.99:
                return plain_draft(line, reason="unique inside each order")
        return Draft(
            f"row_number() over (partition by {self.order_sql} order by _file_date nulls first, _row_number)", 0.95,
            "no column that numbers the lines: counted inside each order, in file order",
        )  # fmt: skip

    def _items(self) -> TableDraft:
        draft = TableDraft("order_items", self.profile.group, where=self._where(sold=True))
        if self.order_draft:
            draft.columns["order_id"] = self.order_draft
        line = self._line_number()
        if line:
            draft.columns["line_number"] = line
        product = self._product()
        if product:
            draft.columns["product_id"] = product
        draft.columns |= self.amounts.columns
        if "free_quantity" in self.found:
            draft.columns["free_quantity"] = plain_draft(self.found["free_quantity"])
        if "partner_id" in self.found:
            draft.columns["partner_id"] = plain_draft(self.found["partner_id"])
        draft.remark = (
            "Every row that is no return is an order line." if self.returned else "Every row is an order line."
        )
        return draft

    def _product(self) -> Draft | None:
        code, name, variant = (
            self.found.get("product_id"),
            self.found.get("product_name"),
            self.found.get("variant_title"),
        )
        if code is not None and name is not None and code.column.fill_share < 0.995:
            return Draft(
                f"coalesce({code.sql}, {name.sql})",
                code.confidence * 0.95,
                f"{code.reason}; empty in {1 - code.column.fill_share:.0%}: there the name stands in",
            )
        if code is not None:
            return plain_draft(code)
        if name is not None and variant is not None:
            return Draft(
                f"concat_ws(' / ', {name.sql}, {variant.sql})",
                name.confidence * 0.75,
                "no product code: name and variant stand in",
            )
        if name is not None:
            return Draft(plain(name), name.confidence * 0.8, "no product code: the name stands in")
        return None

    def _refunds(self) -> TableDraft:
        amounts, group = self.amounts, self.profile.group
        draft = TableDraft("refunds", group, where=self.returned, remark=f"Returns: {self.return_reason}.")
        order = self.order_sql or "''"
        number = f"row_number() over (partition by {order} order by _file_date nulls first, _row_number)"
        draft.columns["refund_id"] = Draft(
            f"{order} || '-R' || {number}",
            0.9,
            "made from the number and a count, since returns have none of their own",
        )
        if "ordered_at" in self.found:
            draft.columns["refunded_at"] = plain_draft(
                self.found["ordered_at"], factor=0.9, reason="the date of the return's row"
            )
        value, told = f"abs({amounts.value})", "value of the rows, as a positive amount"
        if amounts.with_tax:
            tax, rate = self.found.get("tax"), self.found.get("tax_rate")
            if tax is not None and "tax_amount" in amounts.columns:
                value, told = f"{value} - abs(coalesce({tax.number_sql}, 0))", f"{told}, without its tax"
            elif rate is not None:
                part = rate.number_sql if (rate.column.maximum or 0) <= 1 else f"{rate.number_sql} / 100"
                value, told = f"{value} / (1 + coalesce({part}, 0))", f"{told}, without its tax"
            else:
                told += "; CHECK: the contract wants it without tax"
        sure = min(
            (amounts.columns[name].confidence for name in ("unit_price", "quantity") if name in amounts.columns),
            default=0.5,
        )
        draft.columns["amount"] = Draft(value, round(sure * 0.9, 2), told)
        if self.order is not None:
            sold = f"(select {self.order.sql} from {identifier(group)} where {self._where(sold=True)})"
            draft.columns["order_id"] = Draft(f"case when {self.order.sql} in {sold} then {self.order.sql} end", 0.85,
                                              "only where the number is that of an order with sold lines; else customer and product are kept")  # fmt: skip
        customer, product = customer_expression(self.found), self._product()
        if customer:
            draft.columns["customer_id"] = customer
        if product:
            draft.columns["product_id"] = product
        draft.columns["quantity"] = Draft(f"abs({amounts.quantity})", 0.9, "as a positive number")
        draft.columns["restocked_quantity"] = Draft(
            "0", 0.6, "nothing tells whether it was put back on the shelf: if so, write the quantity here"
        )
        draft.columns["kind"] = Draft(literal(self.return_kind), 0.8, self.return_reason)
        return draft

    def _products(self) -> list[TableDraft]:
        product, name = self._product(), self.found.get("product_name")
        if product is None or product.confidence == 0:
            return []
        key = product.expression
        draft = TableDraft("products", self.profile.group, where=f"{key} is not null", one_row_per=("product_id",))
        draft.columns["product_id"] = product
        if name is not None:
            held = dependencies(self.con, self.profile.relation, key, [name.column.name])
            if held.has_gaps(name.column.name) or not held.is_constant(name.column.name, tolerance=0):
                expression = f"coalesce(mode({name.sql}) over (partition by {key}), {key})"
                draft.columns["name"] = Draft(
                    expression,
                    name.confidence,
                    f"{name.reason}; differs inside {1 - held.constant_share(name.column.name):.0%} of the products: the most frequent",
                )
            else:
                draft.columns["name"] = (
                    plain_draft(name)
                    if name.column.fill_share == 1
                    else Draft(f"coalesce({name.sql}, {key})", name.confidence, name.reason)
                )
        else:
            draft.columns["name"] = Draft(key, 0.6, "no column with names: the code stands in")
        kinds = self._kinds()
        if kinds:
            draft.columns["kind"] = kinds
        for concept, column in (
            ("category", "category"),
            ("subcategory", "subcategory"),
            ("brand", "brand"),
            ("partner_id", "partner_id"),
            ("list_price", "list_price"),
        ):
            if concept in self.found:
                match = self.found[concept]
                held = dependencies(self.con, self.profile.relation, key, [match.column.name])
                if held.constant_share(match.column.name) > 0.8:
                    draft.columns[column] = plain_draft(match, reason="the same for each product")
        return [draft]

    def _kinds(self) -> Draft | None:
        """Find codes and names that are no merchandise: shipping, fees, vouchers."""
        known = vocabulary("kinds")
        cases, listed = [], []
        for concept in ("product_id", "product_name"):
            match = self.found.get(concept)
            if match is None:
                continue
            words = [
                str(row[0])
                for row in self.con.execute(
                    f"select distinct {match.sql} from {self.profile.relation} where {match.sql} is not null"
                ).fetchall()
            ]
            by_kind: dict[str, list[str]] = {}
            for word in sorted(words):
                kind = _kind_of(word, known)
                if kind:
                    by_kind.setdefault(kind, []).append(word)
            for kind, found in sorted(by_kind.items()):
                cases.append(f"\n    when {match.sql} in ({', '.join(map(literal, found[:40]))}) then {literal(kind)}")
                listed += found[:3]
        if not cases:
            return None
        return Draft(
            f"case{''.join(cases)}\n    else 'good' end",
            0.7,
            f"codes that are no merchandise: {', '.join(map(repr, listed[:6]))}",
        )

    def _sessions(self) -> list[TableDraft]:
        if not self._has_visits():
            return []
        draft = TableDraft("sessions", self.profile.group, where=self._where(sold=True), one_row_per=("session_id",))
        draft.remark = "One visit for each order, made from its UTM tags, so that the channel rules apply. It says nothing of visits without an order."
        draft.columns["session_id"] = Draft(f"'order-' || {self.order_sql}", 0.7, "one for each order")
        draft.columns["started_at"] = plain_draft(
            self.found["ordered_at"], factor=0.8, reason="the time of the order stands in"
        )
        customer = customer_expression(self.found)
        draft.columns["visitor_id"] = customer or Draft(
            f"'order-' || {self.order_sql}", 0.6, "no customer: the order stands in"
        )
        if customer:
            draft.columns["customer_id"] = customer
        for concept, column in (("utm_source", "source"), ("utm_medium", "medium"), ("campaign", "campaign")):
            if concept in self.found:
                draft.columns[column] = self.in_order.attribute(self.found[concept])
        return [draft]

    def keep_extras(self, tables: list[TableDraft]) -> list[str]:
        """Add unused columns as ``x_…`` where they belong; return the personal ones that are left out."""
        used = set().union(*(table.used_columns(self.profile) for table in tables))
        unused = [column.name for column in self.profile.columns if column.filled and column.name not in used]
        private = [name for name in unused if is_private(self.profile.column(name))]
        kept = [name for name in unused if name not in private]
        of_order = [
            name
            for name in kept
            if self.inside is not None
            and "orders" in self.makes
            and self.inside.repeated
            and self.inside.is_constant(name)
        ]
        by_table = {table.table: table for table in tables}
        if "orders" in by_table:
            by_table["orders"].columns |= extra_columns(self.profile, of_order)
        lines = [name for name in kept if name not in of_order or "orders" not in by_table]
        by_table["order_items"].columns |= extra_columns(self.profile, lines)
        return private


def _kind_of(word: str, known: dict[str, str]) -> str | None:
    key = value_key(word)
    if key in known:
        return known[key]
    first = value_key(word.split(" ")[0]) if " " in word else ""
    return (
        known.get(first)
        if len(first) >= 5 and len(word) <= 30 and known.get(first) in ("shipping", "adjustment")
        else None
    )
