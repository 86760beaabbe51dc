"""HubSpot and WeCom connectors against the strict simulators: faults, dying tokens, a moving clock; the company is the oracle."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

from connectors.base import Connector, Stream
from connectors.crm.hubspot import HubSpot
from connectors.http import Patience
from connectors.messaging.wecom import WeCom
from sandbox.company import Company, build_company
from sandbox.servers.http import HttpThread
from sandbox.servers.hubspot import HubSpotOptions, HubSpotServer
from sandbox.servers.versions import select_live
from sandbox.servers.wecom import WeComOptions, WeComServer

pytestmark = pytest.mark.integration

Keys = set[tuple[str, ...]]
FAULTS = 0.05
NOT_TABLES = ("deal_stage_history", "events")  # one is derived from deals, the other comes from a folder


class World:
    """The served company, a connector for each vendor, and what was landed from them."""

    def __init__(self, company: Company, stack: ExitStack) -> None:
        self.company = company
        self.now = company.as_of
        hubspot = HubSpotOptions(token="pat", error_rate=FAULTS, rate_scale=50)
        wecom = WeComOptions(corp_id="ww1", secret="s", error_rate=FAULTS, rate_scale=50, token_seconds=2)
        self.servers = (HubSpotServer(company.tables, self.now, hubspot), WeComServer(company.tables, self.now, wecom))
        urls = [stack.enter_context(HttpThread(server.app, "live")).url for server in self.servers]
        patience = Patience(sleep=lambda seconds: time.sleep(min(seconds, 0.02)))
        self.connectors: tuple[Connector, ...] = (
            HubSpot("hubspot", urls[0], "pat", calls_per_10s=5000, searches_per_second=200, batch_rows=40, patience=patience),
            WeCom("wecom", urls[1], "ww1", "s", batch_rows=40, patience=patience, now=lambda: self.now),
        )
        for connector in self.connectors:
            stack.callback(connector.close)
        self.held: dict[str, dict[tuple[str, ...], dict[str, Any]]] = {}
        self.cursors: dict[str, Any] = {}

    def advance(self, days: int) -> None:
        self.now += timedelta(days=days)
        for server in self.servers:
            server.advance(self.now)

    def sync(self, *, full: bool = False) -> None:
        for connector in self.connectors:
            for stream in connector.streams():
                name = f"{connector.source}.{stream.name}"
                held = self.held.setdefault(name, {})
                for batch in connector.read(stream.name, self.cursors.get(name), full=full):
                    for key in batch.deleted.select(stream.key).rows() if batch.deleted is not None else ():
                        held.pop(key, None)
                    held.update((tuple(row[part] for part in stream.key), row) for row in batch.rows.iter_rows(named=True))
                    if batch.live_keys is not None:
                        live = set(batch.live_keys.select(stream.key).rows())
                        self.held[name] = held = {key: row for key, row in held.items() if key in live}
                    self.cursors[name] = batch.cursor

    def tables(self) -> Iterator[tuple[str, Stream, pl.DataFrame]]:
        for connector in self.connectors:
            for stream in connector.streams():
                name = f"{connector.source}.{stream.name}"
                if stream.name not in NOT_TABLES:
                    yield name, stream, self.live(name, stream)

    def live(self, name: str, stream: Stream) -> pl.DataFrame:
        rows = select_live(self.company.tables[name], stream.key, self.now)
        if name.startswith("hubspot.") and stream.name != "owners":
            rows = rows.filter(pl.col("_op") != "archive")
        return rows.with_columns(pl.col(column).dt.epoch("s") for column in stream.key if rows.schema[column].is_temporal())

    def check(self) -> None:
        for name, stream, live in self.tables():
            expected: Keys = {tuple(map(str, key)) for key in live.select(stream.key).rows()}
            assert set(self.held[name]) == expected, name
            if stream.version and stream.version in live.columns:
                versions = live.select("id", pl.col(stream.version).dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")).rows()
                assert {key: self.held[name][(key,)][stream.version] for key, _ in versions} == dict(versions), name
        statuses = self.live("wecom.approvals", self.connectors[1].streams()[5]).select("sp_no", "sp_status").rows()
        assert {key: self.held["wecom.approvals"][(key,)]["sp_status"] for key, _ in statuses} == {
            key: str(status) for key, status in statuses
        }


@pytest.fixture(scope="module")
def company() -> Company:
    return build_company(0.05)


@pytest.fixture
def world(company: Company) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(company, stack)


def test_what_is_held_follows_the_vendors_through_a_month(world: World) -> None:
    world.sync()
    world.check()
    for days in (1, 9, 21):
        world.advance(days)
        world.sync()
        world.check()
    world.sync(full=True)
    world.check()
    assert all(server.counters["faults"] > 0 for server in world.servers), "the simulators did misbehave"
    assert all(server.counters["rate_limited"] == 0 for server in world.servers), "our budgets kept us inside the limits"


def test_every_stage_of_every_live_deal_is_read(world: World) -> None:
    world.sync()
    deals = {key for (key,) in world.held["hubspot.deals"]}
    stages = world.company.tables["hubspot.deal_stage_history"].filter(
        pl.col("deal_id").is_in(deals) & (pl.col("entered_at") <= world.now) & (pl.col("_valid_from") <= world.now)
    )
    found = {(deal, datetime.fromisoformat(at)) for deal, at in world.held["hubspot.deal_stage_history"]}
    assert found == set(stages.select("deal_id", pl.col("entered_at").dt.truncate("1ms")).rows())
