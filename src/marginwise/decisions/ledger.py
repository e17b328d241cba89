"""The decision ledger: every memo published so far, the verdicts it gave, and each change with its cause.

It is carried from the last published store into the next one, so the published store is its only truth: what was never
published leaves no trace in it, and publishing the same again changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from marginwise.decisions.table import has_margin

if TYPE_CHECKING:
    from marginwise.decisions.causes import Cause

__all__ = ["Ledger", "is_same_memo", "next_ledger", "standing_verdicts"]

Row = Mapping[str, Any]
_UNIT = (("store_id", pa.string()), ("unit_kind", pa.string()), ("unit_id", pa.string()), ("unit_name", pa.string()))
_WHY = (("causes", pa.list_(pa.string())), ("cause_details", pa.list_(pa.string())))
_MEMOS = pa.schema([
    ("memo_number", pa.int64()), ("as_of_date", pa.date32()), ("previous_as_of_date", pa.date32()),
    ("previous_manifest_id", pa.string()), ("inputs_hash", pa.string()), ("settings_hash", pa.string()),
    ("code_hash", pa.string()), ("version", pa.string()), *_WHY, ("units_count", pa.int64()),
    ("changes_count", pa.int64()),
])  # fmt: skip
_HISTORY = pa.schema([
    ("as_of_date", pa.date32()), *_UNIT, ("verdict", pa.string()), ("label", pa.string()), ("basis", pa.string()),
    ("is_held", pa.bool_()), ("reason", pa.string()), ("p_margin_positive", pa.float64()), ("p_repeat_above_rest", pa.float64()),
    ("margin_amount", pa.float64()), ("margin_low_amount", pa.float64()), ("margin_high_amount", pa.float64()),
    ("repeat_rate", pa.float64()), ("customers_count", pa.int64()), ("net_revenue_amount", pa.decimal128(38, 4)),
    ("horizon_days", pa.int64()), ("memo_number", pa.int64()), ("inputs_hash", pa.string()),
    ("settings_hash", pa.string()), ("code_hash", pa.string()),
])  # fmt: skip
_MOVEMENTS = pa.schema([
    *_UNIT, ("previous_as_of_date", pa.date32()), ("as_of_date", pa.date32()), ("previous_verdict", pa.string()),
    ("verdict", pa.string()), ("previous_label", pa.string()), ("label", pa.string()), ("is_held", pa.bool_()),
    ("previous_reason", pa.string()), ("reason", pa.string()),
    ("previous_margin_amount", pa.float64()), ("margin_amount", pa.float64()),
    ("margin_change_amount", pa.float64()), ("previous_p_margin_positive", pa.float64()),
    ("p_margin_positive", pa.float64()), ("previous_p_repeat_above_rest", pa.float64()),
    ("p_repeat_above_rest", pa.float64()),
])  # fmt: skip
_CHANGES = pa.schema([("memo_number", pa.int64()), *_MOVEMENTS, *_WHY])
_MARGINS = ("margin_amount", "margin_low_amount", "margin_high_amount")
_TWICE = ("as_of_date", "verdict", "label", "reason", "margin_amount", "p_margin_positive", "p_repeat_above_rest")


@dataclass(frozen=True)
class Ledger:
    """What a published store tells of its past.

    Parameters
    ----------
    memos
        One row per memo: as-of date, hashes of inputs, settings and code, and the causes since the memo before.
    history
        One row per as-of date and unit: what was last published for it.
    changes
        One row per change of a verdict against the memo before, never replaced.
    movements
        One row per unit of the newest memo or the one before: verdict and margin then and now.
    day_contents
        Hashes of the rows of every day, as `engine.day_contents` made them.
    manifest
        The manifest of the newest memo; empty before the first.
    """

    memos: pa.Table = field(default_factory=_MEMOS.empty_table)
    history: pa.Table = field(default_factory=_HISTORY.empty_table)
    changes: pa.Table = field(default_factory=_CHANGES.empty_table)
    movements: pa.Table = field(default_factory=_MOVEMENTS.empty_table)
    day_contents: pa.Table | None = None
    manifest: Mapping[str, Any] = field(default_factory=dict)

    def tables(self) -> dict[str, pa.Table]:
        """Return the tables that the schema `decisions` of a published store holds, by name."""
        return {"memos": self.memos, "history": self.history, "changes": self.changes, "movements": self.movements}


def is_same_memo(manifest: Mapping[str, Any], identity: Mapping[str, Any]) -> bool:
    """Say whether a published manifest stands for the same inputs, settings, code and as-of date.

    >>> is_same_memo({"manifest_id": "a", "as_of_date": "2025-01-31"}, {"as_of_date": "2025-01-31"})
    True
    """
    plain: dict[str, Any] = json.loads(json.dumps(identity, default=str))
    return all(manifest.get(name) == value for name, value in plain.items())


def standing_verdicts(history: pa.Table, units: pa.Table) -> dict[tuple[str, str, str], str]:
    """Return the verdict every unit had in its store's last published run with an earlier as-of date.

    Parameters
    ----------
    history
        `decisions.history` as published.
    units
        `mart_decision_units`; each store has one as-of date.

    Returns
    -------
    dict
        Verdicts by store_id, unit_kind and unit_id. A unit that was not in that run, or not judged, has none.
    """
    as_of = {row["store_id"]: row["as_of_date"] for row in units.select(["store_id", "as_of_date"]).to_pylist()}
    earlier = [
        row
        for row in history.to_pylist()
        if (day := as_of.get(row["store_id"])) and row["as_of_date"] and row["as_of_date"] < day
    ]
    newest: dict[str, Any] = {}
    for row in earlier:
        newest[row["store_id"]] = max(row["as_of_date"], newest.get(row["store_id"], row["as_of_date"]))
    return {
        _key(row): row["verdict"] for row in earlier if row["verdict"] and row["as_of_date"] == newest[row["store_id"]]
    }


def next_ledger(published: Ledger, judged: pa.Table, identity: Mapping[str, Any], causes: Sequence[Cause]) -> Ledger:
    """Return the ledger of the memo that is about to be published.

    Parameters
    ----------
    published
        The ledger of the published store; an empty one before the first publication.
    judged
        `decisions.verdicts` of this run.
    identity
        What its manifest will say of it: as_of_date, inputs, settings, code, version.
    causes
        Why it may differ from the published one (see `causes.causes_of`).
    """
    rows = [_told(row) for row in judged.to_pylist()]
    last = max(published.memos["memo_number"].to_pylist(), default=0)
    before = [row for row in published.history.to_pylist() if row["memo_number"] == last]
    moved = _movements(before, rows) if last else []
    changed = [row for row in moved if row["previous_verdict"] != row["verdict"]]
    if last and not changed and is_same_memo(published.manifest, identity):
        return published
    why = {"causes": [cause.name for cause in causes], "cause_details": [cause.text for cause in causes]}
    memo = {
        "memo_number": last + 1,
        "as_of_date": max((row["as_of_date"] for row in rows if row["as_of_date"]), default=None),
        "previous_as_of_date": max((row["as_of_date"] for row in before if row["as_of_date"]), default=None),
        "previous_manifest_id": published.manifest.get("manifest_id") if last else None,
        "inputs_hash": _short_hash(identity.get("inputs")),
        "settings_hash": str(identity.get("settings"))[:16],
        "code_hash": str(identity.get("code"))[:16],
        "version": identity.get("version"),
        **(why if last else {"causes": [], "cause_details": []}),
        "units_count": len(rows),
        "changes_count": len(changed),
    }
    published_again = {(row["store_id"], row["as_of_date"]) for row in rows}
    kept = [row for row in published.history.to_pylist() if (row["store_id"], row["as_of_date"]) not in published_again]
    history = sorted([*kept, *({**row, **memo, "as_of_date": row["as_of_date"]} for row in rows)], key=_order)
    return Ledger(
        memos=pa.Table.from_pylist([*published.memos.to_pylist(), memo], schema=_MEMOS),
        history=pa.Table.from_pylist(history, schema=_HISTORY),
        changes=pa.Table.from_pylist(
            [*published.changes.to_pylist(), *({**row, **why, "memo_number": last + 1} for row in changed)],
            schema=_CHANGES,
        ),
        movements=pa.Table.from_pylist(moved, schema=_MOVEMENTS),
    )


def _told(row: Row) -> Row:
    """Return a unit's row with its first reason, and with the margin left out where none can be told."""
    told = {**row, "reason": next(iter(row.get("reasons") or ()), None)}
    return told if has_margin(row) else {**told, **dict.fromkeys(_MARGINS)}


def _movements(before: Sequence[Row], now: Sequence[Row]) -> list[dict[str, Any]]:
    then, current = ({_key(row): row for row in rows} for rows in (before, now))
    moved = []
    for key in sorted({*then, *current}):
        old, new = then.get(key, {}), current.get(key, {})
        known = new or old
        row = {name: known[name] for name, _ in _UNIT}
        row |= {name: new.get(name) for name in (*_TWICE, "is_held")}
        row |= {f"previous_{name}": old.get(name) for name in _TWICE}
        margin, previous = row["margin_amount"], row["previous_margin_amount"]
        row["margin_change_amount"] = None if margin is None or previous is None else margin - previous
        moved.append(row)
    return moved


def _key(row: Row) -> tuple[str, str, str]:
    return row["store_id"], row["unit_kind"], row["unit_id"]


def _order(row: Row) -> tuple[str, tuple[str, str, str]]:
    return str(row["as_of_date"]), _key(row)


def _short_hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]
