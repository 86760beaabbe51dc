"""WeCom (企业微信): organisation, external contacts, check-ins, approvals, callbacks.

Endpoints    `department/list`, `user/list`, `externalcontact/{get_follow_user_list,batch/get_by_user,get_corp_tag_list}`,
             `checkin/getcheckindata`, `oa/{getapprovalinfo,getapprovaldetail}`; callbacks from a folder (wecom_events).
Paging       get_by_user: 100 members at a time, `next_cursor` until empty. Approvals: `new_next_cursor` until empty, then one
             detail call each. Check-ins: 100 members at a time, no pages. Windows of at most 30 days.
Cursor       departments, users, external_contacts, tags: walked whole, {"kind": "full", "read_at": epoch s}.
             checkins: {"kind": "window", "to": epoch s}. approvals: the same with "open": numbers still pending, which are read
             again however old they are, since a changed status does not move an approval in time. Both go back by an overlap.
             events: {"kind": "manifest", "last": file name, "digest": of all names up to it}.
Deletes      the four lists end with all live keys; an approval that WeCom calls gone is a delete; the others never delete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import polars as pl

from connectors.base import Batch, Cursor, Stream
from connectors.errors import BadRequest, ConfigurationError, Gone
from connectors.frames import expect_shape, json_types, to_frame
from connectors.http import Patience
from connectors.messaging.wecom_api import PAGE, Record, WeComApi
from connectors.messaging.wecom_crypto import decode_key
from connectors.messaging.wecom_events import STREAM as EVENTS
from connectors.messaging.wecom_events import CallbackKeys, parse_envelopes, read_envelopes
from connectors.messaging.wecom_streams import STREAMS
from connectors.settings import Settings, read_clock, read_number, require
from connectors.tokens import TokenCache

WINDOW = timedelta(days=30)  # check-ins allow 30 days, approvals 31
PENDING = 1


def connect(source: str, settings: Settings) -> WeCom:
    """A WeCom from settings `corp_id`, `secret`; optional `base_url`, `inbox`, `callback_token`, `callback_aes_key`,
    `history_days`, `calls_per_minute` (check-ins and approvals), `now`."""
    inbox = settings.get("inbox")
    return WeCom(
        source,
        settings.get("base_url") or "https://qyapi.weixin.qq.com",
        require(settings, "corp_id", source),
        require(settings, "secret", source),
        inbox=Path(inbox) if inbox else None,
        callback_token=settings.get("callback_token") or None,
        callback_aes_key=settings.get("callback_aes_key") or None,
        history=timedelta(days=read_number(settings, "history_days", 400, source)),
        field_calls_per_minute=int(read_number(settings, "calls_per_minute", 600, source)),
        now=read_clock(settings, source),
    )


class WeCom:
    """One corp, seen by one self-built app."""

    def __init__(
        self,
        source: str,
        base_url: str,
        corp_id: str,
        secret: str,
        *,
        inbox: Path | None = None,
        callback_token: str | None = None,
        callback_aes_key: str | None = None,
        history: timedelta = timedelta(days=400),
        checkin_overlap: timedelta = timedelta(days=3),
        approval_overlap: timedelta = timedelta(days=7),
        field_calls_per_minute: int = 600,
        batch_rows: int = 5000,
        tokens: TokenCache | None = None,
        patience: Patience | None = None,
        transport: httpx.BaseTransport | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.source = source
        self._corp_id = corp_id
        self._inbox = inbox
        self._callback_token = callback_token
        self._callback_aes_key = callback_aes_key
        self._history = history
        self._overlaps = {"checkins": checkin_overlap, "approvals": approval_overlap}
        self._batch_rows = batch_rows
        self._now = now
        self._streams = {stream.name: stream for stream in STREAMS}
        self._api = WeComApi(
            base_url,
            corp_id,
            secret,
            tokens=tokens or TokenCache(),
            field_calls_per_minute=field_calls_per_minute,
            patience=patience or Patience(),
            transport=transport,
        )

    def streams(self) -> tuple[Stream, ...]:
        """Every declared stream."""
        return STREAMS

    def read(self, stream: str, cursor: Cursor | None, *, full: bool = False) -> Iterator[Batch]:
        """Yield batches from `cursor` on; see connectors.base.Connector. Without an inbox, `events` yields nothing."""
        if stream not in self._streams:
            raise BadRequest(f"source {self.source!r} has no stream {stream!r}; it has {', '.join(self._streams)}")
        with expect_shape(f"WeCom {stream}"):
            yield from self._read(self._streams[stream], None if full else cursor)

    def retry(self, stream: str, rejects: pl.DataFrame) -> Batch | None:
        """Open rejected callbacks again with today's keys; its cursor is empty because it moves nothing."""
        if stream != EVENTS or self._inbox is None:
            return None
        envelopes = rejects.select("position", "payload").iter_rows()
        return parse_envelopes(envelopes, self._callback_keys(), {}, rereads=False)

    def close(self) -> None:
        """Release connections."""
        self._api.close()

    def _read(self, stream: Stream, since: Cursor | None) -> Iterator[Batch]:
        if stream.name == EVENTS:
            return read_envelopes(self._find_inbox(), since, self._callback_keys()) if self._inbox else iter(())
        if stream.name == "checkins":
            return self._read_checkins(since)
        if stream.name == "approvals":
            return self._read_approvals(since)
        return self._read_whole(stream)

    def _read_whole(self, stream: Stream) -> Iterator[Batch]:
        """Walk a list that has no modified-since filter; the last batch carries the complete list of keys."""
        cursor = {"kind": "full", "read_at": _to_epoch(self._now())}
        keys: dict[tuple[str, ...], None] = {}
        held: list[Record] = []
        for rows in self._walk(stream.name):
            if len(held) >= self._batch_rows:
                yield _make_batch(stream, held, cursor)
                held = []
            held.extend(rows)
            keys.update(dict.fromkeys(tuple(str(row[name]) for name in stream.key) for row in rows))
        live = pl.DataFrame(list(keys), schema=dict.fromkeys(stream.key, pl.String), orient="row")
        yield _make_batch(stream, held, cursor, live_keys=live)

    def _walk(self, stream: str) -> Iterator[list[Record]]:
        if stream == "departments":
            yield self._api.list_departments()
        elif stream == "users":
            yield self._api.list_users()
        elif stream == "tags":
            yield [_flatten_tag(group, tag) for group in self._api.list_tag_groups() for tag in group["tag"]]
        else:
            for members in _split(self._api.list_followers(), PAGE):
                for page in self._api.contact_pages(members):
                    yield [{**item["follow_info"], **item["external_contact"]} for item in page.items]

    def _read_checkins(self, cursor: Cursor | None) -> Iterator[Batch]:
        stream = self._streams["checkins"]
        members = [user["userid"] for user in self._api.list_users()]
        for start, end, is_last in self._windows(stream.name, cursor):
            rows = [row for some in _split(members, PAGE) for row in self._api.list_checkins(some, start, end)]
            if rows or is_last:
                yield _make_batch(stream, rows, {"kind": "window", "to": end})

    def _read_approvals(self, cursor: Cursor | None) -> Iterator[Batch]:
        stream = self._streams["approvals"]
        pending = dict.fromkeys(cursor["open"] if cursor else ())
        unread = dict(pending)
        for start, end, is_last in self._windows(stream.name, cursor):
            numbers = dict.fromkeys(self._api.list_approvals(start, end))
            for number in numbers:
                unread.pop(number, None)
            if is_last:
                numbers |= unread  # pending ones from before the overlap
            rows, gone = self._get_approvals(numbers)
            for number in numbers:
                pending.pop(number, None)
            pending |= dict.fromkeys(row["sp_no"] for row in rows if row["sp_status"] == PENDING)
            if rows or gone or is_last:
                yield _make_batch(stream, rows, {"kind": "window", "to": end, "open": list(pending)}, gone)

    def _get_approvals(self, numbers: Iterable[str]) -> tuple[list[Record], list[str]]:
        rows, gone = [], []
        for number in numbers:
            try:
                rows.append(_flatten_approval(self._api.get_approval(number)))
            except Gone:
                gone.append(number)
        return rows, gone

    def _windows(self, stream: str, cursor: Cursor | None) -> Iterator[tuple[int, int, bool]]:
        """(start, end, is last) in epoch seconds, from the cursor less the overlap up to now; neighbours share a second."""
        now = self._now()
        start = datetime.fromtimestamp(cursor["to"], UTC) - self._overlaps[stream] if cursor else now - self._history
        while start < now:
            end = min(start + WINDOW, now)
            yield _to_epoch(start), _to_epoch(end), end == now
            start = end

    def _find_inbox(self) -> Path:
        assert self._inbox is not None
        if not self._inbox.is_dir():
            raise ConfigurationError(f"source {self.source!r}: the setting 'inbox' names no folder: {self._inbox}")
        return self._inbox

    def _callback_keys(self) -> CallbackKeys:
        if not self._callback_token or not self._callback_aes_key:
            raise ConfigurationError(
                f"source {self.source!r}: with an 'inbox' the settings 'callback_token' and 'callback_aes_key' are needed"
            )
        try:
            return CallbackKeys(self._corp_id, self._callback_token, decode_key(self._callback_aes_key))
        except ValueError as exc:
            raise ConfigurationError(f"source {self.source!r}: setting 'callback_aes_key': {exc}") from None


def _make_batch(
    stream: Stream, rows: Sequence[Record], cursor: Cursor, gone: Sequence[str] = (), live_keys: pl.DataFrame | None = None
) -> Batch:
    """Every WeCom list is read again with an overlap or whole, so rows may always repeat.

    WeCom leaves empty fields out, so the declared columns are always there: else equal rows would not look equal.
    """
    return Batch(
        stream=stream.name,
        rows=to_frame(rows, [field.name for field in stream.fields]),
        cursor=cursor,
        deleted=pl.DataFrame({stream.key[0]: gone}, schema={stream.key[0]: pl.String}) if gone else None,
        live_keys=live_keys,
        vendor_types=json_types(rows),
        rereads=True,
    )


def _flatten_tag(group: Record, tag: Record) -> Record:
    return {**tag, "group_id": group["group_id"], "group_name": group["group_name"]}


def _flatten_approval(info: Record) -> Record:
    applyer = info["applyer"]
    row: dict[str, Any] = {name: value for name, value in info.items() if name != "applyer"}
    return row | {"applyer_userid": applyer.get("userid"), "applyer_partyid": applyer.get("partyid")}


def _split(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _to_epoch(moment: datetime) -> int:
    return int(moment.timestamp())
