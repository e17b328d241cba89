"""What a query yields rests on the columns that are there when it is asked, and is asked of the engine once."""

from __future__ import annotations

import duckdb
import pytest

from marginwise.connectors.scratch import Scratch

QUERY = "select price from raw.shop__lines"


def test_the_same_query_is_bound_anew_when_the_columns_are_others(monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = Scratch()
    with pytest.raises(duckdb.CatalogException):
        scratch.types(QUERY)
    for kind in ("VARCHAR", "DOUBLE", "VARCHAR"):
        scratch.create("shop__lines", {"price": kind})
        assert scratch.types(QUERY) == {"price": kind}
    scratch.create("shop__lines", {"cost": "DOUBLE"})
    with pytest.raises(duckdb.BinderException):
        scratch.types(QUERY)
    scratch.close()
    other = Scratch()
    monkeypatch.setattr(duckdb, "connect", lambda *_: pytest.fail("what is known is asked again"))
    other.create("shop__lines", {"price": "DOUBLE"})
    assert other.types(QUERY) == {"price": "DOUBLE"}


def test_an_answer_that_is_changed_changes_no_other() -> None:
    scratch = Scratch()
    scratch.create("shop__more_lines", {"price": "DOUBLE"})
    scratch.types("from raw.shop__more_lines").clear()
    assert list(scratch.types("from raw.shop__more_lines")) == ["price", "_file_hash", "_row_number"]
    scratch.close()
