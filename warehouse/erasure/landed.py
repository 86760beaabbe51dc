"""Landing under an erasure: finding the rows that go and those that lose values, and writing the files without them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import duckdb
import polars as pl
import sqlalchemy as sa

from warehouse import tables
from warehouse.batches import list_batches, list_files, union_columns
from warehouse.contract import coalesce_text, find_field, find_headers, key_sql
from warehouse.durable import replace_durably
from warehouse.erasure.keys import Keyed
from warehouse.erasure.plan import Target
from warehouse.erasure.suppression import KEY, key_row_hash
from warehouse.erasure.traces import Scrubber
from warehouse.home import Home
from warehouse.ledger import Ledger
from warehouse.protocols import StreamLike
from warehouse.sql import identifier, literal, literal_list
from warehouse.working import NO_EXTENSIONS

Streams = Mapping[tuple[str, str], StreamLike]
# a row's own columns of ours that may quote the vendor
QUOTING = ("_payload", "_position", "_reason")


@dataclass(frozen=True)
class Rows:
    """Landed rows of a stream: every column, `__key` and `__<field>`."""

    source: str
    stream: str
    frame: pl.DataFrame

    @property
    def where(self) -> str:
        return f"{self.source}/{self.stream}"


def list_landed(ledger: Ledger) -> list[tuple[str, str]]:
    """Every (source, stream) that ever landed."""
    table = tables.batch
    rows = ledger.read(sa.select(table.c.source, table.c.stream).distinct().order_by(table.c.source, table.c.stream))
    return [(row["source"], row["stream"]) for row in rows]


def find_rows(
    home: Home, ledger: Ledger, source: str, stream: str, declared: StreamLike | None, condition: str, fields: Sequence[str] = ()
) -> Rows:
    """The rows of a stream for which an SQL condition over its columns, `__key` and `__<field>` holds."""
    files = list_files(list_batches(ledger, source, stream))
    if not files:
        return Rows(source, stream, pl.DataFrame(schema={"__key": pl.String, **{f"__{name}": pl.String for name in fields}}))
    with _open_memory().cursor() as connection:
        rows = name_rows(home, ledger, source, stream, declared, files, fields)
        frame: pl.DataFrame = connection.sql(f"select * from ({rows}) where {condition}").pl()  # noqa: S608 (quoted)
    return Rows(source, stream, frame)


@cache
def _open_memory() -> duckdb.DuckDBPyConnection:
    """One for the process: DuckDB takes 40 ms to make one, and a survey asks every stream twice."""
    return duckdb.connect(config=NO_EXTENSIONS)


def name_rows(
    home: Home,
    ledger: Ledger,
    source: str,
    stream: str,
    declared: StreamLike | None,
    files: Sequence[str],
    fields: Sequence[str] = (),
) -> str:
    """SQL of landed rows with `__key` and `__<field>`. A stream that the project no longer declares has no keys."""
    columns = union_columns(list_batches(ledger, source, stream))
    named = [f"{key_sql(declared, columns) if declared else 'null::VARCHAR'} as __key"]
    for name in sorted(set(fields)):
        field = find_field(declared, name) if declared else None
        named.append(f"{coalesce_text(find_headers(field, columns) if field else [])} as {identifier('__' + name)}")
    # a file need not have every column of its stream
    absent = ", ".join(f"null::VARCHAR as {identifier(column)}" for column in columns)
    listed = literal_list(str(home.landing / file) for file in files)
    whole = f"select * from read_parquet({listed}, union_by_name = true)"  # noqa: S608 (quoted)
    if absent:
        whole += f" union all by name select {absent} where false"
    return f"select *, {', '.join(named)} from ({whole})"  # noqa: S608 (quoted)


def match_targets(targets: Sequence[Target]) -> str:
    """SQL condition of the rows that go."""
    parts = [
        f"{identifier('__key' if target.field == KEY else '__' + target.field)} in ({', '.join(map(literal, target.texts))})"
        for target in targets
        if target.texts
    ]
    return " or ".join(parts) or "false"


def match_traces(scrubber: Scrubber, columns: Sequence[str]) -> str:
    """SQL condition of the rows in which something may have to go."""
    texts = ", ".join(identifier(name) for name in columns)
    whole = f"concat_ws(chr(31), {texts})"
    matches = [f"regexp_matches({whole}, {literal(pattern)})" for pattern in scrubber.patterns if columns]
    return f"({' or '.join(matches)})" if matches else "false"


def clean_landed(
    row: Mapping[str, Any], scrubber: Scrubber, keyed: Keyed, key_columns: Sequence[str] = ()
) -> Mapping[str, Any] | None:
    """A row that stays, without traces; None where it has none. A key is never emptied, so the record stays one."""
    content = {name: value for name, value in row.items() if not name.startswith("_") or name in QUOTING}
    cleaned = scrubber.clean_row(content)
    if cleaned is content:
        return None
    kept = {name: row[name] for name in key_columns if cleaned.get(name) is None}
    return {**row, **cleaned, **kept, "_row_hash": key_row_hash(keyed, row["_row_hash"] or "")}


def rewrite_stream(
    home: Home,
    ledger: Ledger,
    source: str,
    stream: str,
    declared: StreamLike | None,
    targets: Sequence[Target],
    scrubber: Scrubber,
    keyed: Keyed,
) -> tuple[int, int]:
    """Write every file of a stream that has such rows anew, without them; returns rows taken out and rows cleaned.

    The file and what the ledger counts of it change in one transaction, after which the old file is removed: killed anywhere,
    it can be done again.
    """
    batches = list_batches(ledger, source, stream)
    key_columns = _list_key_columns(declared, union_columns(batches))
    n_out = n_cleaned = 0
    for file in list_files(batches):
        path = home.landing / file
        texts = [name for name in pl.read_parquet_schema(path) if not name.startswith("_") or name in QUOTING]
        condition = f"({match_targets(targets)}) or {match_traces(scrubber, texts)}"
        with _open_memory().cursor() as connection:
            rows = name_rows(home, ledger, source, stream, declared, [file], [target.field for target in targets])
            query = f"select *, ({match_targets(targets)}) as __goes from ({rows}) where {condition}"  # noqa: S608 (quoted)
            found: pl.DataFrame = connection.sql(query).pl()
        out, changed = _judge(found, scrubber, keyed, key_columns)
        if not out and not changed:
            continue
        whole = pl.read_parquet(path)
        numbered = whole.with_row_index("__at")
        named = ["_batch_id", "_row_no"]
        gone = pl.DataFrame(out, schema={"_batch_id": pl.String, "_row_no": pl.Int64}, orient="row")
        fresh = pl.DataFrame([{name: row[name] for name in whole.columns} for row in changed], schema=whole.schema)
        fresh = fresh.join(numbered.select("__at", *named), on=named)
        rest = numbered.join(pl.concat([gone, fresh.select(named)]), on=named, how="anti")
        written = pl.concat([rest, fresh.select(rest.columns)]).sort("__at").drop("__at")
        _replace_file(home, ledger, file, written, dict(gone.group_by("_batch_id").len().iter_rows()))
        n_out, n_cleaned = n_out + len(out), n_cleaned + len(changed)
    return n_out, n_cleaned


def _judge(
    found: pl.DataFrame, scrubber: Scrubber, keyed: Keyed, key_columns: Sequence[str]
) -> tuple[list[tuple[str, int]], list[Mapping[str, Any]]]:
    """Batch and number of the rows that go, and the rows that stay as they are to be."""
    out: list[tuple[str, int]] = []
    changed: list[Mapping[str, Any]] = []
    for row in found.iter_rows(named=True):
        cleaned = None if row["__goes"] else clean_landed(row, scrubber, keyed, key_columns)
        if row["__goes"] or (cleaned is not None and is_unusable(row)):
            out.append((row["_batch_id"], row["_row_no"]))
        elif cleaned is not None:
            changed.append(cleaned)
    return out, changed


def is_unusable(row: Mapping[str, Any]) -> bool:
    """Whether a row is no record: what a connector could not read, or what lacks its key. Such a one goes whole."""
    return row["_op"] == "reject" or row["__key"] is None


def _replace_file(home: Home, ledger: Ledger, file: str, frame: pl.DataFrame, n_erased: Mapping[str, int]) -> None:
    old = home.landing / file
    name = f"{old.parent.relative_to(home.landing)}/rewritten-{uuid.uuid4().hex[:12]}.parquet"
    temporary = home.landing / f"{name}.tmp"
    frame.write_parquet(temporary, compression="zstd")
    replace_durably(temporary, home.landing / name)
    table = tables.batch
    with ledger.write() as connection:
        n_bytes = (home.landing / name).stat().st_size
        connection.execute(table.update().where(table.c.file == file).values(file=name, n_bytes=n_bytes))
        for batch_id, count in n_erased.items():
            more = table.c.n_erased + count
            connection.execute(table.update().where(table.c.batch_id == batch_id).values(n_erased=more))
    old.unlink()


def list_text_columns(ledger: Ledger, source: str, stream: str) -> list[str]:
    """The columns of a stream in which values can be."""
    return [*union_columns(list_batches(ledger, source, stream)), *QUOTING]


def _list_key_columns(declared: StreamLike | None, columns: Sequence[str]) -> list[str]:
    fields = [find_field(declared, name) for name in declared.key] if declared else []
    return [header for field in fields if field for header in find_headers(field, columns)]


def iterate(rows: Rows) -> Iterator[dict[str, Any]]:
    """The rows as dicts."""
    return rows.frame.iter_rows(named=True)
