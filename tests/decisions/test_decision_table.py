from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from rich.console import Console

from marginwise.decisions.table import (
    Cell,
    decision_headers,
    decision_markdown,
    decision_rows,
    decision_table,
    markdown_text,
)
from tests.decisions.memo_sample import CHANNELS, OTHERS, judged, unit

HOSTILE = "<script>alert(1)</script>|`*_[x](javascript:y)\n\x1b[31m[red]"


def printed(rows: list[dict[str, Any]], width: int = 100) -> str:
    console = Console(width=width, record=True, color_system=None, file=None)
    with console.capture() as capture:
        console.print(decision_table(rows, "EUR"))
    return capture.get()


def test_headers_are_the_promised_ones() -> None:
    assert decision_headers() == ("Channel", "Revenue", "Repeat rate", "Contribution margin", "Funnel loss", "Verdict")
    assert decision_headers("partner")[0] == "Partner"


def test_best_verdict_comes_first_then_revenue_and_unassigned_and_guests_last() -> None:
    names = [row.unit.main for row in decision_rows(reversed(CHANNELS), "EUR")]
    assert names == ["Paid Search", "Organic Search", "Email", "Paid Social", "Display", "Affiliates", "TikTok Ads",
                     "Unassigned", "Guests"]  # fmt: skip


def test_a_store_too_young_to_be_judged_shows_no_amounts() -> None:
    window = {"window_start_date": dt.date(2025, 4, 3), "window_end_date": dt.date(2025, 1, 28)}
    changes = {**window, "net_revenue_amount": 0, "margin_amount": 0}
    unpaid, paid = ({**CHANNELS[0], **changes, "is_paid": is_paid, "has_spend": False} for is_paid in (False, True))
    for row in decision_rows([unpaid, paid], "EUR"):
        assert (row.revenue, row.margin) == (Cell("not available"), Cell("not available"))


def test_other_kinds_stay_out_of_the_channel_table() -> None:
    assert {row.unit.main for row in decision_rows([*CHANNELS, *OTHERS], "EUR", "campaign")} == {
        "Brand",
        "Generic 2026",
    }
    assert not {"Brand", "Teaware"} & {row.unit.main for row in decision_rows([*CHANNELS, *OTHERS], "EUR")}


def test_intervals_stand_beside_the_estimates() -> None:
    row = decision_rows(CHANNELS[:1], "EUR")[0]
    assert row.repeat.main == "31.2%"
    assert row.repeat.details == ("29.8–32.6%", "rest 28.1%")
    assert row.margin.main == "€148,300"
    assert row.margin.details[0] == "121,900 to 175,100"
    assert "99%" in row.margin.details[1]


def test_what_is_not_known_is_not_available_never_zero() -> None:
    row = decision_rows([unit("Mystery", "insufficient", "Insufficient")], "EUR")[0]
    assert [cell.main for cell in row.cells[1:5]] == ["not available"] * 4
    assert all(not cell.details for cell in row.cells[1:5])
    assert "0" not in printed([unit("Mystery", "insufficient", "Insufficient")])


def test_a_known_zero_is_a_zero() -> None:
    row = decision_rows(
        [unit("New", "fix", "Fix", net_revenue_amount=0, estimated_repeat_rate=0.0, margin_amount=0)], "EUR"
    )[0]
    assert (row.revenue.main, row.repeat.main, row.margin.main) == ("€0.00", "0.0%", "€0.00")


def test_a_paid_unit_without_spend_has_no_margin_only_what_stood_before_spend() -> None:
    row = next(row for row in decision_rows(CHANNELS, "EUR") if row.unit.main == "Affiliates")
    assert row.margin.main == "not available"
    assert row.margin.details == ("€21,500 before spend",)


@pytest.mark.parametrize("column", ["goods_unknown_rate", "unknown_cost_rate"])
def test_where_no_cost_is_known_there_is_no_margin_and_no_chance_of_one(column: str) -> None:
    row = judged("A", "insufficient", "Insufficient", 9_000, (0, 0, 0), **{column: 1.0})
    assert decision_rows([row], "EUR")[0].margin == Cell("not available", ("cost of goods unknown",))
    assert decision_rows([{**row, column: 0.6}], "EUR")[0].margin.main == "€0.00"


def test_unknown_costs_and_assumptions_are_told_beside_the_number() -> None:
    unsure = judged("A", "fix", "Fix (assumed)", 9_000, (1, -1, 2), unknown_cost_rate=0.4, basis="assumed")
    row = decision_rows([unsure], "EUR")[0]
    assert "40.0% of costs unknown" in row.margin.details
    assert row.label.main == "Fix"
    assert row.label.details == ("on assumed costs or spend", "one model only")


def test_an_unknown_verdict_is_never_taken_for_a_good_one() -> None:
    assert decision_rows([unit("A", "splendid", "")], "EUR")[0].verdict == "insufficient"
    assert decision_rows([{"unit_name": "A"}], "EUR")[0].label.main == "Insufficient"


def test_what_is_only_shown_is_not_called_insufficient() -> None:
    shown = decision_rows(CHANNELS, "EUR")[-2:]
    assert [(row.unit.main, row.verdict, row.label.main) for row in shown] == [
        ("Unassigned", "unjudged", "Not judged"),
        ("Guests", "unjudged", "Not judged"),
    ]


def test_stores_that_share_a_table_are_named() -> None:
    rows = [{**CHANNELS[0], "store_id": "north"}, {**CHANNELS[0], "store_id": "south"}]
    assert [row.unit.main for row in decision_rows(rows, "EUR")] == ["north · Paid Search", "south · Paid Search"]


@pytest.mark.parametrize("width", [80, 100, 160])
def test_the_terminal_breaks_no_word_and_keeps_its_width(width: int) -> None:
    text = printed(CHANNELS, width)
    assert max(map(len, text.splitlines())) <= width
    for word in ("Contribution", "Insufficient", "Unassigned", "available", "29.8–32.6%"):
        assert word in text


def test_terminal_and_markdown_say_the_same() -> None:
    shown = printed(CHANNELS, 200)
    for row in decision_rows(CHANNELS, "EUR"):
        for cell in row.cells:
            assert cell.main in shown
            assert markdown_text(cell.main) in decision_markdown(CHANNELS, "EUR")


def test_markdown_is_one_table() -> None:
    lines = decision_markdown(CHANNELS, "EUR").splitlines()
    assert lines[0] == "| Channel | Revenue | Repeat rate | Contribution margin | Funnel loss | Verdict |"
    assert len(lines) == len(CHANNELS) + 2
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {7}


def test_names_from_the_data_cannot_become_markup() -> None:
    rows = [unit(HOSTILE, "fix", "Fix")]
    markdown = decision_markdown(rows, "EUR")
    assert "<script" not in markdown
    assert len(markdown.splitlines()) == 3
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in markdown.splitlines()} == {7}
    assert "[x](" not in markdown
    terminal = printed(rows, 200)
    assert "\x1b" not in terminal
    assert "[red]" in terminal, "shown as it is, not read as a style"


def test_no_rows_make_an_empty_table() -> None:
    assert decision_rows([], "EUR") == []
    assert len(decision_markdown([], "EUR").splitlines()) == 2
