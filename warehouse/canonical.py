"""Canonical views `files.<plural>`: what file contracts feed, one row per (source, entity key); and how many rows that leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from warehouse.contract import SQL_TYPES, find_field
from warehouse.errors import ContractError
from warehouse.protocols import FeedLike, StreamLike
from warehouse.sql import identifier, landing_table, literal

Columns = Mapping[str, str]
LANDING_COLUMNS = ("_key", "_batch_id", "_row_no", "_extracted_at")
TIMES = ("timestamp", "epoch_ms", "epoch_s")


@dataclass(frozen=True)
class FeedFates:
    """What became of a file stream's accepted rows as one entity that it feeds: each is one of the three."""

    source: str
    stream: str
    entity: str
    staged: int
    superseded: int  # a newer row of the source has the same entity key
    left_out: int  # the feed's `when` says that the row is no such entity


def create_canonical_views(
    connection: duckdb.DuckDBPyConnection,
    entities: Mapping[str, tuple[Columns, tuple[str, ...]]],
    table_name: Callable[[str], str],
    sources: Mapping[str, Sequence[StreamLike]],
) -> None:
    """Create `files.<plural>` for every entity (columns {name: kind}, key), over the feeds of `sources`' loaded streams.

    Columns: the entity's, `source`, `stream`, and the landing columns. Of several rows of one source and entity key the
    newest wins: by `updated_at` (else by the stream's version, where that is a time), then by batch. The others stay in
    `feeds.<plural>`, which holds every row that is fed, with `_is_newest`. Nothing feeds it: an empty, typed view.
    Raises ContractError for a feed that names an unknown column or field, or whose field cannot become the column.
    """
    connection.execute("create schema if not exists files; create schema if not exists feeds")
    for entity, (columns, key) in entities.items():
        selects = [
            _feed_select(source, stream, feed, columns)
            for source, streams in sources.items()
            for stream in streams
            for feed in stream.feeds
            if feed.entity == entity
        ]
        rows = " union all ".join(selects) or _empty_select(columns)
        partition = ", ".join(["source", *map(identifier, key)])
        name = identifier(table_name(entity))
        place = f"row_number() over (partition by {partition} order by _newness desc nulls last, _batch_id desc, _row_no desc)"
        connection.execute(
            f"create or replace view feeds.{name} as select * exclude (_newness), {place} = 1 as _is_newest from ({rows})"  # noqa: S608
        )
        connection.execute(
            f"create or replace view files.{name} as select * exclude (_is_newest) from feeds.{name} where _is_newest"  # noqa: S608
        )
    unknown = {feed.entity for streams in sources.values() for stream in streams for feed in stream.feeds} - set(entities)
    if unknown:
        raise ContractError(f"feeds name unknown entities {sorted(unknown)}; known are {', '.join(entities)}")


def count_feeds(
    connection: duckdb.DuckDBPyConnection,
    table_name: Callable[[str], str],
    sources: Mapping[str, Sequence[StreamLike]],
    staged: Mapping[tuple[str, str, str], int],
) -> list[FeedFates]:
    """What became of the rows of every feed of `sources`' streams; `staged`: rows by source, stream and entity."""
    feeds = [(source, stream, feed) for source, streams in sources.items() for stream in streams for feed in stream.feeds]
    superseded: dict[tuple[str, str, str], int] = {}
    for entity in dict.fromkeys(feed.entity for _, _, feed in feeds):
        view = f"feeds.{identifier(table_name(entity))}"
        query = f"select source, stream, count(*) from {view} where not _is_newest group by all"  # noqa: S608
        superseded |= {(source, stream, entity): count for source, stream, count in connection.execute(query).fetchall()}
    return [
        FeedFates(
            source,
            stream.name,
            feed.entity,
            staged.get((source, stream.name, feed.entity), 0),
            superseded.get((source, stream.name, feed.entity), 0),
            _count_left_out(connection, source, stream, feed),
        )
        for source, stream, feed in feeds
    ]


def _count_left_out(connection: duckdb.DuckDBPyConnection, source: str, stream: StreamLike, feed: FeedLike) -> int:
    if not feed.when:
        return 0
    lacks = " or ".join(f"{identifier(name)} is null" for name in feed.when)
    query = f"select count(*) from {landing_table(source, stream.name)} where {lacks}"  # noqa: S608
    return int(connection.execute(query).fetchall()[0][0])


def _feed_select(source: str, stream: StreamLike, feed: FeedLike, columns: Columns) -> str:
    where = f"{source}/{stream.name} -> {feed.entity}"
    given = dict(feed.columns)
    unknown = sorted(set(given) - set(columns))
    if unknown:
        raise ContractError(f"{where}: no such columns {unknown}; the entity has {', '.join(columns)}")
    values = {name: _column_value(where, stream, given.get(name), kind) for name, kind in columns.items()}
    selected = ", ".join(f"{value} as {identifier(name)}" for name, value in values.items())
    needed = "".join(f" and loaded.{identifier(name)} is not null" for name in feed.when)
    return (
        f"select {selected}, {literal(source)} as source, {literal(stream.name)} as stream, {', '.join(LANDING_COLUMNS)}, "  # noqa: S608
        f"{_newness(stream, values)} as _newness from {landing_table(source, stream.name)} as loaded where true{needed}"
    )


def _column_value(where: str, stream: StreamLike, origin: str | None, kind: str) -> str:
    """A canonical column out of a field's name, a "=constant", or nothing."""
    sql_type = SQL_TYPES[kind]
    if origin is None:
        return f"null::{sql_type}"
    if origin.startswith("="):
        return f"cast({literal(origin[1:])} as {sql_type})"
    field = find_field(stream, origin)
    if field is None:
        raise ContractError(f"{where}: no field {origin!r} in the stream")
    column, zone = f"loaded.{identifier(origin)}", literal(field.zone)
    if SQL_TYPES[field.kind] == sql_type or (field.kind, kind) == ("integer", "decimal"):
        return f"cast({column} as {sql_type})"
    if field.kind == "date" and kind in TIMES:
        return f"timezone({zone}, cast({column} as TIMESTAMP))"
    if field.kind in TIMES and kind == "date":
        return f"cast(timezone({zone}, {column}) as DATE)"
    if kind == "text":
        return f"cast({column} as VARCHAR)"
    raise ContractError(f"{where}: field {origin!r} is {field.kind}, the column is {kind}; declare the field as {kind}")


def _newness(stream: StreamLike, values: Mapping[str, str]) -> str:
    if "updated_at" in values and not values["updated_at"].startswith("null"):
        return values["updated_at"]
    version = find_field(stream, stream.version) if stream.version else None
    if version and version.kind in TIMES:
        return f"loaded.{identifier(version.name)}"
    return "null::TIMESTAMPTZ"


def _empty_select(columns: Columns) -> str:
    typed = ", ".join(f"null::{SQL_TYPES[kind]} as {identifier(name)}" for name, kind in columns.items())
    landing = "null::VARCHAR as _key, null::VARCHAR as _batch_id, null::BIGINT as _row_no, null::TIMESTAMPTZ as _extracted_at"
    return (
        f"select {typed}, null::VARCHAR as source, null::VARCHAR as stream, {landing}, null::TIMESTAMPTZ as _newness where false"
    )
