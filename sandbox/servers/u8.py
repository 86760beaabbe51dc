"""The ERP: a real PostgreSQL database with Yonyou U8's tables, row versions (`ufts`) and a read-only login."""

from __future__ import annotations

import io
import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import polars as pl
import psycopg
from psycopg import sql

from sandbox.servers.u8_postgres import PostgresProcess
from sandbox.servers.versions import select_changed, select_live

DATABASE = "ufdata_001_2025"
READER = "goldthread_reader"
# stream -> (table, primary key)
TABLES = {
    "customers": ("Customer", "cCusCode"),
    "persons": ("Person", "cPersonCode"),
    "departments": ("Department", "cDepCode"),
    "products": ("Inventory", "cInvCode"),
    "quotes": ("SA_QuoMain", "ID"),
    "orders": ("SO_SOMain", "ID"),
    "order_lines": ("SO_SODetails", "iSOsID"),
    "deliveries": ("DispatchList", "DLID"),
    "invoices": ("SaleBillVouch", "SBVID"),
    "receipts": ("Ap_CloseBill", "iID"),
    "stock": ("CurrentStock", "AutoID"),
}
_SEQUENCE = """
create sequence ufts_seq;
create function assign_ufts() returns trigger language plpgsql as
$$ begin new.ufts := nextval('ufts_seq'); return new; end $$;
"""


class U8Server:
    """`url` is the reader's. Rows carry `ufts`, a bigint from one sequence, new on every insert and update."""

    def __init__(self, tables: Mapping[str, pl.DataFrame], at: datetime, home: Path) -> None:
        self._versions = {stream: tables[f"u8.{stream}"] for stream in TABLES}
        self._at = at
        self._postgres = PostgresProcess(home)
        self._reader_password = secrets.token_hex(12)

    @property
    def url(self) -> str:
        return f"postgresql://{READER}:{self._reader_password}@127.0.0.1:{self._postgres.port}/{DATABASE}"

    def start(self) -> None:
        """Start the server and load what U8 holds at the given time."""
        self._postgres.start()
        with self._postgres.connect() as connection:
            connection.autocommit = True
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
        with self._postgres.connect(DATABASE) as connection:
            connection.execute(_SEQUENCE)
            for stream, (table, key) in TABLES.items():
                self._create_table(connection, stream, table, key)
            self._create_reader(connection)

    def advance(self, at: datetime) -> None:
        """Apply what came after the last time, all in one transaction."""
        with self._postgres.connect(DATABASE) as connection:
            for stream, (table, key) in TABLES.items():
                changes = select_changed(self._versions[stream], (key,), self._at, at)
                gone = changes.filter(pl.col("_op") == "delete")
                _upsert(connection, table, key, _shape(changes.filter(pl.col("_op") != "delete")))
                if gone.height:
                    query = sql.SQL("delete from {} where {} = any(%s)").format(sql.Identifier(table), sql.Identifier(key))
                    connection.execute(query, [gone[key].to_list()])
        self._at = at

    def counts(self) -> dict[str, int]:
        """Rows by stream."""
        with self._postgres.connect(DATABASE) as connection:
            return {stream: _count(connection, table) for stream, (table, _) in TABLES.items()}

    def stop(self) -> None:
        self._postgres.stop()

    def _create_table(self, connection: psycopg.Connection, stream: str, table: str, key: str) -> None:
        rows = _shape(select_live(self._versions[stream], (key,), self._at))
        columns = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(_name_type(dtype))) for name, dtype in rows.schema.items()
        )
        names = {"table": sql.Identifier(table), "key": sql.Identifier(key), "columns": columns}
        create = "create table {table} ({columns}, ufts bigint not null, primary key ({key}))"
        connection.execute(sql.SQL(create).format(**names))
        trigger = "create trigger ufts before insert or update on {table} for each row execute function assign_ufts()"
        connection.execute(sql.SQL(trigger).format(**names))
        _copy(connection, table, rows)
        connection.execute(sql.SQL("create index on {table} (ufts)").format(**names))
        connection.execute(sql.SQL("analyze {table}").format(**names))

    def _create_reader(self, connection: psycopg.Connection) -> None:
        names = {"reader": sql.Identifier(READER), "password": sql.Literal(self._reader_password)}
        for statement in (
            "create role {reader} login password {password}",
            "alter role {reader} set default_transaction_read_only = on",
            "grant select on all tables in schema public to {reader}",
        ):
            connection.execute(sql.SQL(statement).format(**names))


def _shape(rows: pl.DataFrame) -> pl.DataFrame:
    """U8 keeps times without a zone, in China time."""
    local = pl.selectors.datetime().dt.convert_time_zone("Asia/Shanghai").dt.replace_time_zone(None)
    return rows.drop("_op", "_valid_from").with_columns(local)


def _name_type(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.Decimal):
        return f"numeric(20,{dtype.scale})"
    if isinstance(dtype, pl.Datetime):
        return "timestamp"
    return {"String": "varchar", "Int64": "bigint", "Date": "date", "Float64": "double precision"}[str(dtype)]


def _upsert(connection: psycopg.Connection, table: str, key: str, rows: pl.DataFrame) -> None:
    if rows.is_empty():
        return
    columns = [sql.Identifier(name) for name in rows.columns]
    names = {
        "table": sql.Identifier(table),
        "key": sql.Identifier(key),
        "columns": sql.SQL(", ").join(columns),
        "updates": sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(column) for column in columns),
    }
    connection.execute(sql.SQL("create temporary table incoming (like {table}) on commit drop").format(**names))
    connection.execute("alter table incoming drop column ufts")
    _copy(connection, "incoming", rows)
    insert = "insert into {table} ({columns}) select {columns} from incoming on conflict ({key}) do update set {updates}"
    connection.execute(sql.SQL(insert).format(**names))
    connection.execute("drop table incoming")


def _copy(connection: psycopg.Connection, table: str, rows: pl.DataFrame) -> None:
    buffer = io.BytesIO()
    rows.write_csv(buffer, quote_style="non_numeric", null_value="", include_header=False)
    columns = sql.SQL(", ").join(map(sql.Identifier, rows.columns))
    query = sql.SQL("copy {} ({}) from stdin (format csv)").format(sql.Identifier(table), columns)
    with connection.cursor().copy(query) as copy:
        copy.write(buffer.getvalue())


def _count(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(table))).fetchone()
    assert row is not None
    return int(row[0])
