"""Finds meanings without names: what values, repetition and arithmetic say about the columns of a flat file."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

from marginwise.connectors.proposal.flat import dependencies, find_order_key, share_of_rows
from marginwise.connectors.proposal.matching import Match
from marginwise.connectors.proposal.value_fit import fit_of

if TYPE_CHECKING:
    import duckdb

    from marginwise.connectors.proposal.profile import ColumnProfile, FileProfile

__all__ = ["fill_by_structure"]


def fill_by_structure(
    con: duckdb.DuckDBPyConnection, profile: FileProfile, found: dict[str, Match]
) -> dict[str, Match]:
    """Add to the meanings found by name those that the values themselves prove.

    Parameters
    ----------
    con
        The database with the file's rows.
    profile
        A file of order lines.
    found
        What the names told, by meaning.

    Returns
    -------
    dict
        The same with more meanings; guesses have a confidence below 0.8.
    """
    return _Guess(con, profile, dict(found)).all()


# dates that stand in for that of the order where a file of lines has no other
_OTHER_DATES = ("customer_created_at", "paid_at", "updated_at", "session_started_at")


class _Guess:
    def __init__(self, con: duckdb.DuckDBPyConnection, profile: FileProfile, found: dict[str, Match]) -> None:
        self.con, self.profile, self.found = con, profile, found

    def all(self) -> dict[str, Match]:
        self._words()
        self._date()
        self._order()
        self._amounts()
        self._product()
        self._amounts_of_products()
        self._customer()
        self._quantity()
        return self.found

    @property
    def _free(self) -> list[ColumnProfile]:
        used = {match.column.name for match in self.found.values()}
        return [column for column in self.profile.columns if column.filled and column.name not in used]

    def _take(self, concept: str, column: ColumnProfile, confidence: float, reason: str) -> None:
        if concept not in self.found:
            self.found[concept] = Match(concept, column, confidence, f"by its values, not its name: {reason}")

    def _words(self) -> None:
        for concept, confidence in (("email", 0.8), ("status", 0.75), ("currency", 0.75), ("country", 0.7)):
            for column in self._free:
                if concept in self.found or column.rows < 5 or column.is_number or column.is_time:
                    continue
                fit, told = fit_of(column, concept, 0.5)
                if fit >= 0.9 and not (concept == "status" and column.distinct < 2):
                    self._take(concept, column, confidence, told)

    def _date(self) -> None:
        times = [column for column in self._free if column.is_time and column.fill_share > 0.9]
        if not times and "ordered_at" not in self.found:
            other = next((self.found[name] for name in _OTHER_DATES if name in self.found), None)
            if other is not None and other.column.fill_share > 0.9:
                del self.found[other.concept]
                self._take("ordered_at", other.column, 0.6, "the only column with dates")
        if times:
            self._take(
                "ordered_at", times[0], 0.7 if len(times) == 1 else 0.5, f"the first of {len(times)} columns with dates"
            )

    def _order(self) -> None:
        if "order_id" in self.found:
            return
        able = [
            column for column in self._free if fit_of(column, "key")[0] > 0 and column.distinct > 0.01 * column.rows
        ]
        key = find_order_key(self.con, self.profile, able[:12])
        if key is not None:
            self._take("order_id", key, 0.7, "it repeats, and inside it the date never changes")
            return
        unique = [column for column in able if column.distinct == column.rows and column.fill_share == 1]
        if unique:
            self._take("order_id", unique[0], 0.5, "a number of its own in every row")

    def _amounts(self) -> None:
        numbers = [column for column in self._free if column.is_number and column.minimum is not None]
        known = {
            name: self.found[name].column for name in ("quantity", "unit_price", "line_total") if name in self.found
        }
        if len(known) == 3 or len(numbers) + len(known) < 3:
            return
        for trio in permutations([*known.values(), *numbers][:8], 3):
            quantity, price, total = trio
            if any(
                known.get(name) not in (None, column)
                for name, column in zip(("quantity", "unit_price", "line_total"), trio, strict=True)
            ):
                continue
            if quantity.integer_share < 0.9 or (
                price.integer_share > 0.99 and quantity.integer_share > 0.99 and "unit_price" not in known
            ):
                continue
            product = f"abs({quantity.rate_sql} * {price.rate_sql} - {total.rate_sql}) <= 0.011"
            share, count = share_of_rows(
                self.con, self.profile.relation, product, f"abs({quantity.rate_sql}) > 1 and {total.rate_sql} <> 0"
            )
            if share >= 0.95 and count >= 5:
                told = f"{share:.0%} of {count:,} rows hold quantity times price = total"
                self._take("quantity", quantity, 0.78, told)
                self._take("unit_price", price, 0.78, told)
                self._take("line_total", total, 0.75, told)
                return

    def _product(self) -> None:
        order = self.found.get("order_id")
        if order is None or ("product_id" in self.found and "product_name" in self.found):
            return
        free = [column for column in self._free if not column.is_time and 1 < column.distinct < 0.9 * column.rows]
        inside = (
            dependencies(self.con, self.profile.relation, order.sql, [column.name for column in free]) if free else None
        )
        loose = [
            column
            for column in free
            if inside and inside.comparable[column.name] and inside.constant_share(column.name) < 0.7
        ]
        codes = [column for column in loose if fit_of(column, "key")[0] > 0 and not self._is_label(column)]
        labels = [column for column in loose if self._is_label(column)]
        if "product_id" not in self.found and codes:
            prices = [m.column.name for m in (self.found.get("unit_price"),) if m] or [
                c.name for c in free if c.is_number and c.integer_share < 0.9 and c not in codes
            ]
            ranked = []
            for column in codes:
                names = [label.name for label in labels if label.name != column.name] + [
                    p for p in prices if p != column.name
                ]
                held = dependencies(self.con, self.profile.relation, column.sql, names) if names else None
                ranked.append(
                    (
                        sum(held.constant_share(name) for name in names) / len(names) if held else 0.0,
                        column.distinct,
                        column,
                    )
                )
            share, _, column = max(ranked, key=lambda item: (round(item[0], 2), item[1]))
            if share > 0.5 or not column.is_number:
                self._take("product_id", column, 0.65, "it changes inside orders, and name or price depend on it")
        product = self.found.get("product_id")
        rest = [label for label in labels if product is None or label.name != product.column.name]
        if rest and product is not None:
            held = dependencies(self.con, self.profile.relation, product.sql, [label.name for label in rest])
            best = max(rest, key=lambda label: (held.constant_share(label.name), label.distinct))
            if held.constant_share(best.name) > 0.8:
                self._take("product_name", best, 0.65, "text that depends on the product")
        elif rest:
            self._take(
                "product_name", max(rest, key=lambda label: label.distinct), 0.5, "text that changes inside orders"
            )

    def _is_label(self, column: ColumnProfile) -> bool:
        if column.is_number or column.looks.get("letters", 0) < 0.8:
            return False
        return any(" " in value for value, _ in column.common[:20]) or (
            column.looks.get("code", 0) == 0
            and not any(any(sign.isdigit() for sign in value) for value, _ in column.common[:20])
        )

    def _amounts_of_products(self) -> None:
        if "unit_price" in self.found or "line_total" in self.found:
            return
        amounts = [
            column
            for column in self._free
            if column.is_number and column.minimum is not None and column.integer_share < 0.95
        ]
        if not amounts:
            return
        best = max(amounts, key=lambda column: column.maximum or 0)
        confidence = 0.6 if len(amounts) == 1 else 0.5
        self._take(
            "unit_price", best, confidence, "the largest amounts with decimals; say so if they are totals of the line"
        )
        for other in [column for column in amounts if column is not best]:
            share, count = share_of_rows(
                self.con, self.profile.relation, f"{other.number_sql} < {best.number_sql}", f"{best.number_sql} > 0"
            )
            if share > 0.99 and count and (other.minimum or 0) > 0:
                self._take("unit_cost", other, 0.46, "amounts always below the price")
                return

    def _customer(self) -> None:
        order = self.found.get("order_id")
        if order is None or "customer_id" in self.found or "email" in self.found:
            return
        free = [
            column
            for column in self._free
            if fit_of(column, "key")[0] > 0 and column.distinct > 1 and not self._is_label(column)
        ]
        if not free:
            return
        held = dependencies(self.con, self.profile.relation, order.sql, [column.name for column in free])
        able = [
            column
            for column in free
            if held.is_constant(column.name) and 0.05 * held.groups < column.distinct < held.groups
        ]
        if able:
            best = max(able, key=lambda column: column.distinct)
            self._take("customer_id", best, 0.6, "one for each order, and some come again")

    def _quantity(self) -> None:
        if "quantity" in self.found:
            return
        for column in self._free:
            if (
                not column.is_number
                or column.integer_share < 0.95
                or (column.maximum or 0) > 100_000
                or column.minimum is None
            ):
                continue
            ones = sum(count for value, count in column.common if value in ("1", "1.0", "1,0", "1,00", "1.00"))
            zeros = sum(count for value, count in column.common if value in ("0", "0.0", "0,0"))
            if (
                zeros < 0.02 * column.filled
                and 0.15 * column.filled < ones < 0.995 * column.filled
                and column.distinct > 2
            ):
                self._take("quantity", column, 0.6, "small whole numbers, most often 1")
                return
