"""The HTTP base: tokens are renewed once, and no secret is ever shown."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.errors import (
    AuthExpired,
    ConnectorError,
)
from connectors.http import HttpApi
from connectors.redact import redact
from connectors.tokens import TokenCache, expiring_token, token_key
from tests.unit.connectors.http_script import NOW, CountingTokens, Script, judge_code, ok, refuse


def test_an_expired_token_is_renewed_once_and_the_call_replayed() -> None:
    tokens, script = CountingTokens(), Script(refuse(42001), ok(rows=[1]))
    assert script.api(authoriser=tokens).get("/list")["rows"] == [1]
    assert tokens.fetched == 2
    assert [request.url.params["access_token"] for request in script.requests] == ["token-1", "token-2"]
    assert script.slept == []


def test_many_threads_with_one_expired_token_renew_it_once() -> None:
    tokens, barrier = CountingTokens(), threading.Barrier(8, timeout=60)

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
