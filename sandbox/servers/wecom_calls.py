"""The calls of the simulated WeCom: arguments in, answer without errcode out, WeComError where WeCom would refuse."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import polars as pl

from sandbox.servers.wecom_store import WeComStore

Arguments = dict[str, Any]
Answer = dict[str, Any]

MAX_USERS = 100
MAX_PAGE = 100
DEFAULT_PAGE = 50
DAY_SECONDS = 86_400
CHECKIN_DAYS = 30
APPROVAL_DAYS = 31
CHECKIN_TYPES = {1: ["上班打卡", "下班打卡"], 2: ["外出打卡"], 3: None}
APPROVAL_FILTERS = {
    "template_id": "template_id",
    "creator": "applyer_userid",
    "department": "applyer_partyid",
    "sp_status": "sp_status",
}
# every third page of approval numbers is half full although more follow, as the real pages may be
SHORT_PAGE_EVERY = 3


class WeComError(Exception):
    """A call that WeCom refuses, with its errcode."""

    def __init__(self, errcode: int, message: str) -> None:
        super().__init__(message)
        self.errcode = errcode


@dataclass(frozen=True)
class _Place:
    """Where a cursor stands, and the request that it belongs to."""

    request: str
    offset: int
    page: int


class WeComCalls:
    """Answers from `store`, which the owner may replace."""

    def __init__(self, store: WeComStore) -> None:
        self.store = store
        self._places: dict[str, _Place] = {}

    def list_departments(self, arguments: Arguments) -> Answer:
        return {"department": self.store.departments}

    def list_users(self, arguments: Arguments) -> Answer:
        root = _read_int(arguments, "department_id")
        parents = {department["id"]: department["parentid"] for department in self.store.departments}
        if root not in parents:
            raise WeComError(60003, f"department not found: {root}")
        wanted = {root}
        if arguments.get("fetch_child") == "1":
            while more := {child for child, parent in parents.items() if parent in wanted} - wanted:
                wanted |= more
        return {"userlist": [user for user in self.store.users if wanted & set(user["department"])]}

    def list_follow_users(self, arguments: Arguments) -> Answer:
        followers = [user["userid"] for user in self.store.users if user["userid"] in self.store.relations]
        if not followers:
            raise WeComError(84074, "no follow user")
        return {"follow_user": followers}

    def get_contact(self, arguments: Arguments) -> Answer:
        wanted = arguments.get("external_userid")
        found = [
            relation
            for relations in self.store.relations.values()
            for relation in relations
            if relation["external_contact"]["external_userid"] == wanted
        ]
        if not found:
            raise WeComError(84061, "not external contact")
        return {
            "external_contact": found[0]["external_contact"],
            "follow_user": [_unfold_tags(item["follow_info"]) for item in found],
        }

    def list_contacts(self, arguments: Arguments) -> Answer:
        userids = _read_users(arguments, "userid_list")
        limit = _read_int(arguments, "limit", DEFAULT_PAGE)
        if not 1 <= limit <= MAX_PAGE:
            raise WeComError(40058, f"limit must be between 1 and {MAX_PAGE}")
        known = {user["userid"] for user in self.store.users}
        strangers = [userid for userid in userids if userid not in known]
        if strangers:
            raise WeComError(60111, f"userid not found: {strangers[0]}")
        rows = [relation for userid in userids for relation in self.store.relations.get(userid, [])]
        place = self._find_place(arguments.get("cursor"), f"contacts {sorted(userids)} {limit}")
        end = place.offset + limit
        return {
            "external_contact_list": rows[place.offset : end],
            "next_cursor": self._remember(place, end) if end < len(rows) else "",
        }

    def list_tags(self, arguments: Arguments) -> Answer:
        groups, tags = arguments.get("group_id") or [], arguments.get("tag_id") or []
        wanted = [group for group in self.store.tag_groups if not groups or group["group_id"] in groups]
        if tags and not groups:
            kept = ({**group, "tag": [tag for tag in group["tag"] if tag["id"] in tags]} for group in wanted)
            wanted = [group for group in kept if group["tag"]]
        return {"tag_group": wanted}

    def list_checkins(self, arguments: Arguments) -> Answer:
        kind = _read_int(arguments, "opencheckindatatype")
        if kind not in CHECKIN_TYPES:
            raise WeComError(40058, "opencheckindatatype must be 1, 2 or 3")
        start, end = _read_window(arguments, CHECKIN_DAYS, 40058)
        wanted = pl.col("checkin_time").is_between(start, end) & pl.col("userid").is_in(_read_users(arguments, "useridlist"))
        types = CHECKIN_TYPES[kind]
        if types is not None:
            wanted &= pl.col("checkin_type").is_in(types)
        return {"checkindata": self.store.checkins.filter(wanted).to_dicts()}

    def list_approvals(self, arguments: Arguments) -> Answer:
        start, end = _read_window(arguments, APPROVAL_DAYS, 301025)
        size = _read_int(arguments, "size", DEFAULT_PAGE)
        if not 1 <= size <= MAX_PAGE:
            raise WeComError(301025, f"size must be between 1 and {MAX_PAGE}")
        cursor = arguments.get("new_cursor")
        if cursor is not None and not isinstance(cursor, str):
            raise WeComError(301025, f"new_cursor must be a string, got {cursor!r}")
        wanted = pl.col("apply_time").is_between(start, end)
        filters = arguments.get("filters") or []
        for item in filters:
            if item.get("key") not in APPROVAL_FILTERS:
                raise WeComError(301025, f"unknown filter key: {item.get('key')}")
            wanted &= pl.col(APPROVAL_FILTERS[item["key"]]) == str(item.get("value"))
        numbers = self.store.approval_index.filter(wanted)["sp_no"].to_list()
        place = self._find_place(cursor, f"approvals {start} {end} {size} {filters}")
        length = max(1, size // 2) if place.page % SHORT_PAGE_EVERY == SHORT_PAGE_EVERY - 1 else size
        last = place.offset + length
        answer: Answer = {"sp_no_list": numbers[place.offset : last]}
        if last < len(numbers):
            answer["new_next_cursor"] = self._remember(place, last)
        return answer

    def get_approval(self, arguments: Arguments) -> Answer:
        number = str(arguments.get("sp_no", ""))
        if number not in self.store.approvals:
            raise WeComError(301025, f"get approval param error: no approval {number}")
        return {"info": self.store.approvals[number]}

    def _find_place(self, cursor: Any, request: str) -> _Place:
        if not cursor:
            return _Place(request, 0, 0)
        place = self._places.get(str(cursor))
        if place is None or place.request != request:
            raise WeComError(40058, "invalid cursor: it does not belong to this request")
        return place

    def _remember(self, place: _Place, offset: int) -> str:
        cursor = hashlib.sha256(f"{place.request} {offset} {place.page}".encode()).hexdigest()[:32]
        self._places[cursor] = _Place(place.request, offset, place.page + 1)
        return cursor


def _read_int(arguments: Arguments, name: str, default: int | None = None) -> int:
    value = arguments.get(name, default)
    try:
        return int(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise WeComError(40058, f"{name} must be a number, got {value!r}") from None


def _read_users(arguments: Arguments, name: str) -> list[str]:
    users = arguments.get(name)
    if not isinstance(users, list) or not 1 <= len(users) <= MAX_USERS:
        raise WeComError(40058, f"{name} must list 1 to {MAX_USERS} users")
    return [str(user) for user in users]


def _read_window(arguments: Arguments, days: int, errcode: int) -> tuple[int, int]:
    start, end = _read_int(arguments, "starttime"), _read_int(arguments, "endtime")
    if not 0 <= end - start <= days * DAY_SECONDS:
        raise WeComError(errcode, f"endtime must be after starttime by at most {days} days")
    return start, end


def _unfold_tags(follow: dict[str, Any]) -> dict[str, Any]:
    """The single call sends tag objects where the batch call sends ids."""
    return {
        **{name: value for name, value in follow.items() if name != "tag_id"},
        "tags": [{"tag_id": tag} for tag in follow["tag_id"]],
    }
