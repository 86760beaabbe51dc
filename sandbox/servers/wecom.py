"""A strict WeCom on loopback: errcode inside HTTP 200, expiring token, bound cursors, 45009 with a block, HTML pages."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from sandbox.servers.limits import Faults, RollingLimit
from sandbox.servers.wecom_calls import WeComCalls, WeComError
from sandbox.servers.wecom_store import build_store
from sandbox.servers.wecom_token import TokenDesk

CALLS_PER_MINUTE = 10_000
SLOW_CALLS_PER_MINUTE = 600
DEBUG_CALLS_PER_MINUTE = 5  # with debug=1 in the URL, per API like the others
BLOCK_SECONDS = 60
SLOW_CALLS = ("checkin/getcheckindata", "oa/getapprovalinfo", "oa/getapprovaldetail")
HTML_PAGE = "<!DOCTYPE html><html><head><title>系统维护</title></head><body>系统繁忙，请稍候再试</body></html>"


@dataclass(frozen=True)
class WeComOptions:
    """`token_seconds`: how long a token is valid. Faults at `error_rate`: an HTML page, or a token that dies early."""

    corp_id: str
    secret: str
    token_seconds: float = 7200
    error_rate: float = 0.0
    rate_scale: float = 1.0
    seed: int = 7


class WeComServer:
    """`app` is the ASGI application (paths below /cgi-bin/); `advance` moves what it holds to another time."""

    def __init__(
        self,
        tables: Mapping[str, pl.DataFrame],
        at: datetime,
        options: WeComOptions,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tables = tables
        self._options = options
        self._tokens = TokenDesk(options.corp_id, options.secret, options.token_seconds, now)
        self._faults = Faults(options.error_rate, options.seed)
        self.counters: Counter[str] = Counter()
        self.calls = WeComCalls(build_store(tables, at))
        gets = {
            "department/list": self.calls.list_departments,
            "user/list": self.calls.list_users,
            "externalcontact/get_follow_user_list": self.calls.list_follow_users,
            "externalcontact/get": self.calls.get_contact,
        }
        posts = {
            "externalcontact/batch/get_by_user": self.calls.list_contacts,
            "externalcontact/get_corp_tag_list": self.calls.list_tags,
            "checkin/getcheckindata": self.calls.list_checkins,
            "oa/getapprovalinfo": self.calls.list_approvals,
            "oa/getapprovaldetail": self.calls.get_approval,
        }

        def limit(calls: int) -> RollingLimit:
            return RollingLimit(calls * options.rate_scale, 60, block_seconds=BLOCK_SECONDS / options.rate_scale, now=now)

        paths = ("gettoken", *gets, *posts)
        self._limits = {path: limit(SLOW_CALLS_PER_MINUTE if path in SLOW_CALLS else CALLS_PER_MINUTE) for path in paths}
        self._debug_limits = {path: limit(DEBUG_CALLS_PER_MINUTE) for path in paths}
        self.app = Starlette(
            routes=[
                Route("/cgi-bin/gettoken", self._get_token),
                *(self._route(path, call, "GET") for path, call in gets.items()),
                *(self._route(path, call, "POST") for path, call in posts.items()),
            ]
        )

    def advance(self, at: datetime) -> None:
        """Hold the state of `at`."""
        self.calls.store = build_store(self._tables, at)

    async def _get_token(self, request: Request) -> Response:
        refusal = self._admit("gettoken", request)
        if refusal is not None:
            return refusal
        if request.query_params.get("corpid") != self._options.corp_id:
            return _refuse(40013, "invalid corpid")
        if request.query_params.get("corpsecret") != self._options.secret:
            return _refuse(40001, "invalid credential")
        token, seconds = self._tokens.issue()
        return _reply({"access_token": token, "expires_in": seconds})

    def _route(self, path: str, call: Callable[[dict[str, Any]], dict[str, Any]], method: str) -> Route:
        async def answer(request: Request) -> Response:
            refusal = self._admit(path, request, needs_token=True)
            if refusal is not None:
                return refusal
            if request.method != method:
                return _refuse(43001 if method == "GET" else 43002, f"require {method} method")
            try:
                return _reply(call(await _read_arguments(request)))
            except WeComError as error:
                self.counters["refused"] += 1
                return _refuse(error.errcode, str(error))

        return Route(f"/cgi-bin/{path}", answer, methods=["GET", "POST"])

    def _admit(self, path: str, request: Request, *, needs_token: bool = False) -> Response | None:
        """Refusal of a call that fails before its arguments are looked at: token, frequency, injected fault."""
        self.counters["requests"] += 1
        fault = self._faults.draw(("html", "token"))
        if fault == "html":
            self.counters["faults"] += 1
            return HTMLResponse(HTML_PAGE)
        if needs_token:
            if fault == "token":
                self.counters["faults"] += 1
                self._tokens.revoke()
            errcode, message = self._tokens.check(request.query_params.get("access_token"))
            if errcode:
                return _refuse(errcode, message)
        is_debug = request.query_params.get("debug") == "1"
        if self._limits[path].admit() or (is_debug and self._debug_limits[path].admit()):
            self.counters["rate_limited"] += 1
            return _refuse(45009, "api freq out of limit")
        return None


async def _read_arguments(request: Request) -> dict[str, Any]:
    if request.method == "GET":
        return dict(request.query_params)
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise WeComError(47001, "data format error")
    return body


def _reply(answer: dict[str, Any]) -> Response:
    return JSONResponse({"errcode": 0, "errmsg": "ok", **answer})


def _refuse(errcode: int, message: str) -> Response:
    return JSONResponse({"errcode": errcode, "errmsg": f"{message}, hint: [sandbox], from ip: 127.0.0.1"})
