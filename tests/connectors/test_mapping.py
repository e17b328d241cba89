"""A mapping says what it means or names what is wrong with it, with the nearest accepted name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from marginwise.connectors.mapping import load_mapping, pack_names
from marginwise.contract.loader import contracts
from marginwise.errors import BadMapping

if TYPE_CHECKING:
    from pathlib import Path

FLAT = """
[source]
name = "shop"
currency = "EUR"
time_zone = "Europe/Berlin"

[files.lines]
path = "sales*.csv"

[[tables]]
table = "orders"
from = "lines as l"
one_row_per = ["order_id"]
[tables.columns]
order_id = '"No"'
ordered_at = '"Day"'
status = "'paid'"

[[tables]]
table = "order_items"
from = "lines"
[tables.columns]
order_id = '"No"'
line_number = "_row_number"
product_id = '"Item"'
quantity = '"Pieces"'
unit_price = '"Price"'
"""


def written(folder: Path, text: str, name: str = "shop.map.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_mapping_says_what_it_means(tmp_path: Path) -> None:
    mapping = load_mapping(written(tmp_path, FLAT)).named("berlin")
    assert mapping.raw_table("lines") == "berlin__lines"
    assert mapping.load_mode("lines") == "append"
    assert mapping.mapped_tables() == ("orders", "order_items")
    assert (mapping.tables[0].group, mapping.tables[0].alias) == ("lines", "l")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('table = "order_items"', 'table = "order_item"', "'order_items'"),
        ("ordered_at =", "orderd_at =", "'ordered_at'"),
        ('from = "lines"', 'from = "line"', "'lines'"),
        ('path = "sales*.csv"', 'pth = "sales*.csv"', "'path'"),
        ('currency = "EUR"', 'currncy = "EUR"', "'currency'"),
        ('currency = "EUR"', "", "requires: currency"),
        ("status = \"'paid'\"", "", "requires: status"),
        ('currency = "EUR"', 'currency = "Euro"', "source.currency"),
        ('time_zone = "Europe/Berlin"', 'time_zone = "Berlin"', "IANA time zone"),
        ('path = "sales*.csv"', 'path = "/etc/*.csv"', "inside the data folder"),
        ('path = "sales*.csv"', 'path = "../*.csv"', "inside the data folder"),
        ('path = "sales*.csv"', 'path = "s*"\nencoding = "utf-9"', "is not an encoding"),
        ('path = "sales*.csv"', 'path = "s*"\nload = "window"', "needs 'window'"),
        ('path = "sales*.csv"', 'path = "s*"\nfile_date = "("', "is not a regular expression"),
        ('path = "sales*.csv"', 'path = "s*"\ndecimal = ","\nthousands = ","', "are both"),
        ('path = "sales*.csv"', 'path = "s*"\n[files.lines.formats]\nPrice = "nummer"', "neither number, id, boolean"),
        ('one_row_per = ["order_id"]', 'one_row_per = ["customer_id"]', "which is not mapped"),
        ('from = "lines as l"', 'from = "lines join other"', "is not a file group with an optional alias"),
        *(('from = "lines"', f'from = "{blank}"', "is not a file group") for blank in ("", "   ")),
        *(('path = "sales*.csv"', f'path = "{path}"', "inside the data folder") for path in ("", ".", "./", "a\\u0000b")),
        *(('path = "sales*.csv"', f'path = "{path}"', "must be a whole part") for path in ("**.csv", "***", "a/b**")),
        *(('path = "sales*.csv"', f'path = "s*"\nencoding = "{name}"', "is not an encoding such as")
          for name in ("hex", "rot13", "zip", "base64", "uu", "quopri", "undefined")),
        *(('path = "sales*.csv"', f'path = "s*"\n{name} = "{sign}"', "must be one ASCII character")
          for name in ("quote", "escape") for sign in ("é", "\\n")),
        *(('path = "sales*.csv"', f'path = "s*"\nformats = {{Day = "{pattern}"}}', "files.lines.formats: ")
          for pattern in ("%Q", "%", "%d.%")),
        *(("status = \"'paid'\"", f"status = '{blank}'", "tables.orders.columns.status is empty") for blank in ("", "  ")),
        ("[source]", "[source", "is not valid TOML"),
        ("[files.lines]", "[files.'two words']", "files"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in FLAT
    with pytest.raises(BadMapping) as caught:
        load_mapping(written(tmp_path, FLAT.replace(old, new)))
    assert message in str(caught.value)
    assert "shop.map.toml" in str(caught.value)


@pytest.mark.parametrize(
    "option",
    ['path = "**/*.csv"', 'path = "./s*.csv"', 'path = "s*"\nencoding = "cp1252"', 'path = "s*"\nquote = "\'"',
     'path = "s*"\nquote = ""', 'path = "s*"\nformats = {Day = ["%-d.%m.%y %%", "%Y-%m-%dT%H:%M:%S"]}'],
)  # fmt: skip
def test_what_is_right_loads(tmp_path: Path, option: str) -> None:
    assert load_mapping(written(tmp_path, FLAT.replace('path = "sales*.csv"', option)))


def test_a_path_with_a_nul_is_no_mapping() -> None:
    with pytest.raises(BadMapping, match="NUL"):
        load_mapping("a\0.toml")


def test_an_unknown_mapping_names_the_nearest_pack() -> None:
    with pytest.raises(BadMapping, match="Did you mean 'olist'"):
        load_mapping("olst")
    with pytest.raises(BadMapping, match="no mapping file"):
        load_mapping("absent.map.toml")


def test_a_mapping_extends_another(tmp_path: Path) -> None:
    below = written(tmp_path, FLAT, "below.toml")
    over = f'extends = "{below.name}"\n[source]\ncurrency = "CHF"\n[files.lines]\ndelimiter = ";"\n'
    mapping = load_mapping(written(tmp_path, over))
    assert mapping.source.currency == "CHF"
    assert mapping.source.time_zone == "Europe/Berlin"
    assert mapping.files["lines"].path == ("sales*.csv",)
    assert mapping.files["lines"].delimiter == ";"
    with pytest.raises(BadMapping, match="must name another mapping"):
        load_mapping(written(tmp_path, 'extends = "self.toml"', "self.toml"))


@pytest.mark.parametrize("name", pack_names())
def test_packs_are_valid(name: str) -> None:
    mapping = load_mapping(name)
    assert mapping.source.description
    assert {"orders", "order_items"} <= set(mapping.mapped_tables())


def test_the_contract_pack_has_every_table() -> None:
    mapping = load_mapping("contract")
    assert mapping.mapped_tables() == tuple(contracts())
    assert [name for name, group in mapping.files.items() if not group.optional] == ["orders", "order_items"]
