"""The HTTP base: judged bodies, retries, refresh, redaction, budgets."""

import logging
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.errors import (
    AuthExpired,
    BadRequest,
    ConfigurationError,
    ConnectorError,
    PermissionDenied,
    RateLimited,
    Transient,
    Unreachable,
)
from connectors.http import HttpApi, Patience, Reply, build_query, parse_retry_after
from connectors.rates import Budget
from connectors.redact import redact
from connectors.settings import read_clock, require
from connectors.tokens import TokenCache, expiring_token, token_key

NOW = datetime(2026, 6, 30, tzinfo=UTC)


def judge_code(reply: Reply) -> ConnectorError | None:
    code = reply.body.get("errcode", 0)
    if code == 0:
        return None
    if code == 42001:
        return AuthExpired("expired")
    if code == 45009:
        return RateLimited("too fast", reply.wait_seconds(NOW))
    return BadRequest(f"errcode {code}: {reply.body.get('errmsg')}")


class Script:
    """Answers in order, the last one for ever; remembers requests and sleeps."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def patience(self, **changes: Any) -> Patience:
        return Patience(sleep=self.slept.append, rng=random.Random(1), **changes)

    def api(self, **arguments: Any) -> HttpApi:
        arguments.setdefault("patience", self.patience())
        return HttpApi("https://vendor.test", judge_code, transport=httpx.MockTransport(self), **arguments)


def ok(**body: Any) -> httpx.Response:
    return httpx.Response(200, json={"errcode": 0, **body})


def refuse(code: int, **headers: str) -> httpx.Response:
    return httpx.Response(200, json={"errcode": code, "errmsg": "no"}, headers=headers)


class CountingTokens:
    """An authoriser whose every renewal is a new token."""

    def __init__(self) -> None:
        self.cache = TokenCache()
        self.fetched = 0

    def token(self, refused: str | None = None) -> str:
        return self.cache.get(token_key("v", "app", "s"), self._fetch, refused=refused)

    def place(self, token: str) -> tuple[dict[str, str], dict[str, str]]:
        return {}, {"access_token": token}

    def _fetch(self) -> Any:
        self.fetched += 1
        return expiring_token(f"token-{self.fetched}", 7200, datetime.now(UTC))


def test_an_error_code_inside_http_200_is_an_error() -> None:
    with pytest.raises(BadRequest, match="errcode 301025"):
        Script(refuse(301025)).api().get("/list")


def test_a_non_json_answer_is_retried_and_keeps_its_first_200_characters() -> None:
    script = Script(httpx.Response(200, text="<html>系统维护" + "x" * 500))
    with pytest.raises(Transient, match="not JSON: '<html>系统维护x") as caught:
        script.api(patience=script.patience(attempts=3)).get("/list")
    assert len(script.requests) == 3
    assert len(str(caught.value)) < 260


def test_a_non_json_answer_then_json_succeeds() -> None:
    assert Script(httpx.Response(502, text="bad gateway"), ok(rows=[1])).api().get("/list")["rows"] == [1]


@pytest.mark.parametrize(("status", "kind"), [(401, AuthExpired), (403, PermissionDenied), (404, BadRequest)])
def test_a_non_json_refusal_is_classified_by_status_and_not_retried(status: int, kind: type[ConnectorError]) -> None:
    script = Script(httpx.Response(status, text="<html>"))
    with pytest.raises(kind):
        script.api().get("/list")
    assert len(script.requests) == 1


def test_a_non_json_429_honours_retry_after() -> None:
    script = Script(httpx.Response(429, text="slow down", headers={"Retry-After": "9"}), ok())
    script.api().get("/list")
    assert 9 <= script.slept[0] <= 9.5


def test_a_reset_connection_is_retried() -> None:
    assert Script(httpx.ReadError("reset"), ok(rows=[])).api().get("/list")["rows"] == []


def test_a_bad_request_is_not_retried() -> None:
    script = Script(refuse(40058))
    with pytest.raises(BadRequest):
        script.api().get("/list")
    assert len(script.requests) == 1


def test_a_limit_waits_as_long_as_retry_after_says() -> None:
    script = Script(refuse(45009, **{"Retry-After": "17"}), ok())
    script.api().get("/list")
    assert len(script.slept) == 1
    assert 17 <= script.slept[0] <= 17.5


def test_a_limit_without_retry_after_waits_longer_each_time_with_jitter() -> None:
    script = Script(refuse(45009))
    with pytest.raises(RateLimited):
        script.api().get("/list")
    assert len(script.slept) == 8
    assert all(2**n / 4 <= wait <= 2**n / 2 for n, wait in enumerate(script.slept[:-1]))
    assert sum(script.slept) > 60, "a block of one minute is outlasted"
    assert len({wait / 2**n for n, wait in enumerate(script.slept)}) == 8, "waits are jittered"


def test_a_limit_that_asks_for_an_hour_fails_the_call_at_once() -> None:
    script = Script(refuse(45009, **{"Retry-After": "3600"}), ok())
    with pytest.raises(RateLimited) as caught:
        script.api().get("/list")
    assert caught.value.wait_seconds == 3600
    assert script.slept == []


def test_retry_after_may_be_a_date() -> None:
    assert parse_retry_after("Tue, 30 Jun 2026 00:00:30 GMT", NOW) == 30
    assert parse_retry_after("soon", NOW) is None


def test_an_expired_token_is_renewed_once_and_the_call_replayed() -> None:
    tokens, script = CountingTokens(), Script(refuse(42001), ok(rows=[1]))
    assert script.api(authoriser=tokens).get("/list")["rows"] == [1]
    assert tokens.fetched == 2
    assert [request.url.params["access_token"] for request in script.requests] == ["token-1", "token-2"]
    assert script.slept == []


def test_many_threads_with_one_expired_token_renew_it_once() -> None:
    tokens, barrier = CountingTokens(), threading.Barrier(8, timeout=10)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.params["access_token"] == "token-1":
            barrier.wait()  # all eight hold the dead token before the first is refused
            return refuse(42001)
        return ok()

    api = HttpApi("https://vendor.test", judge_code, tokens, transport=httpx.MockTransport(answer))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: api.get("/list"), range(8)))
    assert tokens.fetched == 2


def test_a_token_that_stays_refused_ends_as_auth_expired() -> None:
    script = Script(refuse(42001))
    with pytest.raises(AuthExpired):
        script.api(authoriser=CountingTokens(), patience=script.patience(attempts=3)).get("/list")
    assert len(script.requests) == 6


def test_a_token_is_renewed_minutes_before_it_expires() -> None:
    clock = [NOW]
    cache, values = TokenCache(now=lambda: clock[0]), iter(["one", "two"])
    key = token_key("wecom", "corp", "secret")

    def get() -> str:
        return cache.get(key, lambda: expiring_token(next(values), 7200, clock[0]))

    assert get() == "one"
    clock[0] += timedelta(seconds=7200 - 601)
    assert get() == "one"
    clock[0] += timedelta(seconds=301)
    assert get() == "two"


def test_tokens_are_kept_apart_by_vendor_app_and_secret() -> None:
    cache = TokenCache()
    keys = [token_key(*parts) for parts in (("a", "x", "s"), ("b", "x", "s"), ("a", "y", "s"), ("a", "x", "t"))]

    def fetch(name: str) -> Callable[[], Any]:
        return lambda: expiring_token(name, 7200, datetime.now(UTC))

    assert [cache.get(key, fetch(str(n))) for n, key in enumerate(keys)] == ["0", "1", "2", "3"]
    assert not any("s" in key.secret_hash and len(key.secret_hash) < 64 for key in keys)


@pytest.mark.parametrize(
    "text",
    [
        "GET https://x/y?access_token=SEKRET&b=1",
        "https://x?corpid=1&corpsecret=SEKRET",
        '{"access_token": "SEKRET", "expires_in": 7200}',
        "{'token': 'SEKRET'}",
        "key=SEKRET",
        "sign=SEKRET&x",
        "secret: SEKRET",
        "Authorization: Bearer SEKRET",
        "authorization=Basic SEKRET",
        "mail of SEKRET@firma.cn",
        "mail of SEKRET%40firma.cn",
        "a plain SEKRET",
    ],
)
def test_secrets_and_addresses_are_masked(text: str) -> None:
    masked = redact(text, ["SEKRET"] if "plain" in text else [])
    assert "SEKRET" not in masked
    assert "***" in masked


def test_redaction_keeps_what_explains_the_error() -> None:
    text = "errcode 60020: not allow to access from your ip, https://x/e?code=60020&access_token=abc"
    assert redact(text) == text.replace("abc", "***")


def test_no_error_shows_the_token() -> None:
    tokens = CountingTokens()
    faults = (
        httpx.ConnectError("cannot reach https://vendor.test/list?access_token=token-1"),
        httpx.Response(500, text="echo: token-1"),
        httpx.Response(200, json={"errcode": 7, "errmsg": "your token-1 of wang@firma.cn"}),
    )
    for fault in faults:
        script = Script(fault)
        with pytest.raises(ConnectorError) as caught:
            script.api(authoriser=tokens, patience=script.patience(attempts=1)).get("/list")
        assert "token-1" not in str(caught.value)
        assert "wang@" not in str(caught.value)
        assert caught.value.__cause__ is None


@pytest.fixture
def http_log() -> Iterator[logging.Logger]:
    logger = logging.getLogger("httpx")
    before = logger.level
    logger.setLevel(logging.DEBUG)
    yield logger
    logger.setLevel(before)


def test_the_http_librarys_own_log_is_redacted(http_log: logging.Logger, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        Script(ok()).api(authoriser=CountingTokens()).get("/list")
    assert "/list" in caplog.text, "httpx logged the request"
    assert "token-1" not in caplog.text


def test_a_space_in_a_query_is_percent_20() -> None:
    script = Script(ok())
    script.api().get("/odata", {"$filter": "modifiedAt gt 2026-01-01", "left": None})
    assert script.requests[0].url.raw_path == b"/odata?%24filter=modifiedAt%20gt%202026-01-01"
    assert build_query({"a": "b c+d"}) == "a=b%20c%2Bd"


def test_every_request_has_a_timeout() -> None:
    script = Script(ok())
    script.api().get("/list")
    assert all(script.requests[0].extensions["timeout"][part] for part in ("connect", "read", "write", "pool"))


def test_a_budget_waits_before_the_vendors_limit_is_met() -> None:
    clock = [0.0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock[0] += seconds

    budget = Budget(3, 10, sleep=sleep, clock=lambda: clock[0])
    starts = []
    for _ in range(7):
        budget.take()
        starts.append(clock[0])
        clock[0] += 1
    assert starts == [0, 1, 2, 10, 11, 12, 20]
    assert all(later - earlier >= 10 for earlier, later in zip(starts, starts[3:], strict=False))


def test_calls_count_against_their_budget_retries_included() -> None:
    slept: list[float] = []
    script = Script(httpx.Response(502, text="x"), ok())
    budget = Budget(1, 10, sleep=slept.append, clock=lambda: 0.0)
    script.api(budgets={"slow": budget}).get("/list", budget="slow")
    assert slept == [10]


def test_the_servers_clock_is_followed() -> None:
    script = Script(httpx.Response(200, json={}, headers={"Date": "Mon, 29 Jun 2026 00:00:00 GMT"}))
    api = script.api(now=lambda: NOW)
    assert api.server_now() == NOW
    api.get("/list")
    assert api.server_now() == NOW - timedelta(days=1)


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(ConfigurationError, match="'crm': the setting 'token' is missing"):
        require({"token": ""}, "token", "crm")
    with pytest.raises(ConfigurationError, match="'now' must be an ISO time with its zone"):
        read_clock({"now": "2026-06-30 18:00"}, "crm")
    assert read_clock({"now": "2026-06-30T18:00:00+08:00"}, "crm")() == datetime(2026, 6, 30, 10, tzinfo=UTC)


def test_a_host_that_is_down_is_given_up_sooner_than_one_that_is_busy() -> None:
    calls = []

    def refuse(request: httpx.Request) -> httpx.Response:
        calls.append(request.url.path)
        raise httpx.ConnectError("connection refused")

    patience = Patience(sleep=lambda seconds: None)
    api = HttpApi("http://crm.test", judge=lambda reply: None, patience=patience, transport=httpx.MockTransport(refuse))
    with pytest.raises(Unreachable, match="is it up, is the address right"):
        api.get("/things")
    assert len(calls) == patience.connect_attempts < patience.attempts
