"""A batch against what has landed: which rows only repeat it, and which records are gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import duckdb
import polars as pl

from warehouse.batches import BatchRow, Retired, list_files, union_columns
from warehouse.contract import coalesce_text, key_headers, key_sql
from warehouse.erasure.suppression import Erased
from warehouse.errors import BatchRefusedError, TruncationRefusedError
from warehouse.home import Home
from warehouse.protocols import BatchLike, StreamLike
from warehouse.retired import PLACE_BITS, file_sql, find_replaced, frame_ranges
from warehouse.sql import identifier
from warehouse.working import NO_EXTENSIONS

# a list of live ids that lost this many rows or fewer is never suspicious
SMALL_SHRINK = 20
REJECT_SCHEMA = {"position": pl.String, "reason": pl.String, "payload": pl.String}

REPEATS = """
with incoming as (select _at, _row_hash, key from incoming_rows),
newest as (
    select key, arg_max(_row_hash, place) as row_hash, arg_max(_op, place) as op,
        coalesce(max(place) filter (_op = 'delete'), -1) as gone_at
    from landed where _op <> 'reject' and key in (select key from incoming) group by key
),
last_incoming as (select key, arg_max(_row_hash, _at) as row_hash from incoming group by key),
unchanged as (
    select newest.key, gone_at from newest join last_incoming using (key)
    where op = 'upsert' and newest.row_hash = last_incoming.row_hash
)
select _at from incoming join unchanged using (key)
where exists (
    select 1 from landed
    where landed.key = incoming.key and landed._row_hash = incoming._row_hash and place > gone_at and not is_replaced
)
union all
select _at from incoming
where key is null and _row_hash in (select _row_hash from landed where key is null and _op = 'upsert' and not is_replaced)
"""


@dataclass(frozen=True)
class Incoming:
    """What of a batch is new. Frames hold vendor columns and `_row_hash`; rejects hold position, reason, payload."""

    upserts: pl.DataFrame
    deletes: pl.DataFrame
    rejects: pl.DataFrame
    n_erased: int = 0  # rows of erased records that came anew and are in none of the frames
    retired: tuple[Retired, ...] = ()  # rows that landed before and are replaced now

    @property
    def n_rows(self) -> int:
        """Rows of the landing file."""
        return self.upserts.height + self.deletes.height + self.rejects.height


def compare_with_landed(
    home: Home,
    source: str,
    stream: StreamLike,
    batch: BatchLike,
    landed: Sequence[BatchRow],
    max_shrink: float,
    erased: Erased | None = None,
    retired: Sequence[Retired] = (),
) -> tuple[Incoming, int]:
    """The new part of a batch, and how many of its rows only repeat what has landed.

    A row is a repeat when the newest landed row of its key is the batch's last one of that key: so a value that
    went back to an earlier one is news. Only batches that say `rereads` are searched for repeated rows; a delete
    of a record that is already gone is always one. `live_keys` turns held records into deletes, except those that
    the same batch brings. `erased`: what may not come back; it is held back before anything is compared. `retired`:
    what has landed and been replaced, so that nothing repeats it.
    """
    where = f"{source}/{stream.name}"
    rows = _check_rows(where, batch.rows)
    upserts = (
        rows.with_columns(_row_hash=_hash_rows(rows.columns)) if rows.columns else pl.DataFrame(schema={"_row_hash": pl.String})
    )
    rejects = _check_rejects(batch.rejects)
    n_erased = n_withheld = 0
    if erased:
        upserts, n_erased, n_withheld = erased.withhold_rows(stream, upserts, rereads=batch.rereads)
        rejects, n_repeated = erased.withhold_rejects(rejects)
        n_withheld += n_repeated
    deletes = pl.DataFrame(schema={"_row_hash": pl.String})
    tells_files = bool(batch.replaces) or batch.lists_refused
    # a retry may have brought what the next read of the file brings again
    rereads = batch.rereads or (bool(batch.replaces) and any(row.n_rejects for row in landed))
    if not (rereads or (tells_files and landed)) and batch.deleted is None and batch.live_keys is None:
        return Incoming(upserts, deletes, rejects, n_erased), n_withheld
    with _open_memory().cursor() as connection:
        _load_landed(connection, home, stream, landed, retired)
        _load_keys(connection, "incoming_rows", stream, upserts.with_row_index("_at"), "_at, _row_hash, ")
        n_repeats = n_withheld
        replaced: tuple[Retired, ...] = ()
        if tells_files:
            hashes = pl.concat([upserts["_row_hash"], rejects["_row_hash"]])
            replaced = find_replaced(connection, batch, hashes, {row.seq: row.batch_id for row in landed})
        if rereads:
            repeated = connection.sql(REPEATS).pl()["_at"]
            known = connection.sql("select _row_hash from landed where _op = 'reject' and not is_replaced").pl()["_row_hash"]
            keep_rows = ~pl.int_range(pl.len(), dtype=pl.UInt32).is_in(repeated.cast(pl.UInt32).implode())
            keep_rejects = ~pl.col("_row_hash").is_in(known.implode())
            n_repeats += upserts.height + rejects.height
            upserts, rejects = upserts.filter(keep_rows), rejects.filter(keep_rejects)
            n_repeats -= upserts.height + rejects.height
        gone, n_gone_before = _find_gone(connection, where, stream, batch, max_shrink)
        if gone.height:
            headers = _key_columns(where, stream, [*union_columns(landed), *rows.columns, *_columns(batch)])
            deletes = gone.rename({f"part_{n}": header for n, header in enumerate(headers)}).with_columns(_row_hash=pl.lit(""))
            if erased:
                deletes, n_repeated = erased.withhold_deletes(stream, deletes)
                n_repeats += n_repeated
        return Incoming(upserts, deletes, rejects, n_erased, replaced), n_repeats + n_gone_before


@cache
def _open_memory() -> duckdb.DuckDBPyConnection:
    """One for the process: DuckDB takes 40 ms to make one. Temp tables are a cursor's own and go with it."""
    return duckdb.connect(config=NO_EXTENSIONS)


def _check_rows(where: str, rows: pl.DataFrame) -> pl.DataFrame:
    reserved = [column for column in rows.columns if column.startswith("_")]
    if reserved:
        raise BatchRefusedError(f"{where}: columns {reserved} begin with '_', which is ours; rename them in the connector")
    typed = [f"{name} {dtype}" for name, dtype in rows.schema.items() if dtype not in (pl.String, pl.Null)]
    if typed:
        raise BatchRefusedError(f"{where}: every vendor column lands as text, but these are typed: {', '.join(typed)}")
    return rows.with_columns(pl.col(pl.Null).cast(pl.String)) if pl.Null in rows.dtypes else rows


def _check_rejects(rejects: pl.DataFrame | None) -> pl.DataFrame:
    frame = pl.DataFrame(schema=REJECT_SCHEMA) if rejects is None else rejects.select(pl.col(list(REJECT_SCHEMA)).cast(pl.String))
    return frame.with_columns(_row_hash=_hash_rows(["payload", "position"]))


def _hash_rows(columns: Sequence[str]) -> pl.Expr:
    """A row's fingerprint (64 bits; compared within one key only). 200k x 20: 0.11 s, an md5 of the texts: 0.45 s.

    It may change with the polars version: what is re-read just after an upgrade then lands once more, superseding itself.
    """
    return pl.struct(sorted(columns)).hash().cast(pl.String)


def _load_landed(
    connection: duckdb.DuckDBPyConnection, home: Home, stream: StreamLike, landed: Sequence[BatchRow], retired: Sequence[Retired]
) -> None:
    """Temp table `landed`: key, part_0.., _op, _row_hash, place (order of landing), file, is_whole_file, is_replaced."""
    columns = union_columns(landed)
    parts = "".join(f"{part}, " for part in _part_names(stream, columns))
    files = [str(home.landing / file) for file in list_files(landed)]
    if not files:
        select = f"""select null::VARCHAR as key, {parts} '' as _op, '' as _row_hash, 0 as place,
            '' as file, false as is_whole_file, false as is_replaced limit 0"""
        connection.execute(f"create temp table landed as {select}")
        return
    batch_seqs = pl.DataFrame({"_batch_id": [row.batch_id for row in landed], "seq": [row.seq for row in landed]})
    connection.register("batch_seqs", batch_seqs)
    ranges = frame_ranges([rows for rows in retired if rows.cause == "replaced"])
    connection.register("replaced", ranges)
    is_replaced = """exists (
            select 1 from replaced where replaced.batch_id = _batch_id and _row_no between first_row and last_row
        )"""
    connection.execute(
        f"""
        create temp table landed as
        select {key_sql(stream, columns)} as key, {parts} _op, _row_hash, (batch_seqs.seq << {PLACE_BITS}) + _row_no as place,
            {file_sql(columns)} as file, coalesce(_position = {file_sql(())}, false) as is_whole_file,
            {is_replaced if ranges.height else "false"} as is_replaced
        from read_parquet(?, union_by_name = true) join batch_seqs using (_batch_id)
        """,  # noqa: S608
        [files],
    )


def _load_keys(
    connection: duckdb.DuckDBPyConnection, table: str, stream: StreamLike, frame: pl.DataFrame, extra: str = ""
) -> None:
    """Temp table of a frame's keys: key, part_0.. and `extra` columns."""
    connection.register("frame_of_keys", frame)
    parts = ", ".join(_part_names(stream, frame.columns))
    keys = f"select {extra} {key_sql(stream, frame.columns)} as key, {parts} from frame_of_keys"  # noqa: S608
    connection.execute(f"create temp table {identifier(table)} as {keys}")
    connection.unregister("frame_of_keys")


def _find_gone(
    connection: duckdb.DuckDBPyConnection, where: str, stream: StreamLike, batch: BatchLike, max_shrink: float
) -> tuple[pl.DataFrame, int]:
    """Keys (part_0..) of records that are gone now, and how many of the reported ones were gone before."""
    parts = ", ".join(f"part_{n}" for n in range(len(stream.key)))
    connection.execute(
        f"""
        create temp table newest as
        select key, _op, {parts} from landed where _op <> 'reject' and key is not null
        qualify row_number() over (partition by key order by place desc) = 1
        """  # noqa: S608
    )
    gone = pl.DataFrame(schema={f"part_{n}": pl.String for n in range(len(stream.key))})
    n_gone_before = 0
    if batch.deleted is not None:
        _load_reported(connection, "reported", where, stream, batch.deleted)
        connection.execute(
            "delete from reported where key in (select key from newest where _op = 'delete')"
            " and key not in (select key from incoming_rows where key is not null)"
        )
        gone = connection.sql(f"select distinct {parts} from reported").pl()  # noqa: S608
        n_gone_before = batch.deleted.height - gone.height
    if batch.live_keys is not None:
        _load_reported(connection, "live", where, stream, batch.live_keys)
        connection.execute("insert into live select * exclude (_at, _row_hash) from incoming_rows where key is not null")
        is_live = "key in (select key from live) as is_live"
        held = connection.sql(f"select {parts}, {is_live} from newest where _op = 'upsert'").pl()  # noqa: S608
        unlisted = held.filter(~pl.col("is_live")).drop("is_live")
        _refuse_truncation(where, held.height, unlisted.height, batch.live_keys.height, max_shrink)
        gone = pl.concat([gone, unlisted]).unique(maintain_order=True)
    return gone, n_gone_before


def _load_reported(connection: duckdb.DuckDBPyConnection, table: str, where: str, stream: StreamLike, keys: pl.DataFrame) -> None:
    _key_columns(where, stream, keys.columns)
    _load_keys(connection, table, stream, _check_rows(where, keys))
    if connection.sql(f"select 1 from {identifier(table)} where key is null").pl().height:  # noqa: S608
        raise BatchRefusedError(f"{where}: a record is reported as gone or alive without its key {stream.key}")


def _refuse_truncation(where: str, n_held: int, n_gone: int, n_live: int, max_shrink: float) -> None:
    if n_gone > SMALL_SHRINK and n_gone > max_shrink * n_held:
        raise TruncationRefusedError(
            f"{where}: the source lists {n_live} live records, so {n_gone} of the {n_held} that we hold would be deleted, "
            f"more than {max_shrink:.0%}. Nothing of this batch was landed. Check the source's list and its permissions; "
            "if the records are really gone, sync this stream once with a higher max_shrink."
        )


def _part_names(stream: StreamLike, columns: Sequence[str]) -> list[str]:
    return [f"{coalesce_text(headers)} as part_{n}" for n, headers in enumerate(key_headers(stream, columns))]


def _key_columns(where: str, stream: StreamLike, columns: Sequence[str]) -> list[str]:
    """The vendor column of each part of the key."""
    parts = key_headers(stream, columns)
    missing = [name for name, headers in zip(stream.key, parts, strict=True) if not headers]
    if missing:
        raise BatchRefusedError(f"{where}: key columns {missing} are not among {list(columns)}")
    return [headers[0] for headers in parts]


def _columns(batch: BatchLike) -> list[str]:
    frames = (batch.deleted, batch.live_keys)
    return [column for frame in frames if frame is not None for column in frame.columns]
