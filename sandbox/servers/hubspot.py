"""A strict HubSpot on loopback: bearer token, page caps, the 10,000-row search cap, rate limits, merges, faults."""

from __future__ import annotations

import itertools
import math
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.servers.hubspot_replies import (
    break_answer,
    build_complete,
    list_errors,
    read_body,
    read_inputs,
    read_limit,
    read_number,
    refuse,
    split_names,
)
from sandbox.servers.hubspot_search import BadRequestError, SearchIndex, read_window
from sandbox.servers.hubspot_store import ASSOCIATION_TYPE_ID, HubSpotStore, ObjectTable
from sandbox.servers.limits import Faults, RollingLimit

LIST_LIMIT = 100
HISTORY_LIMIT = 50
OWNER_LIMIT = 500
ASSOCIATION_LIMIT = 1_000
CALLS_PER_TEN_SECONDS = 190
SEARCHES_PER_SECOND = 5

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class HubSpotOptions:
    """`search_lag_s`: wall seconds after an advance in which search still answers from the old state."""

    token: str
    error_rate: float = 0.0
    rate_scale: float = 1.0
    search_lag_s: float = 0.0
    seed: int = 7


class HubSpotServer:
    """`app` is the ASGI application; `advance` moves what it holds to another time."""

    def __init__(
        self,
        tables: Mapping[str, pl.DataFrame],
        at: datetime,
        options: HubSpotOptions,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tables = tables
        self._options = options
        self._now = now
        self._all_calls = RollingLimit(CALLS_PER_TEN_SECONDS * options.rate_scale, 10, now=now)
        self._searches = RollingLimit(SEARCHES_PER_SECOND * options.rate_scale, 1, now=now)
        self._refusals = itertools.count()
        self._faults = Faults(options.error_rate, options.seed)
        self.counters: Counter[str] = Counter()
        self.store = HubSpotStore(tables, at)
        self._indexes = self._stale_indexes = self._build_indexes()
        self._index_fresh_at = now()
        self.app = Starlette(
            routes=[
                Route("/crm/v3/objects/{type}", self._guard(self._list), methods=["GET"]),
                Route("/crm/v3/objects/{type}/search", self._guard(self._search, is_search=True), methods=["POST"]),
                Route("/crm/v3/objects/{type}/batch/read", self._guard(self._batch_read), methods=["POST"]),
                Route("/crm/v3/objects/{type}/{id}", self._guard(self._get), methods=["GET"]),
                Route("/crm/v4/associations/{from}/{to}/batch/read", self._guard(self._associations), methods=["POST"]),
                Route("/crm/v3/owners/", self._guard(self._owners), methods=["GET"]),
                Route("/crm/v3/owners", self._guard(self._owners), methods=["GET"]),
            ]
        )

    def advance(self, at: datetime) -> None:
        """Hold the state of `at`; search follows after `search_lag_s`."""
        store = HubSpotStore(self._tables, at)
        self._stale_indexes, self._index_fresh_at = self._indexes, self._now() + self._options.search_lag_s
        self.store = store
        self._indexes = self._build_indexes()

    def _build_indexes(self) -> dict[str, tuple[ObjectTable, SearchIndex]]:
        return {name: (table, SearchIndex(table)) for name, table in self.store.objects.items()}

    def _guard(self, handler: Handler, *, is_search: bool = False) -> Handler:
        async def answer(request: Request) -> Response:
            self.counters["requests"] += 1
            if request.headers.get("authorization") != f"Bearer {self._options.token}":
                return refuse(401, "Authentication credentials not found or wrong.", category="INVALID_AUTHENTICATION")
            limited = self._check_limits(is_search)
            if limited is not None:
                return limited
            fault = self._faults.draw(("502", "500"))
            if fault is not None:
                self.counters["faults"] += 1
                return break_answer(fault)
            try:
                return await handler(request)
            except BadRequestError as error:
                self.counters["bad_requests"] += 1
                return refuse(400, str(error), category="VALIDATION_ERROR")

        return answer

    def _check_limits(self, is_search: bool) -> Response | None:
        wait, policy = self._all_calls.admit(), "TEN_SECONDLY_ROLLING"
        if not wait and is_search:
            wait, policy = self._searches.admit(), "SECONDLY"
        if not wait:
            return None
        self.counters["rate_limited"] += 1
        # HubSpot does not always say how long to wait
        headers = {"Retry-After": str(math.ceil(wait))} if next(self._refusals) % 2 == 0 else None
        message = f"You have reached your {policy.lower()} limit."
        return refuse(429, message, headers, errorType="RATE_LIMIT", policyName=policy, requestId=str(uuid.uuid4()))

    async def _list(self, request: Request) -> Response:
        table = self._find_table(request.path_params["type"])
        history = split_names(request.query_params.get("propertiesWithHistory"))
        cap = HISTORY_LIMIT if history else LIST_LIMIT
        limit = read_limit(request, 10, cap)
        archived = request.query_params.get("archived", "false") == "true"
        after = read_number(request.query_params.get("after", "0"), "after")
        rows = (
            table.typed.select(pl.arg_where((pl.col("archived") == archived) & (pl.col("hs_object_id") > after)))
            .to_series()
            .head(limit + 1)
            .to_list()
        )
        records = self._render(table, rows[:limit], split_names(request.query_params.get("properties")), history)
        answer: dict[str, Any] = {"results": records}
        if len(rows) > limit:
            answer["paging"] = {
                "next": {"after": records[-1]["id"], "link": str(request.url.include_query_params(after=records[-1]["id"]))}
            }
        return JSONResponse(answer)

    async def _get(self, request: Request) -> Response:
        table = self._find_table(request.path_params["type"])
        archived = request.query_params.get("archived", "false") == "true"
        rows = _find_rows(table, [request.path_params["id"]], archived)
        if not rows:
            return refuse(404, "resource not found", category="OBJECT_NOT_FOUND")
        history = split_names(request.query_params.get("propertiesWithHistory"))
        return JSONResponse(self._render(table, rows, split_names(request.query_params.get("properties")), history)[0])

    async def _search(self, request: Request) -> Response:
        body = await read_body(request)
        name = request.path_params["type"]
        self._find_table(name)
        table, index = (self._stale_indexes if self._now() < self._index_fresh_at else self._indexes)[name]
        offset, limit = read_window(body)
        rows = index.find_rows(body)
        page = rows[offset : offset + limit].tolist()
        answer: dict[str, Any] = {"total": len(rows), "results": self._render(table, page, body.get("properties") or [], [])}
        if offset + limit < len(rows):
            answer["paging"] = {"next": {"after": str(offset + limit)}}
        return JSONResponse(answer)

    async def _batch_read(self, request: Request) -> Response:
        table = self._find_table(request.path_params["type"])
        body = await read_body(request)
        history = body.get("propertiesWithHistory") or []
        ids = read_inputs(body, HISTORY_LIMIT if history else LIST_LIMIT)
        archived = request.query_params.get("archived", "false") == "true"
        rows = _find_rows(table, ids, archived)
        missing = [record_id for record_id in ids if not _find_rows(table, [record_id], archived)]
        answer = build_complete(self._render(table, rows, body.get("properties") or [], history))
        if missing:
            name = request.path_params["type"]
            message = f"Could not get some {name} objects, they may be deleted or not exist. Check that ids are valid."
            answer |= list_errors([(message, {"ids": missing})])
        return JSONResponse(answer, status_code=207 if missing else 200)

    async def _associations(self, request: Request) -> Response:
        source, target = request.path_params["from"], request.path_params["to"]
        self._find_table(source)
        self._find_table(target)
        ids = read_inputs(await read_body(request), ASSOCIATION_LIMIT)
        linked = self.store.associations(source, target)
        kinds = [{"category": "HUBSPOT_DEFINED", "typeId": ASSOCIATION_TYPE_ID, "label": None}]
        answer = build_complete(
            [
                {"from": {"id": record_id}, "to": [{"toObjectId": to, "associationTypes": kinds} for to in linked[record_id]]}
                for record_id in ids
                if record_id in linked
            ]
        )
        missing = [record_id for record_id in ids if record_id not in linked]
        if missing:
            answer |= list_errors(
                (f"No {target} is associated with {source} {record_id}.", {"fromObjectId": [record_id]}) for record_id in missing
            )
        return JSONResponse(answer, status_code=207 if missing else 200)

    async def _owners(self, request: Request) -> Response:
        limit = read_limit(request, 100, OWNER_LIMIT)
        archived = request.query_params.get("archived", "false") == "true"
        after = read_number(request.query_params.get("after", "0"), "after")
        owners = [owner for owner in self.store.owners if owner["archived"] == archived and int(owner["id"]) > after]
        answer: dict[str, Any] = {"results": owners[:limit]}
        if len(owners) > limit:
            answer["paging"] = {"next": {"after": owners[limit - 1]["id"]}}
        return JSONResponse(answer)

    def _find_table(self, name: str) -> ObjectTable:
        if name not in self.store.objects:
            raise BadRequestError(f"Unable to infer object type from: {name}")
        return self.store.objects[name]

    def _render(self, table: ObjectTable, rows: list[int], properties: list[str], history: list[str]) -> list[dict[str, Any]]:
        """Records as HubSpot sends them: asked-for properties that exist, plus the three it always adds."""
        wanted = [
            name
            for name in dict.fromkeys([*properties, table.created, table.modified, "hs_object_id"])
            if name in table.text.columns
        ]
        values = table.text[rows].select(wanted).to_dicts()
        records = table.envelope[rows].to_dicts()
        for record, value in zip(records, values, strict=True):
            record["properties"] = value
            if record["archivedAt"] is None:
                del record["archivedAt"]
        if history:
            self._add_history(records, table, rows, history)
        return records

    def _add_history(self, records: list[dict[str, Any]], table: ObjectTable, rows: list[int], history: list[str]) -> None:
        known = [name for name in history if name in table.text.columns]
        stages = self.store.stage_history([record["id"] for record in records]) if "dealstage" in known else {}
        values = table.text[rows].select(known).to_dicts()
        for record, value in zip(records, values, strict=True):
            record["propertiesWithHistory"] = {
                name: stages[record["id"]]
                if name == "dealstage"
                else [{"value": value[name], "timestamp": record["updatedAt"], "sourceType": "CRM_UI"}]
                for name in known
            }


def _find_rows(table: ObjectTable, ids: list[str], archived: bool) -> list[int]:
    """Row numbers in the order asked for; the id of a merged-away record leads to its survivor."""
    rows = (table.row_of.get(table.survivor_of.get(record_id, record_id)) for record_id in ids)
    flags = table.typed["archived"]
    return [row for row in dict.fromkeys(rows) if row is not None and flags[row] == archived]
