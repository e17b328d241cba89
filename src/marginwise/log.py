"""Structured logs on standard error: what happened, never whose data it happened to."""

from __future__ import annotations

import json
import logging
import sys
from typing import Literal

__all__ = ["configure_logging"]

_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message and the fields given as ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a line of JSON."""
        fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        told = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **fields,
        }
        return json.dumps(told, default=str)


def configure_logging(form: Literal["text", "json"], *, verbose: bool = False) -> None:
    """Send the package's logs to standard error as text or JSON lines.

    Parameters
    ----------
    form
        ``text`` for a terminal, ``json`` for a collector.
    verbose
        Tell the course of every stage (level info) instead of warnings only.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter() if form == "json" else logging.Formatter("%(levelname)s %(name)s: %(message)s")
    )
    logger = logging.getLogger("marginwise")
    logger.handlers = [handler]
    logger.setLevel(logging.INFO if verbose or form == "json" else logging.WARNING)
    logger.propagate = False
