"""HubSpot's REST calls: paths, page sizes, limits, and what its errors mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from connectors.errors import (
    AuthExpired,
    BadRequest,
    ConnectorError,
    ContractBroken,
    Gone,
    PermissionDenied,
    RateLimited,
    Transient,
)
from connectors.http import HttpApi, Patience, Reply
from connectors.paging import MAX_PAGES, Page, take_list, walk_pages
from connectors.rates import Budget

Record = dict[str, Any]
LIST_PAGE = 100
SEARCH_PAGE = 200
HISTORY_READ = 50
ASSOCIATION_READ = 1000
OWNER_PAGE = 100
A_DAY = 86_400.0


class PrivateAppToken:
    """HubSpot's static bearer token: there is nothing to refresh."""

    def __init__(self, value: str) -> None:
        self._value = value

    def token(self, refused: str | None = None) -> str:
        """The token; raises AuthExpired when the vendor has refused it."""
        if refused is not None:
            raise AuthExpired("HubSpot refuses the private-app token: make a new one and put it into the setting 'token'")
        return self._value

    def place(self, token: str) -> tuple[dict[str, str], dict[str, str]]:
        """As an Authorization header."""
        return {"Authorization": f"Bearer {token}"}, {}


def judge_hubspot(reply: Reply) -> ConnectorError | None:
    """None for a good answer. A refusal says `status: error` in its body; partial answers (207) are good."""
    body = reply.body if isinstance(reply.body, dict) else {}
    if body.get("status") != "error" and reply.status < httpx.codes.BAD_REQUEST:
        return None
    category = str(body.get("category") or body.get("errorType") or "")
    text = f"HubSpot {reply.where}: HTTP {reply.status} {category}: {body.get('message', 'no message')}"
    if reply.status == httpx.codes.TOO_MANY_REQUESTS or category.startswith("RATE_LIMIT"):
        policy = str(body.get("policyName", ""))
        wait = reply.wait_seconds(datetime.now(UTC))
        return RateLimited(f"{text} ({policy})", A_DAY if wait is None and policy == "DAILY" else wait)
    if reply.status == httpx.codes.UNAUTHORIZED or category in ("INVALID_AUTHENTICATION", "EXPIRED_AUTHENTICATION"):
        return AuthExpired(text)
    if reply.status == httpx.codes.FORBIDDEN or category == "MISSING_SCOPES":
        return PermissionDenied(f"{text}; give the private app the scopes {_list_scopes(body)}")
    if reply.status == httpx.codes.NOT_FOUND:
        return Gone(text) if category == "OBJECT_NOT_FOUND" else BadRequest(text)
    if reply.status >= httpx.codes.INTERNAL_SERVER_ERROR or reply.status == httpx.codes.LOCKED:
        return Transient(text)
    return BadRequest(text)


def _list_scopes(body: Record) -> str:
    contexts = [error.get("context", {}) for error in body.get("errors", []) if isinstance(error, dict)]
    scopes = {scope for context in contexts for scope in context.get("requiredGranularScopes", [])}
    return ", ".join(sorted(scopes)) or "of this object type"


def parse_time(text: str) -> datetime:
    """HubSpot's ISO time (milliseconds, Z)."""
    return datetime.fromisoformat(text).astimezone(UTC)


def to_ms(moment: datetime) -> int:
    """Epoch milliseconds, rounded down, as search filters want them."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


class HubSpotApi:
    """The calls that syncing needs."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        api_version: str,
        list_page: int,
        search_page: int,
        calls_per_10s: int,
        searches_per_second: int,
        patience: Patience,
        transport: httpx.BaseTransport | None,
        now: Callable[[], datetime],
    ) -> None:
        self._objects = "/crm/v3/objects" if api_version == "v3" else f"/crm/objects/{api_version}"
        self._list_page = list_page
        self._search_page = search_page
        self._calls = Budget(calls_per_10s, 10.0, sleep=patience.sleep)
        budgets = {"calls": self._calls, "search": Budget(searches_per_second, 1.05, sleep=patience.sleep)}
        self._http = HttpApi(
            base_url,
            judge_hubspot,
            PrivateAppToken(token),
            budgets=budgets,
            patience=patience,
            secrets=(token,),
            transport=transport,
            now=now,
        )

    def server_now(self) -> datetime:
        """HubSpot's clock."""
        return self._http.server_now()

    def close(self) -> None:
        """Release connections."""
        self._http.close()

    def list_pages(
        self, kind: str, properties: Sequence[str], *, archived: bool = False, start: str | None = None
    ) -> Iterator[Page]:
        """Every record of an object type in id order, `list_page` at a time, from page token `start`."""
        path = f"{self._objects}/{kind}"
        fixed = {"limit": self._list_page, "properties": ",".join(properties), "archived": str(archived).lower()}

        def fetch(after: str | None) -> Page:
            return _read_page(self._http.get(path, {**fixed, "after": after}, budget="calls"), path)

        return walk_pages(fetch, f"HubSpot {path} archived={archived}", start=start)

    def owner_pages(self, *, archived: bool) -> Iterator[Page]:
        """Every owner."""
        path = "/crm/v3/owners"

        def fetch(after: str | None) -> Page:
            query = {"limit": OWNER_PAGE, "after": after, "archived": str(archived).lower()}
            return _read_page(self._http.get(path, query, budget="calls"), path)

        return walk_pages(fetch, f"HubSpot {path} archived={archived}")

    def newest_change(self, kind: str, modified: str) -> datetime | None:
        """The latest modification that search knows of; None for an empty object type."""
        found = self._search(kind, [modified], [], modified, limit=1, direction="DESCENDING")
        return _modified_at(found[0], modified, kind) if found else None

    def changed_pages(self, kind: str, properties: Sequence[str], modified: str, since: datetime) -> Iterator[list[Record]]:
        """Records modified at or after `since`, oldest first, without repeats.

        Each page is a new search from the last modification seen, so that HubSpot's cap of 10,000 results is never
        reached and a record that moves to the end while we walk shifts nobody over a page seam. Where one millisecond
        fills a whole page, that millisecond is walked by hs_object_id.
        """
        seen: dict[str, datetime] = {}
        for _ in range(MAX_PAGES):
            found = self._search(kind, properties, [_compare(modified, "GTE", to_ms(since))], modified)
            reached = self._check_ascending(found, modified, kind, since)
            yield [record for record in found if seen.get(record["id"]) != _modified_at(record, modified, kind)]
            if len(found) < self._search_page:
                return
            seen = {record["id"]: _modified_at(record, modified, kind) for record in found}
            if to_ms(reached) > to_ms(since):
                since = reached
                continue
            yield from self._pages_of_one_moment(kind, properties, modified, reached, seen)
            since = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=to_ms(reached) + 1)
        raise ContractBroken(f"HubSpot search {kind}: more than {MAX_PAGES} pages; raise the cap if this is real")

    def read_stage_history(self, deal_ids: Sequence[str]) -> Iterator[Record]:
        """Each deal with its `propertiesWithHistory.dealstage`."""
        path = f"{self._objects}/deals/batch/read"
        for inputs in _split(deal_ids, HISTORY_READ):
            body = {
                "inputs": [{"id": deal_id} for deal_id in inputs],
                "properties": [],
                "propertiesWithHistory": ["dealstage"],
            }
            yield from take_list(self._http.post(path, body, budget="calls"), "results", path)

    def read_associations(self, kind: str, target: str, ids: Sequence[str]) -> dict[str, list[str]]:
        """Record id -> ids of the associated `target` records; records without any are left out."""
        path = f"/crm/v4/associations/{kind}/{target}/batch/read"
        links: dict[str, list[str]] = {}
        inputs = [{"id": record_id} for record_id in ids]
        while inputs:
            rest = []
            for chunk in _split(inputs, ASSOCIATION_READ):
                answer = self._http.post(path, {"inputs": chunk}, budget="calls")
                for result in take_list(answer, "results", path):
                    record_id = str(result["from"]["id"])
                    links.setdefault(record_id, []).extend(str(link["toObjectId"]) for link in result["to"])
                    after = result.get("paging", {}).get("next", {}).get("after")
                    if after:
                        rest.append({"id": record_id, "after": after})
            if rest == inputs:
                raise ContractBroken(f"HubSpot {path}: the same association page came twice")
            inputs = rest
        return links

    def _pages_of_one_moment(
        self, kind: str, properties: Sequence[str], modified: str, moment: datetime, seen: dict[str, datetime]
    ) -> Iterator[list[Record]]:
        """Every record modified in one millisecond, by id, beyond those `seen`, to which it adds."""
        window = [_compare(modified, "GTE", to_ms(moment)), _compare(modified, "LT", to_ms(moment) + 1)]
        last_id = 0
        for _ in range(MAX_PAGES):
            filters = [*window, _compare("hs_object_id", "GT", last_id)]
            found = self._search(kind, properties, filters, "hs_object_id")
            yield [record for record in found if record["id"] not in seen]
            seen.update((record["id"], moment) for record in found)
            if len(found) < self._search_page:
                return
            if int(found[-1]["id"]) <= last_id:
                raise ContractBroken(f"HubSpot search {kind}: ids do not ascend past {last_id}; the walk would never end")
            last_id = int(found[-1]["id"])
        raise ContractBroken(f"HubSpot search {kind}: more than {MAX_PAGES} pages in one millisecond")

    def _search(
        self,
        kind: str,
        properties: Sequence[str],
        filters: list[Record],
        sort: str,
        *,
        limit: int | None = None,
        direction: str = "ASCENDING",
    ) -> list[Record]:
        path = f"{self._objects}/{kind}/search"
        limit = limit or self._search_page
        body = {
            "filterGroups": [{"filters": filters}] if filters else [],
            "sorts": [{"propertyName": sort, "direction": direction}],
            "properties": list(properties),
            "limit": limit,
            "after": "0",
        }
        self._calls.take()
        answer = self._http.post(path, body, budget="search")
        found = take_list(answer, "results", path)
        total = answer.get("total")
        if isinstance(total, int) and len(found) != min(total, limit):
            raise ContractBroken(f"HubSpot {path}: {len(found)} results on a page of {limit}, but it reports {total} in all")
        return found

    def _check_ascending(self, found: list[Record], modified: str, kind: str, since: datetime) -> datetime:
        times = [_modified_at(record, modified, kind) for record in found]
        if times and (times != sorted(times) or to_ms(times[0]) < to_ms(since)):
            raise ContractBroken(f"HubSpot search {kind}: results are not sorted by {modified} from {since.isoformat()} on")
        return times[-1] if times else since


def _read_page(answer: Any, where: str) -> Page:
    items = take_list(answer, "results", f"HubSpot {where}")
    return Page(items, answer.get("paging", {}).get("next", {}).get("after"))


def _modified_at(record: Record, modified: str, kind: str) -> datetime:
    text = record.get("properties", {}).get(modified)
    if not text:
        raise ContractBroken(f"HubSpot search {kind}: record {record.get('id')} comes without {modified}")
    return parse_time(text)


def _compare(name: str, operator: str, value: int) -> Record:
    return {"propertyName": name, "operator": operator, "value": str(value)}


def _split(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))
