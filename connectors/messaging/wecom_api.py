"""WeCom's calls: token, limits, pages, and what an errcode means (it comes inside HTTP 200)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

from connectors.errors import (
    AuthExpired,
    BadRequest,
    ConfigurationError,
    ConnectorError,
    ContractBroken,
    Gone,
    PermissionDenied,
    RateLimited,
    Transient,
)
from connectors.http import HttpApi, Patience, Reply
from connectors.paging import Page, take_list, walk_pages
from connectors.rates import Budget
from connectors.tokens import Token, TokenCache, expiring_token, token_key

Record = dict[str, Any]
PAGE = 100  # members per call, contacts per page, approvals per page: each call's documented maximum
MINUTE = 61.0  # seconds; one more than WeCom counts, because a call arrives later than it is sent

_ADVICE: dict[int, tuple[type[ConnectorError], str]] = {
    42001: (AuthExpired, "the token expired"),
    40014: (AuthExpired, "the token is not valid"),
    41001: (AuthExpired, "the token is missing"),
    45009: (RateLimited, "too many calls"),
    45033: (RateLimited, "too many calls at once"),
    48002: (PermissionDenied, "list the app under 可调用接口的应用 of this feature in the admin console"),
    60011: (PermissionDenied, "widen the app's visible range (可见范围), or grant it this feature"),
    84074: (PermissionDenied, "grant the app 客户联系 (external contacts)"),
    60020: (PermissionDenied, "add this machine's public address to the app's trusted IPs (企业可信IP)"),
    84061: (Gone, "not an external contact any more"),
    40001: (ConfigurationError, "the setting 'secret' is not this app's secret"),
    40013: (ConfigurationError, "the setting 'corp_id' is not a corp id"),
    -1: (Transient, "WeCom is busy"),
}


def judge_wecom(reply: Reply) -> ConnectorError | None:
    """None for errcode 0; the HTTP status says nothing, except that a 5xx without errcode is a passing fault."""
    code = reply.body.get("errcode") if isinstance(reply.body, dict) else None
    if code == 0:
        return None
    if code is None:
        if reply.status >= httpx.codes.INTERNAL_SERVER_ERROR:
            return Transient(f"WeCom {reply.where}: HTTP {reply.status}")
        return ContractBroken(f"WeCom {reply.where}: HTTP {reply.status}, an answer without errcode")
    text = f"WeCom {reply.where}: errcode {code}: {reply.body.get('errmsg', '')}"
    kind, advice = _ADVICE.get(code, (BadRequest, "see WeCom's table of global error codes"))
    if kind is RateLimited:
        return RateLimited(f"{text} ({advice})", reply.wait_seconds(datetime.now(UTC)))
    return kind(f"{text} ({advice})")


class AppToken:
    """The access token of one app of one corp, shared through a TokenCache."""

    def __init__(self, plain: HttpApi, corp_id: str, secret: str, cache: TokenCache, now: Callable[[], datetime]) -> None:
        self._plain = plain
        self._corp_id = corp_id
        self._secret = secret
        self._cache = cache
        self._now = now
        self._key = token_key("wecom", corp_id, secret)

    def token(self, refused: str | None = None) -> str:
        """The current token."""
        return self._cache.get(self._key, self._fetch, refused=refused)

    def place(self, token: str) -> tuple[dict[str, str], dict[str, str]]:
        """In the query string."""
        return {}, {"access_token": token}

    def _fetch(self) -> Token:
        answer = self._plain.get("/cgi-bin/gettoken", {"corpid": self._corp_id, "corpsecret": self._secret})
        if not answer.get("access_token") or not answer.get("expires_in"):
            raise ContractBroken("WeCom GET /cgi-bin/gettoken: an answer without access_token and expires_in")
        return expiring_token(answer["access_token"], float(answer["expires_in"]), self._now())


class WeComApi:
    """The calls that syncing needs."""

    def __init__(
        self,
        base_url: str,
        corp_id: str,
        secret: str,
        *,
        tokens: TokenCache,
        field_calls_per_minute: int,
        patience: Patience,
        transport: httpx.BaseTransport | None,
    ) -> None:
        def real_now() -> datetime:
            return datetime.now(UTC)

        def make_budget(calls: int) -> Budget:
            return Budget(calls, MINUTE, sleep=patience.sleep)

        budgets = {name: make_budget(field_calls_per_minute) for name in ("checkin", "approval", "detail")}
        self._plain = HttpApi(base_url, judge_wecom, patience=patience, secrets=(secret,), transport=transport)
        self._http = HttpApi(
            base_url,
            judge_wecom,
            AppToken(self._plain, corp_id, secret, tokens, real_now),
            budgets=budgets | {"other": make_budget(9_500)},
            patience=patience,
            secrets=(secret,),
            transport=transport,
        )

    def close(self) -> None:
        """Release connections."""
        self._plain.close()
        self._http.close()

    def list_departments(self) -> list[Record]:
        """Every department in the app's range."""
        return self._get_list("department/list", {}, "department")

    def list_users(self) -> list[Record]:
        """Every member in the app's range, once, however many departments list it."""
        users: dict[str, Record] = {}
        for department in self.list_departments():
            found = self._get_list("user/list", {"department_id": department["id"]}, "userlist")
            users.update((user["userid"], user) for user in found)
        return list(users.values())

    def list_followers(self) -> list[str]:
        """Ids of the members who may have external contacts."""
        return self._get_list("externalcontact/get_follow_user_list", {}, "follow_user")

    def list_tag_groups(self) -> list[Record]:
        """Corporate tag groups, each with its `tag` list."""
        return self._post_list("externalcontact/get_corp_tag_list", {}, "tag_group")

    def contact_pages(self, userids: Sequence[str]) -> Iterator[Page]:
        """Follow relations of up to 100 members."""
        path = "externalcontact/batch/get_by_user"

        def fetch(cursor: str | None) -> Page:
            body = {"userid_list": list(userids), "cursor": cursor or "", "limit": PAGE}
            answer = self._post(path, body)
            return Page(take_list(answer, "external_contact_list", f"WeCom {path}"), answer.get("next_cursor"))

        return walk_pages(fetch, f"WeCom {path}")

    def list_checkins(self, userids: Sequence[str], start: int, end: int) -> list[Record]:
        """Check-ins of up to 100 members in at most 30 days (epoch seconds)."""
        body = {"opencheckindatatype": 3, "starttime": start, "endtime": end, "useridlist": list(userids)}
        return self._post_list("checkin/getcheckindata", body, "checkindata", "checkin")

    def list_approvals(self, start: int, end: int) -> list[str]:
        """Numbers of the approvals submitted in at most 31 days; a short page is not the last one, an empty cursor is."""
        path = "oa/getapprovalinfo"

        def fetch(cursor: str | None) -> Page:
            body = {"starttime": str(start), "endtime": str(end), "new_cursor": cursor or "", "size": PAGE, "filters": []}
            answer = self._post(path, body, "approval")
            return Page(take_list(answer, "sp_no_list", f"WeCom {path}"), answer.get("new_next_cursor"))

        return [number for page in walk_pages(fetch, f"WeCom {path}") for number in page.items]

    def get_approval(self, number: str) -> Record:
        """One approval. Raises Gone if WeCom says so."""
        path = "oa/getapprovaldetail"
        info = self._post(path, {"sp_no": number}, "detail").get("info")
        if not isinstance(info, dict) or not isinstance(info.get("applyer"), dict):
            raise ContractBroken(f"WeCom {path}: the answer for {number} has no info.applyer; the vendor's format has changed")
        return info

    def _post(self, path: str, body: Any, budget: str = "other") -> Any:
        return self._http.post(f"/cgi-bin/{path}", body, budget=budget)

    def _post_list(self, path: str, body: Any, key: str, budget: str = "other") -> list[Any]:
        return take_list(self._post(path, body, budget), key, f"WeCom {path}")

    def _get_list(self, path: str, query: Record, key: str) -> list[Any]:
        return take_list(self._http.get(f"/cgi-bin/{path}", query, budget="other"), key, f"WeCom {path}")
