"""dbt inside the run: what it makes is told while it works, and it ends when nobody listens."""

from __future__ import annotations

import threading

import dagster as dg
import pytest

from orchestration.definitions import defs
from orchestration.lib import dbt
from orchestration.lib.runs import open_instance, run_job
from tests.integration.line_harness import MARKS, Line

pytestmark = MARKS

SECONDS = 240  # until a node that waits for Dagster gives up


@pytest.fixture(scope="module")
def living(published: Line, tmp_path_factory: pytest.TempPathFactory) -> Line:
    """One home for these tests: dbt reads its project once per home, 4 s."""
    return published.copy_to(tmp_path_factory.mktemp("dbt") / "home")


@pytest.fixture
def line(living: Line, monkeypatch: pytest.MonkeyPatch) -> Line:
    return living.enter(monkeypatch)


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the nodes that dbt has ended, as it says so."""
    names: list[str] = []
    read = dbt._read_event

    def note(event):
        result = read(event)
        names.append(result.name)
        return result

    monkeypatch.setattr(dbt, "_read_event", note)
    return names


def build_seeds(line: Line):
    return dbt.build(
        ["resource_type:seed"],
        target=line.stores.home.path / "dbt",
        working=line.stores.home.working,
        variables={"as_of": line.environment["SANDBOX_AS_OF"], "run_id": "test"},
    )


def test_dagster_stores_a_table_before_dbt_has_made_the_last(line, monkeypatch):
    part = dg.AssetSelection.assets(["policy", "ref_stage"], ["policy", "ref_alert_rule"], ["policy", "ref_threshold"])
    resolved = dg.Definitions.merge(defs(), dg.Definitions(jobs=[dg.define_asset_job("part", part)])).resolve_job_def("part")
    stored, waited = threading.Event(), []
    made: list[str] = []
    read = dbt._read_event

    def wait_before_the_last(event):
        result = read(event)
        made.extend([] if result.is_test else [result.name])
        if len(made) == 3 and not waited:
            waited.append(stored.wait(SECONDS))
        return result

    def listen(event: dg.DagsterEvent) -> None:
        if event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION:
            assert event.materialization.metadata["dagster/row_count"].value > 0
            stored.set()

    monkeypatch.setattr(dbt, "_read_event", wait_before_the_last)
    outcome = run_job(resolved, open_instance(line.home), on_event=listen)
    assert outcome.success, outcome.errors
    assert len(made) == 3
    assert waited == [True]


def test_dbt_begins_no_further_node_when_its_step_is_ended(line, ended):
    nodes = build_seeds(line)
    first = next(nodes)
    nodes.close()
    assert ended[0] == first.name
    begun = len(ended)
    assert begun <= 3
    assert len(list(build_seeds(line))) > begun + 10


def test_a_node_that_fails_is_told_and_stops_only_what_hangs_on_it(line):
    line.tamper("drop schema policy cascade", "create schema policy", "create view policy.ref_stage as select 1 as n")
    results = {result.name: result for result in build_seeds(line)}
    assert not results["ref_stage"].is_ok
    assert all(result.is_ok for name, result in results.items() if name != "ref_stage")
