"""Writes a proposed mapping as commented TOML: what was found, how sure that is, and what is still missing."""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marginwise.connectors.proposal.file_groups import is_open
from marginwise.contract.loader import contracts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marginwise.connectors.proposal.drafts import Draft, TableDraft
    from marginwise.connectors.proposal.profile import FileProfile

__all__ = ["HeaderLine", "mapping_text", "toml_text"]

SURE = 0.8
_SWITCHES = {
    "orders.channel": "channel verdicts from the shop's own channel",
    "orders.campaign": "campaign verdicts",
    "orders.customer_id": "repeat rates, cohorts and customers",
    "orders.session_id": "channels from visits",
    "orders.partner_id": "partner verdicts",
    "orders.discount_amount": "net revenue after order discounts",
    "orders.shipping_charged_amount": "shipping income in CM2",
    "orders.tax_amount": "net amounts",
    "orders.shipping_cost_amount": "known shipping cost in CM2",
    "orders.payment_fee_amount": "known payment fees in CM2",
    "orders.commission_amount": "commission in CM2",
    "orders.handling_cost_amount": "handling cost in CM2",
    "orders.ship_country": "shipping cost by country",
    "orders.is_test": "test orders left out",
    "order_items.unit_cost": "CM1: without it goods cost is unknown or assumed",
    "order_items.discount_amount": "net revenue after line discounts",
    "order_items.tax_amount": "net amounts where prices include tax",
    "order_items.partner_id": "partner verdicts",
    "order_items.free_quantity": "the share of free goods",
    "products.category": "category verdicts",
    "products.kind": "fees and shipping lines kept out of net revenue",
    "customers.acquisition_channel": "declared acquisition channels",
    "refunds.restocked_quantity": "cost of goods that comes back",
    "sessions.is_paid": "paid and free traffic told apart",
}
_TABLES = {
    "refunds": "net revenue after returns",
    "payments": "known payment fees",
    "customers": "customers with their country and segment",
    "products": "categories and names",
    "product_costs": "CM1 at the cost of the day",
    "sessions": "acquisition channels and the funnel",
    "events": "the funnel",
    "marketing_spend": "verdicts on paid channels",
    "partners": "partner names and terms",
    "inventory": "stock",
    "reviews": "review scores",
    "exchange_rates": "orders in several currencies",
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class HeaderLine:
    """One setting of the source, with the confidence and the reason behind it."""

    name: str
    value: str | bool
    confidence: float
    reason: str


def toml_text(value: str) -> str:
    r"""Quote a text for TOML in the form that is easiest to read.

    >>> print(toml_text('"Menge"'), toml_text("it's"))
    '"Menge"' "it's"
    """
    if all(c.isprintable() for c in value):
        if "'" not in value:
            return f"'{value}'" if '"' in value or "\\" in value else f'"{value}"'
        if '"' not in value and "\\" not in value:
            return f'"{value}"'
    is_shown = not _CONTROL.search(value.replace("\n", "")) and value[:1] != "\n" and value[-1:] != "'"
    if is_shown and "'''" not in value and ("\n" in value or value.isprintable()):
        return f"'''{value}'''"
    return _escaped(value)


def mapping_text(
    title: Sequence[str],
    header: Sequence[HeaderLine],
    profiles: Sequence[FileProfile],
    tables: Sequence[TableDraft],
    left_out: dict[str, list[str]],
    idle: Sequence[str],
) -> str:
    """Return the whole mapping file.

    Parameters
    ----------
    title
        Lines of the comment at the top.
    header
        Settings of the source.
    profiles
        The files, in the order of their groups.
    tables
        The proposed tables.
    left_out
        Per file group, the personal columns that are mapped nowhere.
    idle
        What was said of files that fill no table.
    """
    parts = ["\n".join(map(_comment, title)), "\n".join(["[source]", *map(_header_line, header)])]
    parts += [_file_section(profile) for profile in profiles]
    parts += [_table_section(draft) for draft in tables]
    notes = [
        _comment(f"Personal data, left out of {group}: {', '.join(names)}")
        for group, names in left_out.items()
        if names
    ]
    notes += map(_comment, idle)
    present = {draft.table for draft in tables}
    absent = [f"#   {name}: {told}" for name, told in _TABLES.items() if name not in present]
    if absent:
        notes += ["# Tables that no file here fills, and what they would switch on:", *absent]
    return "\n\n".join([*parts, "\n".join(notes)]).rstrip() + "\n"


def _header_line(line: HeaderLine) -> str:
    value = ("true" if line.value else "false") if isinstance(line.value, bool) else toml_text(line.value)
    return _line(f"{line.name} = {value}", line.confidence, line.reason)


def _file_section(profile: FileProfile) -> str:
    settings = profile.settings
    told = f"{profile.rows:,} rows" + ("" if profile.is_whole else " looked at, the file has more")
    more = f" and {len(profile.paths) - 1} more files" if len(profile.paths) > 1 else ""
    lines = [_comment(f"{profile.paths[0].name}{more}: {told}")]
    if profile.unreadable:
        lines.append(
            f"# {profile.unreadable:,} rows have another number of fields; they are kept apart as unreadable rows"
        )
    lines += map(_comment, profile.notes)
    lines += [f"[files.{profile.group}]", f"path = {_texts(settings.path)}{_open_told(profile)}"]
    declared = settings.model_dump(exclude_defaults=True)
    for name in ("delimiter", "encoding", "quote", "escape", "decimal", "thousands"):
        if name in declared:
            lines.append(f"{name} = {toml_text(declared[name])}")
    if profile.is_headerless:
        lines += [
            "header = false",
            f"columns = {_texts(settings.columns)}  # no header: rename them here and below as you like",
        ]
    if "skip_rows" in declared:
        lines.append(f"skip_rows = {declared['skip_rows']}  # lines before the header")
    if "null" in declared:
        lines.append(f"null = {_texts(settings.null)}")
    lines.append('# load = "append"  # or upsert, replace, window: what a new file does to older ones')
    if settings.formats:
        lines += ["", f"[files.{profile.group}.formats]"]
        for column, patterns in settings.formats.items():
            time = profile.column(column).time
            remark = f"  # {time.remark}" if time is not None and time.remark and patterns == time.patterns else ""
            lines.append(f"{_key(column)} = {_texts(patterns)}{remark}")
    return "\n".join(lines)


def _open_told(profile: FileProfile) -> str:
    if len(profile.paths) > 1 or not any(map(is_open, profile.settings.path)):
        return ""
    return "  # the number in its name is left open, so that the next export is read too"


def _table_section(draft: TableDraft) -> str:
    contract = contracts()[draft.table]
    lines = [_comment(line) for line in textwrap.wrap(draft.remark, 118)] if draft.remark else []
    lines += ["[[tables]]", f'table = "{draft.table}"', f'from = "{draft.group}"']
    if draft.join:
        lines.append(f"join = {toml_text(draft.join)}")
    if draft.where:
        lines.append(f"where = {toml_text(draft.where)}")
    if draft.one_row_per:
        lines.append(f"one_row_per = {json.dumps(list(draft.one_row_per))}")
    if draft.number_within:
        lines.append(f"number_within = {toml_text(draft.number_within)}  # _number counts the rows of one value")
    lines.append("[tables.columns]")
    for name in contract.column_names:
        if name in draft.columns:
            lines.append(_column_line(name, draft.columns[name]))
    for name, column in draft.columns.items():
        if name not in contract.column_names:
            lines.append(f"{name} = {toml_text(column.expression)}  # {_one_line(column.reason)}")
    for name in draft.missing:
        lines.append(
            f"# {name} = ''  # REQUIRED, and no column was found for it: {contract.column(name).description} "
            "Write an SQL expression between the quotes and remove the # in front."
        )
    for name in contract.column_names:
        if name not in draft.columns and name not in draft.missing and name not in ("store_id", "updated_at"):
            if name == "currency":
                lines.append("# currency = ''  # every row is in the currency of [source]")
                continue
            if name in draft.left_out:
                left_out = draft.left_out[name]
                lines.append(
                    _comment(f"{name} = {toml_text(left_out.expression)}  # left out: {_one_line(left_out.reason)}")
                )
                continue
            told = _SWITCHES.get(f"{draft.table}.{name}") or contract.column(name).description.rstrip(".")
            lines.append(f"# {name} = ''  # not found; would give: {told}")
    return "\n".join(lines)


def _column_line(name: str, draft: Draft) -> str:
    return _line(f"{name} = {toml_text(draft.expression)}", draft.confidence, draft.reason)


def _line(text: str, confidence: float, reason: str) -> str:
    mark = "" if confidence >= SURE else "? "
    return f"{text}  # {mark}{confidence:.2f} {_one_line(reason)}"


def _one_line(text: str) -> str:
    return re.sub(rf"{_CONTROL.pattern}+", " ", text).strip()


def _comment(text: str) -> str:
    """Return a comment of one line: TOML takes no control characters there, which names of files may hold."""
    return f"# {_CONTROL.sub(lambda sign: repr(sign[0])[1:-1], text)}".rstrip()


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _texts(values: Sequence[str]) -> str:
    listed = [toml_text(value) if value.isprintable() else _escaped(value) for value in values]
    return listed[0] if len(listed) == 1 else f"[{', '.join(listed)}]"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _escaped(name)
