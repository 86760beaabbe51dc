"""The asset graph: as written down, and every asset says what it is and whose it is."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from orchestration.definitions import defs
from tests.integration.definitions_text import describe_definitions
from tests.integration.line_harness import MARKS, REPOSITORY, SOURCES, Line
from warehouse.home import Home

pytestmark = MARKS

GOLDEN = Path(__file__).parents[1] / "golden" / "definitions.txt"


@pytest.fixture
def definitions(published: Line, monkeypatch: pytest.MonkeyPatch) -> dg.Definitions:
    published.enter(monkeypatch)
    return defs()


def test_the_graph_is_the_one_that_was_written_down(definitions):
    written = GOLDEN.read_text(encoding="utf-8").splitlines()
    assert describe_definitions(definitions) == written, f"if this is wanted, write it anew: see {GOLDEN.name}'s maker"


def test_every_asset_has_a_group_kinds_an_owner_and_one_line_of_description(definitions):
    graph = definitions.resolve_asset_graph()
    for node in graph.asset_nodes:
        if not node.is_materializable:
            continue
        name = node.key.to_user_string()
        assert node.group_name not in {None, "default"}, name
        assert node.kinds, name
        assert node.owners, name
        assert node.description, name
        assert "\n" not in node.description.strip(), name


def test_every_stream_is_the_start_of_a_way_to_the_publication(definitions):
    graph = definitions.resolve_asset_graph()
    reached = {dg.AssetKey(["publication", "goldthread"])}
    pending = list(reached)
    while pending:
        for parent in graph.get(pending.pop()).parent_keys - reached:
            reached.add(parent)
            pending.append(parent)
    streams = {node.key for node in graph.asset_nodes if node.is_materializable and node.group_name in SOURCES}
    assert len(streams) > 30
    assert streams - reached == set()


def test_the_hubs_assets_are_the_tables_that_it_writes(definitions, published):
    written = {name for (name,) in published.query("select table_name from information_schema.tables where table_schema = 'hub'")}
    graph = definitions.resolve_asset_graph()
    assert written == {node.key.path[-1] for node in graph.asset_nodes if node.is_materializable and node.group_name == "hub"}


def test_every_job_fits_a_project_whose_sources_feed_not_everything(published, monkeypatch):
    published.enter(monkeypatch, GOLDTHREAD_PROJECT=str(REPOSITORY / "examples" / "public-sales"))
    for name in ("sync", "rebuild", "resolve"):
        assert defs().resolve_job_def(name).name == name


def test_loading_the_definitions_needs_no_secret_and_asks_no_vendor(published, tmp_path, monkeypatch):
    line = published.enter(monkeypatch)
    for name in ("HUBSPOT_TOKEN", "WECOM_SECRET", "U8_DATABASE_URL", "HUBSPOT_URL", "WECOM_URL"):
        monkeypatch.delenv(name)
    requests = []
    monkeypatch.setattr("socket.socket.connect", lambda *address: requests.append(address))
    assert describe_definitions(defs())
    assert requests == []
    assert Home(line.home).served.exists()


def test_definitions_py_stays_short():
    assert len((REPOSITORY / "orchestration" / "definitions.py").read_text().splitlines()) < 20
