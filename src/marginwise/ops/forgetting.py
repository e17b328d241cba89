"""Takes files out of a project's warehouse that landed and are no longer in their folder."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from marginwise.engine.gone_files import forget_files, gone_files
from marginwise.engine.ledger import open_ledger
from marginwise.ops.run_lock import held_alone
from marginwise.ops.stages import RunContext, warehouse_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marginwise.settings import Settings

__all__ = ["forget"]


def forget(settings: Settings, names: Sequence[str]) -> list[str]:
    """Take files out whose paths are gone; the next run publishes without them. Return their names.

    Parameters
    ----------
    settings
        The project's settings.
    names
        Names as the landing check tells them, or patterns such as ``2024-*.csv``.

    Raises
    ------
    MissingFile
        When a name fits no landed file that is gone.
    StoreBusy
        When a run of the same project is at work.
    """
    context = RunContext(settings, run_id="", now=lambda: dt.datetime.now(dt.UTC), progress=lambda *_: None)
    sources = [
        (context.mappings[name].named(name), settings.directory / source.data)
        for name, source in settings.sources.items()
    ]
    with held_alone(settings.state_directory), warehouse_of(context) as con:
        open_ledger(con)
        return forget_files(con, gone_files(con, sources), names)
