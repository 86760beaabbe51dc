"""A vendor that answers by script, and tokens that are counted."""

import random
from datetime import UTC, datetime
from typing import Any

import httpx

from connectors.errors import (
    AuthExpired,
    BadRequest,
    ConnectorError,
    RateLimited,
)
from connectors.http import HttpApi, Patience, Reply
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
