"""How the command line shows things: progress, tables, facts and errors, for people or as JSON."""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from marginwise.errors import MarginwiseError

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console

__all__ = ["fail", "print_arrow", "print_json", "print_rows", "stage_progress", "terminal"]


_WIDTH_OF_A_FILE = 120
_NEVER_FOLDED = 10_000


def terminal(width_of_a_file: int = _WIDTH_OF_A_FILE) -> Console:
    """Return a console on standard output; in a file or a pipe, lines are as wide as the decision table needs.

    What is printed holds names and values of the user: brackets and colons in them are no markup and no emoji.
    """
    from rich.console import Console

    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else width_of_a_file
    return Console(highlight=False, markup=False, emoji=False, width=width)


def print_json(value: Any) -> None:
    """Print a value as one JSON document; numbers stay numbers, days and times are ISO 8601."""

    def plain(other: Any) -> Any:
        if isinstance(other, Decimal):
            return float(other)
        if isinstance(other, dt.date | dt.datetime):
            return other.isoformat()
        if isinstance(other, Path):
            return other.as_posix()
        return str(other)

    print(json.dumps(_without_nan(value), default=plain, ensure_ascii=False, indent=2, allow_nan=False))


def _without_nan(value: Any) -> Any:
    """Return the value with numbers that JSON cannot write (NaN, infinite) as null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {name: _without_nan(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return value


def print_rows(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, width_of_a_file: int = _WIDTH_OF_A_FILE
) -> None:
    """Print rows as a table; missing values as a dash, numbers to the right."""
    from rich.table import Table

    table = Table(
        title=title or None, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False
    )
    for index, column in enumerate(columns):
        numeric = any(
            isinstance(row[index], int | float | Decimal) and not isinstance(row[index], bool) for row in rows
        )
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(_cell, row))
    terminal(width_of_a_file).print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)


def print_arrow(table: pa.Table, *, as_json: bool) -> None:
    """Print an Arrow table as rows, or as a JSON list of objects."""
    if as_json:
        print_json(table.to_pylist())
        return
    rows = [list(row.values()) for row in table.to_pylist()]
    print_rows("", table.column_names, rows, width_of_a_file=_NEVER_FOLDED)


def fail(error: MarginwiseError, *, as_json: bool) -> NoReturn:
    """Tell the error on standard error (as JSON on standard output where JSON was asked for) and exit with its code."""
    if as_json:
        print_json(error.as_dict())
    else:
        from rich.console import Console
        from rich.text import Text

        told = Text.assemble((type(error).__name__, "bold red"), f": {error}")
        Console(stderr=True, highlight=False, soft_wrap=True).print(told)
    raise SystemExit(error.exit_code)


@contextmanager
def stage_progress(*, quiet: bool) -> Iterator[Callable[[str, str, int, int], None]]:
    """Show one line per stage as it goes on; on no terminal, one line when a stage begins; nothing when quiet."""
    if quiet:
        yield lambda stage, item, done, total: None
        return
    if not sys.stderr.isatty():
        begun: set[str] = set()

        def tell(stage: str, item: str, done: int, total: int) -> None:
            if stage not in begun:
                begun.add(stage)
                print(f"{stage} …", file=sys.stderr, flush=True)

        yield tell
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<8}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
               TextColumn("{task.fields[item]}", markup=False))  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, Any] = {}

        def update(stage: str, item: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total, item="")
            progress.update(tasks[stage], completed=done, total=total, item=item)

        yield update
