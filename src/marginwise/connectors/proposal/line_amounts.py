"""Works out the amounts of a file of order lines: price, discount and tax from whichever of them the file states."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from marginwise.connectors.proposal.drafts import Draft, plain, plain_draft
from marginwise.connectors.proposal.flat import Dependencies, is_of_order, share_of_rows
from marginwise.connectors.proposal.tax_position import share_of_tax, tax_position

if TYPE_CHECKING:
    import duckdb

    from marginwise.connectors.proposal.matching import Match
    from marginwise.connectors.proposal.profile import FileProfile

__all__ = ["LineAmounts", "line_amounts"]


@dataclass(frozen=True, slots=True)
class LineAmounts:
    """Drafts of the amounts of an order line.

    Parameters
    ----------
    columns
        Drafts of quantity, unit_price, discount_amount, tax_amount and unit_cost of ``order_items``.
    value
        The line's value before tax questions, after discount, in SQL; None when there is no price.
    quantity
        The quantity in SQL.
    with_tax
        True when prices include tax, False when not, None when nothing tells.
    tax_reason
        What told it.
    left_out
        Columns that could be made but are not, each with what speaks against it.
    """

    columns: dict[str, Draft]
    value: str | None
    quantity: str
    with_tax: bool | None
    tax_reason: str
    left_out: dict[str, Draft] = field(default_factory=dict)


def line_amounts(
    con: duckdb.DuckDBPyConnection, profile: FileProfile, found: dict[str, Match], inside: Dependencies | None
) -> LineAmounts:
    """Draft the amounts of order lines and prove them on the rows.

    Parameters
    ----------
    con
        The database with the file's rows.
    profile
        The file.
    found
        The columns by meaning.
    inside
        What the order number determines; amounts that stay the same in an order belong to it, not to the line.
    """
    return _Amounts(con, profile.relation, found, inside).drafted()


class _Amounts:
    def __init__(
        self, con: duckdb.DuckDBPyConnection, relation: str, found: dict[str, Match], inside: Dependencies | None
    ) -> None:
        self.con, self.relation, self.found, self.inside = con, relation, found, inside
        self.columns: dict[str, Draft] = {}
        self.left_out: dict[str, Draft] = {}
        quantity = found.get("quantity")
        # widened, since DuckDB keeps a product of two short decimals short and a typing error would overflow it
        self.quantity = f"{quantity.number_sql}::decimal(20, 4)" if quantity else "1"
        self.columns["quantity"] = (
            plain_draft(quantity)
            if quantity
            else Draft("1", 0.6, "no column with quantities: every row is taken as one piece")
        )
        self.price = found.get("unit_price")
        self.total = self._of_line("line_total")
        self.gross = self._of_line("line_gross")
        self.discount = self._of_line("discount")
        self.rate = self._rate()
        self._look_for_price()

    def drafted(self) -> LineAmounts:
        value: str | None
        if self.price is not None:
            value = self._from_price(self.price)
        elif self.gross is not None or self.total is not None:
            value = self._from_total()
        else:
            value = self._from_cost()
        self._cost(value)
        with_tax, reason = tax_position(self.con, self.relation, self.found, value)
        self._tax(value, with_tax=with_tax, told=reason)
        return LineAmounts(self.columns, value, self.quantity, with_tax, reason, self.left_out)

    def _look_for_price(self) -> None:
        """Take a list price for the price where nothing else is one, when the line's total proves it or is not there."""
        self._price_called_a_cost()
        price = self.price
        if price is not None and self._grows_with_quantity(price):
            told = f"{price.reason}; named a price, but it grows with the quantity: the total of the line"
            self.gross, self.price = replace(price, concept="line_gross", reason=told), None
        listed = self.found.get("list_price")
        if self.price is not None or self.gross is not None or listed is None:
            return
        if self.total is not None:
            value = f"({self.quantity} * {listed.number_sql} - {self._discount_sql(self.quantity)})"
            share, count = self._held(
                f"abs({value} - {self.total.number_sql}) <= 0.011", f"{self.total.number_sql} <> 0"
            )
            if share < 0.98 or count < 3:
                return
        self.price = replace(listed, confidence=round(listed.confidence * 0.9, 2))

    def _price_called_a_cost(self) -> None:
        """Take a column that calls itself a cost for the price where it makes the line's total."""
        cost, total = self.found.get("unit_cost"), self.total or self.gross
        if self.price is not None or cost is None or total is None:
            return
        value = f"{self.quantity} * {cost.number_sql}"
        for less in ("0", self._discount_sql(value)):
            share, count = self._held(
                f"abs({value} - {less} - {total.number_sql}) <= 0.011", f"{total.number_sql} <> 0"
            )
            if share >= 0.98 and count >= 3:
                told = f"{cost.reason}; named a cost, but it makes {total.column.name}, so it is the price"
                self.price = replace(cost, confidence=min(cost.confidence, 0.85), reason=told)
                return

    def _grows_with_quantity(self, price: Match) -> bool:
        """Tell whether an amount called a price is that of the whole line: the same per piece, whatever the quantity."""
        product, quantity = self.found.get("product_id") or self.found.get("product_name"), self.found.get("quantity")
        if product is None or quantity is None or self.total is not None or self.gross is not None:
            return False
        amount, pieces = price.column.rate_sql, quantity.column.rate_sql
        per_line, per_piece = self.con.execute(
            "select count(*) filter (where piece_steady and not line_steady), count(*) filter (where line_steady) from ("
            f"select max({amount} / {pieces}) < 1.03 * min({amount} / {pieces}) as piece_steady,"
            f" max({amount}) < 1.03 * min({amount}) as line_steady from {self.relation}"
            f" where {amount} > 0 and {pieces} > 0 group by {product.sql} having count(distinct {pieces}) > 1)"
        ).fetchall()[0]
        return bool(per_line >= 3 and per_line > 4 * per_piece)

    def _of_line(self, concept: str) -> Match | None:
        match = self.found.get(concept)
        if match is not None and is_of_order(match.column.name, self.inside):
            several = concept in ("line_total", "line_gross") and self.price is None
            return match if several else None
        return match

    def _rate(self) -> Match | None:
        """Return the discount as a rate: a column of percents, or amounts that never exceed 1 on lines that do."""
        rate = self.found.get("discount_rate")
        if rate is not None:
            return rate
        amount = self.discount
        other = self.total or self.gross or self.price
        if amount is None or other is None or (amount.column.maximum or 0) > 1 or (amount.column.minimum or 0) < 0:
            return None
        if not amount.column.maximum or amount.column.distinct > 40:
            return None
        share, count = self._held(f"abs({other.number_sql}) > 3", f"{amount.number_sql} > 0")
        parts, _ = self._held(f"{amount.number_sql} < 1", f"{amount.number_sql} > 0")
        if count >= 3 and share > 0.6 and parts > 0.5:
            self.discount = None
            return amount
        return None

    def _fraction(self) -> str | None:
        if self.rate is None:
            return None
        return f"coalesce({self.rate.column.rate_sql}, 0)" + ("" if (self.rate.column.maximum or 0) <= 1 else " / 100")

    def _discount_sql(self, amount: str) -> str:
        """Return the discount with the sign of the amount it is taken off: a return gives back the price less it."""
        if self.discount is None:
            return "0"
        signed = (self.found.get("quantity"), self.price, self.total, self.gross)
        is_signed = any(match is not None and (match.column.minimum or 0) < 0 for match in signed)
        return ("" if not is_signed else f"sign({amount}) * ") + f"abs(coalesce({self.discount.number_sql}, 0))"

    def _take_discount(self) -> None:
        match = self.discount
        if match is not None:
            amount = f"abs({match.number_sql})" if (match.column.minimum or 0) < 0 else plain(match)
            self.columns["discount_amount"] = Draft(amount, match.confidence, match.reason)

    def _from_price(self, price: Match) -> str:
        value = f"{self.quantity} * {price.number_sql}"
        implied = None
        if self.total is not None:
            self.columns["unit_price"], implied = self._checked(price, self.total, value)
        else:
            self.columns["unit_price"] = plain_draft(price)
        fraction = self._fraction()
        if self.discount is not None:
            self._take_discount()
            return f"({value} - {self._discount_sql(value)})"
        if self.rate is not None and fraction is not None:
            self.columns["discount_amount"] = Draft(
                f"round({value} * {fraction}, 4)", self.rate.confidence * 0.85,
                f"{self.rate.reason}; quantity times price times rate",
            )  # fmt: skip
            return f"({value} * (1 - {fraction}))"
        if implied is not None:
            self.columns["discount_amount"] = implied
            return f"({value} - coalesce({implied.expression}, 0))"
        return value

    def _checked(self, price: Match, total: Match, product: str) -> tuple[Draft, Draft | None]:
        """Hold the price against the line's total; return the price, and a discount that the total implies."""
        where = f"{total.number_sql} <> 0 and {product} <> 0"
        fraction = self._fraction()
        forms = [(product, "quantity times price")]
        if self.discount is not None:
            forms.append((f"({product} - {self._discount_sql(product)})", "quantity times price less discount"))
        if fraction is not None:
            forms.append((f"({product} * (1 - {fraction}))", "quantity times price less the discount rate"))
        for value, told in forms:
            share, count = self._held(f"abs(abs({value}) - abs({total.number_sql})) <= 0.011", where)
            if share >= 0.98 and count >= 3:
                sure = round(min(0.99, price.confidence + 0.1), 2)
                told = f"{told} = {total.column.name} in {share:.0%} of the rows"
                return Draft(plain(price), sure, f"{price.reason}; {told}"), None
        equal, _ = self._held(f"abs({product} - {total.number_sql}) <= 0.011", where)
        lower, _ = self._held(
            f"abs({total.number_sql}) <= abs({product}) + 0.011 and sign({total.number_sql}) = sign({product})", where
        )
        if (
            equal > 0.3
            and lower > 0.98
            and self.discount is None
            and fraction is None
            and not self._is_steady(total, product)
        ):
            told = f"{total.column.name} lies below quantity times price in {1 - equal:.0%} of the rows: a discount"
            return plain_draft(price), Draft(f"greatest({product} - {total.number_sql}, 0)", 0.6, told)
        if equal < 0.5:
            note = f"CHECK: quantity times price equals {total.column.name} in only {equal:.0%} of the rows"
            return plain_draft(price, factor=0.85, reason=note), None
        return plain_draft(price), None

    def _is_steady(self, total: Match, product: str) -> bool:
        """Tell whether total and product differ by one factor, such as a tax rate, rather than by discounts."""
        ratio = f"{total.number_sql}::double / nullif(({product})::double, 0)"
        low, high = self.con.execute(
            f"select quantile_cont({ratio}, 0.2), quantile_cont({ratio}, 0.8) from {self.relation}"
        ).fetchall()[0]
        return low is not None and abs(low - high) < 0.004

    def _held(self, condition: str, where: str) -> tuple[float, int]:
        return share_of_rows(self.con, self.relation, condition, where)

    def _from_total(self) -> str:
        match = self.gross or self.total
        assert match is not None
        fraction, has_quantity = self._fraction(), "quantity" in self.found
        if self.gross is not None:
            before, told = self.gross.number_sql, "total before discount"
        elif self.discount is not None:
            before = f"({match.number_sql} + {self._discount_sql(match.number_sql)})"
            told = "line total, the discount added back: CHECK that the total is after discount"
        elif fraction is not None:
            before = f"({match.number_sql} / nullif(1 - {fraction}, 0))"
            told = "line total before its discount rate: CHECK that the total is after discount"
        else:
            before, told = match.number_sql, "line total"
        sure = (1.0 if has_quantity else 0.8) * (0.8 if "CHECK" in told else 1.0)
        turned, _ = self._held(f"{match.number_sql} < 0", f"{self.quantity} > 0 and {match.number_sql} <> 0")
        if turned > 0.05:
            sure = 0.5
            told += (
                f"; CHECK: negative in {turned:.0%} of the rows with a positive quantity: a where must keep fees out"
            )
        if is_of_order(match.column.name, self.inside):
            sure, told = 0.5, f"{told}; CHECK: it belongs to the order, not to its lines"
        expression = f"{before} / nullif({self.quantity}, 0)" if has_quantity else before
        told += " divided by quantity" if has_quantity else ", as one piece"
        self.columns["unit_price"] = Draft(
            expression, round(match.confidence * sure * 0.95, 2), f"{match.reason}; {told}"
        )
        if self.discount is not None:
            self._take_discount()
        elif fraction is not None and self.rate is not None:
            self.columns["discount_amount"] = Draft(
                f"round({before} * {fraction}, 4)",
                self.rate.confidence * 0.8,
                f"{self.rate.reason}; as a rate of the total before it",
            )
        elif self.gross is not None and self.total is not None:
            difference = f"abs({self.gross.number_sql}) - abs({self.total.number_sql})"
            self.columns["discount_amount"] = Draft(
                f"greatest({difference}, 0)", 0.75, f"{self.gross.column.name} less {self.total.column.name}"
            )
        return match.number_sql if self.gross is None else f"({before} - {self._discount_sql(before)})"

    def _from_cost(self) -> str | None:
        """Take a column that calls itself a cost for the price, where there is no other amount."""
        cost = self.found.get("unit_cost")
        if cost is None:
            return None
        told = f"{cost.reason}; CHECK: the only amount of the line, so taken for its price although its name says cost"
        self.columns["unit_price"] = Draft(plain(cost), 0.5, told)
        self._take_discount()
        value = f"{self.quantity} * {cost.number_sql}"
        return f"({value} - {self._discount_sql(value)})" if self.discount is not None else value

    def _cost(self, value: str | None) -> None:
        cost, whole, profit = (self.found.get(name) for name in ("unit_cost", "line_cost", "profit"))
        takes_price = self.price is not None and cost is not None and self.price.column.name == cost.column.name
        is_price = takes_price or (self.price is None and self.total is None and self.gross is None)
        if cost is not None and not is_price:
            self.columns["unit_cost"] = plain_draft(cost)
        elif whole is not None:
            self.columns["unit_cost"] = Draft(
                f"abs({whole.number_sql}) / nullif(abs({self.quantity}), 0)", whole.confidence * 0.9,
                f"{whole.reason}; cost of the line divided by quantity",
            )  # fmt: skip
        elif profit is not None and value is not None:
            self.columns["unit_cost"] = Draft(
                f"({value} - {profit.number_sql}) / nullif({self.quantity}, 0)", profit.confidence * 0.75,
                f"{profit.reason}; CHECK: value less {profit.column.name}, divided by quantity",
            )  # fmt: skip

    def _tax(self, value: str | None, *, with_tax: bool | None, told: str) -> None:
        tax, rate = self._of_line("tax"), self.found.get("tax_rate")
        if tax is not None:
            self.columns["tax_amount"] = plain_draft(tax)
        elif "tax" not in self.found and rate is not None and value is not None and with_tax is not None:
            where = (
                "inside the line's value, which is gross" if with_tax else "on top of the line's value, which is net"
            )
            self.columns["tax_amount"] = Draft(
                f"round({value} * {share_of_tax(rate, with_tax=with_tax)}, 4)", rate.confidence * 0.8,
                f"{rate.reason}; the tax {where} ({told}), at this rate",
            )  # fmt: skip
        elif "tax" not in self.found and rate is not None and value is not None:
            self.left_out["tax_amount"] = Draft(
                f"round({value} * {share_of_tax(rate, with_tax=True)}, 4)", 0.0,
                f"{rate.column.name} holds rates, and nothing tells whether prices include tax; if they do, set "
                "prices_include_tax = true and remove the # in front of this, the tax inside them",
            )  # fmt: skip
