"""Why a memo differs from the one before: told by the two manifests, and by which rows of which days changed."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from marginwise.decisions.number_format import count

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["CAUSES", "Cause", "causes_of"]

Name = Literal["new data", "late data", "correction", "definition", "cost", "model"]
CAUSES: tuple[Name, ...] = ("new data", "late data", "correction", "definition", "cost", "model")
_COST_TABLES = ("product_costs",)
_DECLARED: tuple[Name, ...] = ("definition", "cost")
_CODE: dict[Name, str] = {"definition": "how rows become numbers (contract, mappings, warehouse)",
         "model": "the evidence model or the verdict rules"}  # fmt: skip
_NAMED = 3


@dataclass(frozen=True)
class Cause:
    """One cause: its name, and what exactly changed."""

    name: Name
    details: tuple[str, ...]

    @property
    def text(self) -> str:
        """The details in one line."""
        shown = self.details[:_NAMED]
        more = len(self.details) - len(shown)
        return "; ".join([*shown, *([f"{more} more"] if more else [])])


@dataclass
class _Touched:
    """What changed in the rows of one table up to an as-of day: rows added, and the days of those that changed."""

    rows_count: int = 0
    days: set[dt.date] = field(default_factory=set)

    def add(self, day: dt.date | None, rows: int = 0) -> None:
        self.rows_count += rows
        if day is not None:
            self.days.add(day)

    def text(self, table: str) -> str:
        """Say what happened to the table."""
        rows = f"{count(self.rows_count)} {'row' if self.rows_count == 1 else 'rows'}" if self.rows_count else "rows"
        return f"{table}: {rows}{self._on_days()} {'added' if self.rows_count else 'changed'}"

    def _on_days(self) -> str:
        if not self.days:
            return ""
        first, last = min(self.days), max(self.days)
        if first == last:
            return f" of {_day(first)}"
        return f" of {count(len(self.days))} days from {_day(first)} to {_day(last)}"


def causes_of(
    previous: Mapping[str, Any],
    identity: Mapping[str, Any],
    previous_days: pa.Table | None,
    days: pa.Table | None,
) -> list[Cause]:
    """Return every cause that lies between two memos, in the order of `CAUSES`.

    Parameters
    ----------
    previous
        The manifest of the published memo.
    identity
        What the next manifest will say: as_of_date, inputs, declared (settings by what they govern), code_parts and
        engine.
    previous_days, days
        The day contents of both: table_name, day_date, part, rows_count, key_content, content, cost_content.

    Notes
    -----
    New data: the as-of day is later. Rows up to the earlier of the two as-of days that were added are late data, rows
    that changed or went are corrections, where a cost changed a cost. Files that change no such row count as new data.
    Settings say which of them govern definitions and which costs. Where nothing differs, what lies beneath does: model.
    """
    found: dict[Name, list[str]] = {name: [] for name in CAUSES}
    then, now = _date(previous.get("as_of_date")), _date(identity.get("as_of_date"))
    if then and now and now > then:
        found["new data"].append(f"the as-of day moved from {_day(then)} to {_day(now)}")
    elif then and now and now < then:
        found["definition"].append(f"the as-of day was set back from {_day(then)} to {_day(now)}")
    if previous.get("inputs") != identity.get("inputs"):
        _data(found, previous, identity, previous_days, days, min(filter(None, (then, now)), default=None))
    for name in _DECLARED:
        found[name] += _declared(previous, identity, name)
    for name, part in _CODE.items():
        if _part(previous, "code_parts", name) != _part(identity, "code_parts", name):
            found[name].append(f"the code of {part}")
    if not any(found.values()):
        found["model"].append("neither data, settings nor code differ, so the libraries beneath them do")
    return [Cause(name, tuple(details)) for name, details in found.items() if details]


def _data(
    found: dict[Name, list[str]],
    previous: Mapping[str, Any],
    identity: Mapping[str, Any],
    previous_days: pa.Table | None,
    days: pa.Table | None,
    until: dt.date | None,
) -> None:
    is_later = bool(found["new data"])
    if previous_days is None or days is None or previous.get("engine") != identity.get("engine"):
        if not is_later:
            gone = _files(previous) - _files(identity)
            found["correction" if gone else "late data"].append(f"files: {_changed_files(previous, identity)}")
        return
    touched: dict[Name, dict[str, _Touched]] = {name: defaultdict(_Touched) for name in CAUSES}
    then, now = _parts(previous_days, until), _parts(days, until)
    for key in {*then, *now}:
        if key[1] is not None or not is_later:  # a row without a day may well be as new as the as-of day
            _compare(touched, key, then.get(key), now.get(key))
    for name, tables in touched.items():
        found[name] += [rows.text(table) for table, rows in sorted(tables.items())]
    if not any(touched.values()) and not is_later:
        found["new data"].append(
            f"no row up to the as-of day that a verdict rests on, but files: {_changed_files(previous, identity)}"
        )


def _compare(
    touched: dict[Name, dict[str, _Touched]],
    key: tuple[str, dt.date | None, int],
    old: Mapping[str, Any] | None,
    new: Mapping[str, Any] | None,
) -> None:
    table, day, _ = key
    had, has = (part["rows_count"] if part else 0 for part in (old, new))
    is_cost = table in _COST_TABLES
    if has > had:
        touched["cost" if is_cost else "late data"][table].add(day, has - had)
    elif has < had or old is None or new is None or old["key_content"] != new["key_content"]:
        touched["cost" if is_cost else "correction"][table].add(day)
    else:
        if old["content"] != new["content"]:
            touched["correction"][table].add(day)
        if old["cost_content"] != new["cost_content"]:
            touched["cost"][table].add(day)


def _parts(days: pa.Table, until: dt.date | None) -> dict[tuple[str, dt.date | None, int], Mapping[str, Any]]:
    return {
        (row["table_name"], row["day_date"], row["part"]): row
        for row in days.to_pylist()
        if row["day_date"] is None or until is None or row["day_date"] <= until
    }


def _declared(previous: Mapping[str, Any], identity: Mapping[str, Any], name: str) -> Iterable[str]:
    then, now = _part(previous, "declared", name) or {}, _part(identity, "declared", name) or {}
    for key in sorted({*then, *now}):
        if then.get(key) == now.get(key):
            continue
        if key.endswith("_content"):
            yield f"{key.removesuffix('_content')} has other content"
        else:
            yield f"{key} was {_value(then.get(key))}, is {_value(now.get(key))}"


def _part(manifest: Mapping[str, Any], section: str, name: str) -> Any:
    return (manifest.get(section) or {}).get(name)


def _value(value: object) -> str:
    return "not set" if value is None else f"{value}"


def _files(manifest: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(file["file"], file["hash"]) for file in manifest.get("inputs") or ()}


def _changed_files(previous: Mapping[str, Any], identity: Mapping[str, Any]) -> str:
    names = sorted({name for name, _ in _files(previous) ^ _files(identity)})
    more = len(names) - _NAMED
    return ", ".join([*names[:_NAMED], *([f"{more} more"] if more > 0 else [])])


def _date(value: object) -> dt.date | None:
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError:
        return None


def _day(day: dt.date) -> str:
    return f"{day.day} {day:%B %Y}"
