"""Writes a commented `marginwise.toml`: every section that a first run may need, every default shown."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marginwise.settings import Assumptions, ChannelSettings, DecisionSettings, StoreSettings, WarehouseSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SourceEntry", "settings_text"]

_STORE = {
    "name": "Name shown in the memo and the dashboard.",
    "currency": "Reporting currency, ISO 4217. Amounts in others are converted at the exchange_rates of their date.",
    "time_zone": "The days of the store begin and end in this IANA zone.",
    "business_model": '"retailer": what is sold is revenue. "marketplace": commission and fees are, seller sales are GMV.',
    "as_of": "The day the analysis speaks of. By default the newest closed day in the data, never the clock.",
    "opened_on": "Set it when the data are complete from this day on, so that no first order before it is unseen.",
}
_ASSUMPTIONS = {
    "payment_fee_rate": ("{ default = 0.019 }", "Share of the order paid to the payment provider, by country."),
    "payment_fee_fixed": ("{ default = 0.35 }", "Fixed payment fee of an order, in store currency."),
    "shipping_cost": (
        "{ default = 4.20, AT = 7.90 }",
        "What the carrier takes for an order, in store currency, by country.",
    ),
    "commission_rate": (
        "{ default = 0.0, amazon = 0.15 }",
        "Commission of a sales channel, as a share of its net sales.",
    ),
    "margin_rate": ("{ default = 0.40 }", "Margin before other costs where the cost of goods is unknown, by category."),
    "tax_rate": ("{ default = 0.19 }", "Tax inside the prices of sources that include it, by country."),
}
_CHANNELS = {
    "rules": "Your own CSV of channel rules; by default those of the default channel group.",
    "affiliate_commission_in": 'Where affiliate commission is counted, once: "commission" (in CM2) or "spend".',
    "session_lookback_days": "How long before a customer's first order a visit can be what acquired the customer.",
    "last_touch_days": "How long before an order that names no session a visit can be its last touch.",
}
_DECISIONS = {
    "horizon_days": "H: repeat rate and cohort margin look this many days past a customer's first order.",
    "window_days": "Length of the acquisition window that is judged.",
    "window_start": "Fixed window instead of the newest mature one.",
    "window_end": "Last day of that window.",
    "scale_probability": "Scale needs P(M > 0) at least this.",
    "kill_probability": "Kill needs P(M > 0) at most this.",
    "repeat_probability": "The repeat leg: P(repeat rate >= rest of the store).",
    "scale_leave_probability": "A standing Scale is left below this P(M > 0).",
    "scale_leave_repeat_probability": "A standing Scale is left below this P(repeat rate >= rest).",
    "kill_leave_probability": "A standing Kill is left above this P(M > 0).",
    "kill_leave_repeat_probability": "A standing Kill is left above this P(repeat rate >= rest).",
    "minimum_cost_coverage": "Below this share of known and assumed costs a verdict abstains.",
    "minimum_known_cost": "Below this share of known costs Scale and Kill are qualified.",
    "minimum_mature_customers": "Below this and with an interval around 0 a verdict abstains.",
    "minimum_repeat_customers": "Below this the repeat rate is not judged.",
    "interval": "Probability inside the intervals shown.",
    "scale_false_discovery": "Highest mean error among the units called Scale.",
    "kill_false_discovery": "Highest mean error among the units called Kill.",
    "looks_good_probability": "P(M < 0) from which a good-looking unit is listed as losing money.",
    "roas_target": "ROAS above which a unit looks good.",
}

_WAREHOUSE = {
    "engine": '"duckdb": a file of this project. "postgres": a server.',
    "dsn_variable": "The environment variable that holds the server's connection string.",
    "schema_prefix": "What the names of this store's schemas begin with on the server.",
    "readers": "Roles of the server that may read what is published.",
    "memory_limit": "Memory the engine works in; beyond it, it works on disk. The process takes up to 2.5 GB more.",
    "threads": "Cores the engine works on; 0 for all.",
}


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """One source of a project: its name, the mapping that reads it, and its folder as written in the settings."""

    name: str
    mapping: str
    data: str


def settings_text(
    sources: list[SourceEntry],
    *,
    store: Mapping[str, Any] | None = None,
    channels: Mapping[str, Any] | None = None,
    remarks: Mapping[str, str] | None = None,
) -> str:
    """Return the text of a settings file.

    Parameters
    ----------
    sources
        The sources.
    store, channels
        Values of these sections; all others stand as commented defaults.
    remarks
        Per name in ``[store]``, why the value was chosen.

    Examples
    --------
    >>> print(settings_text([SourceEntry("shop", "shop.map.toml", "exports")]).splitlines()[0])
    # Settings of this store. Every value may also come from the environment, such as
    """
    parts = [
        "# Settings of this store. Every value may also come from the environment, such as\n"
        "# MARGINWISE_DECISIONS__HORIZON_DAYS=60. Lines that begin with # show a default or an example.",
        _section("store", "The store.", StoreSettings, _STORE, dict(store or {}), dict(remarks or {})),
        _sources(sources),
        _assumptions(),
        _section("channels", "How traffic becomes channels.", ChannelSettings, _CHANNELS, dict(channels or {}), {}),
        _section(
            "decisions", "Thresholds of the verdicts; every run records them.", DecisionSettings, _DECISIONS, {}, {}
        ),
        _section("warehouse", "Where the warehouse is built.", WarehouseSettings, _WAREHOUSE, {}, {}),
    ]
    return "\n\n".join(parts) + "\n"


def _section(
    name: str, told: str, model: Any, meanings: Mapping[str, str], given: dict[str, Any], remarks: dict[str, str]
) -> str:
    lines = [f"# {told}", f"[{name}]"]
    for field, described in model.model_fields.items():
        meaning = remarks.get(field) or meanings.get(field, "")
        value = given.get(field)
        shown = _value(value if value is not None else described.default, field)
        lines.append(f"{'' if value is not None else '# '}{field} = {shown}  # {meaning}".rstrip(" #"))
    return "\n".join(lines)


def _sources(sources: list[SourceEntry]) -> str:
    told = textwrap.wrap(
        "Where the data come from: one section per source, with the mapping that reads it (a known source's pack, or your own "
        ".map.toml beside this file) and the folder of its files.", 110)  # fmt: skip
    lines = [f"# {line}" for line in told]
    for number, source in enumerate(sources):
        lines += ["", ""][: number and 1]
        lines += [f"[sources.{source.name}]", f"mapping = {json.dumps(source.mapping, ensure_ascii=False)}",
                  f"data = {json.dumps(source.data, ensure_ascii=False)}"]  # fmt: skip
    return "\n".join(lines)


def _assumptions() -> str:
    lines = [
        '# Costs that no source states. Every amount that rests on one is counted as "assumed" and says so.',
        "[assumptions]",
    ]
    for field in Assumptions.model_fields:
        if field in _ASSUMPTIONS:
            example, meaning = _ASSUMPTIONS[field]
            lines.append(f"# {field} = {example}  # {meaning}")
    lines += [
        "# Marketing spend that is in no file, spread evenly over its days:",
        "# [[assumptions.spend]]",
        '# channel = "Paid Search"',
        '# campaign = ""',
        "# from = 2025-01-01",
        "# to = 2025-01-31",
        "# amount = 1200.00",
    ]
    return "\n".join(lines)


def _value(value: Any, field: str) -> str:
    if value is None:
        return "2025-01-31" if field != "rules" else '"channel_rules.csv"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return json.dumps(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
