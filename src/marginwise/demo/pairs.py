"""Products bought together: which line brings another, and how far above chance that puts the pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from marginwise.errors import BadSettings

if TYPE_CHECKING:
    from marginwise.demo.arrow_columns import Array
    from marginwise.demo.catalogue import Catalogue
    from marginwise.demo.plan import StorePlan

__all__ = ["Pairs"]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """The planted pairs by product. P products.

    Parameters
    ----------
    second
        The product that a line of each product may bring, -1 for none. Shape (P,).
    attach_rate
        With which probability. Shape (P,).
    """

    second: Array
    attach_rate: Array

    @classmethod
    def of(cls, plan: StorePlan, catalogue: Catalogue) -> Self:
        """Find the products that the plan names by category and rank.

        Raises
        ------
        BadSettings
            When a pair names no product, one product twice, or a product that brings another one already.
        """
        names = [category.name for category in plan.categories]
        second = np.full(len(catalogue.category), -1, dtype=np.int16)
        attach_rate = np.zeros(len(second), dtype=np.float32)
        for pair in plan.pairs:
            found = []
            for name, rank in (pair.first, pair.second):
                products = catalogue.ranked(names.index(name)) if name in names else np.array([], dtype=np.int64)
                if not 0 <= rank < len(products):
                    raise BadSettings(f"A pair names product {rank} of {name!r}, which there is not.", accepted=names)
                found.append(int(products[rank]))
            if found[0] == found[1] or second[found[0]] >= 0:
                raise BadSettings(
                    f"The pair {pair.first} and {pair.second} is not a pair of its own.",
                    fix="Name two different products, each first one once.",
                )
            second[found[0]] = found[1]
            attach_rate[found[0]] = pair.attach_rate
        return cls(second=second, attach_rate=attach_rate)

    def with_seconds(self, shares: Array) -> Array:
        """Return the expected lines of each product for one line drawn, those it brings included. Shape (cells, P)."""
        whole = shares.copy()
        for first in np.flatnonzero(self.second >= 0):
            whole[:, self.second[first]] += shares[:, first] * self.attach_rate[first]
        return whole

    def truth(self, catalogue: Catalogue, names: list[str], lines: Array, orders: Array) -> list[dict[str, Any]]:
        """Return every pair with its expected lift.

        Parameters
        ----------
        catalogue, names
            The products and their names.
        lines
            Tables of lines drawn per order, one row a cell. Shape (cells, STEPS).
        orders
            Expected orders by cell. Shape (cells,).
        """
        shares = catalogue.shares
        counts = np.vstack([np.bincount(row, minlength=int(lines.max()) + 1) for row in lines]) / lines.shape[1]
        numbers = np.arange(counts.shape[1])
        weights = orders / orders.sum()

        def none_of(chance: Array) -> float:
            """Probability that an order has no line that happens with ``chance`` per line drawn, by cell."""
            return float(weights @ (counts * (1 - chance[:, None]) ** numbers).sum(axis=1))

        brought = self.with_seconds(shares)
        told = []
        for first in np.flatnonzero(self.second >= 0).tolist():
            second, rate = int(self.second[first]), float(self.attach_rate[first])
            with_first, with_second = brought[:, first], brought[:, second]
            back = float(self.attach_rate[second]) if self.second[second] == first else 0.0
            either = with_first + with_second - shares[:, first] * rate - shares[:, second] * back
            no_first, no_second = none_of(with_first), none_of(with_second)
            both = 1 - no_first - no_second + none_of(either)
            told.append(
                {
                    "first_product_id": catalogue.ids[first],
                    "second_product_id": catalogue.ids[second],
                    "names": [names[first], names[second]],
                    "attach_rate": round(rate, 4),
                    "expected_support_rate": round(both, 6),
                    "expected_confidence_rate": round(both / (1 - no_first), 4),
                    "expected_lift": round(both / ((1 - no_first) * (1 - no_second)), 3),
                }
            )
        return told
