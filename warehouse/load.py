"""Loading: a stream's landed text becomes its typed table, and every landed row gets exactly one fate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import duckdb
import polars as pl

from warehouse.batches import (
    BatchRow,
    Fates,
    list_batches,
    list_files,
    list_retired,
    retried_rejects,
    store_fates,
    union_columns,
)
from warehouse.contract import SQL_TYPES, FieldSql, feed_reasons, field_sql, find_field, hash_contract, key_sql
from warehouse.errors import ContractError
from warehouse.home import Home
from warehouse.ledger import Ledger
from warehouse.protocols import StreamLike
from warehouse.retired import frame_ranges, place_sql
from warehouse.sql import identifier, landing_table

LANDING_COLUMNS = {"_key": "VARCHAR", "_batch_id": "VARCHAR", "_row_no": "BIGINT", "_extracted_at": "TIMESTAMPTZ"}

# Epoch: how many deletes of the key came before. `age` columns order the rows of a key, newest last.
FATES = """
create or replace temp table row_fates as
with placed as (
    select *, _op = 'upsert' and _bad is null as is_good_upsert,
        case when _op = 'delete' then 1 else 0 end as is_delete,
        count(*) filter (_op = 'delete') over (
            partition by _key order by _place, _seq, _row_no rows between unbounded preceding and 1 preceding
        ) as epoch
    from typed_rows where _op <> 'reject' and _key is not null
),
judged as (
    select _batch_id, _row_no, _op, is_good_upsert,
        coalesce(bool_or(is_good_upsert or is_delete = 1) over (
            partition by _key
            order by epoch desc, is_delete desc, _version desc nulls last, _place desc, _seq desc, _row_no desc
            rows between unbounded preceding and 1 preceding
        ), false) as is_outdone,
        coalesce(bool_or(is_good_upsert or is_delete = 1) over (
            partition by _key order by _place desc, _seq desc, _row_no desc rows between unbounded preceding and 1 preceding
        ), false) as is_outdone_by_place,
        _version is null and not is_good_upsert and is_delete = 0 as lacks_version
    from placed
)
select _batch_id, _row_no,
    case
        when case when lacks_version then is_outdone_by_place else is_outdone end then 'superseded'
        when _op = 'delete' then 'tombstoned'
        when is_good_upsert then 'accepted'
        else 'quarantined'
    end as fate
from judged
union all
select rows._batch_id, rows._row_no, case when retried.row_no is null then 'quarantined' else 'superseded' end
from typed_rows as rows
left join retried on retried.batch_id = rows._batch_id and retried.row_no = rows._row_no and rows._op = 'reject'
where rows._op = 'reject' or rows._key is null
"""

# a good row is taken wherever it comes from; a bad one only matters while its file still says so
RETIRED = """
update row_fates set fate = 'superseded'
where fate = 'quarantined' and exists (
    select 1 from retired where retired.batch_id = _batch_id and _row_no between first_row and last_row
)
"""


@dataclass(frozen=True)
class Loaded:
    """What the working file holds of a stream."""

    batch_seq: int
    contract_hash: str
    fates: Fates

    def is_newest(self, ledger: Ledger, source: str, stream: StreamLike) -> bool:
        """Whether no batch came since, and the contract is the same."""
        return (self.batch_seq, self.contract_hash) == _find_newest(list_batches(ledger, source, stream.name), stream)


def read_loaded(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], Loaded]:
    """Every stream of the working file, by source and name."""
    rows = connection.execute(
        "select source, stream, batch_seq, contract_hash, fates.* exclude (source, stream)"
        " from landing._loaded join landing._fates as fates using (source, stream)"
    ).fetchall()
    return {(source, stream): Loaded(seq, contract, Fates(*fates)) for source, stream, seq, contract, *fates in rows}


def load_stream(
    connection: duckdb.DuckDBPyConnection, home: Home, ledger: Ledger, source: str, stream: StreamLike, *, force: bool = False
) -> Fates:
    """Bring `landing.<source>__<stream>` up to the ledger: the newest good live version of each key, typed.

    Does nothing when no batch came and the contract is the same. Bad rows go to `landing._quarantine` with the reason,
    unless a newer good version (or a delete) of their key makes them moot.
    """
    batches = list_batches(ledger, source, stream.name)
    newest, contract = _find_newest(batches, stream)
    loaded = read_loaded(connection).get((source, stream.name))
    if force or loaded is None or (loaded.batch_seq, loaded.contract_hash) != (newest, contract):
        connection.execute("begin")
        try:
            fates = _replace_table(connection, home, ledger, source, stream, batches)
            _remember(connection, source, stream.name, newest, contract, fates)
            connection.execute("commit")
        except BaseException:
            connection.execute("rollback")
            raise
    else:
        fates = loaded.fates
    store_fates(ledger, source, stream.name, fates)
    return fates


def create_empty(connection: duckdb.DuckDBPyConnection, source: str, stream: StreamLike) -> None:
    """Make sure that the table of a stream exists, typed; what is there stays."""
    columns = {**{field.name: SQL_TYPES[field.kind] for field in stream.fields}, **LANDING_COLUMNS}
    definition = ", ".join(f"{identifier(name)} {sql_type}" for name, sql_type in columns.items())
    connection.execute("create schema if not exists landing")
    connection.execute(f"create table if not exists {landing_table(source, stream.name)} ({definition})")


def _replace_table(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    ledger: Ledger,
    source: str,
    stream: StreamLike,
    batches: Sequence[BatchRow],
) -> Fates:
    table = landing_table(source, stream.name)
    connection.execute("delete from landing._quarantine where source = ? and stream = ?", [source, stream.name])
    connection.execute(f"drop table if exists {table}")
    files = [str(home.landing / file) for file in list_files(batches)]
    erased = sum(batch.n_erased for batch in batches)
    if not files:
        create_empty(connection, source, stream)
        return Fates(rows_in=erased, erased=erased)
    _register_batches(connection, ledger, source, stream.name, batches)
    columns = union_columns(batches)
    connection.execute(_typed_rows_sql(stream, columns), [files])
    connection.execute(FATES)
    connection.execute(RETIRED)
    names = ", ".join(f"rows.{identifier(name)}" for name in [*(field.name for field in stream.fields), *LANDING_COLUMNS])
    connection.execute(
        f"create table {table} as select {names} from typed_rows as rows "  # noqa: S608
        "semi join (from row_fates where fate = 'accepted') as good using (_batch_id, _row_no) order by _seq, _row_no"
    )
    connection.execute(_quarantine_sql(columns), [source, stream.name, files])
    counts = dict(connection.execute("select fate, count(*) from row_fates group by fate").fetchall())
    rows_in = connection.execute("select count(*) from typed_rows").fetchall()[0][0]
    connection.execute("drop table typed_rows; drop table row_fates")
    for view in ("batch_places", "retried", "retired"):
        connection.unregister(view)
    return Fates(rows_in=rows_in + erased, erased=erased, **counts)


def _register_batches(
    connection: duckdb.DuckDBPyConnection, ledger: Ledger, source: str, stream: str, batches: Sequence[BatchRow]
) -> None:
    """View batch_places(_batch_id, _seq, _place, _extracted_at): a retry takes the place in time of what it retries."""
    seqs = {batch.batch_id: batch.seq for batch in batches}
    places = pl.DataFrame(
        {
            "_batch_id": [batch.batch_id for batch in batches],
            "_seq": [batch.seq for batch in batches],
            "_place": [seqs[batch.retry_of] if batch.retry_of else batch.seq for batch in batches],
            "_extracted_at": [batch.extracted_at for batch in batches],
        }
    )
    connection.register("batch_places", places)
    connection.register("retried", retried_rejects(ledger, source, stream))
    connection.register("retired", frame_ranges(list_retired(ledger, source, stream)))


def _typed_rows_sql(stream: StreamLike, columns: Sequence[str]) -> str:
    """Temp table typed_rows: every landed row with typed columns, `_key`, `_version` and, where bad, the reasons."""
    fields = [field_sql(stream, field, columns) for field in stream.fields]
    texts = "".join(f"{field.text} as {identifier(field.text_name)}, " for field in fields)
    values = "".join(f"{field.value} as {identifier(field.name)}, " for field in fields)
    names = "".join(f"{identifier(field.name)}, " for field in fields)
    if stream.version is not None and find_field(stream, stream.version) is None:
        raise ContractError(f"{stream.name}: its version {stream.version!r} is not one of its fields; declare it")
    version = "null" if stream.version is None else identifier(stream.version)
    return f"""
    create or replace temp table typed_rows as
    with texts as (
        select {texts} {key_sql(stream, columns)} as _key, _op, _reason, _batch_id, _row_no, _seq, _place, _extracted_at
        from read_parquet(?, union_by_name = true) join batch_places using (_batch_id)
    ),
    typed as (select {values} * from texts)
    select {names} _key, _op, _batch_id, _row_no, _seq, _place, _extracted_at, {version} as _version,
        case _op when 'reject' then _reason when 'upsert' then {_bad_sql(stream, fields)} end as _bad
    from typed
    """  # noqa: S608


def _bad_sql(stream: StreamLike, fields: Sequence[FieldSql]) -> str:
    """All reasons of a row, or null."""
    reasons = [*(field.reason for field in fields), *feed_reasons(stream, fields)]
    return f"nullif(concat_ws('; ', {', '.join(reasons)}), '')"


def _quarantine_sql(columns: Sequence[str]) -> str:
    """Bad rows with their raw payload: what the connector rejected as it was, a bad row as a JSON object."""
    packed = ", ".join(f"{identifier(column)} := raw.{identifier(column)}" for column in columns)
    row_json = f"to_json(struct_pack({packed}))::VARCHAR" if columns else "null"
    return f"""
    insert into landing._quarantine
    select ?, ?, rows._key, coalesce(rows._bad, 'its key is empty'),
        case rows._op when 'reject' then raw._payload else {row_json} end,
        {place_sql(columns, "raw.")}, rows._batch_id, rows._row_no, rows._extracted_at
    from typed_rows as rows
    semi join (from row_fates where fate = 'quarantined') as bad using (_batch_id, _row_no)
    join read_parquet(?, union_by_name = true) as raw using (_batch_id, _row_no)
    order by rows._seq, rows._row_no
    """  # noqa: S608


def _find_newest(batches: Sequence[BatchRow], stream: StreamLike) -> tuple[int, str]:
    return max((batch.seq for batch in batches), default=0), hash_contract(stream)


def _remember(connection: duckdb.DuckDBPyConnection, source: str, stream: str, newest: int, contract: str, fates: Fates) -> None:
    for table in ("_fates", "_loaded"):
        connection.execute(f"delete from landing.{table} where source = ? and stream = ?", [source, stream])  # noqa: S608
    connection.execute("insert into landing._fates values (?, ?, ?, ?, ?, ?, ?, ?)", [source, stream, *astuple(fates)])
    connection.execute("insert into landing._loaded values (?, ?, ?, ?)", [source, stream, newest, contract])
