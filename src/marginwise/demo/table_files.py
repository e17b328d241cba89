"""Files that grow part by part: one CSV or Parquet file per contract table."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal, Self

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from marginwise.demo.dirt import BadRows

__all__ = ["Format", "TableFiles"]

Format = Literal["csv", "parquet"]

_IN_STEPS = (pa.types.is_integer, pa.types.is_decimal, pa.types.is_temporal)
_VALUES_AT_A_TIME = 1 << 16
_NAMES_TO_QUOTE = ("products", "customers")


class TableFiles:
    """Writes tables to files while the next ones are made; closes the files on leaving the block.

    Parameters
    ----------
    directory
        Folder of the files; files of the same name are replaced.
    format
        "csv" or "parquet".
    suffix
        Comes between a table's name and the file's extension.
    """

    def __init__(self, directory: Path, format: Format, suffix: str = "") -> None:
        self._directory = directory
        self._format = format
        self._suffix = suffix
        self._writers: dict[str, Any] = {}
        self._pool = ThreadPoolExecutor(thread_name_prefix="table-files")
        self._writing: list[Future[None]] = []

    def __enter__(self) -> Self:
        self._directory.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()
        for writer in self._writers.values():
            writer.close()

    def write(self, tables: dict[str, pa.Table]) -> None:
        """Add rows to the files, once those of the call before are written; returns at once.

        Raises
        ------
        OSError
            When the call before could not be written.
        """
        self.wait()
        by_size = sorted(tables.items(), key=lambda item: -item[1].nbytes)
        self._writing = [self._pool.submit(self._append, name, table) for name, table in by_size]

    def wait(self) -> None:
        """Wait until everything given so far is written."""
        for writing in self._writing:
            writing.result()
        self._writing = []

    def add_bad_rows(self, bad: dict[str, BadRows]) -> None:
        """Add bad rows to the ends of the files; nothing can be written after that."""
        self.wait()
        for name, writer in self._writers.items():
            if self._format == "parquet" and name in bad:
                writer.write_table(bad[name].as_table(writer.schema))
            writer.close()
            if self._format == "csv" and name in bad:
                bad[name].append_to_csv(self._path(name))
        self._writers = {}

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}{self._suffix}.{self._format}"

    def _append(self, name: str, table: pa.Table) -> None:
        if name not in self._writers:
            self._writers[name] = self._open(name, table.schema)
        if self._format == "parquet":
            self._writers[name].write_table(table, row_group_size=max(table.num_rows, 1))
        else:
            self._writers[name].write_table(table)

    def _open(self, name: str, schema: pa.Schema) -> Any:
        if self._format == "csv":
            quoting = "needed" if name in _NAMES_TO_QUOTE else "none"
            return pyarrow.csv.CSVWriter(
                self._path(name), schema, write_options=pyarrow.csv.WriteOptions(quoting_style=quoting)
            )
        labels, steps = [], []
        for column in schema:
            if pa.types.is_dictionary(column.type):
                labels.append(column.name)
            elif any(fits(column.type) for fits in _IN_STEPS):
                steps.append(column.name)
        packed = {*labels, *steps}
        return pyarrow.parquet.ParquetWriter(
            self._path(name),
            schema,
            compression={column.name: "none" if column.name in packed else "snappy" for column in schema},
            use_dictionary=labels,
            column_encoding=dict.fromkeys(steps, "DELTA_BINARY_PACKED"),
            store_decimal_as_integer=True,
            write_statistics=False,
            write_batch_size=_VALUES_AT_A_TIME,
        )
