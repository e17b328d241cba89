"""`python -m benchmarks.day`: what taking in one more day costs, against the full build and against dbt's own work.

A generated store is built whole; then one more day of it arrives (orders, corrections, late costs and refunds) and is taken
in. What dbt costs by itself is measured by the same stages on a store of fifty orders to which a day comes.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.warehouse import LINES_PER_ORDER, Cost, cost_of
from marginwise.demo.knobs import Knobs
from marginwise.ops.projects import create_demo

__all__ = ["Day", "measured"]


class Day:
    """A generated store whose last day waits beside it.

    Parameters
    ----------
    directory
        Where it is written.
    orders
        Orders of the store.
    """

    def __init__(self, directory: Path, orders: int) -> None:
        create_demo(directory, Knobs(orders=orders, visits_per_order=2.0, dirt_rate=0.0, format="parquet", drops=1))
        self.directory = directory
        self.waiting = directory.with_name(f"{directory.name}-waiting")
        shutil.move(directory / "data" / "drops", self.waiting)

    def arrive(self) -> None:
        """Let the waiting day's files arrive."""
        for file in sorted(self.waiting.glob("*/*")):
            shutil.copy(file, self.directory / "data" / file.name)

    def run(self) -> Cost:
        """Land what is there, then check and build it; return what check and build took."""
        cost_of(["-m", "marginwise", "run", "land", "--project", str(self.directory)])
        return cost_of(["-m", "marginwise", "run", "check", "build", "--project", str(self.directory)])


def measured(directory: Path, orders: int) -> tuple[Cost, Cost]:
    """Return what a whole build of a store costs, and what one more day of it does."""
    store = Day(directory, orders)
    whole = store.run()
    store.arrive()
    return whole, store.run()


def main() -> None:
    """Read the size, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.day", description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000, help="order lines (default 1 M)")
    chosen = parser.parse_args()
    with TemporaryDirectory() as folder:
        _, empty = measured(Path(folder) / "empty", 50)
        whole, day = measured(Path(folder) / "store", round(chosen.lines / LINES_PER_ORDER))
    print(f"{'':<28}{'seconds':>9}{'CPU':>9}{'peak GB':>9}")
    for name, cost in {"whole build": whole, "one more day": day, "a day of fifty orders": empty}.items():
        print(f"{name:<28}{cost.seconds:>9.1f}{cost.cpu_seconds:>9.1f}{cost.peak_bytes / 1e9:>9.2f}")
    share = (day.cpu_seconds - empty.cpu_seconds) / (whole.cpu_seconds - empty.cpu_seconds)
    print(f"beyond dbt's own work the day costs {share:.0%} of the CPU of the whole build")


if __name__ == "__main__":
    main()
