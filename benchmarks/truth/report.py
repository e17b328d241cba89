"""The report: promises, measured, held or not, and what does not hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from benchmarks.truth.measures import (
    Money,
    Share,
    calibration,
    certain_share,
    coverage,
    floats,
    money,
    named_wrongly,
    words,
)
from benchmarks.truth.months import NARROW
from benchmarks.truth.promises import Promise, promises, share_text, spend_per_store
from benchmarks.truth.run import Simulated
from benchmarks.truth.simulate import SETTINGS
from benchmarks.truth.stability import stability

__all__ = ["report"]

_CUSTOMERS = (1, 5, 10, 20, 50, 100, 300, 1000, 4000)
_TAIL_WORDS = {
    "gamma": "light (exponential)",
    "lognormal-1": "log-normal, σ 1",
    "lognormal-1.5": "log-normal, σ 1.5",
    "lognormal-2": "log-normal, σ 2",
    "pareto-2.5": "Pareto, α 2.5",
    "pareto-1.6": "Pareto, α 1.6 (infinite variance)",
    "mixed": "log-normal with losses and zeros",
}


def report(found: Simulated, stores: int, seed: int) -> str:
    """Return the report as Markdown.

    Parameters
    ----------
    found
        What was simulated.
    stores, seed
        How it was asked for, so that it can be repeated.
    """
    held = promises(found)
    parts = [
        _opening(found, held, stores),
        _table(("promise", "measured", "held"), [(p.text, p.measured, "yes" if p.holds else "**no**") for p in held]),
        "## What does not hold",
        _failings(found, held),
        "## P(M > 0) against what was true",
        _calibration(found),
        "## Coverage of the 90 % interval",
        _coverage(found),
        "## What wrong verdicts cost",
        _money(found),
        "## Month after month",
        _stability(found),
        "## Customers whose channel is lost",
        _untagged(found),
        "## What is simulated",
        _SIMULATED,
        "## Repeat it",
        _repeat(stores, seed),
    ]
    return "\n\n".join(parts) + "\n"


def _opening(found: Simulated, held: list[Promise], stores: int) -> str:
    kept = sum(promise.holds for promise in held)
    units = found.stores.num_rows
    return (
        "# Can the verdicts be trusted?\n\n"
        f"{stores:,} small stores were simulated whose true margins are known, with {units:,} channels in all, and judged by "
        "the same code that judges a real store. The stores of this report were drawn from seeds that were not used while the "
        f"model was built. **{kept} of {len(held)} promises hold.**\n\n"
        "These stores show whether the numbers mean what they say. They do not show that attributed margin is causal: "
        "only an experiment does."
    )


def _failings(found: Simulated, held: list[Promise]) -> str:
    lines = [f"- **{promise.text}**: {promise.measured}." for promise in held if not promise.holds]
    for title, share in _strata(found):
        if share.count >= 100 and not 0.87 <= share.rate <= 0.93:
            lines.append(f"- Intervals of {title} contain the truth in {share_text(share)}, not in 87 to 93 %.")
    even = coverage(found.break_even)
    lines.append(
        f"- Where every unit breaks even to the last cent, intervals are wider than they need be: they cover {share_text(even)}. "
        "That is the price of few false verdicts there."
    )
    lines.append(
        "- Scale asks for P(repeat rate ≥ rest) of one half. Between channels whose customers repeat equally often that is "
        "a coin toss, so one of two equal channels gets Scale and the other Fix."
    )
    lines.append(
        "- The model takes customers to come independently and evenly, and a window like the last one to come again. A season, "
        "a price change or a competitor is not in it."
    )
    return "\n".join(lines)


def _calibration(found: Simulated) -> str:
    rows = [
        (f"{part.low:.2f} to {part.high:.2f}", f"{part.was.count:,}", f"{part.said:.1%}", f"{part.was.rate:.1%}",
         f"{100 * (part.was.rate - part.said):+.1f}", f"{100 * part.allowed:.1f}", "yes" if part.holds else "**no**")
        for part in calibration(found.stores)
    ]  # fmt: skip
    heads = ("P(M > 0)", "units", "said on average", "were above 0", "difference, points", "allowed", "held")
    return _table(heads, rows)


def _coverage(found: Simulated) -> str:
    rows = [(title, f"{share.count:,}", f"{share.rate:.1%}") for title, share in _strata(found) if share.count]
    return _table(("units with", "units", "truth inside"), rows)


def _strata(found: Simulated) -> Iterator[tuple[str, Share]]:
    """Yield coverage by the number of customers and by the tail."""
    expected, tails = floats(found.stores, "expected_customers"), words(found.stores, "unit_tail")
    for low, high in pairwise(_CUSTOMERS):
        yield f"{low:,} to {high:,} customers", coverage(found.stores, (expected >= low) & (expected < high))
    for tail, title in _TAIL_WORDS.items():
        yield f"{title} margins per customer", coverage(found.stores, tails == tail)


def _money(found: Simulated) -> str:
    ours, sign = money(found.stores)
    count = len(set(words(found.stores, "store")))
    spend = spend_per_store(found)
    open_and_certain = certain_share(found.stores)

    def row(name: str, stake: Money) -> tuple[str, ...]:
        return (name, *(f"{amount / count:,.0f}" for amount in (stake.right, stake.wrong, stake.left_open)))

    return (
        f"True margin, without its sign, of the units each rule names, per store ({spend:,.0f} of spend on average). The sign rule "
        "scales whatever shows a margin above 0 and kills the rest. What is left open was Fix or Insufficient: nothing is lost by "
        f"acting on it, and nothing is won; {open_and_certain:.0%} of it lies where the sign of the margin is certain and the repeat rate "
        "asks for Fix, a leg that the sign rule does not have.\n\n"
    ) + _table(("rule", "named rightly", "named wrongly", "left open"), [row("Marginwise", ours), row("sign", sign)])


def _stability(found: Simulated) -> str:
    limits = SETTINGS
    heads = (
        f"as built ({limits.scale_leave_repeat_probability} and {limits.kill_leave_repeat_probability})",
        f"with {NARROW.scale_leave_repeat_probability:.2f} and {NARROW.kill_leave_repeat_probability:.2f}",
        "without memory",
        "sign",
    )
    rules = [stability(found.months, rule) for rule in ("verdict", "narrow", "without_memory", "sign")]
    rows = [
        ("changes per unit-year", *(f"{rule.flips:.2f}" for rule in rules)),
        ("as a share of the sign rule's", *(f"{rule.flips / rules[-1].flips:.2f}" for rule in rules)),
        ("of which between Scale and Kill", *(f"{rule.reversals:.2f}" for rule in rules)),
        ("changes per unit-year, first year and first verdict included",
         *(f"{rule.flips_from_start:.2f}" for rule in rules)),
        ("months until a Scale is left once the unit burns (median)", *(_months(rule.months_to_leave) for rule in rules)),
    ]  # fmt: skip
    return (
        f"Stores are judged at the end of each of 34 months from the customers of the last twelve ({rules[0].unit_years:,.0f} "
        "unit-years). Any other word counts as a change, Fix to Insufficient as well; the sign rule only knows two words. A "
        "standing Scale is left below the first of the two probabilities that customers repeat like the rest, a standing Kill "
        f"above the second. The design first named {NARROW.scale_leave_repeat_probability:.2f} and "
        f"{NARROW.kill_leave_repeat_probability:.2f}. They are not in use: on other stores, those on which the choice was made, "
        "they broke the promise of at most half the changes of the sign rule "
        f"([what was measured](decisions/a-verdict-stands.md)); on these stores it is {rules[1].flips / rules[-1].flips:.2f} of "
        "them.\n\n"
    ) + _table(("", *heads), rows)


def _months(count: float) -> str:
    return "not seen" if np.isnan(count) else f"{count:.0f}"


def _untagged(found: Simulated) -> str:
    rates, verdict = floats(found.untagged, "untagged_rate"), words(found.untagged)
    rows = []
    for rate in np.unique(rates):
        chosen = found.untagged.filter(rates == rate)
        named = verdict[rates == rate]
        rows.append((
            f"{rate:.0%}", f"{len(named):,}", f"{np.mean(named == 'insufficient'):.1%}",
            share_text(named_wrongly(chosen, "scale")), share_text(named_wrongly(chosen, "kill")),
        ))  # fmt: skip
    heads = ("customers lost", "units", "abstained", "Scale that burns", "Kill that earns")
    return (
        "A part of the customers lost their channel and stands as Unassigned; the truth still counts them where they came from.\n\n"
    ) + _table(heads, rows)


_SIMULATED = (
    "Stores have 2 to 12 channels with 1 to 20, 15 to 150, 60 to 600, 300 to 3,000 or 3 to 2,000 expected customers each. CM2 per "
    "customer has one of seven tails, or another one in every channel. The return on spend lies around break-even, or 18 % or 39 % "
    "below, or 22 % or 65 % above it; channels of a store spread around it by a little, some or much, or a few lie far off. What "
    "is true is the margin a window like this one brings on average, not the one that chance gave it. All draws follow from "
    "the seed, so the report is the same on every run."
)


def _repeat(stores: int, seed: int) -> str:
    return (
        f"```sh\nmake truth\n```\n\nIt runs `python -m benchmarks.truth --stores {stores} --seed {seed}`, a few minutes on two cores, and "
        "writes this page. Another `--seed` draws other stores; a small sample runs in the tests."
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines).replace("%", " %").replace("  %", " %")
