"""Verdicts: does the next unit of capital here earn or burn? With reasons, or abstaining with what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from marginwise.decisions.discovery import taken_back
from marginwise.decisions.hysteresis import standing
from marginwise.decisions.reasons import abstaining_reasons, held_reasons, verdict_reasons
from marginwise.decisions.sufficiency import lacks
from marginwise.decisions.unit import Key, Unit, judged_units

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marginwise.decisions.rule import Verdict
    from marginwise.settings import DecisionSettings

__all__ = ["looks_good_loses_money", "verdicts"]

_LABELS = {
    "scale": "Scale (test)",
    "fix": "Fix",
    "kill": "Kill candidate: run a holdout",
    "insufficient": "Insufficient",
}
_ACTIONS = {
    ("channel", "scale"): "Raise its budget in a test, against a holdout.",
    ("channel", "kill"): "Stop its spend in a holdout and watch what the store loses.",
    ("effort", "scale"): "Give it more effort; it has no budget.",
    ("effort", "kill"): "Give it less effort; it has no budget.",
    ("partner", "scale"): "Give it more room on terms like these.",
    ("partner", "kill"): "Change its terms, or part with it.",
    ("category", "scale"): "Widen its assortment in a test.",
    ("category", "kill"): "Narrow its assortment, or raise its prices.",
}
_EVIDENCE_GRADE = "one model only"
_NO_REASONS: dict[str, list[str]] = {"reasons": [], "reason_codes": [], "reason_amounts": [], "missing": []}
_NUMBERS = ("margin_amount", "margin_low_amount", "margin_high_amount", "margin_per_customer_amount",
            "margin_per_customer_low_amount", "margin_per_customer_high_amount", "expected_margin_amount",
            "p_margin_positive", "repeat_customers_count", "repeat_rate", "estimated_repeat_rate", "repeat_low_rate",
            "repeat_high_rate", "rest_repeat_rate", "p_repeat_above_rest")  # fmt: skip
_VERDICT_FIELDS = (
    ("is_judged", pa.bool_()), ("verdict", pa.string()), ("fresh_verdict", pa.string()),
    ("previous_verdict", pa.string()), ("is_held", pa.bool_()), ("label", pa.string()), ("basis", pa.string()),
    ("evidence_grade", pa.string()), ("action", pa.string()), ("reasons", pa.list_(pa.string())),
    ("reason_codes", pa.list_(pa.string())), ("reason_amounts", pa.list_(pa.float64())),
    ("missing", pa.list_(pa.string())), ("worth_amount", pa.float64()), ("unattributed_given_verdict", pa.string()),
    ("unknown_costs_free_verdict", pa.string()),
)  # fmt: skip


def verdicts(
    units: pa.Table,
    posteriors: pa.Table,
    grades: pa.Table,
    settings: DecisionSettings,
    currency: str = "",
    previous: Mapping[Key, str] | None = None,
) -> pa.Table:
    """Judge every unit.

    Parameters
    ----------
    units
        `mart_decision_units`.
    posteriors
        What `science.evidence.posteriors` returned for them.
    grades
        `ops.table_grades`: table_name, is_present, grade.
    settings
        The thresholds.
    currency
        ISO 4217 code, for the amounts in sentences.
    previous
        The verdict of each unit (store_id, unit_kind, unit_id) in the last published run with an earlier as-of date.
        It stands until the evidence has clearly left it (`hysteresis.standing`).

    Returns
    -------
    pyarrow.Table
        The rows of ``units``, in their order, with the numbers of the base posterior and: ``is_judged`` (Unassigned
        and Guests are shown, never judged), ``verdict`` (scale, fix, kill, insufficient; null where not judged),
        ``fresh_verdict`` (what the evidence alone says), ``previous_verdict``, ``is_held`` (the verdict stands only
        because it was given before), ``label`` in the words that the evidence allows, ``basis`` (known or assumed),
        ``evidence_grade``, ``action``, ``reasons`` with ``reason_codes`` and ``reason_amounts`` (store currency) in the order of money,
        ``missing`` (which data would resolve an abstention), ``worth_amount`` (what knowing the margin is worth, store
        currency), and the verdict the rule gives with all unattributed orders or with unknown costs at 0.
    """
    grade_of = {row["table_name"]: row["grade"] for row in grades.to_pylist() if row["is_present"]}
    all_units = judged_units(units, posteriors)
    stood = [(previous or {}).get(unit.key) for unit in all_units]
    lacking = [
        lacks(unit, grade_of, settings, before) if unit.is_judged else []
        for unit, before in zip(all_units, stood, strict=True)
    ]
    ruled: list[Verdict] = [
        "insufficient" if lack else unit.plain_verdict(settings) for unit, lack in zip(all_units, lacking, strict=True)
    ]
    # units that are only shown take no part in the cut of those that are judged
    claims = [
        (unit.key[:2], verdict if unit.is_judged else "insufficient", unit.base["p_margin_positive"])
        for unit, verdict in zip(all_units, ruled, strict=True)
    ]
    is_cut = taken_back(claims, settings)

    rows = []
    for unit, before, lack, first, cut in zip(all_units, stood, lacking, ruled, is_cut, strict=True):
        numbers = {name: unit.base[name] for name in _NUMBERS}
        if not unit.is_judged:
            rows.append({**numbers, "is_judged": False, "label": "Not judged", **_NO_REASONS})
            continue
        margin, repeat = unit.base["p_margin_positive"], unit.p_repeat(settings)
        fresh: Verdict = "fix" if cut else first
        verdict = standing(before, margin, repeat, fresh, settings)
        basis = _basis(unit, settings)
        if verdict == "insufficient":
            reasons = abstaining_reasons(lack, unit.worth(), currency)
        elif verdict != fresh:
            reasons = held_reasons(unit, verdict, settings, currency, is_cut=cut)
        else:
            reasons = verdict_reasons(unit, verdict, settings, currency, is_cut=cut)
        rows.append({
            **numbers,
            "is_judged": True,
            "verdict": verdict,
            "fresh_verdict": fresh,
            "previous_verdict": before,
            "is_held": verdict != fresh,
            "label": _LABELS[verdict] + (" (assumed)" if basis == "assumed" and verdict != "insufficient" else ""),
            "basis": basis,
            "evidence_grade": _EVIDENCE_GRADE,
            "action": _action(unit, verdict),
            "reasons": [reason.text for reason in reasons],
            "reason_codes": [reason.code for reason in reasons],
            "reason_amounts": [reason.amount for reason in reasons],
            "missing": list(dict.fromkeys(lacked.missing for lacked in lack)),
            "worth_amount": unit.worth(),
            "unattributed_given_verdict": unit.plain_verdict(settings, "unattributed_given", before),
            "unknown_costs_free_verdict": unit.plain_verdict(settings, "unknown_costs_free", before),
        })  # fmt: skip
    added = [(name, posteriors.schema.field(name).type) for name in _NUMBERS]
    judged = pa.Table.from_pylist(rows, schema=pa.schema([*added, *_VERDICT_FIELDS]))
    for name in judged.column_names:
        units = units.append_column(name, judged[name])
    return units


def looks_good_loses_money(judged: pa.Table, settings: DecisionSettings) -> pa.Table:
    """Return the units that look good and very likely lose money.

    Parameters
    ----------
    judged
        What `verdicts` returned.
    settings
        ``looks_good_probability``: how likely a loss must be; ``roas_target``: above it a ROAS looks good.

    Returns
    -------
    pyarrow.Table
        The rows of ``judged`` whose revenue rises or whose ROAS is above target while P(M < 0) is at least that, with
        ``looks`` saying what looks good, largest loss first.
    """
    found = []
    for index, row in enumerate(judged.to_pylist()):
        chance = row["p_margin_positive"]
        if not row["is_judged"] or chance is None or 1 - chance < settings.looks_good_probability:
            continue
        looks = []
        revenue, previous = row["net_revenue_amount"], row["previous_net_revenue_amount"]
        if revenue is not None and previous is not None and revenue > previous:
            looks.append("revenue rises")
        if row["roas"] is not None and row["roas"] > settings.roas_target:
            looks.append("ROAS is above target")
        if looks:
            found.append((row["expected_margin_amount"], index, " and ".join(looks)))
    found.sort()
    chosen = judged.take(pa.array([index for _, index, _ in found], pa.int64()))
    return chosen.append_column("looks", pa.array([looks for _, _, looks in found], pa.string()))


def _basis(unit: Unit, settings: DecisionSettings) -> str:
    known = unit.number("known_cost_rate")
    has_costs = known is not None or unit.base["customers_count"] > 0
    is_assumed = bool(unit.row.get("is_spend_assumed")) or (has_costs and (known or 0.0) < settings.minimum_known_cost)
    return "assumed" if is_assumed else "known"


def _action(unit: Unit, verdict: Verdict) -> str | None:
    row: dict[str, Any] = dict(unit.row)
    kind = "channel" if row["unit_kind"] == "campaign" else row["unit_kind"]
    if kind == "channel" and row["lever"] == "effort":
        kind = "effort"
    if verdict == "fix":
        return "Mend what costs most first, then judge again."
    return _ACTIONS.get((kind, verdict))
