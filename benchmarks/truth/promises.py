"""The promises: what each one says, what was measured, and whether it holds."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.truth.measures import (
    Share,
    calibration,
    clear_right,
    coverage,
    false_verdict_stores,
    floats,
    money,
    named_wrongly,
    words,
)
from benchmarks.truth.run import Simulated
from benchmarks.truth.stability import stability

__all__ = ["Promise", "promises", "share_text"]

_LEAST_IN_BIN = 200


@dataclass(frozen=True)
class Promise:
    """One promise: its words, what was measured, and whether that keeps it."""

    text: str
    measured: str
    holds: bool


def share_text(share: Share) -> str:
    """Return a share in words.

    >>> share_text(Share(19, 500))
    '3.8 % (19 of 500)'
    """
    if share.count == 0:
        return "none"
    return f"{share.rate:.1%} ({share.hits:,} of {share.count:,})".replace("%", " %")


def promises(found: Simulated) -> list[Promise]:
    """Hold every promise against what was simulated."""
    return [*_probabilities(found), *_false_verdicts(found), *_behaviour(found), _cost(found)]


def _probabilities(found: Simulated) -> list[Promise]:
    bins = [part for part in calibration(found.stores) if part.was.count >= _LEAST_IN_BIN]
    largest = max((abs(part.was.rate - part.said) for part in bins), default=0.0)
    good = sum(part.holds for part in bins)
    inside, right = coverage(found.stores), clear_right(found.stores)
    return [
        Promise(
            "P(M > 0) means what it says: in every bin of at least 200 units it is off by no more than 5 points and "
            "2 standard errors",
            f"{good} of {len(bins)} bins; largest difference {100 * largest:.1f} points",
            good == len(bins),
        ),
        Promise(
            "90 % intervals of M contain the truth in 87 to 93 % of units",
            share_text(inside),
            0.87 <= inside.rate <= 0.93,
        ),
        Promise(
            "Where the truth is clear (margin and repeat gap at least 3 standard errors away from 0) the verdict is "
            "right in at least 95 %",
            share_text(right),
            right.rate >= 0.95,
        ),
    ]


def _false_verdicts(found: Simulated) -> list[Promise]:
    cases = [
        ("Stores where everything breaks even: any false {} in at most {} of stores", found.break_even, False),
        ("60 campaigns that all break even: any false {} in at most {} of runs", found.campaigns, False),
        ("Stores that earn and burn: of the units named {} at most {} are named wrongly", found.stores, True),
    ]
    result = []
    for text, table, is_rate in cases:
        for verdict, limit in (("scale", 0.10), ("kill", 0.05)):
            share = named_wrongly(table, verdict) if is_rate else false_verdict_stores(table, verdict)
            words_of_limit = f"{limit:.0%}".replace("%", " %")
            result.append(
                Promise(text.format(verdict.title(), words_of_limit), share_text(share), not share.rate > limit)
            )
    return result


def _behaviour(found: Simulated) -> list[Promise]:
    verdict = words(found.ages)
    same = Share(int((verdict[::2] == verdict[1::2]).sum()), len(verdict) // 2)
    killed = words(found.few_customers) == "kill"
    ours, sign = stability(found.months, "verdict"), stability(found.months, "sign")
    scaled = words(found.placebo) == "scale"
    untested = sum("(test)" not in label for label in words(found.placebo, "label")[scaled])
    return [
        Promise(
            "One process, once as an old and once as a young channel, gets the same verdict in at least 95 %",
            share_text(same),
            same.rate >= 0.95,
        ),
        Promise(
            "A channel that spends much for 0 to 8 customers is killed in at least 95 %",
            share_text(Share(int(killed.sum()), len(killed))),
            float(killed.mean()) >= 0.95,
        ),
        Promise(
            "Verdicts change at most half as often as those of the plain sign rule, where nothing changed",
            f"{ours.flips:.2f} per unit-year against {sign.flips:.2f}",
            ours.flips <= 0.5 * sign.flips,
        ),
        Promise(
            "Channels without any effect: no Scale without the word (test)",
            f"{untested} of {scaled.sum():,} Scale",
            untested == 0,
        ),
    ]


def _cost(found: Simulated) -> Promise:
    ours, sign = money(found.stores)
    per_store = len(set(words(found.stores, "store")))
    return Promise(
        "Wrong Scale and Kill cost less than acting on the sign of the observed margin",
        f"{ours.wrong / per_store:,.0f} per store against {sign.wrong / per_store:,.0f} "
        f"({ours.wrong / sign.wrong:.1%} of it)".replace("%", " %"),
        ours.wrong < sign.wrong,
    )


def spend_per_store(found: Simulated) -> float:
    """Return the average spend of a store, the measure beside which money is read."""
    return float(floats(found.stores, "spend").sum()) / len(set(words(found.stores, "store")))
