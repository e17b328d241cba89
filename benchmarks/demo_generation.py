"""`python -m benchmarks.demo_generation`: order lines per second of the demo store, against writing its tables alone."""

from __future__ import annotations

import argparse
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from marginwise.demo.generation import Generation
from marginwise.demo.knobs import Knobs
from marginwise.demo.store import generate_store, generate_tables
from marginwise.demo.table_files import TableFiles

__all__ = ["Large", "Small", "measure_large", "measure_small"]


@dataclass(frozen=True)
class Large:
    """A store written as Parquet: its order lines and rows, seconds on the clock and of CPU, and peak memory."""

    lines: int
    rows: int
    seconds: float
    cpu_seconds: float
    writing_seconds: float
    peak_bytes: int

    @property
    def lines_per_second(self) -> float:
        """Order lines per second on the clock; falls when others use the machine."""
        return self.lines / self.seconds

    @property
    def lines_per_cpu_second(self) -> float:
        """Order lines per second of CPU, on one core."""
        return self.lines / self.cpu_seconds

    @property
    def of_writing(self) -> float:
        """Seconds as a multiple of writing the same Arrow tables, comparable between machines."""
        return self.seconds / self.writing_seconds


@dataclass(frozen=True)
class Small:
    """CPU seconds of a small store in memory, the best of several."""

    orders: int
    cpu_seconds: float


def measure_large(orders: int, visits_per_order: float | None = None) -> Large:
    """Generate a store of ``orders`` orders into a temporary folder, then write the tables of a tenth of it alone.

    Parameters
    ----------
    orders
        Orders of the store.
    visits_per_order
        As the knob.
    """
    knobs = Knobs(orders=orders, visits_per_order=visits_per_order, format="parquet")
    with TemporaryDirectory() as folder:
        started, cpu = time.perf_counter(), time.process_time()
        truth = generate_store(Path(folder), orders=orders, format="parquet", plan=knobs.plan())
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    generation = Generation.of(
        knobs.plan(), orders=orders // 10, seed=7, days=knobs.days, last_day=knobs.last_day, store_id="main"
    )
    parts = [tables for tables, _, _ in generation.parts()]
    lines = sum(tables["order_items"].num_rows for tables in parts if "order_items" in tables)
    with TemporaryDirectory() as folder:
        started = time.perf_counter()
        with TableFiles(Path(folder), "parquet") as files:
            for tables in parts:
                files.write(tables)
            files.wait()
        writing = (time.perf_counter() - started) * truth.rows["order_items"] / lines
    return Large(truth.rows["order_items"], sum(truth.rows.values()), seconds, cpu_seconds, writing, peak)


def measure_small(orders: int, times: int = 15) -> Small:
    """Generate a store of ``orders`` orders in memory ``times`` times; the first call, which imports, does not count."""
    generate_tables(orders=orders)
    spent = []
    for seed in range(times):
        started = time.process_time()
        generate_tables(orders=orders, seed=seed)
        spent.append(time.process_time() - started)
    return Small(orders, min(spent))


def main() -> None:
    """Read the size, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demo_generation", description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--small-orders", type=int, default=500)
    parser.add_argument("--visits-per-order", type=float, default=None)
    chosen = parser.parse_args()
    large = measure_large(chosen.orders, chosen.visits_per_order)
    print(
        f"{chosen.orders:,} orders: {large.lines:,} order lines in {large.rows:,} rows of Parquet in {large.seconds:.1f} s:"
        f" {large.lines_per_second:,.0f} lines/s, {large.lines_per_cpu_second:,.0f} lines per second of CPU,"
        f" {large.of_writing:.2f} times writing the same tables alone, peak memory {large.peak_bytes / 1e9:.2f} GB"
    )
    small = measure_small(chosen.small_orders)
    print(f"{small.orders:,} orders in memory: {small.cpu_seconds:.3f} s of CPU")


if __name__ == "__main__":
    main()
