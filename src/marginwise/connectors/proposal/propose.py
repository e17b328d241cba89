"""Proposes a mapping for unknown files: every contract column with an expression, a confidence and the reason."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from marginwise.connectors.proposal.drafts import TableDraft
from marginwise.connectors.proposal.event_purchases import purchases_of_events
from marginwise.connectors.proposal.file_groups import data_files, group_files, is_open
from marginwise.connectors.proposal.file_roles import file_role
from marginwise.connectors.proposal.flat import included_share
from marginwise.connectors.proposal.lexicon import words_of
from marginwise.connectors.proposal.line_tables import LineFile, with_time_of_day
from marginwise.connectors.proposal.mapping_text import SURE, HeaderLine, mapping_text
from marginwise.connectors.proposal.matching import Match, match_columns
from marginwise.connectors.proposal.plain_tables import (
    dates_of_customers,
    keep_unused,
    orders_file,
    plain_file,
)
from marginwise.connectors.proposal.profile import FileProfile, profile_files
from marginwise.connectors.proposal.source_header import source_header
from marginwise.connectors.proposal.structure import fill_by_structure
from marginwise.connectors.proposal.tax_rates import with_tax_rates
from marginwise.connectors.proposal.value_fit import fit_of
from marginwise.contract.loader import contracts
from marginwise.errors import MissingFile, UnreadableFile, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Proposal", "propose_mapping", "source_name"]

_REQUIRED = ("orders", "order_items")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed mapping.

    Parameters
    ----------
    text
        The mapping file: TOML with reasons and confidence as comments.
    summary
        What was found, in a few words.
    confidence
        Per ``table.column``, from 0 to 1.
    reasons
        Per ``table.column``, why.
    missing
        Required columns of orders and order_items without a candidate; the mapping does not load until they are given.
    doubtful
        Settings (``source.…``) and columns whose confidence is low, to be looked at first.
    unused
        Which files, or parts of them, fill no table, and why.
    """

    text: str
    summary: str
    confidence: dict[str, float]
    reasons: dict[str, str]
    missing: tuple[str, ...]
    doubtful: tuple[str, ...]
    unused: tuple[str, ...] = ()

    @property
    def tables(self) -> tuple[str, ...]:
        """The contract tables that the mapping fills."""
        return tuple(dict.fromkeys(name.partition(".")[0] for name in self.confidence))

    def as_dict(self) -> dict[str, Any]:
        """Return the proposal as plain fields, for ``--json``."""
        return {
            "summary": self.summary,
            "tables": list(self.tables),
            "columns": [
                {"column": name, "confidence": sure, "reason": self.reasons[name]}
                for name, sure in self.confidence.items()
            ],
            "missing": list(self.missing),
            "doubtful": list(self.doubtful),
            "unused": list(self.unused),
            "mapping": self.text,
        }


@dataclass(slots=True)
class _File:
    profile: FileProfile
    role: str | None
    score: float
    found: dict[str, Match]


def propose_mapping(files: Sequence[Path], *, root: Path | None = None, name: str | None = None) -> Proposal:
    """Look at unknown files and propose how they become tables of the contract.

    Parameters
    ----------
    files
        CSV files of any delimiter and encoding (also compressed) and Parquet files, or one folder of such files.
    root
        The data folder that paths in the mapping are relative to; by default the folder all files lie in.
    name
        Name of the source; by default made from the file's or the folder's name.

    Raises
    ------
    MissingFile
        When there is no such file.
    UnreadableFile
        When a file is no table, or nothing in the files looks like a shop's data.

    Notes
    -----
    Nothing personal is shown: reasons hold no values of columns that may name a person.
    """
    if len(files) == 1 and files[0].is_dir():
        root, files = root or files[0], data_files(files[0])
    if not files:
        raise UnreadableFile("No file to look at.", accepted="CSV (also compressed) and Parquet files")
    for file in files:
        if file.exists() and not file.is_file():
            raise UnreadableFile(
                f"{file} is no regular file.", accepted="CSV (also compressed) and Parquet files, or one folder of them"
            )
        if not file.is_file():
            beside = [path.name for path in file.parent.iterdir()] if file.parent.is_dir() else []
            raise MissingFile(f"There is no file {file}.", nearest=nearest(file.name, beside))
    folder = root or Path(*_common(files))
    groups = group_files(files, folder)
    source = name or source_name(files[0] if len(groups) == 1 and len(files) == 1 else folder)
    con = duckdb.connect(":memory:")
    con.execute("set TimeZone = 'UTC'")
    # the search for what columns compute in common takes time that grows with the square of their number
    con.execute("set disabled_optimizers = 'common_subexpressions'")
    try:
        looked, idle = _look(con, source, groups)
        drafts, left_out = _draft(con, looked, idle)
        header = source_header(
            con,
            source,
            [file.profile for file in looked if file.role],
            [file.found for file in looked if file.role],
        )
        return _proposal(looked, header, drafts, left_out, idle)
    finally:
        con.close()


def _look(
    con: duckdb.DuckDBPyConnection, source: str, groups: dict[str, tuple[list[Path], list[str]]]
) -> tuple[list[_File], list[str]]:
    looked, idle, problems = [], [], []
    for group, (paths, patterns) in groups.items():
        try:
            profile = profile_files(con, source, group, paths, patterns)
        except UnreadableFile as error:
            if len(groups) == 1:
                raise
            problems.append(error)
            idle.append(f"Not used: {error.message}")
            continue
        role, score, found = file_role(con, profile)
        looked.append(_File(profile, role, score, found))
    if not looked:
        raise problems[0]
    _settle(con, looked, idle)
    return looked, idle


def _settle(con: duckdb.DuckDBPyConnection, looked: list[_File], idle: list[str]) -> None:
    """Give each contract table one kind of file, and find the file of the order lines where no name tells."""
    has_sales = any(file.role in ("order_items", "orders", "events") for file in looked)
    for file in sorted(looked, key=lambda file: -file.profile.rows):
        if has_sales or (file.role not in (None, "products", "customers", "payments") and file.score >= 0.8):
            continue
        found = fill_by_structure(con, file.profile, match_columns(file.profile, "order_items"))
        if {
            "order_id",
            "ordered_at",
            "product_id",
            "product_name",
            "unit_price",
            "line_total",
            "quantity",
        } & found.keys() and len({"ordered_at", "order_id"} & found.keys()) + len(
            {"unit_price", "line_total", "quantity"} & found.keys()
        ) + len({"product_id", "product_name"} & found.keys()) >= 2:
            file.role, file.found, file.score, has_sales = "order_items", found, 0.5, True
    for file in looked:
        if file.role == "orders" and not any(other.role == "order_items" for other in looked):
            lines = match_columns(file.profile, "order_items")
            if lines.keys() & {"product_id", "product_name"} and lines.keys() & {
                "quantity",
                "unit_price",
                "line_total",
            }:
                file.role, file.found = "order_items", lines
    taken: dict[str, _File] = {}
    for file in sorted(looked, key=lambda file: -file.score):
        if file.role is None:
            continue
        if file.role in taken and file.role != "marketing_spend":
            other = taken[file.role].profile.paths[0].name
            idle.append(f"Not used: {file.profile.paths[0].name} looks like {file.role}, which {other} fills already.")
            file.role = None
        else:
            taken[file.role] = file
    for file in looked:
        if file.role is None and not any(file.profile.paths[0].name in line for line in idle):
            idle.append(f"Not used: {file.profile.paths[0].name}, none of whose columns fit a table of the contract "
                        f"({', '.join(column.name for column in file.profile.columns[:8])}).")  # fmt: skip
    if not any(file.role for file in looked):
        file = looked[0]
        raise UnreadableFile(
            f"{file.profile.paths[0].name} does not look like data of a shop: none of its columns "
            f"({', '.join(column.name for column in file.profile.columns[:8])}) reads as an order, product, customer or cost.",
            fix="Write a mapping by hand (docs/your-own-data.md), or export other columns.",
        )
    _link(con, taken)


def _link(con: duckdb.DuckDBPyConnection, taken: dict[str, _File]) -> None:
    """Let the numbers in the file of the lines decide which column of the orders is the order's number."""
    orders, lines = taken.get("orders"), taken.get("order_items")
    if orders is None or lines is None or "order_id" not in lines.found:
        return
    reference = lines.found["order_id"]
    shares = {
        column.name: included_share(con, lines.profile.relation, reference.sql, orders.profile.relation, column.sql)
        for column in orders.profile.columns
        if fit_of(column, "key")[0] > 0
    }
    if not shares:
        return
    best = max(
        shares,
        key=lambda name: (
            round(shares[name], 3),
            orders.found.get("order_id") is not None and orders.found["order_id"].column.name == name,
        ),
    )
    if shares[best] > 0.3:
        told = f"{shares[best]:.0%} of the order numbers in {lines.profile.paths[0].name} are found here"
        orders.found = {name: match for name, match in orders.found.items() if match.column.name != best}
        orders.found["order_id"] = Match("order_id", orders.profile.column(best), 0.95, told)


def _draft(
    con: duckdb.DuckDBPyConnection, looked: list[_File], idle: list[str]
) -> tuple[list[TableDraft], dict[str, list[str]]]:
    roles = {file.role for file in looked if file.role}
    drafts: list[TableDraft] = []
    left_out: dict[str, list[str]] = {}
    for file in looked:
        if file.role is None:
            continue
        file.found = with_tax_rates(con, file.profile, with_time_of_day(file.found))
        if file.role == "order_items":
            found = fill_by_structure(con, file.profile, file.found)
            found = with_tax_rates(con, file.profile, with_time_of_day(found))
            wanted = frozenset({"orders", "refunds", "customers", "products", "sessions"} - roles)
            if "orders" in roles:
                wanted -= {"customers", "sessions"}
            lines = LineFile(con, file.profile, found, wanted)
            made = lines.tables()
            left_out[file.profile.group] = lines.keep_extras(made)
            file.found = found
        elif file.role == "orders":
            made = orders_file(con, file.profile, file.found, frozenset({"customers", "refunds"} - roles))
            if "order_items" not in roles:
                made.append(
                    TableDraft(
                        "order_items",
                        file.profile.group,
                        remark="No file of order lines was found; orders alone cannot be judged.",
                    )
                )
            left_out[file.profile.group] = keep_unused(file.profile, made)
        else:
            made = plain_file(con, file.profile, file.role, file.found)
            if file.role == "events" and not roles & {"orders", "order_items"}:
                made += purchases_of_events(file.profile, file.found)
            left_out[file.profile.group] = keep_unused(file.profile, made)
        drafts += made
    kept = []
    order_draft = next((draft for draft in drafts if draft.table == "orders"), None)
    for draft in drafts:
        if draft.table == "customers":
            dates_of_customers(draft, order_draft)
        if draft.missing and draft.table not in _REQUIRED:
            idle.append(f"Not filled: {draft.table}, since {draft.group} has no column for {', '.join(draft.missing)}.")
        else:
            kept.append(draft)
    order = list(contracts())
    kept.sort(key=lambda draft: order.index(draft.table))
    return kept, left_out


def _proposal(
    looked: list[_File],
    header: Sequence[HeaderLine],
    drafts: list[TableDraft],
    left_out: dict[str, list[str]],
    idle: list[str],
) -> Proposal:
    confidence: dict[str, float] = {}
    reasons: dict[str, str] = {}
    for draft in drafts:
        for name, column in draft.columns.items():
            if not name.startswith("x_"):
                confidence.setdefault(f"{draft.table}.{name}", round(column.confidence, 2))
                reasons.setdefault(f"{draft.table}.{name}", column.reason)
    missing = [f"{draft.table}.{name}" for draft in drafts for name in draft.missing if draft.table in _REQUIRED]
    present = {draft.table for draft in drafts}
    missing += [f"{table}.*" for table in _REQUIRED if table not in present]
    doubtful = [f"source.{line.name}" for line in header if line.confidence < SURE]
    doubtful += [name for name, sure in confidence.items() if sure < SURE]
    used_groups = {draft.group for draft in drafts}
    profiles = [file.profile for file in looked if file.profile.group in used_groups]
    rows = sum(profile.rows for profile in profiles)
    counted = Counter(name.partition(".")[0] for name in confidence)
    globs = [glob for profile in profiles for glob in profile.settings.path if is_open(glob)]
    summary = (
        f"{rows:,} rows in {sum(len(profile.paths) for profile in profiles)} file(s): "
        + ", ".join(f"{table} ({count} columns)" for table, count in counted.items())
        + (f". MISSING, required: {', '.join(missing)}" if missing else "")
        + (f". Look at first: {', '.join(doubtful)}" if doubtful else "")
        + "."
        + (f" Reads every file named {' or '.join(globs)}." if globs else "")
    )
    title = [
        "A mapping proposed by `marginwise map`. Beside every column stand a confidence from 0 to 1 and the reason; a ? marks",
        "what to check first. Expressions are DuckDB SQL over the columns of the file group. Columns called x_… are kept beside",
        "the contract's.",
        *([f"MISSING: {', '.join(missing)}. The mapping does not load until these are given."] if missing else []),
    ]
    text = mapping_text(title, header, profiles, drafts, left_out, idle)
    return Proposal(text, summary, confidence, reasons, tuple(missing), tuple(doubtful), tuple(idle))


def _common(files: Sequence[Path]) -> tuple[str, ...]:
    parents = [file.parent.parts for file in files]
    shortest = min(parents, key=len)
    for index, part in enumerate(shortest):
        if any(parent[index] != part for parent in parents):
            return shortest[:index]
    return shortest


def source_name(path: Path) -> str:
    """Return a name for the source in a file or folder, fit for a part of a table name.

    >>> source_name(Path("Verkäufe 2024.csv"))
    'verkaufe'
    """
    stem = re.sub(r"(\.(csv|txt|tsv|parquet|gz|bz2|zst|dat))+$", "", path.resolve().name, flags=re.IGNORECASE)
    words = [re.sub(r"[^a-z0-9]", "", word) for word in words_of(stem)]
    words = [word for word in words if not word.isdigit()] or words  # a date in the name is that of one export
    plain = "_".join(words).strip("_")
    plain = re.sub(r"_{2,}", "_", plain)
    return plain if re.match(r"[a-z]", plain) else f"source_{plain}".rstrip("_")
