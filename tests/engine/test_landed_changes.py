"""Landed tables that take only what new files touch are those that the mapping gives over all that has landed."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from marginwise.connectors.compilation import Compiler
from marginwise.connectors.mapping import Mapping, load_mapping
from marginwise.connectors.reach import row_key
from marginwise.contract.loader import contracts
from marginwise.engine.build_state import keep_state, state_of
from marginwise.engine.gone_files import forget_files, gone_files
from marginwise.engine.ledger import columns_of_raw_table
from tests.connectors.test_mapping import FLAT, written
from tests.engine.test_landing import Shop

HEADER = "No;Day;Item;Pieces;Price;Buyer\n"
NUMBERED = """
[source]
name = "shop"
currency = "EUR"
time_zone = "Europe/Berlin"

[files.lines]
path = "sales*.csv"
load = "{load}"
{more}
[[tables]]
table = "orders"
from = "lines as l"
where = "l.\\"No\\" is not null"
one_row_per = ["order_id"]
[tables.columns]
order_id = 'l."No"'
ordered_at = 'l."Day"'
status = "'paid'"
customer_id = 'l."Buyer"'

[[tables]]
table = "order_items"
from = "lines"
where = "try_cast(\\"Pieces\\" as bigint) > 0"
number_within = '"No"'
[tables.columns]
order_id = '"No"'
line_number = "_number"
product_id = '"Item"'
quantity = '"Pieces"'
unit_price = '"Price"'
x_lines = 'count(*) over (partition by "No" order by _number)'

[[tables]]
table = "customers"
from = "lines"
one_row_per = ["customer_id"]
[tables.columns]
customer_id = '"Buyer"'
created_at = 'min("Day") over (partition by "Buyer")'

[[tables]]
table = "products"
from = "lines"
one_row_per = ["product_id"]
[tables.columns]
product_id = '"Item"'
name = 'max("Price") over ()'
"""


def lines_of(rng: random.Random, orders: range) -> list[str]:
    """Return the lines of some orders; some have no number, some a copy, and prices differ from call to call."""
    found = []
    for order in orders:
        number = "" if rng.random() < 0.05 else f"{order}"
        for _ in range(rng.randrange(1, 4)):
            line = f"{number};2024-07-{order % 28 + 1:02d};{rng.choice('ABC')};{rng.randrange(3)};{rng.randrange(9)};b{order // 3}"
            found += [line] * rng.choice((1, 1, 2))
    return found


def off(shop: Shop) -> list[str]:
    """Return the landed tables that are not what their query gives over all that has landed."""
    mapping = load_mapping(shop.mapping_file).named(shop.name)
    with Compiler(mapping, {"lines": columns_of_raw_table(shop.con, "shop__lines")}) as compiler:
        queries = {table: compiler.table(table) for table in mapping.mapped_tables()}
    return [
        table
        for table, query in queries.items()
        if shop.rows(f"from landed.{table} order by all") != shop.rows(f"from ({query}) order by all")
    ]


class Checked:
    """The landed tables as a check has seen them."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.state = shop, state_of(shop.con, None, "here")
        self.names = [name for (name,) in shop.rows("select table_name from ops.landed_tables where not is_by_row")]
        keep_state(shop.con, "check", self.state)
        for table in self.names:
            shop.con.execute(f"create or replace temp table seen_{table} as from landed.{table}")

    def untold(self) -> list[str]:
        """Return the tables of which a row came, went or changed at a place that is not told."""
        now = state_of(self.shop.con, None, "here")
        places = "select distinct _raw_table, _file_hash, _row_number"
        return [
            table
            for table in now.tables_told(self.state)
            if self.shop.rows(
                f"{places} from ((from landed.{table} except all from seen_{table}) union all"
                f" (from seen_{table} except all from landed.{table})) except"
                f" {places} from ops.landed_places where table_name = '{table}'"
            )
        ]

    def whole(self) -> list[str]:
        return state_of(self.shop.con, None, "here").whole_tables(self.state)


@pytest.mark.parametrize("load", ["append", "upsert", "replace", "window"])
@pytest.mark.parametrize(
    ("seed", "days"),  # 937: a file comes, is corrected, is forgotten, is set back
    [(937, 4), pytest.param(0, 10, marks=pytest.mark.soak), pytest.param(1, 10, marks=pytest.mark.soak)],
)
def test_whatever_comes_goes_or_is_corrected(load: str, seed: int, days: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    shop = Shop(tmp_path, NUMBERED.format(load=load, more='window = "Day"' if load == "window" else ""))
    shop.put("sales.csv", *lines_of(rng, range(100)), header=HEADER)
    shop.land()
    checked = Checked(shop)
    mapping = load_mapping(shop.mapping_file).named(shop.name)
    kept: list[tuple[Path, str]] = []
    for day in range(1, days + 1):
        first = rng.randrange(110)
        path = shop.data / f"sales-2024-08-{rng.randrange(1, 9):02d}.csv"
        action = rng.choice(("come", "come", "set back", "rename", "forget"))
        if action == "set back" and kept:
            kept_path, text = rng.choice(kept)
            kept_path.write_text(text)
        elif action == "rename" and path.exists():
            path.rename(shop.data / f"sales-2024-08-{rng.randrange(10, 20)}.csv")
        elif action == "forget" and path.exists():
            path.unlink()
            if path.name in {file.file_name for file in gone_files(shop.con, [(mapping, shop.data)])}:
                forget_files(shop.con, gone_files(shop.con, [(mapping, shop.data)]), [path.name])
        else:
            shop.put(path.name, *lines_of(rng, range(first, first + rng.randrange(1, 6))), header=HEADER)
            kept.append((path, path.read_text()))
        shop.land(day)
        assert not off(shop), f"day {day}, {action}"
        assert not checked.untold(), f"day {day}, {action}"
        assert not checked.whole(), f"day {day}, {action}"
        if rng.random() < 0.5:
            checked = Checked(shop)


def test_only_places_that_differ_are_told_since_the_last_check(tmp_path: Path) -> None:
    shop = Shop(tmp_path, NUMBERED.format(load="append", more=""))
    shop.put("sales.csv", *(f"{order};2024-07-01;A;1;2;b{order}" for order in range(30)), header=HEADER)
    shop.land()
    checked = Checked(shop)
    told = (
        "select table_name, file_name, _row_number from ops.landed_places join ops.files on file_hash = _file_hash"
        " order by all"
    )
    assert shop.rows(told) == []
    shop.put("sales-2.csv", "7;2024-07-02;B;1;2;b8", header=HEADER)
    shop.land()
    first = {("order_items", "sales.csv", 8), ("order_items", "sales-2.csv", 1), ("products", "sales-2.csv", 1)}
    assert set(shop.rows(told)) == first
    shop.put("sales-3.csv", "70;2024-07-02;B;1;2;b70", header=HEADER)
    shop.land()
    second = {(table, "sales-3.csv", 1) for table in ("customers", "order_items", "orders", "products")}
    assert set(shop.rows(told)) == first | second
    assert checked.whole() == []
    shop.con.execute("update ops.landed_tables set told_since = null where table_name = 'orders'")
    assert checked.whole() == ["orders"]
    checked = Checked(shop)
    shop.land()
    assert set(shop.rows(told)) == first | second  # which is not asked for: the tables are what the check has seen
    shop.put("sales-4.csv", "71;2024-07-02;B;1;2;b70", header=HEADER)
    shop.land()
    assert set(shop.rows(told)) == {(table, "sales-4.csv", 1) for table in ("order_items", "orders")}
    assert checked.whole() == []


def test_places_stay_told_when_a_version_comes_back_that_the_check_has_seen(tmp_path: Path) -> None:
    shop = Shop(tmp_path, NUMBERED.format(load="append", more=""))
    shop.put("sales.csv", *(f"{order};2024-07-01;A;1;2;b{order}" for order in range(30)), header=HEADER)
    shop.land()
    checked = Checked(shop)
    path = shop.put("sales-2.csv", "7;2024-07-02;B;1;2;b8", header=HEADER)
    shop.land()
    told = shop.rows("from ops.landed_places order by all")
    path.unlink()
    mapping = load_mapping(shop.mapping_file).named(shop.name)
    forget_files(shop.con, gone_files(shop.con, [(mapping, shop.data)]), [path.name])
    shop.land()
    assert (checked.untold(), checked.whole()) == ([], [])
    assert set(told) <= set(shop.rows("from ops.landed_places"))


def test_rows_that_no_new_file_touches_are_not_made_anew(tmp_path: Path) -> None:
    shop = Shop(tmp_path, NUMBERED.format(load="append", more=""))
    shop.put("sales.csv", *(f"{order};2024-07-01;A;1;2;b{order}" for order in range(30)), header=HEADER)
    shop.land()
    for table, column in (("orders", "status"), ("order_items", "unit_price"), ("customers", "created_at")):
        shop.con.execute(f"update landed.{table} set {column} = 'as it was'")
    shop.put("sales-2.csv", "7;2024-07-02;B;1;2;b8", header=HEADER)
    shop.land()
    anew = [
        shop.rows(f"select distinct {key} from landed.{table} where {column} <> 'as it was'")
        for table, key, column in (
            ("orders", "order_id", "status"), ("order_items", "order_id", "unit_price"),
            ("customers", "customer_id", "created_at"),
        )
    ]  # fmt: skip
    assert anew == [[("7",)], [("7",)], [("b8",)]]


def test_a_list_of_laid_files_that_is_not_that_of_the_table_is_not_believed(tmp_path: Path) -> None:
    shop = Shop(tmp_path, NUMBERED.format(load="append", more=""))
    shop.put("sales.csv", *lines_of(random.Random(1), range(30)), header=HEADER)
    shop.put("sales-2.csv", "7;2024-07-02;B;1;2;b8", header=HEADER)
    shop.land()
    shop.con.execute("delete from ops.laid_files where file_name = 'sales.csv'")
    shop.con.execute("delete from landed.order_items")
    shop.put("sales-3.csv", "8;2024-07-02;B;1;2;b8", header=HEADER)
    shop.land()
    assert not off(shop)


def test_a_key_that_cannot_be_told_in_a_content_that_counts_no_more_stops_nothing(tmp_path: Path) -> None:
    """Found wrong once: the rows that share a key were asked for in all contents, also where the key fails."""
    text = NUMBERED.format(load="replace", more="")
    for told in ("number_within = '{}'", "over (partition by {} order"):
        assert told.format('"No"') in text
        text = text.replace(told.format('"No"'), told.format('cast("No" as bigint)'))
    shop = Shop(tmp_path, text)
    shop.put("sales-2024-07-01.csv", "no number;2024-07-01;A;1;2;b1", header=HEADER)
    for day in range(2, 5):
        shop.put(f"sales-2024-07-0{day}.csv", f"{day};2024-07-0{day};A;1;2;b1", header=HEADER)
        shop.land(day)
    assert shop.rows("select order_id from landed.order_items") == [("4",)]


def test_a_number_that_grows_wider_makes_the_table_anew(tmp_path: Path) -> None:
    text = FLAT.replace('path = "sales*.csv"', 'path = "sales*.parquet"').replace(
        'table = "order_items"', 'table = "order_items"\nwhere = \'"Pieces" > 0\''
    )
    shop = Shop(tmp_path, text)
    for day, (pieces, kind) in enumerate(((2, pa.int32()), (2**40, pa.int64()))):
        one = {"No": ["1"], "Day": ["2024-07-01"], "Item": ["A"], "Price": ["2"], "Pieces": pa.array([pieces], kind)}
        pq.write_table(pa.table(one), shop.data / f"sales-{day}.parquet")
        assert shop.land(day).refused == []
    assert shop.rows("select quantity from landed.order_items order by all") == [(2,), (2**40,)]


@pytest.mark.parametrize(
    ("load", "product", "counts"),
    [
        ("append", '"Item"', [0, 2, 4]),
        ("replace", '"Item"', [0, 2, 2]),
        ("append", "unnest([\"Item\", 'B'])", [0, 4, 8]),
    ],
)
def test_landed_rows_are_counted_as_they_are_read(load: str, product: str, counts: list[int], tmp_path: Path) -> None:
    """Found wrong once: a table whose only file holds no rows had no number of rows, one of several per row too few."""
    text = FLAT.replace('path = "sales*.csv"', f'path = "sales*.parquet"\nload = "{load}"')
    shop = Shop(tmp_path, text.replace("'\"Item\"'", f"'''{product}'''"))
    for day, count in enumerate(counts):
        told = {
            "No": pa.string(),
            "Day": pa.timestamp("s"),
            "Item": pa.string(),
            "Price": pa.float64(),
            "Pieces": pa.int32(),
        }
        row = {"No": str(day), "Day": dt.datetime(2024, 7, 1), "Item": "A", "Price": 2.0, "Pieces": day}  # noqa: DTZ001
        rows = [row] * min(day, 1) * 2
        pq.write_table(pa.Table.from_pylist(rows, pa.schema(told)), shop.data / f"sales-2024-07-0{day + 1}.parquet")
        shop.land(day)
        counted = dict(shop.rows("select table_name, row_count from ops.landed_rows"))
        assert counted == {table: shop.rows(f"select count(*) from landed.{table}")[0][0] for table in contracts()}
        assert counted["order_items"] == count


def test_an_older_file_that_makes_a_number_wider_makes_the_table_anew(tmp_path: Path) -> None:
    """Found wrong once: the file did not count, the table kept its whole numbers, and 2.5 pieces came in as 2."""
    text = FLAT.replace('path = "sales*.csv"', 'path = "sales*.parquet"\nload = "replace"').replace(
        'table = "order_items"', 'table = "order_items"\nwhere = \'"Pieces" > 0\''
    )
    shop = Shop(tmp_path, text)
    for day, pieces, kind in ((5, 2, pa.int32()), (1, 1.5, pa.float64()), (6, 2.5, pa.float64())):
        one = {"No": ["1"], "Day": ["2024-07-01"], "Item": ["A"], "Price": ["2"], "Pieces": pa.array([pieces], kind)}
        pq.write_table(pa.table(one), shop.data / f"sales-2024-07-0{day}.parquet")
        shop.land(day)
        assert not off(shop)
    assert shop.rows("select quantity from landed.order_items") == [(2.5,)]


def test_only_values_that_several_files_hold_can_differ(tmp_path: Path) -> None:
    shop = Shop(tmp_path, NUMBERED.format(load="append", more=""))
    shop.put("sales.csv", *(f"{order};2024-07-01;A;1;2;b{order}" for order in range(30)), header=HEADER)
    shop.put("sales-2.csv", "7;2024-07-02;B;1;2;b8", "9;2024-07-01;A;1;2;b9", ";2024-07-01;A;1;2;b9", header=HEADER)
    shop.put("sales-3.csv", ";2024-07-01;B;1;2;b9", header=HEADER)
    told = [(rule, count) for _, rule, count, _ in shop.land().checks]
    assert told == [("files_differ", 2)], "orders 7 and the lines without a number; order 9 is the same twice"


@pytest.mark.parametrize(
    ("table", "said", "key"),
    [
        ("order_items", "", ""),
        ("orders", "", '"No"'),
        ("order_items", "number_within = '\"No\"'", '"No"'),
        ("order_items", "number_within = 'upper(\"No\")'", 'upper("No")'),
        ("order_items", "number_within = '(select \"No\")'", None),
        ("order_items", "number_within = '\"No\" || _file_date'", None),
        ("order_items", "number_within = '\"No\" -- the order\n'", None),
        ("order_items", 'number_within = \'"No"\'\none_row_per = ["order_id"]', None),
        ("order_items", "where = 'exists (from lines)'", None),
        ("order_items", 'where = \'max("Price") over (partition by "No") > 1\'', None),
        ("orders", 'where = \'max(l."Day") over (partition by "No") > 1\'', '"No"'),
        ("orders", 'where = \'max(l."Day") over (partition by "No" order by l."Day") > 1\'', '"No"'),
        ("orders", 'where = \'max(l."Day") over (partition by "No", l."Day") > 1\'', None),
        ("orders", 'where = \'max(l."Day") over (partition by "No" || l."Day") > 1\'', None),
        ("orders", 'where = \'max(l."Day") over (partition by l."no") > 1\'', None),
        ("orders", "join = 'left join lines as o on true'", None),
    ],
)
def test_what_a_row_is_made_of(table: str, said: str, key: str | None, tmp_path: Path) -> None:
    said = said.replace("'\"No\" -- the order\n'", "'''\"No\" -- the order\n'''")
    text = FLAT.replace(f'table = "{table}"', f'table = "{table}"\n{said}')
    assert _key(load_mapping(written(tmp_path, text)), table) == key


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        ('["order_id", "status"]', "\"No\", 'paid'"),
        ('["order_id", "ordered_at"]', None),
    ],
)
def test_what_one_row_is_kept_of(keys: str, key: str | None, tmp_path: Path) -> None:
    text = FLAT.replace('one_row_per = ["order_id"]', f"one_row_per = {keys}")
    assert _key(load_mapping(written(tmp_path, text)), "orders") == key
    assert _key(load_mapping(written(tmp_path, f"{FLAT}\n".replace("path =", 'load = "window"\nwindow = "Day"\npath =')))
                , "orders") is None  # fmt: skip


def _key(mapping: Mapping, table: str) -> str | None:
    return row_key(mapping, next(entry for entry in mapping.tables if entry.table == table), is_alone=True)
