"""Of a large file only the spans are read in which rows asked for lie: none is left out, and what lies far between is skipped."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import duckdb
import jinja2

from marginwise.engine.dbt import project_directory

MACROS = (project_directory() / "macros" / "kept_checks.sql").read_text("utf-8")


def may_be_a_place(con: duckdb.DuckDBPyConnection) -> str:
    """Return the condition that the macros write for the places in the table `touched`."""
    returned: list[Any] = []

    def told(value: Any) -> Any:
        returned.append(value)
        return value

    macros = jinja2.Environment(extensions=["jinja2.ext.do"], autoescape=False).from_string(
        MACROS,
        globals={
            "this": SimpleNamespace(identifier="chk", incorporate=lambda **_: "touched"),
            "generate_schema_name": lambda *_: "changed",
            "return": told,
            "run_query": lambda sql: SimpleNamespace(rows=con.execute(sql).fetchall()),
        },
    )
    macros.module.spans_of_places()
    return str(macros.module.may_be_a_place("place", returned[-1]))


def found(places: list[tuple[str, int]], *asked: int) -> list[bool]:
    """Tell of row numbers whether the condition lets them through."""
    with duckdb.connect() as con:
        con.execute("create table touched (_file_hash varchar, _row_number bigint)")
        if places:
            con.executemany("insert into touched values (?, ?)", places)
        condition = may_be_a_place(con)
        return [bool(con.execute(f"select {condition} from (select {row}::bigint as _row_number) as place").fetchall()[0][0])
                for row in asked]  # fmt: skip


def test_rows_far_from_all_places_are_skipped() -> None:
    places = [("day", 3), ("day", 9_000), ("history", 4_900_000), ("history", 5_000_000), ("other day", 70)]
    assert found(places, 3, 9_000, 4_950_000, 5_000_000) == [True] * 4
    assert found(places, 2, 9_001, 2_000_000, 4_899_999, 5_000_001) == [False] * 5
    assert found([], 1) == [False]


def test_no_place_is_left_out() -> None:
    draw = random.Random(5)
    for _ in range(20):
        places = [(f"f{draw.randrange(6)}", draw.choice([10, 10**5, 10**7]) + draw.randrange(10**6)) for _ in range(12)]
        assert all(found(places, *(row for _, row in places)))
