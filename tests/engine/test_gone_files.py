"""Files that landed and are gone count on, say so, and can be forgotten; what no longer counts is not told."""

from __future__ import annotations

from pathlib import Path

import pytest

from marginwise.engine.gone_files import forget_files, gone_files
from marginwise.engine.landing import LandReport
from marginwise.errors import MissingFile
from tests.engine.test_landing import Shop, with_load


def told(report: LandReport) -> list[tuple[str, int, str]]:
    return [(table, count, message) for table, rule, count, message in report.checks if rule == "file_gone"]


def forgotten(shop: Shop, *names: str) -> list[str]:
    from marginwise.connectors.mapping import load_mapping

    mapping = load_mapping(shop.mapping_file).named(shop.name)
    return forget_files(shop.con, gone_files(shop.con, [(mapping, shop.data)]), names)


def test_a_file_that_is_gone_counts_on_and_says_so(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.put("sales_a.csv", "1;2026-01-01;mug;1;9.90")
    gone = shop.put("sales_b.csv", "2;2026-01-02;cup;1;4.00", "3;2026-01-02;cup;1;4.00")
    assert told(shop.land()) == []
    gone.unlink()
    assert told(shop.land(1)) == [
        ("shop__lines", 2, "1 file landed earlier is no longer there; its rows still count: sales_b.csv. "
                           "Remove with `marginwise forget FILE`.")
    ]  # fmt: skip
    assert len(shop.lines()) == 3
    with pytest.raises(MissingFile, match="sales_a"):
        forgotten(shop, "sales_a.csv")  # it is still there
    assert forgotten(shop, "sales_?.csv") == ["sales_b.csv"]
    assert told(shop.land(2)) == []
    assert [line[0] for line in shop.lines()] == ["1"]


def test_a_renamed_file_is_not_gone(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.put("sales_a.csv", "1;2026-01-01;mug;1;9.90").rename(shop.data / "sales_b.csv")
    shop.land()
    (shop.data / "sales_b.csv").rename(shop.data / "sales_c.csv")
    assert told(shop.land(1)) == []
    (shop.data / "sales_c.csv").unlink()
    assert "sales_c.csv" in told(shop.land(2))[0][2]
    assert forgotten(shop, "sales_*") == ["sales_c.csv"]
    assert told(shop.land(3)) == []


def test_under_replace_only_the_newest_content_can_be_gone(tmp_path: Path) -> None:
    shop = Shop(tmp_path, with_load("replace"))
    older = shop.put("sales_2026-01-01.csv", "1;2026-01-01;mug;1;9.90")
    newer = shop.put("sales_2026-01-02.csv", "2;2026-01-02;mug;1;9.90")
    shop.land()
    older.unlink()
    assert told(shop.land(1)) == []
    newer.unlink()
    assert "sales_2026-01-02.csv" in told(shop.land(2))[0][2]
    assert [line[0] for line in shop.lines()] == ["2"]  # it stays the whole truth


def test_under_window_a_file_whose_days_are_replaced_goes_in_silence(tmp_path: Path) -> None:
    shop = Shop(tmp_path, with_load("window", 'window = "Day"\n'))
    first = shop.put("sales_2026-01-01.csv", "1;2026-01-01;mug;1;9.90")
    second = shop.put("sales_2026-01-02.csv", "2;2026-01-01;mug;1;9.90", "3;2026-01-02;mug;1;9.90")
    shop.land()
    first.unlink()
    assert told(shop.land(1)) == []
    second.unlink()
    assert "sales_2026-01-02.csv" in told(shop.land(2))[0][2]
