"""HubSpot CRM: objects, owners, and every stage that a deal ever had.

Endpoints    `GET /crm/v3/objects/{type}` (first and full reads), `POST .../search` (changes), `POST .../batch/read`
             with propertiesWithHistory (deal_stage_history), `POST /crm/v4/associations/{type}/{to}/batch/read`
             (company_ids, contact_ids, deal_ids of deals, engagements and tickets), `GET /crm/v3/owners`.
Paging       lists by `paging.next.after`; searches by restarting at the last modification time (hs_object_id inside one
             millisecond), because search answers no more than 10,000 results and offsets shift while records change.
Cursor       {"kind": "watermark", "modified_at": ISO, "archived_at": ISO or null}; while a first walk is under way also
             {"after": page token}. Reads go back by `overlap` (the search index lags) and the watermark never passes
             HubSpot's clock minus `commit_lag`. Owners are walked whole: {"kind": "full", "read_at": ISO}.
Deletes      archived records with archivedAt since the watermark, and the ids in hs_merged_object_ids of survivors; a full
             read also ends with the complete list of ids. A changed association alone does not move a record's
             modification time (a parent company that was merged or archived: hs_parent_company_id): the next full read
             brings it. Stages of a deal that is archived are not read any more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import polars as pl

from connectors.base import Batch, Cursor, Stream
from connectors.crm.hubspot_api import LIST_PAGE, SEARCH_PAGE, HubSpotApi, Record, parse_time
from connectors.crm.hubspot_streams import STREAMS
from connectors.errors import BadRequest
from connectors.frames import expect_shape, json_types, to_frame
from connectors.http import Patience
from connectors.settings import Settings, read_number, require

LINKS = {"company_ids": "companies", "contact_ids": "contacts", "deal_ids": "deals"}
ENVELOPE = ("createdAt", "updatedAt", "archived")
HISTORY = "deal_stage_history"
HISTORY_CHUNK = 1000  # deals per batch: 20 calls
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def connect(source: str, settings: Settings) -> HubSpot:
    """A HubSpot from the setting `token`; optional `base_url`, `api_version`, `calls_per_10s`, `searches_per_second`."""
    return HubSpot(
        source,
        settings.get("base_url") or "https://api.hubapi.com",
        require(settings, "token", source),
        api_version=settings.get("api_version") or "v3",
        calls_per_10s=int(read_number(settings, "calls_per_10s", 100, source)),
        searches_per_second=int(read_number(settings, "searches_per_second", 4, source)),
    )


class HubSpot:
    """One HubSpot portal, read with a private-app token."""

    def __init__(
        self,
        source: str,
        base_url: str,
        token: str,
        *,
        api_version: str = "v3",
        page_size: int = LIST_PAGE,
        search_page_size: int = SEARCH_PAGE,
        batch_rows: int = 5000,
        overlap: timedelta = timedelta(minutes=10),
        commit_lag: timedelta = timedelta(seconds=30),
        calls_per_10s: int = 100,
        searches_per_second: int = 4,
        patience: Patience | None = None,
        transport: httpx.BaseTransport | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.source = source
        self._batch_rows = batch_rows
        self._overlap = overlap
        self._commit_lag = commit_lag
        self._streams = {stream.name: stream for stream in STREAMS}
        self._api = HubSpotApi(
            base_url,
            token,
            api_version=api_version,
            list_page=page_size,
            search_page=search_page_size,
            calls_per_10s=calls_per_10s,
            searches_per_second=searches_per_second,
            patience=patience or Patience(),
            transport=transport,
            now=now,
        )

    def streams(self) -> tuple[Stream, ...]:
        """Every declared stream."""
        return STREAMS

    def read(self, stream: str, cursor: Cursor | None, *, full: bool = False) -> Iterator[Batch]:
        """Yield batches from `cursor` on; see connectors.base.Connector."""
        if stream not in self._streams:
            raise BadRequest(f"source {self.source!r} has no stream {stream!r}; it has {', '.join(self._streams)}")
        with expect_shape(f"HubSpot {stream}"):
            yield from self._read(self._streams[stream], cursor, full)

    def retry(self, stream: str, rejects: pl.DataFrame) -> Batch | None:
        """None: HubSpot's rows are never rejected before they are loaded."""
        return None

    def close(self) -> None:
        """Release connections."""
        self._api.close()

    def _read(self, stream: Stream, cursor: Cursor | None, full: bool) -> Iterator[Batch]:
        if stream.cursor == "full":
            return self._read_owners(stream)
        if full or cursor is None:
            return self._read_all(stream, rereads=full)
        if "after" in cursor:
            return self._read_all(stream, rereads=True, resume=cursor)
        return self._read_changes(stream, cursor)

    def _read_owners(self, stream: Stream) -> Iterator[Batch]:
        read_at = _to_iso(self._api.server_now())
        owners = [
            owner for archived in (False, True) for page in self._api.owner_pages(archived=archived) for owner in page.items
        ]
        columns = [field.name for field in stream.fields]
        rows = [{name: owner[name] for name in columns if name in owner} for owner in owners]
        yield Batch(
            stream=stream.name,
            rows=to_frame(rows, columns),
            cursor={"kind": "full", "read_at": read_at},
            live_keys=_to_keys(row["id"] for row in rows),
            vendor_types=json_types(rows),
            rereads=True,
        )

    def _read_all(self, stream: Stream, *, rereads: bool, resume: Cursor | None = None) -> Iterator[Batch]:
        """Walk the whole list; the watermark is the newest change that existed before the walk began."""
        kind, modified = _find_kind(stream), _find_modified(stream)
        if resume is None:
            newest = self._api.newest_change(kind, modified)
            mark = _to_iso(min(newest, self._ceiling()) if newest else BEGINNING)
        else:
            mark = resume["modified_at"]
        base = {"kind": "watermark", "modified_at": mark, "archived_at": None}
        start = resume["after"] if resume else None
        ids: list[str] = []
        held: list[Record] = []
        limit = self._chunk_rows(stream)
        for page in self._api.list_pages(kind, _find_properties(stream), start=start):
            held.extend(page.items)
            ids.extend(record["id"] for record in page.items)
            if len(held) >= limit and page.next_token:
                yield self._make_batch(stream, held, {**base, "after": page.next_token}, rereads)
                held = []
        if stream.deletes == "none":
            yield self._make_batch(stream, held, base, rereads)
            return
        archived, archived_at = self._find_archived(kind, modified, BEGINNING)
        live = None if resume else ids
        yield self._make_batch(stream, held, {**base, "archived_at": archived_at}, rereads, archived, live)

    def _read_changes(self, stream: Stream, cursor: Cursor) -> Iterator[Batch]:
        kind, modified = _find_kind(stream), _find_modified(stream)
        last = reached = parse_time(cursor["modified_at"])
        archived_at: str | None = cursor.get("archived_at")
        held: list[Record] = []
        for page in self._api.changed_pages(kind, _find_properties(stream), modified, _go_back(last, self._overlap)):
            held.extend(page)
            if page:
                newest = parse_time(page[-1]["properties"][modified])
                reached = max(last, min(newest, self._ceiling()))
            if len(held) >= self._chunk_rows(stream):
                yield self._make_batch(stream, held, _watermark(reached, archived_at), rereads=True)
                held = []
        archived: list[str] = []
        if stream.deletes != "none":
            since = _go_back(parse_time(archived_at), self._overlap) if archived_at else BEGINNING
            archived, newest_archived = self._find_archived(kind, modified, since)
            archived_at = newest_archived or archived_at
        if held or archived:
            yield self._make_batch(stream, held, _watermark(reached, archived_at), rereads=True, archived=archived)

    def _find_archived(self, kind: str, modified: str, since: datetime) -> tuple[list[str], str | None]:
        """Ids of records archived at or after `since`, and the latest archivedAt among them."""
        found = [
            (record["archivedAt"], record["id"])
            for page in self._api.list_pages(kind, [modified], archived=True)
            for record in page.items
            if parse_time(record["archivedAt"]) >= since
        ]
        latest = max((parse_time(archived_at) for archived_at, _ in found), default=None)
        return [record_id for _, record_id in found], _to_iso(latest) if latest else None

    def _make_batch(
        self,
        stream: Stream,
        records: Sequence[Record],
        cursor: Cursor,
        rereads: bool,
        archived: Iterable[str] = (),
        live: Sequence[str] | None = None,
    ) -> Batch:
        """Flatten the records; merged-away and archived ids leave the rows and become deletes."""
        if stream.name == HISTORY:
            rows = self._read_history(records)
            types = json_types(rows)
            return Batch(
                stream.name, to_frame(rows, [f.name for f in stream.fields]), cursor, vendor_types=types, rereads=rereads
            )
        merged = [old for record in records for old in _list_merged(record)]
        gone = dict.fromkeys([*merged, *archived])
        rows = self._flatten(stream, [record for record in records if record["id"] not in gone])
        columns = [field.name for field in stream.fields if rows and field.name in rows[0]] or [f.name for f in stream.fields]
        return Batch(
            stream=stream.name,
            rows=to_frame(rows, columns),
            cursor=cursor,
            deleted=_to_keys(gone) if gone else None,
            live_keys=_to_keys(key for key in live if key not in gone) if live is not None else None,
            vendor_types=json_types(rows),
            rereads=rereads,
        )

    def _flatten(self, stream: Stream, records: Sequence[Record]) -> list[Record]:
        asked = _find_properties(stream)
        rows = []
        for record in records:
            properties = record["properties"]
            # HubSpot adds hs_object_id and its dates unasked; only what we asked for is the stream's
            row = {"id": record["id"]} | {name: properties[name] for name in asked if name in properties}
            rows.append(row | {name: record.get(name) for name in ENVELOPE})
        ids = [record["id"] for record in records]
        kind = _find_kind(stream)
        for column in _find_links(stream):
            links = self._api.read_associations(kind, LINKS[column], ids) if ids else {}
            for row in rows:
                row[column] = json.dumps(links.get(row["id"], []))
        return rows

    def _read_history(self, deals: Sequence[Record]) -> list[Record]:
        return [
            {
                "deal_id": deal["id"],
                "stage": entry.get("value"),
                "entered_at": entry.get("timestamp"),
                "source_type": entry.get("sourceType"),
                "updated_by_user_id": entry.get("updatedByUserId"),
            }
            for deal in self._api.read_stage_history([deal["id"] for deal in deals])
            for entry in deal["propertiesWithHistory"]["dealstage"]
        ]

    def _chunk_rows(self, stream: Stream) -> int:
        return min(HISTORY_CHUNK, self._batch_rows) if stream.name == HISTORY else self._batch_rows

    def _ceiling(self) -> datetime:
        return self._api.server_now() - self._commit_lag


def _find_kind(stream: Stream) -> str:
    return "deals" if stream.name == HISTORY else stream.name


def _find_modified(stream: Stream) -> str:
    return stream.version or "hs_lastmodifieddate"


def _find_links(stream: Stream) -> list[str]:
    return [field.name for field in stream.fields if field.name in LINKS]


def _find_properties(stream: Stream) -> list[str]:
    """The properties to ask for: the declared fields that are neither envelope nor association."""
    if stream.name == HISTORY:
        return [_find_modified(stream)]
    return [field.name for field in stream.fields if field.name not in ("id", *ENVELOPE, *LINKS)]


def _list_merged(record: Record) -> list[str]:
    text = record["properties"].get("hs_merged_object_ids") or ""
    return [old for old in text.split(";") if old and old != record["id"]]


def _to_keys(ids: Iterable[str]) -> pl.DataFrame:
    return pl.DataFrame({"id": list(ids)}, schema={"id": pl.String})


def _watermark(modified_at: datetime, archived_at: str | None) -> dict[str, Any]:
    return {"kind": "watermark", "modified_at": _to_iso(modified_at), "archived_at": archived_at}


def _go_back(moment: datetime, overlap: timedelta) -> datetime:
    return max(BEGINNING, moment - overlap)


def _to_iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
