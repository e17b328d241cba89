"""What a store declares about itself: one `marginwise.toml`, read once and passed down.

Every value may also come from the environment, `MARGINWISE_<SECTION>__<NAME>`, which wins over the file.
The settings are part of a run's identity: their hash stands in its manifest.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from marginwise.errors import BadSettings, MissingFile, nearest

__all__ = [
    "SETTINGS_FILE",
    "AssumedSpend",
    "Assumptions",
    "ChannelSettings",
    "DecisionSettings",
    "Settings",
    "SourceSettings",
    "StoreSettings",
    "WarehouseSettings",
    "load_settings",
]

SETTINGS_FILE = "marginwise.toml"

Rate = Annotated[float, Field(ge=0, le=1)]
Rates = dict[str, Rate]
_LARGEST = 10**14
"""What an amount stays below: it has eighteen digits, four of them behind the point."""
Amount = Annotated[float, Field(ge=0, lt=_LARGEST)]
Amounts = dict[str, Amount]
SourceName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Section(BaseModel):
    """A part of the settings: unknown names are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StoreSettings(Section):
    """The store: its name, reporting currency, time zone and business model.

    `as_of` is the day the analysis speaks of (default: the newest closed day in the data, never the clock).
    `opened_on` declares that the data are complete from that day on, so that no first order before it is unseen.
    """

    name: str = "Store"
    currency: Currency = "EUR"
    time_zone: str = "UTC"
    business_model: Literal["retailer", "marketplace"] = "retailer"
    as_of: dt.date | None = None
    opened_on: dt.date | None = None

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{value!r} is not an IANA time zone such as 'Europe/Berlin'") from error
        return value


class WarehouseSettings(Section):
    """Where the warehouse is built: in the project's own DuckDB file, or on a PostgreSQL server.

    `dsn_variable` names the environment variable that holds the connection string, so that no secret stands in a file.
    On a server the store's schemas begin with `schema_prefix`; `readers` are the roles that may read what is published.
    `memory_limit` and `threads` (0: one per core) are what the local engine may take of the machine. No number depends on
    them, so they are no part of a run's identity.
    """

    engine: Literal["duckdb", "postgres"] = "duckdb"
    dsn_variable: str = Field("MARGINWISE_POSTGRES_DSN", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    schema_prefix: str = Field("marginwise_", pattern=r"^[a-z][a-z0-9_]{0,29}$")
    readers: tuple[str, ...] = ()
    memory_limit: str = Field("3.5GB", pattern=r"^[0-9]+(\.[0-9]+)? ?[KMGT]i?B$", exclude=True)
    threads: int = Field(0, ge=0, le=1024, exclude=True)


class SourceSettings(Section):
    """One source: the mapping that reads it (a pack's name or a `.map.toml` beside the settings) and its folder."""

    mapping: str
    data: Path


class AssumedSpend(Section):
    """Marketing spend declared by hand, spread evenly over the days `from` … `to`, both included."""

    channel: str
    campaign: str = ""
    from_: dt.date = Field(alias="from")
    to: dt.date
    amount: Decimal = Field(ge=0, lt=_LARGEST)

    @model_validator(mode="after")
    def _ordered(self) -> AssumedSpend:
        if self.to < self.from_:
            raise ValueError(f"'to' ({self.to}) lies before 'from' ({self.from_})")
        return self


class Assumptions(Section):
    """Costs that no source states; every amount that rests on one is counted as "assumed".

    Rates are shares of net sales (0-1); `payment_fee_fixed` and `shipping_cost` are store currency per order.
    Tables give one value per country, category or sales channel, with `default` for the rest.
    """

    payment_fee_rate: Rates = {}
    payment_fee_fixed: Amounts = {}
    shipping_cost: Amounts = {}
    commission_rate: Rates = {}
    margin_rate: Rates = {}
    tax_rate: Rates = {}
    spend: tuple[AssumedSpend, ...] = ()

    @field_validator("payment_fee_rate", "payment_fee_fixed", "shipping_cost", "commission_rate", "margin_rate", "tax_rate",
                     mode="before")  # fmt: skip
    @classmethod
    def _one_number_is_the_default(cls, value: Any) -> Any:
        return {"default": value} if isinstance(value, int | float) and not isinstance(value, bool) else value

    @field_validator(
        "payment_fee_rate", "payment_fee_fixed", "shipping_cost", "commission_rate", "margin_rate", "tax_rate"
    )
    @classmethod
    def _each_scope_once(cls, value: dict[str, float]) -> dict[str, float]:
        seen: dict[str, str] = {}
        for scope in value:
            if (other := seen.setdefault(scope.lower(), scope)) != scope:
                raise ValueError(f"{other!r} and {scope!r} are one: upper and lower case are not told apart")
        return value

    def rates(self) -> list[tuple[str, str, float]]:
        """Return the declared rates as rows (kind, scope, rate)."""
        tables = self.model_dump(exclude={"spend"})
        return [(kind, scope, rate) for kind, by_scope in tables.items() for scope, rate in sorted(by_scope.items())]


class ChannelSettings(Section):
    """How traffic becomes channels, how far back touches reach, and where affiliate commission is counted, once."""

    rules: Path | None = None
    affiliate_commission_in: Literal["commission", "spend"] = "commission"
    session_lookback_days: int = Field(90, ge=1, le=3650)
    last_touch_days: int = Field(30, ge=1, le=3650)


class DecisionSettings(Section):
    """Thresholds of the verdict rules (docs/decisions.md); versioned with every run."""

    horizon_days: int = Field(90, ge=7, le=730)
    window_days: int = Field(365, ge=7, le=3650)
    window_start: dt.date | None = None
    window_end: dt.date | None = None
    scale_probability: Rate = 0.90
    kill_probability: Rate = 0.05
    repeat_probability: Rate = 0.50
    scale_leave_probability: Rate = 0.60
    scale_leave_repeat_probability: Rate = 0.25
    kill_leave_probability: Rate = 0.40
    kill_leave_repeat_probability: Rate = 0.75
    minimum_cost_coverage: Rate = 0.50
    minimum_known_cost: Rate = 0.50
    minimum_mature_customers: int = Field(100, ge=1)
    minimum_repeat_customers: int = Field(30, ge=1)
    interval: float = Field(0.90, gt=0, lt=1)
    scale_false_discovery: Rate = 0.10
    kill_false_discovery: Rate = 0.05
    looks_good_probability: Rate = 0.80
    roas_target: Amount = 1.0

    @model_validator(mode="after")
    def _consistent(self) -> DecisionSettings:
        if self.window_start and self.window_end and self.window_end < self.window_start:
            raise ValueError(f"'window_end' ({self.window_end}) lies before 'window_start' ({self.window_start})")
        if self.kill_probability >= self.scale_probability:
            raise ValueError("'kill_probability' must lie below 'scale_probability'")
        return self


class Settings(BaseSettings):
    """Everything a run depends on besides the data; frozen, validated, hashed.

    `directory` is where the settings file lies; relative paths start there.
    """

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix="MARGINWISE_",
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    store: StoreSettings = StoreSettings()
    sources: dict[SourceName, SourceSettings] = {}
    assumptions: Assumptions = Assumptions()
    channels: ChannelSettings = ChannelSettings()
    decisions: DecisionSettings = DecisionSettings()
    warehouse: WarehouseSettings = WarehouseSettings()
    directory: Path = Field(Path(), exclude=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file."""
        return env_settings, init_settings

    @property
    def state_directory(self) -> Path:
        """Where the warehouse, the published store and the logs of this project are kept."""
        return self.directory / ".marginwise"

    def identity(self) -> str:
        """Return the SHA-256 of all values, for the run's manifest."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def load_settings(path: Path) -> Settings:
    """Read and validate a settings file.

    Parameters
    ----------
    path
        The `marginwise.toml`, or the folder it lies in.

    Raises
    ------
    MissingFile
        When there is none.
    BadSettings
        When it is no TOML, or names or values are not accepted; the message names each with its nearest match.
    """
    file = path / SETTINGS_FILE if path.is_dir() else path
    if not file.is_file():
        raise MissingFile(f"There is no {SETTINGS_FILE} in {path.resolve()}.", fix="Create one with `marginwise init`.")
    try:
        declared = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(
            f"{file.name} is not valid TOML: {error}.",
            fix="Mend that line: texts stand in quotes, and every name once in its [section].",
        ) from error
    # before pydantic sees them: it takes some names, such as `_env_file`, for orders to itself
    for name in sorted(declared.keys() - set(_names(Settings))):
        raise BadSettings(
            f"{file.name}: {name!r} is not a setting.",
            accepted=_names(Settings),
            nearest=nearest(name, _names(Settings)),
        )
    if "MARGINWISE_DIRECTORY" in map(str.upper, os.environ):
        raise BadSettings("MARGINWISE_DIRECTORY is not a setting.", fix="Name the project with `--project`.")
    try:
        return Settings(**declared, directory=file.parent.resolve())
    except SettingsError as error:
        raise _unreadable_variable(str(error)) from error
    except ValidationError as error:
        raise _readable(file.name, error) from error


def _unreadable_variable(told: str) -> BadSettings:
    section = re.findall(r'field "(\w+)"', told)
    begun = tuple(f"MARGINWISE_{name}".upper() for name in section)
    names = sorted(name for name in os.environ if name.upper().startswith(begun))
    return BadSettings(
        f"The environment: {' or '.join(names)} cannot be read.",
        accepted="JSON for a whole section, a list or a table; a value as it is for MARGINWISE_<SECTION>__<NAME>",
    )


def _names(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items() if name != "directory"]


def _readable(file_name: str, error: ValidationError) -> BadSettings:
    problems = error.errors()
    first = problems[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        accepted = _accepted_at(first)
        return BadSettings(
            f"{file_name}: {where!r} is not a setting.",
            accepted=accepted,
            nearest=nearest(str(first["loc"][-1]), accepted),
        )
    more = f" ({len(problems) - 1} more.)" if len(problems) > 1 else ""
    expected = str(first.get("ctx", {}).get("expected", "")) or None
    return BadSettings(
        f"{file_name}: {where}: {first['msg']} (got {first['input']!r}).{more}",
        accepted=expected,
        nearest=nearest(str(first["input"]), re.findall(r"'([^']+)'", expected or "")),
        fix=f"Correct it there, or in the environment where MARGINWISE_{'__'.join(map(str, first['loc'])).upper()} sets it.",
    )


def _accepted_at(problem: ErrorDetails) -> list[str]:
    models: dict[str, type[BaseModel]] = {
        "store": StoreSettings, "sources": SourceSettings, "assumptions": Assumptions, "channels": ChannelSettings,
        "decisions": DecisionSettings, "warehouse": WarehouseSettings,
    }  # fmt: skip
    section = str(problem["loc"][0])
    if len(problem["loc"]) == 1:
        return _names(Settings)
    if section == "assumptions" and "spend" in problem["loc"]:
        return _names(AssumedSpend)
    return _names(models[section])
