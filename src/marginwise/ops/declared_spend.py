"""Tells of declared spend whose channel nothing else names: most often a misspelt name, which then stands alone as a channel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from marginwise.engine.stage_tables import traffic_channels
from marginwise.errors import nearest

if TYPE_CHECKING:
    import duckdb

    from marginwise.settings import Settings

__all__ = ["spend_on_unknown_channels"]


def spend_on_unknown_channels(con: duckdb.DuckDBPyConnection, settings: Settings) -> list[str]:
    """Return, in words, every declared channel that no order, visit, customer or stated spend names.

    Parameters
    ----------
    con
        An open connection to the built warehouse.
    settings
        The store's settings, of now; they may be newer than the warehouse.
    """
    known = traffic_channels(con)
    spellings = {_spelling(text) for texts in known.items() for text in texts}
    declared = dict.fromkeys(spend.channel.strip() for spend in settings.assumptions.spend)
    unknown = [channel for channel in declared if _spelling(channel) not in spellings]
    return [_told(channel, set(known.values()) - {"Unassigned"}) for channel in unknown]


def _spelling(channel: str) -> str:
    """Return a channel's name as names are compared: `paid_search` and `Paid Search` are one.

    >>> _spelling("Paid-Search") == _spelling("paid search")
    True
    """
    return " ".join(channel.casefold().translate(str.maketrans("_-", "  ", "()")).split()).rstrip("s")


def _told(channel: str, known: Iterable[str]) -> str:
    close = nearest(channel, sorted(known))
    return f"{channel!r}" + (f" (did you mean {close!r}?)" if close else "")
