"""`dg dev` and `dagster dev`: both start, load the graph, and their daemon says which asset is late."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest

from orchestration.lib.runs import open_instance
from tests.integration.line_harness import MARKS, PUBLICATION, REPOSITORY, Line

pytestmark = MARKS

SCRIPTS = Path(sys.executable).parent
COMMANDS = {
    "dg": ("dg", "dev"),
    "dagster": ("dagster", "dev", "-w", "workspace.yaml"),
}
START_SECONDS = 240.0
LOCATIONS = """
{ workspaceOrError { ... on Workspace { locationEntries { name loadStatus locationOrLoadError {
    __typename
    ... on PythonError { message }
    ... on RepositoryLocation { repositories { jobs { name } sensors { name } schedules { name } assetNodes { id } } }
} } } } }
"""
FRESHNESS = """
query Freshness($keys: [AssetKeyInput!]) { assetNodes(assetKeys: $keys) {
    assetKey { path } freshnessStatusInfo { freshnessStatus }
} }
"""


@pytest.fixture
def line(published: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Line:
    """A copy of the published home, with a Dagster instance of its own."""
    return published.copy_to(tmp_path / "home").enter(monkeypatch, DAGSTER_HOME=str(tmp_path / "dagster"))


def ask(url: str, query: str, **variables: Any) -> dict[str, Any]:
    answer = httpx.post(url, json={"query": query, "variables": variables}, timeout=60)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()["data"]
    return found


@contextmanager
def serve(command: tuple[str, ...], environment: dict[str, str], log: Path) -> Iterator[str]:
    """The address of its GraphQL, once it answers. Ctrl-C ends it, as at a terminal."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = {**os.environ, **environment, "VIRTUAL_ENV": str(SCRIPTS.parent), "PATH": f"{SCRIPTS}:{os.environ['PATH']}"}
    whole = [str(SCRIPTS / command[0]), *command[1:], "-h", "127.0.0.1", "-p", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            whole, cwd=REPOSITORY, env=place, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            url = f"http://127.0.0.1:{port}/graphql"
            wait_for(lambda: process.poll() is not None or is_up(url), log)
            assert process.poll() is None, log.read_text(encoding="utf-8")
            yield url
        finally:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def is_up(url: str) -> bool:
    try:
        return httpx.post(url, json={"query": "{ version }"}, timeout=5).is_success
    except httpx.HTTPError:
        return False


def wait_for(condition: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
        time.sleep(0.2)


def materialise(instance: dg.DagsterInstance, key: dg.AssetKey, hours_ago: float) -> None:
    """As if the asset had been made so long ago."""
    instance.report_runless_asset_event(dg.AssetMaterialization(key))
    record = instance.get_latest_materialization_event(key)
    assert record is not None
    then = datetime.now(UTC) - timedelta(hours=hours_ago)
    instance.event_log_storage.store_event(record._replace(timestamp=then.timestamp()))


def test_both_commands_load_the_graph_and_the_daemon_says_which_asset_is_late(line, tmp_path, monkeypatch):
    late, warned, young = dg.AssetKey(["u8", "customers"]), dg.AssetKey(["hubspot", "deals"]), PUBLICATION
    instance = open_instance(line.home)
    for key, hours_ago in ((late, 40), (warned, 30), (young, 1)):
        materialise(instance, key, hours_ago)
    # a try that reads nothing makes nothing fresh
    line = line.enter(monkeypatch, U8_DATABASE_URL="postgresql://reader@127.0.0.1:9/nowhere")
    assert line.sync_streams("u8").success
    expected = {"u8/customers": "DEGRADED", "hubspot/deals": "WARNING", "publication/goldthread": "HEALTHY"}
    environment = {**line.environment, "FRESHNESS_DAEMON_INTERVAL_SECONDS": "1"}
    log = tmp_path / "dev.log"

    def read_freshness() -> dict[str, str]:
        nodes = ask(url, FRESHNESS, keys=[{"path": key.path} for key in (late, warned, young)])["assetNodes"]
        return {"/".join(node["assetKey"]["path"]): (node["freshnessStatusInfo"] or {}).get("freshnessStatus") for node in nodes}

    for command in COMMANDS.values():
        with serve(command, environment, log) as url:
            [location] = ask(url, LOCATIONS)["workspaceOrError"]["locationEntries"]
            assert (location["name"], location["loadStatus"]) == ("goldthread", "LOADED")
            assert location["locationOrLoadError"]["__typename"] == "RepositoryLocation", location
            [repository] = location["locationOrLoadError"]["repositories"]
            assert {"sync", "rebuild", "resolve"} <= {job["name"] for job in repository["jobs"]}
            assert {"note_dead_runs", "end_dead_runs"} == {sensor["name"] for sensor in repository["sensors"]}
            assert len(repository["assetNodes"]) > 150
            wait_for(lambda: read_freshness() == expected, log)
