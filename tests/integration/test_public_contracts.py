"""Four public data sets, mapped by YAML alone, typed by the warehouse: every row accounted for, the odd lines read right."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from connectors.base import Stream
from connectors.catalog import build_connector
from connectors.files.entities import ENTITIES, table_name
from warehouse.batches import Fates
from warehouse.canonical import create_canonical_views
from warehouse.home import Home
from warehouse.landing import land
from warehouse.ledger import open_ledger
from warehouse.load import load_stream
from warehouse.working import open_working

PROJECT = Path(__file__).parents[2] / "examples" / "public-sales"
DATA = os.environ.get("PUBLIC_SALES_DATA", "")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.shared_data,
    pytest.mark.skipif(not DATA, reason="PUBLIC_SALES_DATA names no folder of the public data sets"),
]


@dataclass(frozen=True)
class Loaded:
    """The working file after one sync, and what became of each stream's rows."""

    connection: duckdb.DuckDBPyConnection
    fates: dict[str, Fates]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query).fetchall()

    def count(self, table: str) -> int:
        return int(self.rows(f"select count(*) from files.{table}")[0][0])


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    home = Home(tmp_path_factory.mktemp("home")).create()
    ledger = open_ledger(home)
    sources = yaml.safe_load((PROJECT / "goldthread.yaml").read_text(encoding="utf-8"))["sources"]
    streams: dict[str, tuple[Stream, ...]] = {}
    fates: dict[str, Fates] = {}
    with open_working(home) as connection:
        for source, settings in sources.items():
            filled = {name: text.replace("${PUBLIC_SALES_DATA}", DATA) for name, text in settings.items() if name != "connector"}
            connector = build_connector(settings["connector"], source, filled, PROJECT)
            streams[source] = connector.streams()
            for stream in connector.streams():
                for batch in connector.read(stream.name, None):
                    land(home, ledger, source, stream, batch, "run")
                fates[f"{source}.{stream.name}"] = load_stream(connection, home, ledger, source, stream)
        create_canonical_views(connection, ENTITIES, table_name, streams)
        yield Loaded(connection, fates)


EXPECTED = {
    "crm.accounts": 85,
    "crm.products": 7,
    "crm.sales_pipeline": 8800,
    "crm.sales_teams": 35,
    "erp_northwind.customers": 91,
    "erp_northwind.employees": 9,
    "erp_northwind.order_lines": 2155,
    "erp_northwind.orders": 830,
    "erp_northwind.products": 77,
    "erp_receivables.invoices": 2466,
    "forms.closed_deals": 842,
    "forms.leads": 8000,
}


def test_every_row_of_every_file_is_accepted(loaded: Loaded) -> None:
    assert {name: fates.rows_in for name, fates in loaded.fates.items()} == EXPECTED
    assert {name: fates.accepted for name, fates in loaded.fates.items()} == EXPECTED


@pytest.mark.parametrize(
    ("table", "n_rows"),
    [
        ("opportunities", 8800),
        ("leads", 8000),
        ("lead_outcomes", 842),
        ("orders", 830),
        ("order_lines", 2155),
        ("invoices", 2466),
        ("receipts", 2466),
        ("parties", 85 + 91 + 100),
        ("persons", 91),
        ("reps", 35 + 9),
        ("products", 7 + 77),
    ],
)
def test_each_canonical_entity_has_its_rows(loaded: Loaded, table: str, n_rows: int) -> None:
    assert loaded.count(table) == n_rows


def test_the_176_orders_with_an_unquoted_comma_are_repaired_in_the_street(loaded: Loaded) -> None:
    """The cells behind the street agree with the lines that needed no repair: same countries, postal codes with digits."""
    repaired = """
        select count(*), count(*) filter (regexp_full_match(ship_postal_code, '.*[0-9].*')),
            count(*) filter (ship_country in ('France', 'Brazil', 'Spain', 'Belgium'))
        from landing.erp_northwind__orders where ship_address like '%,%'
    """
    assert loaded.rows(repaired) == [(176, 176, 176)]
    assert loaded.rows("select ship_address, ship_postal_code from landing.erp_northwind__orders where order_id = '10250'") == [
        ("Rua do Paço, 67", "05454-876")
    ]


def test_the_24_customers_with_an_unquoted_comma_are_repaired_too(loaded: Loaded) -> None:
    rows = loaded.rows("""select count(*), count(*) filter (country in ('France', 'Brazil', 'Spain', 'Belgium'))
        from landing.erp_northwind__customers where address like '%,%'""")
    assert rows == [(24, 24)]


def test_american_dates_agree_with_the_days_that_the_file_itself_counts(loaded: Loaded) -> None:
    rows = loaded.rows("""select min(due_date - invoiced_date), max(due_date - invoiced_date),
            min(invoiced_date), max(invoiced_date) from files.invoices""")
    assert rows[0][:2] == (30, 30)
    assert [str(day) for day in rows[0][2:]] == ["2012-01-03", "2013-12-02"]


def test_brazilian_dates_keep_their_day(loaded: Loaded) -> None:
    rows = loaded.rows("""select timezone('America/Sao_Paulo', created_at)::VARCHAR from files.leads
        where lead_id = '8c18d1de7f67e60dbd64e3c07d7e9d5d'""")
    assert rows == [("2017-10-20 00:00:00",)]


def test_stages_and_products_speak_our_language(loaded: Loaded) -> None:
    stages = dict(loaded.rows("select stage, count(*) from files.opportunities group by all"))
    assert stages == {"lead": 500, "need_confirmed": 1589, "signed": 4238, "lost": 2473}
    unknown = loaded.rows("""select distinct opportunity_name from files.opportunities
        where opportunity_name not in (select product_name from files.products where source = 'crm')""")
    assert unknown == []


def test_every_reference_of_a_child_finds_its_parent(loaded: Loaded) -> None:
    for child, column, parent, key in (
        ("order_lines", "order_id", "orders", "order_id"),
        ("order_lines", "product_id", "products", "product_id"),
        ("orders", "party_id", "parties", "party_id"),
        ("orders", "owner_ref", "reps", "rep_id"),
        ("opportunities", "party_id", "parties", "party_id"),
        ("opportunities", "owner_ref", "reps", "rep_id"),
        ("invoices", "party_id", "parties", "party_id"),
        ("lead_outcomes", "lead_id", "leads", "lead_id"),
    ):
        orphans = loaded.rows(
            f"select count(*) from files.{child} as child where {column} is not null and not exists "
            f"(select 1 from files.{parent} as parent where parent.source = child.source and parent.{key} = child.{column})"
        )
        assert orphans == [(0,)], f"{child}.{column}"
