"""Simulates every store of the report, on all cores, in an order that changes nothing."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa
from rich.console import Console
from rich.progress import track

from benchmarks.truth.cases import ages, few_customers, placebo
from benchmarks.truth.months import judged_months, month_plans
from benchmarks.truth.plan import break_even_plans, campaign_plans, store_plans, untagged_plans
from benchmarks.truth.simulate import judged_store

__all__ = ["Simulated", "simulate"]


@dataclass(frozen=True)
class Simulated:
    """What was said and what is true, one table per question."""

    stores: pa.Table
    break_even: pa.Table
    campaigns: pa.Table
    untagged: pa.Table
    months: pa.Table
    ages: pa.Table
    few_customers: pa.Table
    placebo: pa.Table


def simulate(stores: int, seed: int, processes: int) -> Simulated:
    """Simulate and judge stores.

    Parameters
    ----------
    stores
        How many stores with real returns; the other questions take a fixed part of it.
    seed
        Everything follows from it.
    processes
        Worker processes; their number changes no result.
    """
    rare = range(max(stores // 20, 4))
    asked: dict[str, tuple[Callable[[Any], pa.Table], list[Any]]] = {
        "stores": (judged_store, store_plans(stores, seed)),
        "break_even": (judged_store, break_even_plans(stores // 4, seed)),
        "campaigns": (judged_store, campaign_plans(stores // 10, seed)),
        "untagged": (judged_store, untagged_plans(stores // 10, seed)),
        "months": (judged_months, month_plans(stores // 16, seed)),
        "ages": (partial(ages, seed), list(rare)),
        "few_customers": (partial(few_customers, seed), list(rare)),
        "placebo": (partial(placebo, seed), list(rare)),
    }
    found = {}
    console = Console(stderr=True)
    with multiprocessing.get_context("spawn").Pool(processes, pa.set_cpu_count, (1,)) as pool:
        for name, (judge, plans) in asked.items():
            tables = pool.imap(judge, plans, chunksize=4)
            title = name.replace("_", " ")
            shown = track(tables, description=f"{title:>14}", total=len(plans), console=console)
            found[name] = pa.concat_tables(list(shown))
    return Simulated(**found)
