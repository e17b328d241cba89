"""What a command costs: time on the clock, CPU time and peak memory of a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Cost", "cost_of"]


@dataclass(frozen=True)
class Cost:
    """What a process took: seconds on the clock, seconds of CPU (its own and the system's), bytes of memory at its peak."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def cost_of(arguments: list[str]) -> Cost:
    """Run this Python with the arguments as a process of its own and return what it took.

    Raises
    ------
    RuntimeError
        When the process fails.
    """
    started = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - this very Python, with arguments of this module
        [sys.executable, *arguments], stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[1]
    )
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with exit code {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * unit)
