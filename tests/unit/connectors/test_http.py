"""The HTTP base: judged bodies, retries, budgets."""

from datetime import UTC, datetime, timedelta

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
from connectors.http import HttpApi, Patience, build_query, parse_retry_after
from connectors.rates import Budget
from connectors.settings import read_clock, require
from tests.unit.connectors.http_script import NOW, Script, ok, refuse


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
