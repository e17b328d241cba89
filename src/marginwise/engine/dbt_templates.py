"""Keeps what dbt's templates were compiled to: for this process and, as Python keeps its own modules, on disk for the next ones."""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import os
from collections.abc import Callable, Iterator
from importlib.metadata import version
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import CodeType
from typing import Any

__all__ = ["CompiledTemplates"]

_FILE = "templates.marshal"


class CompiledTemplates:
    """The code that Jinja made of each template's text, for each class of environments: those of a class differ in no filter and no tag.

    To make it is a tenth of a whole run of few rows, and it is the same in each.
    """

    def __init__(self) -> None:
        self._code: dict[tuple[Any, ...], CodeType] = {}
        self._looked_in: set[Path] = set()

    def compiled_once(self, compile_template: Callable[..., CodeType]) -> Callable[..., CodeType]:
        """Return the method of an environment that compiles a template only where its code is not there yet."""

        def compile_once(environment: Any, source: Any, *arguments: Any, **named: Any) -> CodeType:
            asked = (type(environment).__qualname__, source, arguments, *sorted(named.items()))
            if asked not in self._code:
                self._code[asked] = compile_template(environment, source, *arguments, **named)
            return self._code[asked]

        return compile_once

    @contextlib.contextmanager
    def kept_in(self, folder: Path) -> Iterator[None]:
        """Take in what an earlier process has kept in a folder, and after the block keep there what is new.

        It must be a folder of the user's own: what lies there is run.
        """
        if folder not in self._looked_in:
            self._code = {**_read(folder / _FILE), **self._code}
            self._looked_in.add(folder)
        known = len(self._code)
        try:
            yield
        finally:
            if len(self._code) > known:
                _write(folder / _FILE, self._code)


def _read(file: Path) -> dict[tuple[Any, ...], CodeType]:
    """Return what is kept; nothing where there is no such file, or where it was made by other versions or is damaged."""
    try:
        header, told = file.read_bytes().split(b"\n", 1)
    except (OSError, ValueError):
        return {}
    return marshal.loads(told) if header == _header(told) else {}  # noqa: S302 of the user's own, as Python's own are


def _write(file: Path, code: dict[tuple[Any, ...], CodeType]) -> None:
    """Write the file as a whole or not at all; nothing where it cannot be written, as with Python's own."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    with contextlib.suppress(OSError, ValueError):  # ValueError: of a template told as more than a text
        told = marshal.dumps(code)
        try:
            draft.write_bytes(_header(told) + b"\n" + told)
            draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)


def _header(told: bytes) -> bytes:
    """Return a line that tells the versions that made the code, and a hash of it."""
    versions = " ".join(version(name) for name in ("dbt-core", "dbt-common", "jinja2"))
    return f"{versions} {MAGIC_NUMBER.hex()} {hashlib.sha256(told).hexdigest()}".encode()
