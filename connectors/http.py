"""The one HTTP client under every web connector: judge, retry, refresh, budget, redact.

A vendor supplies a `Judge` (which answers are errors, and of which class: by the body, since several vendors put their
errors into HTTP 200) and an `Authoriser` (where the token goes and how a new one is got). Everything else is here.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception

from connectors.errors import AuthExpired, BadRequest, ConnectorError, PermissionDenied, RateLimited, Transient, Unreachable
from connectors.rates import Budget
from connectors.redact import excerpt, guard_http_logs, redact

TIMEOUT = httpx.Timeout(60, connect=10)  # seconds


@dataclass(frozen=True)
class Reply:
    """A parsed answer as a judge sees it; `where` is "POST /path", without the query."""

    where: str
    status: int
    headers: Mapping[str, str]
    body: Any

    def wait_seconds(self, now: datetime) -> float | None:
        """What Retry-After asks for (seconds or an HTTP date), None without the header."""
        return parse_retry_after(self.headers.get("retry-after"), now)


Judge = Callable[[Reply], ConnectorError | None]


class RefusedAgain(AuthExpired):
    """A token that had just been renewed was refused too: a token can die early, so it is retried like a passing fault."""


class Authoriser(Protocol):
    """Puts a credential on requests."""

    def token(self, refused: str | None = None) -> str:
        """The current token; `refused` is one that the vendor just rejected. Raises AuthExpired if there is no other."""

    def place(self, token: str) -> tuple[dict[str, str], dict[str, str]]:
        """Headers and query parameters that carry the token."""


@dataclass(frozen=True)
class Patience:
    """How long we try. Waits double from `first_wait` (jittered down to a half) up to `longest_wait` seconds."""

    attempts: int = 9  # nine attempts outlast WeCom's block of 60 s
    connect_attempts: int = 4  # a host that is down is not a vendor that is busy: about 3 s
    first_wait: float = 0.5
    longest_wait: float = 60.0
    give_up_after: float = 300.0  # a vendor that asks for a longer wait gets its stream failed instead
    sleep: Callable[[float], None] = time.sleep
    rng: random.Random = field(default_factory=random.Random)

    def wait(self, state: RetryCallState) -> float:
        """Seconds before the next attempt."""
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, RateLimited) and error.wait_seconds is not None:
            return error.wait_seconds + self.rng.uniform(0, 0.5)
        ceiling = min(self.longest_wait, self.first_wait * 2.0 ** (state.attempt_number - 1))
        return ceiling * self.rng.uniform(0.5, 1)

    def is_over(self, state: RetryCallState) -> bool:
        """Whether this attempt was the last one."""
        error = state.outcome.exception() if state.outcome else None
        return state.attempt_number >= (self.connect_attempts if isinstance(error, Unreachable) else self.attempts)

    def is_worth_a_retry(self, error: BaseException) -> bool:
        """Transient faults, and limits whose wait is bearable."""
        if isinstance(error, RateLimited):
            return (error.wait_seconds or 0) <= self.give_up_after
        return isinstance(error, Transient | RefusedAgain)


def build_query(params: Mapping[str, Any]) -> str:
    """A query string with a space as %20: httpx's own `params=` writes "+", which OData servers refuse."""
    return urlencode({name: value for name, value in params.items() if value is not None}, quote_via=quote)


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait from a Retry-After header; None if it is missing or unreadable."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError):
        return None


def _classify_unreadable(status: int, message: str, wait: float | None) -> ConnectorError:
    by_status: dict[int, type[ConnectorError]] = {401: AuthExpired, 403: PermissionDenied, 400: BadRequest, 404: BadRequest}
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return RateLimited(message, wait)
    return by_status.get(status, Transient)(message)


class HttpApi:
    """Calls one vendor's JSON API. Thread-safe."""

    def __init__(
        self,
        base_url: str,
        judge: Judge,
        authoriser: Authoriser | None = None,
        *,
        budgets: Mapping[str, Budget] | None = None,
        patience: Patience | None = None,
        secrets: tuple[str, ...] = (),
        transport: httpx.BaseTransport | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        guard_http_logs()
        self._base_url = base_url.rstrip("/")
        self._judge = judge
        self._authoriser = authoriser
        self._budgets = dict(budgets or {})
        self._patience = patience or Patience()
        self._secrets = secrets
        self._now = now
        self._skew = timedelta(0)
        self._client = httpx.Client(transport=transport, timeout=TIMEOUT, follow_redirects=False)

    def server_now(self) -> datetime:
        """The server's clock, from its last Date header; our own before the first answer."""
        return self._now() + self._skew

    def get(self, path: str, query: Mapping[str, Any] | None = None, *, budget: str = "") -> Any:
        """GET `path`; see `call`."""
        return self.call("GET", path, query=query, budget=budget)

    def post(self, path: str, body: Any, *, budget: str = "") -> Any:
        """POST `body` as JSON; see `call`."""
        return self.call("POST", path, body=body, budget=budget)

    def call(self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = None, budget: str = "") -> Any:
        """The parsed body of a successful answer. `budget` names the request budget that the call counts against.

        Passing faults and limits are retried, an expired token is renewed once and the call replayed.
        Raises the judge's ConnectorError, or Transient when the last attempt failed too.
        """
        patience = self._patience
        retrying = Retrying(
            sleep=patience.sleep,
            stop=patience.is_over,
            wait=patience.wait,
            retry=retry_if_exception(patience.is_worth_a_retry),
            reraise=True,
        )
        return retrying(self._call_authorised, method, path, query or {}, body, budget)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _call_authorised(self, method: str, path: str, query: Mapping[str, Any], body: Any, budget: str) -> Any:
        if self._authoriser is None:
            return self._call_once(method, path, {}, query, body, budget)
        token = self._authoriser.token()
        try:
            return self._call_with(token, method, path, query, body, budget)
        except AuthExpired:
            token = self._authoriser.token(refused=token)
        try:
            return self._call_with(token, method, path, query, body, budget)
        except AuthExpired as exc:
            raise RefusedAgain(str(exc)) from None

    def _call_with(self, token: str, method: str, path: str, query: Mapping[str, Any], body: Any, budget: str) -> Any:
        assert self._authoriser is not None
        headers, extra = self._authoriser.place(token)
        return self._call_once(method, path, headers, {**extra, **query}, body, budget, token)

    def _call_once(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        query: Mapping[str, Any],
        body: Any,
        budget: str,
        token: str = "",
    ) -> Any:
        where = f"{method} {path}"
        url = self._base_url + path + (f"?{build_query(query)}" if query else "")
        if budget in self._budgets:
            self._budgets[budget].take()
        try:
            response = self._client.request(method, url, headers=dict(headers), json=body)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as exc:
            raise BadRequest(f"{where}: {self._clean(str(exc))}: check the address in the settings") from None
        except (httpx.ConnectError, httpx.ConnectTimeout) as exc:
            message = (
                f"{where}: no connection to {self._base_url} ({self._clean(str(exc), token)}): is it up, is the address right?"
            )
            raise Unreachable(message) from None
        except httpx.TransportError as exc:
            # `from None`: an httpx error carries the request, and with it the token in the URL
            raise Transient(f"{where}: {type(exc).__name__}: {self._clean(str(exc), token)}") from None
        self._note_server_time(response.headers.get("date"))
        reply = self._parse(where, response, token)
        error = self._judge(reply)
        if error is not None:
            error.args = (self._clean(str(error), token),)
            raise error
        return reply.body

    def _parse(self, where: str, response: httpx.Response, token: str) -> Reply:
        try:
            body = response.json()
        except ValueError:
            shown = excerpt(response.text, (*self._secrets, token))
            message = f"{where}: HTTP {response.status_code}, not JSON: {shown!r}"
            wait = parse_retry_after(response.headers.get("retry-after"), self._now())
            raise _classify_unreadable(response.status_code, message, wait) from None
        return Reply(where, response.status_code, response.headers, body)

    def _note_server_time(self, date: str | None) -> None:
        if date:
            try:
                self._skew = parsedate_to_datetime(date) - self._now()
            except (ValueError, TypeError):
                return

    def _clean(self, text: str, token: str = "") -> str:
        return redact(text, (*self._secrets, token))
