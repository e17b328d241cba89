from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest

from marginwise.decisions.memo import MemoFacts, render_memo
from marginwise.decisions.memo_answer import answer
from marginwise.decisions.memo_charts import IntervalBar, WaterfallStep, interval_chart, waterfall_chart
from marginwise.decisions.memo_tables import bridge_tables, bridge_waterfall, evidence_table, reason_list, resolve_table
from tests.decisions.memo_sample import BRIDGE, CHANNELS, GRADES, OTHERS, full_facts, judged, unit

VOID = {"meta", "br", "hr", "img", "link", "input"}
HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=y> & {{ 7 * 7 }}"
EMPTY = MemoFacts(store_name="Empty", currency="EUR", verdicts=[])


class Outline(HTMLParser):
    """Checks that every element is closed in order, and keeps what the tests look at."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[str] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute of {tag} is given twice"
        self.elements.append((tag, dict(attrs)))
        if tag == "p":
            assert "p" not in self.open
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert "svg" in self.open, f"{tag} closes itself outside SVG"
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"{tag} closed and never opened"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("h1", "h2"):
            self.headings.append(data.strip())
        if not self.open or self.open[-1] != "style":
            self.text.append(data)

    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


@pytest.mark.parametrize("facts", [full_facts(), EMPTY, full_facts(currency="CHF", verdicts=CHANNELS[:1])])
def test_html_is_well_formed_and_sections_are_in_order(facts: MemoFacts) -> None:
    outline = Outline(render_memo(facts).html)
    assert outline.headings == [
        facts.store_name, "Does the next unit of capital earn or burn?", "Why each verdict",
        "Do the verdicts hold under other assumptions?",
        "What would resolve the abstentions, and what it is worth", "Looks good, loses money",
        "What changed since the last memo, and why", "Margin bridge", "Campaigns", "Partners", "Categories",
        "How good the data are", "What this memo cannot say",
    ]  # fmt: skip
    markdown = [line.lstrip("# ") for line in render_memo(facts).markdown.splitlines() if line.startswith("#")]
    assert markdown[1:] == outline.headings[1:]


def test_html_reaches_for_nothing_outside_itself() -> None:
    html = render_memo(full_facts()).html
    outline = Outline(html)
    assert not {tag for tag, _ in outline.elements} & {"script", "link", "img", "iframe", "object", "form"}
    for _, attributes in outline.elements:
        assert not {"src", "href", "style"} & set(attributes)
        assert not [name for name in attributes if name.startswith("on")]
    assert set(re.findall(r"https?://[^\s\"<]+", html)) <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"url\(|@import", html)


def test_every_table_is_readable_by_a_screen_reader() -> None:
    outline = Outline(render_memo(full_facts()).html)
    kinds = [tag for tag, _ in outline.elements]
    assert kinds.count("table") == kinds.count("caption") == kinds.count("thead") > 5
    for tag, attributes in outline.elements:
        if tag == "th":
            assert attributes["scope"] in ("col", "row")
        if tag == "svg":
            assert attributes["role"] == "img"
            assert attributes["aria-label"]
    assert kinds.count("svg") == 2
    assert kinds.count("desc") == 2


def contrast(colour: str, ground: str = "#ffffff") -> float:
    def luminance(code: str) -> float:
        parts = [int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(colour), luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_text_stands_out_from_its_ground() -> None:
    html = render_memo(EMPTY).html
    colours = dict(re.findall(r"--(ink|soft|faint|scale|fix|kill|insufficient): (#[0-9a-f]{6})", html))
    for name in ("ink", "soft", "scale", "fix", "kill", "insufficient"):
        assert contrast(colours[name]) >= 4.5, name
        assert contrast(colours[name], colours["faint"]) >= 4.5, name


def test_verdicts_are_told_apart_without_colour() -> None:
    html = render_memo(full_facts()).html
    for verdict in ("scale", "fix", "kill", "insufficient"):
        assert f'<i class="mark {verdict}" aria-hidden="true">' in html


def test_nothing_in_means_not_available_and_no_invented_zero() -> None:
    memo = render_memo(EMPTY)
    words = Outline(memo.html).words()
    for text in (words, memo.markdown):
        assert text.count("not available") >= 8
        assert not re.search(r"€\s?0|\b0\.0%|\b0 days|\bNone\b|\bnan\b", text)


def test_a_bare_unit_shows_no_zero_anywhere() -> None:
    memo = render_memo(full_facts(verdicts=[unit("Mystery", "insufficient", "Insufficient")], looks_good=[], bridge=[],
                                  findings=[], grades=[], cost_coverage=[], unattributed_rate=None))  # fmt: skip
    row = next(line for line in memo.markdown.splitlines() if line.startswith("| **Mystery**"))
    assert row.count("not available") == 4
    assert not re.search(r"€0|\b0\.0%|\bNone\b|\bnan\b", memo.markdown + Outline(memo.html).words())


def test_names_from_the_data_stay_text_everywhere() -> None:
    rows = [judged(HOSTILE, "kill", HOSTILE, 1_000, (-5, -9, -1), reasons=[HOSTILE], funnel_worst_step=HOSTILE,
                   missing=HOSTILE, parent_name=HOSTILE + "p")]  # fmt: skip
    rows += [{**rows[0], "unit_kind": kind} for kind in ("campaign", "partner", "category")]
    facts = full_facts(
        store_name=HOSTILE, verdicts=rows, looks_good=rows, manifest_id=HOSTILE,
        bridge=[{**BRIDGE[0], "step": HOSTILE, "store_id": HOSTILE}],
        grades=[{**GRADES[0], "table_name": HOSTILE}, {**GRADES[3], "table_name": HOSTILE}],
        findings=[{"table_name": HOSTILE, "message": HOSTILE, "severity": HOSTILE, "row_count": 1}],
        cost_coverage=[{"cost_line": HOSTILE, "known_rate": 1}],
    )  # fmt: skip
    memo = render_memo(facts)
    outline = Outline(memo.html)
    assert not {tag for tag, _ in outline.elements} & {"script", "img"}
    assert "49" not in re.findall(r"\d+", outline.headings[0]), "a template in a name is not run"
    assert "<script" not in memo.markdown
    assert "<img" not in memo.markdown


def test_the_memo_says_what_it_cannot_say() -> None:
    memo = render_memo(full_facts())
    for text in (Outline(memo.html).words(), memo.markdown):
        assert "Attributed margin is not causal" in text
        assert "holdout" in text
        assert "9f2c41d07be8a350" in text
        assert "rest on costs or spend declared in the settings" in text
    assert "declared in the settings, not measured" not in render_memo(full_facts(verdicts=CHANNELS[:1])).markdown


def test_both_formats_hold_the_same_decision_cells() -> None:
    memo = render_memo(full_facts())
    words = Outline(memo.html).words()
    for row in memo.markdown.split("Smaller figures")[0].splitlines():
        for part in re.split(r"\| |<br>", row) if row.startswith("| **") else []:
            plain = re.sub(r"[*|\\]", "", part).replace("&gt;", ">").replace("&lt;", "<").strip().replace("\u00a0", " ")
            assert plain in words.replace("\u00a0", " ")


def test_same_facts_same_memo() -> None:
    assert render_memo(full_facts()) == render_memo(full_facts())
    assert render_memo(full_facts(verdicts=[*reversed(full_facts().verdicts)])) == render_memo(full_facts())


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], "No channel can be told apart"),
        ([unit("Unassigned", "insufficient", "x"), unit("Guests", "fix", "x")], "No channel can be told apart"),
        ([unit("A", "insufficient", "x"), unit("B", "insufficient", "x")], "None of the 2 channels can be judged"),
        ([unit("A", "insufficient", "x")], "A cannot be judged on these data."),
        ([unit("A", "scale", "x")], "A earns more than it costs and deserves the next budget, as a test first."),
        ([unit("A", "scale", "x", lever="effort")], "A earns without a budget and deserves effort."),
        ([unit("A", "scale", "x")], "No channel is shown to lose money."),
        ([unit("A", "kill", "x"), unit("B", "kill", "x")], "A and B very likely lose money and should face a holdout"),
        ([unit("A", "fix", "x")], "No channel has earned the next unit of capital yet. A needs fixing first."),
        ([unit(name, "fix", "x") for name in "ABCDEF"], "A, B, C and 3 more need fixing first."),
    ],
)
def test_the_answer_is_two_plain_sentences(rows: list[dict[str, Any]], expected: str) -> None:
    sentences = answer(rows)
    assert expected in " ".join(sentences)
    assert all(text.endswith(".") and text.count(". ") == 0 and text[0].isupper() for text in sentences)


def test_a_bridge_that_closes_says_so_and_one_that_does_not_names_the_gap() -> None:
    assert bridge_tables(BRIDGE, "EUR")[0][1].note == "The steps are exclusive and close to the last digit shown."
    broken = [dict(step) for step in BRIDGE]
    broken[3]["amount"] += Decimal("0.01")
    assert "does not close: €0.01" in bridge_tables(broken, "EUR")[0][1].note


def test_an_unknown_cost_step_is_left_out_by_name_and_an_unknown_total_ends_the_bridge() -> None:
    unknown = [dict(step) for step in BRIDGE]
    unknown.insert(10, {**unknown[9], "step": "Packing", "step_kind": "change", "amount": None, "row_count": 0})
    unknown = [{**step, "step_order": order} for order, step in enumerate(unknown)]
    assert bridge_tables(unknown, "EUR")[0][1].note.endswith("left out: Packing.")
    assert unknown[9]["step"] == "cm1"
    unknown[9]["amount"] = None
    steps, view = bridge_tables(unknown, "EUR")[0]
    assert "ends before CM1, which is not available" in view.note
    assert [step.label for step in bridge_waterfall(steps)][-1] == "Cost of goods"
    assert "not available" in view.rows[9].cells[1].main


def test_each_store_has_its_own_bridge() -> None:
    both = [*BRIDGE, *({**step, "store_id": "north"} for step in BRIDGE)]
    assert [view.caption for _, view in bridge_tables(both, "EUR")] == [
        "From the raw total to CM3: main", "From the raw total to CM3: north",
    ]  # fmt: skip


def test_units_of_several_stores_name_their_store_everywhere() -> None:
    both = [*CHANNELS, *({**row, "store_id": "north"} for row in [*CHANNELS, *OTHERS])]
    moved = [{**CHANNELS[0], "store_id": "north", "previous_verdict": "fix", "previous_margin_amount": 1.0,
              "margin_change_amount": 2.0}]  # fmt: skip
    memos = [{"memo_number": 1}, {"memo_number": 2, "causes": ["cost"], "cause_details": ["product_costs"]}]
    facts = full_facts(verdicts=both, looks_good=[{**CHANNELS[4], "store_id": "north"}], memos=memos, movements=moved)
    memo = render_memo(facts)
    sections = {part.splitlines()[0]: part for part in memo.markdown.split("\n## ")}
    for title in ("Why each verdict", "Looks good, loses money", "Campaigns",
                  "What would resolve the abstentions, and what it is worth",
                  "What changed since the last memo, and why"):  # fmt: skip
        assert "north · " in sections[title], title
    assert "main · Paid Search" in sections["Does the next unit of capital earn or burn?"].split("|")[0]
    assert "Unassigned" not in sections["Does the next unit of capital earn or burn?"].split("|")[0]
    assert memo.markdown.count("They are shown so that the table adds up.") == 4
    assert ">main · Email<" in memo.html
    assert "main ·" not in render_memo(full_facts()).html


def test_intervals_are_called_by_the_probability_that_was_set() -> None:
    assert "90% intervals" in render_memo(full_facts()).markdown
    memo = render_memo(full_facts(interval_rate=0.975))
    assert "Smaller figures: 97.5% intervals" in memo.markdown
    assert "90% interval" not in memo.html


def test_the_observed_repeat_rate_stands_beside_the_chance_not_beside_the_interval() -> None:
    cell = evidence_table(CHANNELS, "EUR").rows[0].cells[4]
    assert cell.details == ("observed 31.5%",)
    told = "".join(render_memo(full_facts()).html.split())
    assert "31.2%" in told


def test_waterfall_bars_stand_where_the_running_total_is() -> None:
    steps = [WaterfallStep("a", Decimal(100), True), WaterfallStep("b", Decimal(-40), False),
             WaterfallStep("c", Decimal(-100), False), WaterfallStep("d", Decimal(-40), True)]  # fmt: skip
    chart = str(waterfall_chart(steps, "EUR", "Bridge"))
    bars = [
        (float(x), float(width))
        for x, width in re.findall(r'<rect class="\w+" x="([\d.]+)%" y="\d+" width="([\d.]+)%', chart)
    ]
    hundred = 60 * 100 / 140  # the plot is 60 % wide, so that names and amounts have columns of their own
    zero = 1 + 0.4 * hundred
    assert bars == [
        (pytest.approx(zero, abs=0.01), pytest.approx(hundred, abs=0.01)),
        (pytest.approx(zero + 0.6 * hundred, abs=0.01), pytest.approx(0.4 * hundred, abs=0.01)),
        (pytest.approx(1, abs=0.01), pytest.approx(hundred, abs=0.01)),
        (pytest.approx(1, abs=0.01), pytest.approx(0.4 * hundred, abs=0.01)),
    ]
    assert all(x >= 0 and x + width <= 62 for x, width in bars)


def test_charts_survive_one_value_zeros_and_nothing() -> None:
    zero = Decimal(0)
    assert not waterfall_chart([], "EUR", "x")
    assert not interval_chart([], "EUR", "x")
    Outline(f"{waterfall_chart([WaterfallStep('a', zero, True)], 'EUR', 'x')}")
    Outline(f"{interval_chart([IntervalBar('a', zero, zero, zero, 'fix')], 'EUR', 'x')}")


def test_campaigns_beyond_the_shown_ones_are_counted() -> None:
    many = [{**judged(f"C{i}", "fix", "Fix", 1_000 + i, (1, -1, 2)), "unit_kind": "campaign"} for i in range(40)]
    markdown = render_memo(full_facts(verdicts=many)).markdown
    assert "The largest 25 by net revenue; 15 more" in markdown
    assert "**C39**" in markdown
    assert "**C14**" not in markdown


def test_abstentions_are_listed_by_what_knowing_is_worth() -> None:
    view = resolve_table(reversed(CHANNELS), "EUR")
    assert [row.cells[0].main for row in view.rows] == ["Affiliates", "TikTok Ads"]
    many = [unit(f"U{i}", "insufficient", "Insufficient", missing=["spend"], worth_amount=float(i)) for i in range(20)]
    view = resolve_table(many, "EUR")
    assert [row.cells[0].main for row in view.rows][:2] == ["U19", "U18"]
    assert view.note == "5 more are in the table decisions.verdicts."


@pytest.mark.parametrize(
    ("given", "free", "told"),
    [
        ("fix", "fix", ""),
        (None, None, ""),
        ("scale", None, "With all unattributed orders given to it the rule alone says Scale."),
        ("fix", "scale", "With unknown costs taken as 0 the rule alone says Scale."),
    ],
)
def test_what_would_turn_a_verdict_is_told(given: str | None, free: str | None, told: str) -> None:
    row = judged("A", "fix", "Fix", 9, (1, -1, 2), unattributed_given_verdict=given, unknown_costs_free_verdict=free)
    assert reason_list([row])[0].bounds == told
    assert not reason_list([{**row, "verdict": "insufficient"}])[0].bounds


def test_the_largest_reasons_are_told_and_the_rest_counted() -> None:
    row = unit("A", "fix", "Fix", reasons=[f"reason {i}" for i in range(9)])
    memo = render_memo(full_facts(verdicts=[row]))
    for text in (memo.markdown, Outline(memo.html).words()):
        assert "reason 4" in text
        assert "reason 5" not in text
        assert "4 smaller ones" in text


def test_steps_into_which_nothing_fell_are_left_out_and_unknown_ones_stay() -> None:
    steps = [
        {**BRIDGE[0], "step_order": 1},
        {**BRIDGE[1], "step_order": 2, "step": "Bad debt", "amount": Decimal(0), "row_count": 0},
        {**BRIDGE[1], "step_order": 3, "step": "Free goods", "amount": Decimal(0), "row_count": 7},
        {**BRIDGE[1], "step_order": 4, "step": "Shipping cost", "amount": None, "row_count": 0},
        {**BRIDGE[1], "step_order": 5, "step": "Unpriced", "step_id": "cost_unknown", "amount": None, "row_count": 0},
    ]
    assert [row.cells[0].main for row in bridge_tables(steps, "EUR")[0][1].rows] == [
        "Raw total",
        "Free goods",
        "Shipping cost",
    ]


def test_reasons_come_from_a_list_or_from_lines() -> None:
    row = unit("A", "fix", "Fix")
    assert reason_list([{**row, "reasons": ["b", "a"]}])[0].reasons == ("b", "a")
    assert reason_list([{**row, "reasons": "b\na\n"}])[0].reasons == ("b", "a")
    assert reason_list([{**row, "reasons": []}])[0].reasons == ("No reason was given.",)


def test_nothing_to_judge_is_not_called_judged() -> None:
    shown = [{**row, "goods_unknown_rate": 1.0} for row in CHANNELS[-2:]]
    markdown = render_memo(full_facts(verdicts=shown, looks_good=[])).markdown
    assert "There is nothing to judge" in markdown
    assert "Every unit could be judged" not in markdown
    assert "Not available: no margin can be told for any unit." in markdown
    judged_all = render_memo(full_facts(verdicts=CHANNELS[:3], looks_good=[])).markdown
    assert "Every unit could be judged." in judged_all
    assert "very likely a negative margin" in judged_all


def test_a_repeat_rate_without_a_rest_has_no_chance_of_beating_it() -> None:
    alone = [{**CHANNELS[0], "rest_repeat_rate": None}]
    assert evidence_table(alone, "EUR").rows[0].cells[4].main == "not available"


def test_a_store_too_young_to_be_judged_says_when_it_can_be() -> None:
    """Found wrong once: customers were said to be won from a day to an earlier one."""
    young = full_facts(window_start_date=dt.date(2024, 3, 1), window_end_date=dt.date(2024, 2, 20), horizon_days=90)
    assert "none yet: those won from 1 March 2024 on, 90 days later" in render_memo(young).markdown
