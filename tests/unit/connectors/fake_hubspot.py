"""A small HubSpot in memory."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from operator import ge, gt, lt
from typing import Any

import httpx

from connectors.base import Batch
from connectors.crm.hubspot import HubSpot
from connectors.http import Patience

NOW = datetime(2026, 6, 30, 10, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)
OPERATORS = {"GTE": ge, "GT": gt, "LT": lt}


def iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@cache
def to_milliseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


class FakeHubSpot:
    """Companies and deals by id; search filters and sorts, and refuses to page past 10,000."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[int, dict[str, Any]]] = {"companies": {}, "deals": {}}
        self.links: dict[tuple[str, str], dict[str, list[int]]] = {}
        self.history: dict[str, list[dict[str, Any]]] = {}
        self.archived: dict[str, dict[int, datetime]] = {"companies": {}, "deals": {}}
        self.calls: list[tuple[str, Any]] = []
        self.broken: dict[str, Any] = {}
        self.before_call: Any = None

    def put(self, record_id: int, modified: datetime, kind: str = "companies", **properties: Any) -> None:
        self.objects[kind][record_id] = {"hs_lastmodifieddate": modified, **properties}

    def hubspot(self, **arguments: Any) -> HubSpot:
        arguments.setdefault("patience", Patience(attempts=1, sleep=lambda seconds: None))
        arguments.setdefault("now", lambda: NOW)
        return HubSpot("crm", "https://hub.test", "pat-secret", transport=httpx.MockTransport(self), **arguments)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer pat-secret"
        body = json.loads(request.content) if request.content else {}
        self.calls.append((request.url.path, body or dict(request.url.params)))
        if self.before_call:
            self.before_call(request.url.path, len(self.calls))
        parts = request.url.path.strip("/").split("/")
        if self.broken:
            answer = self.broken
        elif parts[-1] == "search":
            answer = self.search(parts[3], body)
        elif "associations" in parts:
            answer = self.associate(parts[3], parts[4], body)
        elif parts[-1] == "read":
            answer = self.read_history(body)
        else:
            answer = self.list(parts[-1], request.url.params)
        return httpx.Response(200, json=answer, headers={"Date": format_datetime(NOW, usegmt=True)})

    def render(self, kind: str, record_id: int) -> dict[str, Any]:
        properties = self.objects[kind][record_id]
        modified = iso(properties["hs_lastmodifieddate"])
        archived_at = self.archived[kind].get(record_id)
        return {
            "id": str(record_id),
            "properties": {
                "name": f"n{record_id}",
                **properties,
                "hs_lastmodifieddate": modified,
                "hs_object_id": str(record_id),
            },
            "createdAt": iso(START),
            "updatedAt": modified,
            "archived": archived_at is not None,
        } | ({"archivedAt": iso(archived_at)} if archived_at else {})

    def list(self, kind: str, params: httpx.QueryParams) -> dict[str, Any]:
        archived, limit = params["archived"] == "true", int(params["limit"])
        ids = sorted(i for i in self.objects.get(kind, {}) if (i in self.archived[kind]) == archived)
        ids = [i for i in ids if i > int(params.get("after", 0))]
        answer: dict[str, Any] = {"results": [self.render(kind, i) for i in ids[:limit]]}
        if len(ids) > limit:
            answer["paging"] = {"next": {"after": str(ids[limit - 1])}}
        return answer

    def search(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        offset, limit = int(body["after"]), body["limit"]
        assert limit <= 200
        assert offset + limit <= 10_000, "HubSpot refuses to page past 10,000 results"
        found = [i for i in self.objects[kind] if i not in self.archived[kind]]
        for group in body["filterGroups"]:
            for one in group["filters"]:
                name, holds, right = one["propertyName"], OPERATORS[one["operator"]], int(one["value"])
                found = [i for i in found if holds(self.value(kind, i, name), right)]
        (sort,) = body["sorts"]
        found.sort(key=lambda i: (self.value(kind, i, sort["propertyName"]), -i), reverse=sort["direction"] == "DESCENDING")
        return {"total": len(found), "results": [self.render(kind, i) for i in found[offset : offset + limit]]}

    def value(self, kind: str, record_id: int, name: str) -> int:
        if name == "hs_object_id":
            return record_id
        return to_milliseconds(self.objects[kind][record_id][name])

    def associate(self, kind: str, target: str, body: dict[str, Any]) -> dict[str, Any]:
        assert len(body["inputs"]) <= 1000
        links, results = self.links.get((kind, target), {}), []
        for item in body["inputs"]:
            targets = links.get(item["id"], [])[int(item.get("after", 0)) :]
            if targets:
                one: dict[str, Any] = {"from": {"id": item["id"]}, "to": [{"toObjectId": to} for to in targets[:2]]}
                if len(targets) > 2:
                    one["paging"] = {"next": {"after": str(int(item.get("after", 0)) + 2)}}
                results.append(one)
        return {"status": "COMPLETE", "results": results, "errors": []}

    def read_history(self, body: dict[str, Any]) -> dict[str, Any]:
        assert len(body["inputs"]) <= 50
        ids = [item["id"] for item in body["inputs"]]
        return {"results": [{"id": i, "propertiesWithHistory": {"dealstage": self.history.get(i, [])}} for i in ids]}


def ids_of(batches: Iterable[Batch]) -> list[str]:
    return [record_id for batch in batches for record_id in batch.rows["id"]]


def fill(fake: FakeHubSpot, count: int, kind: str = "companies") -> None:
    for n in range(1, count + 1):
        fake.put(n, START + timedelta(minutes=n), kind)


def cursor_at(moment: datetime, archived_at: str | None = None) -> dict[str, Any]:
    return {"kind": "watermark", "modified_at": iso(moment), "archived_at": archived_at}
