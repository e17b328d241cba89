from __future__ import annotations

from itertools import product
from typing import Any

from marginwise.decisions.memo import render_memo
from marginwise.decisions.memo_robustness import held_campaigns, robustness_view
from tests.decisions.memo_sample import CHANNELS, full_facts, judged, unit

HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=y> & {{ 7 * 7 }}"
Row = dict[str, Any]


def variants(name: str, verdict: str, turned: dict[float, str] | None = None) -> list[Row]:
    """Return the variants of a channel: what it says at each cost, its verdict where nothing is given."""
    return [
        {"store_id": "main", "unit_kind": "channel", "unit_id": name.lower(), "touch_rule": rule, "horizon_days": days,
         "cost_rate": cost, "verdict": (turned or {}).get(cost, verdict)}
        for rule, days, cost in product(("first", "last"), (30, 90, 180), (0.8, 1.0, 1.2))
    ]  # fmt: skip


def held(row: Row, count: int, held_count: int, cause: str | None = None) -> Row:
    return {**row, "variants_count": count, "variants_held_count": held_count, "flipped_by": cause}


EMAIL = held(CHANNELS[1], 18, 18)
SOCIAL = held(CHANNELS[3], 18, 12, "costs 20% higher")


def test_each_channel_says_where_it_holds_and_what_turns_it() -> None:
    rows = variants("Email", "scale") + variants("Paid Social", "fix", {1.2: "kill"})
    facts = full_facts(verdicts=[EMAIL, SOCIAL, CHANNELS[5], CHANNELS[7]], robustness=rows)
    memo = render_memo(facts)
    assert "| Email | Scale (test) | all 18 | by nothing tried |" in memo.markdown
    assert "| Paid Social | Fix | 12 of 18 | most often by costs 20% higher, to Kill |" in memo.markdown
    assert "Not tried, because there is no verdict: Affiliates." in memo.markdown
    assert "Holds in all 18." in memo.html
    assert "Turned most often by costs 20% higher, to Kill." in memo.html
    assert memo.html.count('class="variants"') == 2
    assert "last touch, 180 days, costs +20%: Kill" in memo.html
    assert "Unassigned: verdict" not in memo.html


def test_the_grid_frames_the_verdict_as_given_and_shows_each_variant_once() -> None:
    view = robustness_view([SOCIAL], variants("Paid Social", "fix", {1.2: "kill"}), 90)
    picture = str(view.units[0].picture)
    assert picture.count('<g class="fix">') == 12
    assert picture.count('<g class="kill">') == 6
    assert picture.count('class="own"') == 1
    own = picture.split('class="own"')[0].rsplit("<title>", 1)[1]
    assert own.startswith("first touch, 90 days, costs as they are: Fix")


def test_what_only_turns_together_and_what_cannot_be_judged_is_said() -> None:
    rows = variants("Email", "scale")
    for row in rows:
        if row["horizon_days"] == 180:
            row["verdict"] = "insufficient"
        elif (row["touch_rule"], row["cost_rate"]) == ("last", 1.2):
            row["verdict"] = "fix"
    view = robustness_view([held(EMAIL, 12, 10, "last touch and costs 20% higher")], rows, 90)
    assert view.units[0].held == "10 of 12; 6 cannot be judged"
    assert view.units[0].turned == "by last touch and costs 20% higher together, to Fix"
    assert str(view.units[0].picture).count("<circle") == 6


def test_nothing_tried_means_not_available() -> None:
    memo = render_memo(full_facts())
    assert "Robustness: not available" in memo.html
    assert "Robustness: not available" in memo.markdown
    assert (
        robustness_view([unit("Mystery", "fix", "Fix")], variants("Mystery", "fix"), 90).units[0].held
        == "not available"
    )


def test_campaigns_are_told_in_a_table_the_largest_first_to_be_kept() -> None:
    units = [
        held({**judged(f"Push {n:02d}", "scale", "Scale (test)", 1_000 + n, (5, 1, 9)), "unit_kind": "campaign"}, 18, 12,
             "last touch")
        for n in range(27)
    ]  # fmt: skip
    rows = [{**row, "unit_kind": "campaign"} for unit in units for row in variants(unit["unit_name"], "scale")]
    memo = render_memo(full_facts(verdicts=[EMAIL, *units], robustness=[*variants("Email", "scale"), *rows]))
    section = memo.html.split('id="robustness"')[1].split("</section>")[0]
    assert section.count('class="variants"') == 1
    assert "Push 26" in section
    assert "Push 02" in section
    assert "Push 01" not in section
    assert "| Push 26 | Scale (test) | 12 of 18 | most often by last touch |" in memo.markdown
    assert "The largest 25 by net revenue; 2 more are in the table decisions.verdicts." in section


def test_campaigns_that_were_not_tried_are_left_out() -> None:
    campaign = {**held(judged("Push", "fix", "Fix", 9, (5, 1, 9)), 18, 18), "unit_kind": "campaign"}
    silent = {**campaign, "variants_count": None}
    rows = [{**row, "unit_kind": "campaign"} for row in variants("Push", "fix")]
    assert held_campaigns([silent], rows, 90).rows == ()
    assert held_campaigns([campaign], [], 90).rows == ()
    assert [row.cells[2].main for row in held_campaigns([campaign, EMAIL], rows, 90).rows] == ["all 18"]


def test_names_stay_text_in_the_grid() -> None:
    row = held({**judged(HOSTILE, "kill", "Kill", 1_000, (-5, -9, -1)), "unit_id": "x"}, 18, 17, HOSTILE)
    memo = render_memo(full_facts(verdicts=[row], robustness=variants("X", "kill")))
    assert "<script" not in memo.html
    assert "<img" not in memo.html
