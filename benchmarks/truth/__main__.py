"""`python -m benchmarks.truth`: simulate stores and write docs/truth.md."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "truth.md"


def main() -> None:
    """Read the options, simulate, write the page; the exit code says whether every promise holds."""
    # workers share the cores among them, so each computes on one
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from benchmarks.truth.plan import SEED
    from benchmarks.truth.promises import promises
    from benchmarks.truth.report import report
    from benchmarks.truth.run import simulate

    parser = argparse.ArgumentParser(prog="python -m benchmarks.truth", description=__doc__)
    parser.add_argument("--stores", type=int, default=2000, help="stores with real returns (default 2000)")
    parser.add_argument("--seed", type=int, default=SEED, help="what all stores follow from")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="worker processes")
    parser.add_argument("--out", type=Path, default=PAGE, help="the page to write")
    chosen = parser.parse_args()
    found = simulate(chosen.stores, chosen.seed, chosen.processes)
    chosen.out.write_text(report(found, chosen.stores, chosen.seed), encoding="utf-8")
    broken = [promise for promise in promises(found) if not promise.holds]
    for promise in broken:
        print(f"not held: {promise.text}: {promise.measured}")
    print(f"{chosen.out.name} written")
    raise SystemExit(bool(broken))


if __name__ == "__main__":
    main()
