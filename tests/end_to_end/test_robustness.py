"""How well the demo store's verdicts hold, through the command line."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

from tests.end_to_end.conftest import DemoStore
from tests.shell import marginwise


def asked(store: DemoStore, query: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = marginwise("query", "-p", store.folder, "--json", query, cwd=store.folder).json
    return rows


def test_every_channel_and_campaign_is_judged_again_under_eighteen_variants(demo_store: DemoStore) -> None:
    rows = asked(demo_store, "select * from decisions.robustness order by unit_kind, unit_id")
    tried = {key: list(group) for key, group in groupby(rows, lambda row: (row["unit_kind"], row["unit_id"]))}
    expected = {
        (row["unit_kind"], row["unit_id"])
        for row in demo_store.verdicts
        if row["is_judged"] and row["unit_kind"] in ("channel", "campaign")
    }
    assert set(tried) == expected
    assert {len(variants) for variants in tried.values()} == {18}


def test_counts_and_verdicts_follow_from_the_variants(demo_store: DemoStore) -> None:
    rows = asked(demo_store, "select * from decisions.robustness")
    for unit in demo_store.verdicts:
        own = [row for row in rows if (row["unit_kind"], row["unit_id"]) == (unit["unit_kind"], unit["unit_id"])]
        told = [row["verdict"] for row in own if row["verdict"] != "insufficient"]
        if not own or unit["verdict"] == "insufficient":
            assert unit["variants_count"] is None
            continue
        assert unit["variants_count"] == len(told)
        assert unit["variants_held_count"] == told.count(unit["verdict"]) > 0
        assert (unit["flipped_by"] is None) == (unit["variants_held_count"] == len(told))
        base = next(
            row for row in own if (row["touch_rule"], row["horizon_days"], row["cost_rate"]) == ("first", 90, 1)
        )
        assert (base["verdict"], base["margin_amount"]) == (unit["verdict"], unit["margin_amount"])


def test_clear_verdicts_hold_in_most_variants_and_all_models_agree(demo_store: DemoStore) -> None:
    channels = {row["unit_id"]: row for row in demo_store.verdicts if row["unit_kind"] == "channel"}
    for name in ("Display", "Paid Social", "Email", "Paid Shopping"):
        assert channels[name]["variants_held_count"] >= 15, name
        assert channels[name]["evidence_grade"] == "all attribution models agree"


def test_the_memo_shows_one_grid_per_judged_channel(demo_store: DemoStore) -> None:
    html = (demo_store.folder / "memo" / "memo.html").read_text(encoding="utf-8")
    held = [row for row in demo_store.verdicts if row["unit_kind"] == "channel" and row["variants_count"]]
    assert len(re.findall(r'<svg class="variants"', html)) == len(held) >= 8
    for row in held:
        if row["flipped_by"] is None:
            assert "Holds in all" in html
        else:
            assert row["flipped_by"] in html
