"""Mapping files: how the files of a source become tables of the contract, in TOML and SQL expressions.

A mapping has three parts. `[source]` says what holds for all its files. `[files.<group>]` names files of one shape and
how they are written. Each `[[tables]]` fills one contract table from a file group; its columns are DuckDB SQL
expressions over the group's columns. The packs of this package are mappings too: `load_mapping("olist")`.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from marginwise.connectors.canonical import is_date_pattern
from marginwise.connectors.dialect import Dialect
from marginwise.contract.loader import contracts
from marginwise.errors import BadMapping, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping as Dictionary
    from importlib.resources.abc import Traversable

__all__ = ["FileGroup", "LoadMode", "Mapping", "SourceHeader", "TableMapping", "load_mapping", "pack_names"]

LoadMode = Literal["append", "upsert", "replace", "window"]
WORD_FORMATS = ("number", "id", "boolean")
_NAME = r"^[A-Za-z][A-Za-z0-9_]*$"


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Part(BaseModel):
    """A part of a mapping: unknown names are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class SourceHeader(Part):
    """What holds for all files of a source.

    `currency` stands in where a table has a currency column and maps none; `time_zone` is that of times without an
    offset; `load` says what a new file does to older ones.
    """

    name: str = Field(pattern=_NAME)
    description: str = ""
    currency: str | None = Field(None, pattern=r"^[A-Z]{3}$")
    time_zone: str = "UTC"
    prices_include_tax: bool = False
    load: LoadMode = "append"

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{value!r} is not an IANA time zone such as 'Europe/Berlin'") from error
        return value


class FileGroup(Part):
    """Files of one shape: where they lie, how they are written, what a new one does to older ones.

    `path` are globs relative to the data folder. `null` are texts that mean "no value". `formats` turn the text of a
    column into its canonical form: a `strptime` pattern (or several), `number` (with `decimal` and `thousands`), `id`
    ("17850.0" becomes "17850") or `boolean`. `file_date` is a regular expression for the file name whose first group,
    or groups year, month and day, is the date of the file; by default the last date in the name. `window` is the column
    whose dates say which days a file replaces (`load = "window"`).
    """

    path: Texts = Field(min_length=1)
    optional: bool = False
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    encoding: str | None = None
    quote: str | None = Field(None, max_length=1)
    escape: str | None = Field(None, max_length=1)
    header: bool = True
    columns: Texts = ()
    null: Texts = ("",)
    decimal: str = Field(".", min_length=1, max_length=1)
    thousands: str = Field("", max_length=1)
    skip_rows: int = Field(0, ge=0)
    load: LoadMode | None = None
    file_date: str | None = None
    window: str | None = None
    formats: dict[str, Texts] = {}

    @field_validator("path")
    @classmethod
    def _relative(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            parts = PurePosixPath(pattern).parts
            if not parts or PurePosixPath(pattern).is_absolute() or ".." in parts or "\0" in pattern:
                raise ValueError(f"{pattern!r} must be a path inside the data folder, such as 'orders*.csv'")
            if any("**" in part and part != "**" for part in parts):
                raise ValueError(f"'**' in {pattern!r} stands for folders and must be a whole part, as in '**/*.csv'")
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        try:
            if value:
                "".encode(value)  # codecs such as hex and zip are known, but turn no bytes into text
            return value and codecs.lookup(value).name
        except (LookupError, ValueError) as error:
            raise ValueError(f"{value!r} is not an encoding such as 'utf-8' or 'cp1252'") from error

    @field_validator("quote", "escape")
    @classmethod
    def _one_byte(cls, value: str | None) -> str | None:
        if value and (not value.isascii() or value in "\r\n"):
            raise ValueError(f"{value!r} must be one ASCII character that ends no line, such as '\"'")
        return value

    @field_validator("file_date")
    @classmethod
    def _regular_expression(cls, value: str | None) -> str | None:
        try:
            groups = re.compile(value).groups if value else 1
        except re.error as error:
            raise ValueError(f"{value!r} is not a regular expression: {error}") from error
        if groups not in (1, 3):
            raise ValueError(f"{value!r} must have one group (a date) or the groups year, month and day")
        return value

    @field_validator("formats")
    @classmethod
    def _known_format(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for column, patterns in value.items():
            for pattern in patterns:
                if pattern not in WORD_FORMATS and not ("%" in pattern and is_date_pattern(pattern)):
                    raise ValueError(
                        f"the format {pattern!r} of {column!r} is neither {', '.join(WORD_FORMATS)} nor a date pattern "
                        "such as '%d.%m.%Y %H:%M'"
                    )
        return value

    @model_validator(mode="after")
    def _consistent(self) -> FileGroup:
        if self.decimal == self.thousands:
            raise ValueError(f"'decimal' and 'thousands' are both {self.decimal!r}")
        if self.load == "window" and not self.window:
            raise ValueError("load = 'window' needs 'window', the column with the dates a file replaces")
        return self

    @property
    def dialect(self) -> Dialect:
        """What the mapping declares of the dialect."""
        return Dialect(encoding=self.encoding, delimiter=self.delimiter, quote=self.quote, escape=self.escape)


class TableMapping(Part):
    """One contract table filled from one file group.

    `from` is the group (`"orders"` or `"orders as o"`), `join` an SQL join clause in which groups are relations,
    `where` an SQL condition. With `one_row_per`, only one row per these contract columns is kept: the newest by
    `updated_at`, else the first of the newest file. `columns` maps contract columns, and extra ones called `x_…`, to SQL expressions. With
    `same_names`, contract columns that are not mapped take the file's column of that name, and its other columns come
    along as `x_…`.

    `number_within` is an SQL expression, usually the order, for rows without a number of their own: their columns may
    then use `_number`, which counts the rows of one value. A row that another file repeats has the same number, so
    exports may overlap; where the group is loaded by `upsert`, the newest file that holds a value gives all its rows.
    """

    table: str
    from_: str = Field(alias="from")
    join: str = ""
    where: str = ""
    one_row_per: Texts = ()
    number_within: str = ""
    same_names: bool = False
    columns: dict[str, str] = {}

    @property
    def group(self) -> str:
        """The file group the rows come from."""
        return self.from_.split()[0].strip('"')

    @property
    def alias(self) -> str:
        """The name of the rows' relation inside the expressions."""
        return self.from_.split()[-1].strip('"')


class Mapping(Part):
    """A whole mapping file, checked against the contract.

    Examples
    --------
    >>> load_mapping("olist").source.currency
    'BRL'
    """

    source: SourceHeader
    files: dict[Annotated[str, Field(pattern=_NAME)], FileGroup] = Field(min_length=1)
    tables: tuple[TableMapping, ...] = Field(min_length=1)
    origin: str = Field("", exclude=True)

    @property
    def name(self) -> str:
        """The name of the source."""
        return self.source.name

    def named(self, name: str) -> Mapping:
        """Return the same mapping for a source of another name."""
        return self.model_copy(update={"source": self.source.model_copy(update={"name": name})})

    def load_mode(self, group: str) -> LoadMode:
        """Return what a new file of a group does to older ones."""
        return self.files[group].load or self.source.load

    def raw_table(self, group: str) -> str:
        """Return the name of the table in schema ``raw`` that holds a group's rows."""
        return f"{self.name}__{group}"

    def mapped_tables(self) -> tuple[str, ...]:
        """Return the contract tables that the mapping fills, each once."""
        return tuple(dict.fromkeys(entry.table for entry in self.tables))


def pack_names() -> list[str]:
    """Return the names of the mappings that come with the package.

    >>> "online_retail" in pack_names()
    True
    """
    return sorted(item.name.removesuffix(".toml") for item in _packs().iterdir() if item.name.endswith(".toml"))


def load_mapping(name_or_path: str | Path) -> Mapping:
    """Read and validate a mapping.

    Parameters
    ----------
    name_or_path
        The name of a pack, or the path of a mapping file.

    Raises
    ------
    BadMapping
        When there is no such mapping, it is no TOML, or it names what the contract or the mapping itself does not have;
        the message names the place and the nearest accepted name.

    Examples
    --------
    >>> load_mapping("maven_fuzzy_factory").mapped_tables()[:2]
    ('orders', 'order_items')
    """
    text, origin = _text(name_or_path)
    declared = _parsed(text, origin)
    seen = {str(name_or_path)}
    while parent := declared.pop("extends", None):
        if not isinstance(parent, str) or parent in seen:
            raise BadMapping(f"{origin}: 'extends' must name another mapping.", accepted=pack_names())
        seen.add(parent)
        beside = Path(origin).parent / parent
        parent_text, parent_origin = _text(beside if beside.is_file() else parent)
        declared = _overlaid(_parsed(parent_text, parent_origin), declared)
    declared.pop("origin", None)
    try:
        mapping = Mapping(**declared, origin=origin)
    except ValidationError as error:
        raise _readable(origin, error, declared) from error
    for entry in mapping.tables:
        _check_entry(mapping, entry)
    for group, files_of_group in mapping.files.items():
        if mapping.load_mode(group) == "window" and not files_of_group.window:
            raise BadMapping(f"{origin}: files.{group} is loaded by window.", fix="Name the date column as `window`.")
    return mapping


def _packs() -> Traversable:
    return files("marginwise.connectors") / "packs"


def _text(name_or_path: str | Path) -> tuple[str, str]:
    name = str(name_or_path)
    path = Path(name_or_path)
    if "\0" in name:
        raise BadMapping(f"{name!r} is no mapping: a path holds no NUL character.", accepted=pack_names())
    try:
        if path.suffix == ".toml" or len(path.parts) > 1:
            return path.read_text(encoding="utf-8-sig"), str(path)
    except FileNotFoundError as error:
        raise BadMapping(
            f"There is no mapping file {path}.", fix="Write one, or name a pack.", accepted=pack_names()
        ) from error
    except (UnicodeDecodeError, OSError) as error:
        raise BadMapping(f"{path.name} cannot be read as UTF-8 text: {error}.", fix="Save it as UTF-8.") from error
    if name not in pack_names():
        raise BadMapping(f"There is no mapping {name!r}.", accepted=pack_names(), nearest=nearest(name, pack_names()),
                         fix="A mapping file's name ends in .toml.")  # fmt: skip
    return (_packs() / f"{name}.toml").read_text(encoding="utf-8"), f"pack {name}"


def _parsed(text: str, origin: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        told = "Mend that line: an expression stands in '…', one that itself has quotes in '''…'''."
        raise BadMapping(f"{origin} is not valid TOML: {error}.", fix=told) from error


def _overlaid(below: dict[str, Any], above: Dictionary[str, Any]) -> dict[str, Any]:
    both = dict(below)
    for name, value in above.items():
        under = below.get(name)
        both[name] = _overlaid(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return both


def _check_entry(mapping: Mapping, entry: TableMapping) -> None:
    where = f"{mapping.origin}: tables.{entry.table}"
    known = contracts()
    if entry.table not in known:
        raise BadMapping(f"{where} is no contract table.", nearest=nearest(entry.table, known), accepted=known)
    table = known[entry.table]
    if not re.fullmatch(r'\s*"?\w+"?(\s+(as\s+)?"?\w+"?)?\s*', entry.from_, re.IGNORECASE):
        raise BadMapping(
            f"{where}: from = {entry.from_!r} is not a file group with an optional alias.", accepted="'orders as o'"
        )
    if entry.group not in mapping.files:
        raise BadMapping(f"{where} reads from {entry.group!r}, which is no file group.",
                         nearest=nearest(entry.group, mapping.files), accepted=mapping.files)  # fmt: skip
    accepted = [*table.column_names, "x_…"]
    for column in (*entry.columns, *entry.one_row_per):
        if column not in table.column_names and not re.fullmatch(r"x_\w+", column):
            raise BadMapping(
                f"{where}: {column!r} is no column of the contract.",
                nearest=nearest(column, table.column_names),
                accepted=accepted,
                fix="An extra column's name starts with x_.",
            )
    for column in entry.one_row_per:
        if column not in entry.columns and not entry.same_names:
            raise BadMapping(f"{where}: one_row_per names {column!r}, which is not mapped.",
                             nearest=nearest(column, entry.columns), accepted=entry.columns)  # fmt: skip
    for column, expression in entry.columns.items():
        if not expression.strip():
            raise BadMapping(f"{where}.columns.{column} is empty.", fix="Write an SQL expression, or leave it out.")
    given = {*entry.columns, "store_id", *(["currency"] if mapping.source.currency else [])}
    missing = [column for column in table.required_columns if column not in given]
    if missing and not entry.same_names:
        raise BadMapping(f"{where} leaves out what the contract requires: {', '.join(missing)}.", fix=_advice(missing))


def _advice(missing: Iterable[str]) -> str:
    if "currency" in missing:
        return "Map it, or set `currency` in [source]."
    return "Give each an SQL expression; a constant such as \"'delivered'\" will do."


def _readable(origin: str, error: ValidationError, declared: Dictionary[str, Any]) -> BadMapping:
    problems = error.errors()
    first = next((problem for problem in problems if problem["type"] == "extra_forbidden"), problems[0])
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        models: dict[str, type[BaseModel]] = {"source": SourceHeader, "files": FileGroup, "tables": TableMapping}
        model = models.get(str(first["loc"][0]), Mapping) if len(first["loc"]) > 1 else Mapping
        accepted = [field.alias or name for name, field in model.model_fields.items() if not field.exclude]
        return BadMapping(f"{origin}: {where!r} is not part of a mapping.", accepted=accepted,
                          nearest=nearest(str(first["loc"][-1]), accepted))  # fmt: skip
    if first["type"] == "missing":
        return BadMapping(
            f"{origin}: {where!r} is missing.", fix=f"The mapping has: {', '.join(declared) or 'nothing'}."
        )
    expected = str(first.get("ctx", {}).get("expected", "")) or None
    return BadMapping(f"{origin}: {where}: {first['msg']} (got {first['input']!r}).", accepted=expected,
                      nearest=nearest(str(first["input"]), re.findall(r"'([^']+)'", expected or "")),
                      fix="Correct it in the mapping.")  # fmt: skip
