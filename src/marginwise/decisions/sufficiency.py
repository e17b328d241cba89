"""When a verdict abstains: each reason says what is lacking and which data would resolve it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from marginwise.decisions.number_format import count, rate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from marginwise.decisions.unit import Unit
    from marginwise.settings import DecisionSettings

__all__ = ["Lack", "lacks"]

_ALWAYS_NEEDED = ("orders", "order_items")
_NEEDED_WHERE_PRESENT = {
    "channel": ("refunds", "product_costs"),
    "campaign": ("refunds", "product_costs"),
    "partner": ("refunds", "product_costs", "partners"),
    "category": ("refunds", "product_costs", "products"),
}
_WORDS = {"scale": "Scale", "fix": "Fix", "kill": "Kill", "insufficient": "Insufficient"}


@dataclass(frozen=True)
class Lack:
    """What keeps a unit from a verdict.

    Attributes
    ----------
    code
        Short name of the reason.
    text
        What is the case.
    missing
        Which data would resolve it.
    """

    code: str
    text: str
    missing: str


def lacks(
    unit: Unit, grades: Mapping[str, str | None], settings: DecisionSettings, previous_verdict: str | None = None
) -> list[Lack]:
    """Return every reason to abstain from a verdict; none means that the data suffice.

    Parameters
    ----------
    unit
        The unit with its posteriors.
    grades
        Grade of every table that is present, by table name.
    settings
        The thresholds.
    previous_verdict
        The verdict that stands. Few customers keep a unit from its first verdict; one that was judged is judged on
        for as long as its repeat rate can be told, so that a count around the limit does not flip it.
    """
    return [*_spend(unit), *_coverage(unit, settings), *_tables(unit, grades), *_flips(unit, settings, previous_verdict),
            *_evidence(unit, settings, previous_verdict)]  # fmt: skip


def _spend(unit: Unit) -> Iterator[Lack]:
    if unit.lacks_spend:
        yield Lack(
            "spend_missing",
            "Money is spent on it, but no spend data came in, so no margin can be told.",
            f"spend per day of {unit.row['unit_name']} (table marketing_spend, or declared in the settings)",
        )


def _coverage(unit: Unit, settings: DecisionSettings) -> Iterator[Lack]:
    known, assumed = unit.number("known_cost_rate"), unit.number("assumed_cost_rate")
    if unit.base["customers_count"] == 0 and known is None:
        return
    covered = (known or 0.0) + (assumed or 0.0)
    if covered < settings.minimum_cost_coverage:
        yield Lack(
            "costs_unknown",
            f"Only {rate(covered)} of its cost lines are known or assumed; "
            f"{rate(settings.minimum_cost_coverage)} are needed.",
            "cost of goods (unit_cost or product_costs), shipping cost and payment fees, or declared rates for them",
        )


def _tables(unit: Unit, grades: Mapping[str, str | None]) -> Iterator[Lack]:
    is_spend_landed = unit.row["is_paid"] and unit.row["has_spend"] and not unit.row.get("is_spend_assumed")
    needed = [*_ALWAYS_NEEDED, *(("marketing_spend",) if is_spend_landed else ())]
    for table in needed:
        if table not in grades:
            yield Lack("table_absent", f"The table {table} is absent.", f"the table {table}")
    for table in (*needed, *_NEEDED_WHERE_PRESENT.get(unit.row["unit_kind"], ())):
        if grades.get(table) == "D":
            yield Lack(
                "table_failed",
                f"The table {table} has data grade D: too many of its rows break the contract.",
                f"a mended {table} (its bad rows wait in quarantine)",
            )


def _flips(unit: Unit, settings: DecisionSettings, previous_verdict: str | None) -> Iterator[Lack]:
    plain = unit.plain_verdict(settings, "base", previous_verdict)
    if plain == "insufficient":
        return
    given = unit.plain_verdict(settings, "unattributed_given", previous_verdict)
    if given != plain:
        share = unit.number("unattributed_rate")
        part = "" if share is None else f" ({rate(share)} of net revenue)"
        yield Lack(
            "unattributed_flips",
            f"With none of the store's unattributed orders{part} it would be {_WORDS[plain]}, "
            f"with all of them {_WORDS[given]}.",
            f"the channel of the unattributed orders{part}: tag links, or ask at checkout",
        )
    free = unit.plain_verdict(settings, "unknown_costs_free", previous_verdict)
    if free != plain:
        share = unit.number("unknown_cost_rate")
        part = "" if share is None else f" ({rate(share)} of its cost lines)"
        yield Lack(
            "unknown_costs_flip",
            f"As it stands it would be {_WORDS[plain]}; if the unknown costs{part} were 0 it would be {_WORDS[free]}.",
            f"the unknown costs{part}",
        )


def _evidence(unit: Unit, settings: DecisionSettings, previous_verdict: str | None) -> Iterator[Lack]:
    if unit.base["p_margin_positive"] is None:
        if not unit.lacks_spend:
            yield Lack(
                "no_customers",
                f"No customer of the store has been a customer for {settings.horizon_days} days yet, or none came "
                "late enough to be known as new.",
                f"orders over more than {2 * settings.horizon_days} days, or the day the store opened (opened_on)",
            )
        return
    customers = unit.base["customers_count"]
    low, high = unit.base["margin_low_amount"], unit.base["margin_high_amount"]
    is_first = previous_verdict in (None, "insufficient")
    needed = settings.minimum_mature_customers if is_first else settings.minimum_repeat_customers
    if customers < min(needed, settings.minimum_mature_customers) and low <= 0 <= high:
        yield Lack(
            "few_customers",
            f"Only {count(customers)} mature customers, and the {settings.interval:.0%} interval "
            "of its margin contains 0.",
            f"{count(settings.minimum_mature_customers - customers)} more mature customers",
        )
