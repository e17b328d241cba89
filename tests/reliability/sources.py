"""Small stores to break: the demo store, and the first rows of Online Retail and Olist."""

from __future__ import annotations

import tarfile
from pathlib import Path

from tests.conftest import SHARED_DATA
from tests.reliability.bad_input import Source, first_rows
from tests.reliability.stores import small_store

_SETTINGS = '[store]\ncurrency = "{currency}"\n\n[sources.shop]\nmapping = "{pack}"\ndata = "data"\n'
_NO_TABLE = {"truth_customers.csv"}
_OLIST = ("orders", "order_items", "order_payments", "order_reviews", "customers", "products", "sellers")


def demo_source(folder: Path) -> Source:
    """Return a demo store of few orders, at most 400 rows a file."""
    store = small_store(folder / "demo", orders=50)
    files = {
        path.name: b"".join(path.read_bytes().splitlines(keepends=True)[:400])
        for path in sorted((store / "data").glob("*.csv"))
        if path.name not in _NO_TABLE and path.read_bytes().count(b"\n") > 1
    }
    return Source("demo", (store / "marginwise.toml").read_text(encoding="utf-8"), files)


def retail_source(folder: Path) -> Source:
    """Return the first two days of Online Retail."""
    del folder
    found = {}
    with tarfile.open(SHARED_DATA / "uci_online_retail" / "by_day_csv.tar.gz") as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None and member.name.endswith(".csv") and len(found) < 2:
                found[Path(member.name).name] = b"".join(content.read().splitlines(keepends=True)[:300])
    return Source("online_retail", _SETTINGS.format(currency="GBP", pack="online_retail"), found)


def olist_source(folder: Path) -> Source:
    """Return the first rows of Olist's files."""
    del folder
    files = {f"olist_{name}_dataset.csv": first_rows(SHARED_DATA / "olist" / f"olist_{name}_dataset.csv.gz", 200)
             for name in _OLIST}  # fmt: skip
    return Source("olist", _SETTINGS.format(currency="BRL", pack="olist"), files)
