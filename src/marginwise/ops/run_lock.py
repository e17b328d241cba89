"""One run of a project at a time, and the name of the one that is at work."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from marginwise.errors import StoreBusy

__all__ = ["held_alone"]


@contextmanager
def held_alone(state_directory: Path) -> Iterator[None]:
    """Hold a project for the length of a block; the lock falls with the process, however that ends.

    Parameters
    ----------
    state_directory
        The project's state folder; made when it is not there.

    Raises
    ------
    StoreBusy
        When another run holds it; names the process and its machine.
    """
    state_directory.mkdir(parents=True, exist_ok=True)
    # beside the lock: whoever only tries the lock empties its file
    holder = state_directory / "run.holder"
    lock = FileLock(state_directory / "run.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        told = holder.read_text(encoding="utf-8") if holder.is_file() else "unknown process"
        raise StoreBusy(
            f"Another run of this project is at work: {told}.", fix="Wait until it has ended, then run again."
        ) from error
    try:
        holder.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
        yield
    finally:
        lock.release()
