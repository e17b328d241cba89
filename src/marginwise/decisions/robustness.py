"""Robustness: under how many other assumptions a verdict holds, and which assumption turns it most often.

Every unit is judged again under each touch rule, horizon and cost by the very rules of `verdict`: abstentions, rule,
false-discovery cut, standing verdict. A variant whose data do not suffice says nothing, neither for nor against.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from marginwise.decisions.discovery import taken_back
from marginwise.decisions.hysteresis import standing
from marginwise.decisions.sufficiency import lacks
from marginwise.decisions.unit import Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from marginwise.decisions.rule import Verdict
    from marginwise.settings import DecisionSettings

__all__ = ["Assumptions", "robustness", "turned_by", "with_robustness"]

Row = dict[str, Any]
Key = tuple[str, str, str]

_ALL_AGREE = "all attribution models agree"
_SCHEMA = pa.schema(
    [("store_id", pa.string()), ("unit_kind", pa.string()), ("unit_id", pa.string()), ("touch_rule", pa.string()),
     ("horizon_days", pa.int64()), ("cost_rate", pa.float64()), ("customers_count", pa.int64()),
     ("margin_amount", pa.float64()), ("p_margin_positive", pa.float64()), ("p_repeat_above_rest", pa.float64()),
     ("verdict", pa.string())]
)  # fmt: skip


class Assumptions(NamedTuple):
    """What a variant assumes: whose customer it is, how many days count, what costs are multiplied by."""

    touch_rule: str
    horizon_days: int
    cost_rate: float

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Assumptions:
        """Return the assumptions of a row."""
        return cls(row["touch_rule"], row["horizon_days"], row["cost_rate"])

    def words(self, judged: Assumptions) -> list[tuple[str, Assumptions]]:
        """Name each way in which this differs from what was judged, beside the same variant without it.

        >>> [name for name, _ in Assumptions("last", 30, 1.2).words(Assumptions("first", 90, 1.0))]
        ['last touch', '30 days', 'costs 20% higher']
        """
        named = []
        if self.touch_rule != judged.touch_rule:
            named.append((f"{self.touch_rule} touch", self._replace(touch_rule=judged.touch_rule)))
        if self.horizon_days != judged.horizon_days:
            named.append((f"{self.horizon_days} days", self._replace(horizon_days=judged.horizon_days)))
        if self.cost_rate != judged.cost_rate:
            change = self.cost_rate - judged.cost_rate
            words = f"costs {abs(change):.0%} {'higher' if change > 0 else 'lower'}"
            named.append((words, self._replace(cost_rate=judged.cost_rate)))
        return named


def robustness(
    judged: pa.Table,
    variants: pa.Table,
    grades: pa.Table,
    settings: DecisionSettings,
    previous: Mapping[Key, str] | None = None,
) -> pa.Table:
    """Judge every channel and campaign under every variant.

    Parameters
    ----------
    judged
        What `verdict.verdicts` returned.
    variants
        What `science.variants.variant_posteriors` returned.
    grades
        `ops.table_grades`: table_name, is_present, grade.
    settings
        The thresholds.
    previous
        The verdicts that stand, as `verdict.verdicts` took them.

    Returns
    -------
    pyarrow.Table
        One row per judged unit, touch_rule (first, last), horizon_days and cost_rate: customers_count, margin_amount
        (store currency), p_margin_positive, p_repeat_above_rest and ``verdict``. First touch at the configured horizon
        and at costs as they are is the verdict itself. Where none or all of the unattributed orders would turn a
        verdict, it abstains; that is not asked again per variant.
    """
    grade_of = {row["table_name"]: row["grade"] for row in grades.to_pylist() if row["is_present"]}
    own = _judged_assumptions(settings)
    rows = {_key(row): row for row in judged.to_pylist() if row["is_judged"]}
    found: dict[Assumptions, list[tuple[Row, Row]]] = defaultdict(list)
    for variant in variants.to_pylist():
        row = rows.get(_key(variant))
        if row is not None:
            numbers = {**variant, **{name: row[name] for name in variant if name in row}}
            found[Assumptions.of(variant)].append((row, numbers if Assumptions.of(variant) == own else variant))
    told = []
    for assumed in sorted(found):
        pairs = found[assumed]
        if assumed == own:
            given = [row["verdict"] for row, _ in pairs]
        else:
            given = _judged_again(pairs, grade_of, settings, previous or {})
        told += [{**variant, "verdict": verdict} for (_, variant), verdict in zip(pairs, given, strict=True)]
    return pa.Table.from_pylist(told, schema=_SCHEMA)


def with_robustness(judged: pa.Table, variants: pa.Table, settings: DecisionSettings) -> pa.Table:
    """Add to every verdict how well it holds.

    Parameters
    ----------
    judged
        What `verdict.verdicts` returned.
    variants
        What `robustness` returned for them.
    settings
        ``horizon_days``: the horizon that was judged.

    Returns
    -------
    pyarrow.Table
        ``judged`` with ``variants_count`` (variants whose data suffice), ``variants_held_count`` (those with the same
        verdict) and ``flipped_by`` (the assumption that turns it most often, in words; null when none does): null
        where no verdict was given or none is tried again (partners, categories). ``evidence_grade`` rises where the
        verdict holds under every touch rule, unless each customer of the store is known by one touch only, so that
        the rules had nothing to differ about.
    """
    own = _judged_assumptions(settings)
    by_unit: dict[Key, dict[Assumptions, Row]] = defaultdict(dict)
    for row in variants.to_pylist():
        by_unit[_key(row)][Assumptions.of(row)] = row
    differing = {key[:2] for key, found in by_unit.items() if _differ(found, own)}
    counts: list[int | None] = []
    held_counts: list[int | None] = []
    turned: list[str | None] = []
    grades = []
    for row in judged.to_pylist():
        grade = row["evidence_grade"]
        found = {key: variant["verdict"] for key, variant in by_unit.get(_key(row), {}).items()}
        told = [verdict for verdict in found.values() if verdict != "insufficient"]
        if not told or row["verdict"] == "insufficient":
            counts.append(None)
            held_counts.append(None)
            turned.append(None)
        else:
            counts.append(len(told))
            held_counts.append(told.count(row["verdict"]))
            turned.append(turned_by(found, own))
            rules = {key: verdict for key, verdict in found.items() if key[1:] == own[1:]}
            if _key(row)[:2] in differing and set(rules.values()) == {row["verdict"]}:
                grade = _ALL_AGREE
        grades.append(grade)
    at = judged.schema.get_field_index("evidence_grade")
    judged = judged.set_column(at, "evidence_grade", pa.array(grades, pa.string()))
    judged = judged.append_column("variants_count", pa.array(counts, pa.int64()))
    judged = judged.append_column("variants_held_count", pa.array(held_counts, pa.int64()))
    return judged.append_column("flipped_by", pa.array(turned, pa.string()))


def turned_by(found: Mapping[Assumptions, str], judged: Assumptions) -> str | None:
    """Return the assumption that turns a verdict in the largest share of its variants, in words; None if none does.

    An assumption turns a verdict where the same variant without it holds; of equals it is the one that does so alone.
    Where no assumption does it alone, it is the smallest set of them that does, listed with "and".

    Parameters
    ----------
    found
        The verdict under every variant.
    judged
        The assumptions the verdict itself rests on.

    Examples
    --------
    >>> own = Assumptions("first", 90, 1.0)
    >>> turned_by({own: "scale", own._replace(cost_rate=1.2): "fix", own._replace(touch_rule="last"): "scale"}, own)
    'costs 20% higher'
    >>> turned_by({own: "scale", Assumptions("last", 90, 1.2): "fix"}, own)
    'last touch and costs 20% higher'
    """
    verdict = found[judged]
    told = {assumed: other for assumed, other in found.items() if other != "insufficient"}
    named = {assumed: assumed.words(judged) for assumed in told}
    turning = sorted((len(named[assumed]), assumed) for assumed, other in told.items() if other != verdict)
    if not turning:
        return None
    fewest, smallest = turning[0]
    if fewest > 1:
        names = [name for name, _ in named[smallest]]
        return f"{', '.join(names[:-1])} and {names[-1]}"
    tried: dict[str, int] = defaultdict(int)
    turns: dict[str, int] = defaultdict(int)
    alone: set[str] = set()
    for assumed, other in told.items():
        for name, without in named[assumed]:
            tried[name] += 1
            turns[name] += other != verdict and told.get(without) == verdict
            if other != verdict and without == judged:
                alone.add(name)
    return max(turns, key=lambda name: (turns[name] / tried[name], name in alone))


def _judged_again(
    pairs: Iterable[tuple[Row, Row]],
    grade_of: Mapping[str, str | None],
    settings: DecisionSettings,
    previous: Mapping[Key, str],
) -> list[str]:
    units = [Unit(row, {"base": numbers}, {}) for row, numbers in pairs]
    ruled: list[Verdict] = [
        "insufficient" if lacks(unit, grade_of, settings, previous.get(unit.key)) else unit.plain_verdict(settings)
        for unit in units
    ]
    # a unit that abstains as things are is not named, so it takes no part in the cut of those that are
    claims = [
        (_key(unit.row)[:2], "insufficient" if unit.row["verdict"] == "insufficient" else verdict, _chance(unit))
        for unit, verdict in zip(units, ruled, strict=True)
    ]
    cut = taken_back(claims, settings)
    return [
        standing(
            previous.get(_key(unit.row)),
            _chance(unit),
            unit.p_repeat(settings),
            "fix" if is_cut else verdict,
            settings,
        )
        for unit, verdict, is_cut in zip(units, ruled, cut, strict=True)
    ]


def _chance(unit: Unit) -> float | None:
    chance: float | None = unit.base["p_margin_positive"]
    return chance


def _judged_assumptions(settings: DecisionSettings) -> Assumptions:
    return Assumptions("first", settings.horizon_days, 1.0)


def _differ(found: Mapping[Assumptions, Row], own: Assumptions) -> bool:
    """Say whether the touch rules give a unit other customers."""
    rows = [row for key, row in found.items() if key[1:] == own[1:]]
    return len({(row["customers_count"], row["margin_amount"]) for row in rows}) > 1


def _key(row: Mapping[str, Any]) -> Key:
    return row["store_id"], row["unit_kind"], row["unit_id"]
