"""Holds an installation against stores whose truth is known: every number it tells must be the planted one."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marginwise.demo.knobs import Knobs
from marginwise.engine.publish import PUBLISHED_STORE
from marginwise.errors import BadSettings, MarginwiseError
from marginwise.ops.pipeline import run
from marginwise.ops.projects import create_demo
from marginwise.serving.queries import PublishedStore
from marginwise.settings import load_settings

if TYPE_CHECKING:
    from marginwise.demo.truth import StoreTruth, UnitTruth

__all__ = ["Check", "validate"]

Progress = Callable[[str, str, int, int], None]

_SCENARIOS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("late and corrected files", {"drops": 2, "late_rate": 0.05, "corrected_rate": 0.03}),
    ("Parquet, orders state their channel", {"format": "parquet", "visits_per_order": 0.0, "dirt_rate": 0.004}),
    (
        "heavy tail, many returns, many Unassigned",
        {"heavy_tail": 1.7, "return_factor": 1.5, "unassigned_share": 0.08, "weather_effect": 3.0},
    ),
)
_BRIDGE = {
    "kept": ("gross_sales_amount", 1),
    "discounts": ("discount_amount", -1),
    "cancelled_orders": ("cancelled_amount", -1),
    "refunds": ("refund_amount", -1),
    "net_revenue": ("net_revenue_amount", 1),
    "cm2": ("cm2_amount", 1),
    "spend_known": ("spend_amount", -1),
}
_CENT = 0.01
_ORDERS_OF_A_CENT = 10_000
_CLEAR = 3.0


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison of a store: what the truth says and what was observed.

    Parameters
    ----------
    store
        Which store, with what is special about it.
    check
        What was compared.
    expected, observed
        In words.
    passed
        True when they agree.
    """

    store: str
    check: str
    expected: str
    observed: str
    passed: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the check as plain fields."""
        return asdict(self)


def validate(
    directory: Path, *, stores: int = 3, orders: int = 6000, seed: int = 1, progress: Progress | None = None
) -> list[Check]:
    """Generate stores, run the whole pipeline on each, and compare what it tells with what was planted.

    Parameters
    ----------
    directory
        A new or empty folder for the stores.
    stores
        How many; they take turns in what is special about them.
    orders
        Orders of each.
    seed
        Seed of the first store; each further one takes the next.
    progress
        Called with (store, what, done, total).

    Returns
    -------
    list of Check
        A store that cannot be run is one failed check with the reason.

    Raises
    ------
    BadSettings
        When the folder holds something.
    """
    if directory.exists() and any(directory.iterdir()):
        raise BadSettings(f"{directory} is not empty.", fix="Name a new folder for the stores.")
    found: list[Check] = []
    for number in range(stores):
        special, knobs = _SCENARIOS[number % len(_SCENARIOS)]
        name = f"{number + 1}: {special}"
        told = _told(progress, f"store {number + 1} of {stores}")
        try:
            found += _store(
                directory / f"store-{number + 1}", name, Knobs(orders=orders, seed=seed + number, **knobs), told
            )
        except MarginwiseError as error:
            found.append(Check(name, "the store runs", "all stages", str(error), passed=False))
    return found


def _told(progress: Progress | None, store: str) -> Progress:
    def tell(stage: str, item: str, done: int, total: int) -> None:
        if progress is not None:
            progress(f"{store}, {stage}", item, done, total)

    return tell


def _store(directory: Path, name: str, knobs: Knobs, progress: Progress) -> Iterator[Check]:
    from marginwise.demo.store import TRUTH_FILE
    from marginwise.demo.truth import StoreTruth

    created = create_demo(directory, knobs, progress=lambda what, done, total: progress("demo", what, done, total))
    settings = load_settings(directory)
    for folder in created["drops"]:
        run(settings, ("land",), progress=progress)
        for path in Path(folder).iterdir():
            shutil.copy(path, directory / "data" / path.name)
    run(settings, progress=progress)
    truth = StoreTruth.read(directory / "data" / TRUTH_FILE)
    store = PublishedStore(settings.state_directory / PUBLISHED_STORE)
    found = [*_rows(store, truth), *_totals(store, truth), *_units(store.verdicts(), truth)]
    return iter([Check(name, check, expected, observed, passed) for check, expected, observed, passed in found])


Found = tuple[str, str, str, bool]


def _rows(store: PublishedStore, truth: StoreTruth) -> Iterator[Found]:
    """Compare rows landed with rows in the files, and rows quarantined with the dirt planted."""
    grades = store.grades()
    rows = {name: count for name, count in truth.rows.items() if count}
    for drop in truth.drops:
        rows[drop.table] += drop.late_rows + drop.corrected_rows
    landed = {row["table_name"]: row["rows_in"] for row in grades if row["rows_in"]}
    yield ("rows landed", f"{sum(rows.values()):,}", f"{sum(landed.values()):,}", rows == landed)
    lost = {row["table_name"] for row in grades if row["rows_in"] != row["rows_loaded"] + row["rows_quarantined"]}
    yield (
        "rows in = loaded + quarantined",
        "every table",
        f"off in {', '.join(sorted(lost))}" if lost else "every table",
        not lost,
    )
    planted = {(dirt.table, dirt.rule, dirt.column): dirt.rows for dirt in truth.dirt}
    quarantined = {
        (row["table_name"], row["rule"], row["column_name"]): row["row_count"] for row in store.quarantined()
    }
    off = sorted({key for key in planted.keys() | quarantined.keys() if planted.get(key) != quarantined.get(key)})
    told = f"{sum(quarantined.values()):,} in {len(quarantined)} kinds"
    if off:
        told += f"; off: {', '.join('.'.join(key) for key in off)}"
    yield ("quarantined = planted dirt", f"{sum(planted.values()):,} in {len(planted)} kinds", told, not off)


def _totals(store: PublishedStore, truth: StoreTruth) -> Iterator[Found]:
    """Compare the steps of the margin bridge with the planted totals."""
    amounts = {row["step_id"]: float(row["amount"]) for row in store.bridge() if row["step_id"] in _BRIDGE}
    gaps = {step: amounts.get(step, math.inf) - sign * truth.totals[name] for step, (name, sign) in _BRIDGE.items()}
    worst = max(gaps, key=lambda step: abs(gaps[step]))
    yield (
        "sales, refunds, CM2, spend", f"{len(_BRIDGE)} totals to the cent", f"largest gap {abs(gaps[worst]):,.4f} ({worst})",
        abs(gaps[worst]) <= _tolerance(truth),
    )  # fmt: skip


def _units(verdicts: list[dict[str, Any]], truth: StoreTruth) -> Iterator[Found]:
    """Compare margin, customers, repeat rate and, where the truth is clear, the verdict of every channel and campaign."""
    given = {(row["unit_kind"], row["unit_name"]): row for row in verdicts}
    missing = [unit.unit_name for unit in truth.units if (unit.unit_kind, unit.unit_name) not in given]
    pairs = [(unit, given[unit.unit_kind, unit.unit_name]) for unit in truth.units if unit.unit_name not in missing]
    units = f"{len(truth.units)} channels and campaigns"
    yield ("units", units, f"missing: {', '.join(missing)}" if missing else units, not missing)
    gaps = {unit.unit_name: abs(float(row["margin_amount"] or 0) - unit.realised_margin_amount) for unit, row in pairs}
    worst = max(gaps, key=lambda name: gaps[name])
    yield (
        "margins",
        f"{len(gaps)} to the cent",
        f"largest gap {gaps[worst]:,.4f} ({worst})",
        gaps[worst] <= _tolerance(truth),
    )
    off = [unit.unit_name for unit, row in pairs if not _same_customers(unit, row)]
    yield (
        "customers and repeat rates",
        f"{len(pairs)} exactly",
        f"off: {', '.join(off)}" if off else f"{len(pairs)} exactly",
        not off,
    )
    clear = [(unit, row) for unit, row in pairs if unit.verdict is not None and _is_clear(unit, truth)]
    wrong = [
        f"{unit.unit_name} {row['verdict']}, not {unit.verdict}"
        for unit, row in clear
        if row["verdict"] != unit.verdict
    ]
    told = f"{len(clear) - len(wrong)} as planted"
    yield ("verdicts where the truth is clear", f"{len(clear)} as planted", "; ".join([told, *wrong]), not wrong)


def _same_customers(unit: UnitTruth, row: dict[str, Any]) -> bool:
    rate, planted = row["repeat_rate"], unit.realised_repeat_rate
    same_rate = rate == planted if rate is None or planted is None else abs(rate - planted) < 1e-6
    return bool(row["customers_count"] == unit.realised_customers_count and same_rate)


def _is_clear(unit: UnitTruth, truth: StoreTruth) -> bool:
    """Return True when both the plan and what was drawn of it leave no doubt about the verdict."""
    if unit.is_paid and not unit.has_spend:
        return True
    if not (unit.is_margin_clear and unit.is_repeat_clear):
        return False
    if abs(unit.realised_margin_amount) < _CLEAR * unit.margin_standard_error:
        return False
    if unit.realised_margin_amount * unit.expected_margin_amount <= 0:
        return False
    rate, rest, count = unit.realised_repeat_rate, unit.realised_rest_repeat_rate, unit.realised_customers_count
    if rate is None or rest is None:
        return count == 0
    everyone = sum(other.realised_customers_count for other in truth.units if other.unit_kind == "channel")
    error = math.sqrt(rest * (1 - rest) * (1 / count + 1 / max(everyone - count, 1)))
    gap = (rate - rest) * math.copysign(1, unit.expected_repeat_rate - unit.expected_rest_repeat_rate)
    return gap >= _CLEAR * error


def _tolerance(truth: StoreTruth) -> float:
    """Return a cent; more for large stores, whose foreign amounts are rounded to a hundredth of a cent one by one."""
    return _CENT * max(1.0, math.sqrt(truth.totals["orders_count"] / _ORDERS_OF_A_CENT))
