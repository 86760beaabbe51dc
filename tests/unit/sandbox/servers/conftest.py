"""A tiny company, row by row, and a hand-moved clock for the limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import polars as pl
import pytest

from sandbox.schema import SCHEMAS, VERSION

MOMENT = datetime(2026, 6, 1, 8, 30, 15, 250_000, tzinfo=UTC)

Tables = dict[str, pl.DataFrame]


class HandClock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class AppClient:
    """Calls an ASGI application without a socket."""

    def __init__(self, app: Any, loop: asyncio.AbstractEventLoop, headers: dict[str, str]) -> None:
        self._loop = loop
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://vendor", headers=headers)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self._loop.run_until_complete(self._http.get(path, **more))

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self._loop.run_until_complete(self._http.post(path, **more))


@pytest.fixture
def make_client() -> Iterator[Callable[..., AppClient]]:
    """make_client(app, {"Authorization": ...})"""
    loop = asyncio.new_event_loop()
    yield lambda app, headers=None: AppClient(app, loop, headers or {})
    loop.close()


@pytest.fixture
def moment() -> datetime:
    return MOMENT


@pytest.fixture
def hand_clock() -> HandClock:
    return HandClock()


@pytest.fixture
def make_tables() -> Callable[..., Tables]:
    """make_tables(hubspot_companies=[{"id": "1"}]): every table of the schema; stamps not given are MOMENT."""

    def make(**rows: list[dict[str, Any]]) -> Tables:
        tables = {}
        for name, columns in SCHEMAS.items():
            given = [_complete(row, columns) for row in rows.pop(name.replace(".", "_"), [])]
            tables[name] = pl.DataFrame(given, schema=columns | VERSION)
        assert not rows, f"no such tables: {list(rows)}"
        return tables

    return make


@pytest.fixture
def make_companies() -> Callable[[int], list[dict[str, Any]]]:
    """make_companies(3): companies 1..3, each changed a second after the one before."""

    def make(count: int) -> list[dict[str, Any]]:
        return [
            {"id": str(number), "name": f"公司{number}", "hs_lastmodifieddate": MOMENT + timedelta(seconds=number)}
            for number in range(1, count + 1)
        ]

    return make


def _complete(row: dict[str, Any], columns: dict[str, pl.DataType]) -> dict[str, Any]:
    stamps = [name for name in columns if name in ("createdate", "hs_createdate", "hs_lastmodifieddate", "lastmodifieddate")]
    return {"_valid_from": MOMENT, "_op": "upsert"} | dict.fromkeys(stamps, MOMENT) | row
