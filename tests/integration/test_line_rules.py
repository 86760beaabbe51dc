"""Rules that a project names: the line resolves with them, keeps the IDs, and says so."""

from __future__ import annotations

from importlib.resources import files

import dagster as dg
import pytest
from typer.testing import CliRunner

from orchestration.cli.app import app
from orchestration.cli.run import tag_run
from orchestration.lib.gate import read_project_manifest
from orchestration.lib.inputs import fingerprint_code
from orchestration.lib.runs import RunOutcome, open_instance
from orchestration.lib.stores import RETRAIN_TAG
from orchestration.project import current_project
from tests.integration.line_harness import MARKS, PUBLICATION, REPOSITORY, VERDICT, Line

pytestmark = MARKS


@pytest.fixture
def strict(line: Line, tmp_path, monkeypatch) -> Line:
    """The published home under a project whose own rules ask for more evidence (0.0 else) before two organisations are one."""
    rules = files("hub").joinpath("rules", "organisation.toml").read_text(encoding="utf-8")
    (tmp_path / "strict.toml").write_text(rules.replace("match_bits = 0.0", "match_bits = 3.0"), encoding="utf-8")
    written = (REPOSITORY / "goldthread.yaml").read_text(encoding="utf-8")
    contracts = written.replace("examples/sandbox", f"{REPOSITORY}/examples/sandbox")
    (tmp_path / "goldthread.yaml").write_text(f"{contracts}\nhub:\n  organisation: strict.toml\n", encoding="utf-8")
    return line.enter(monkeypatch, GOLDTHREAD_PROJECT=str(tmp_path))


def test_own_rules_resolve_the_line_anew_with_ids_kept_and_are_named(strict: Line):
    count = "select count(*) from hub.golden_customers"
    [[before]] = strict.query(count)
    outcome = strict.run_part(dg.AssetSelection.groups("hub"))
    assert outcome.success, strict.verdict(outcome.run_id)
    [[after]] = strict.query(count)
    assert after > before
    lost = strict.query(
        "select customer_gid from hub.identity_events where kind = 'issued' and starts_with(customer_gid, 'cus_') "
        "except select customer_gid from hub.golden_customers except select customer_gid from hub.redirects"
    )
    assert lost == []
    crosswalk = dg.AssetKey(["hub", "crosswalk"])
    event = open_instance(strict.home).get_latest_materialization_event(crosswalk)
    metadata = event.asset_materialization.metadata
    assert metadata["rule_version"].value == current_project().rule_version
    assert strict.read("select rule_version from _publication") != [(current_project().rule_version,)]
    assert metadata["resolved"].value == "all records"


def test_a_line_that_trains_anew_resolves_all_records_keeps_its_ids_and_puts_the_models_in_force(line: Line):
    """A run with the tag of `run --retrain`; only the part that it changes runs here."""
    before = line.query("select source, source_key, customer_gid from hub.crosswalk where is_current order by all")
    kept = {path: path.stat().st_mtime_ns for path in line.stores.home.models.glob("*/model.json")}
    part = dg.AssetSelection.groups("hub") | dg.AssetSelection.assets(VERDICT, PUBLICATION)
    outcome = line.run_part(part, tags=tag_run(retrain=True))
    assert outcome.success, line.verdict(outcome.run_id)
    event = open_instance(line.home).get_latest_materialization_event(dg.AssetKey(["hub", "crosswalk"]))
    assert event.asset_materialization.metadata["resolved"].value == "all records"
    assert line.query("select source, source_key, customer_gid from hub.crosswalk where is_current order by all") == before
    anew = {path: path.stat().st_mtime_ns for path in line.stores.home.models.glob("*/model.json")}
    assert len(kept) == 2
    assert {path: anew[path] > at for path, at in kept.items()} == dict.fromkeys(kept, True)
    assert line.read("select run_id from _publication") == [(outcome.run_id,)]


def test_a_run_that_trains_anew_is_told_so_and_takes_no_publication_for_its_own(line: Line, monkeypatch):
    """Else a run without news would derive nothing."""
    started = []

    def note(job, instance, config=None, on_event=None, tags=None):
        started.append((job.name, dict(tags or {})))
        return RunOutcome("nobody", False, ())

    monkeypatch.setattr("orchestration.lib.runs.run_job", note)
    for command in (["run", "--retrain"], ["run"], ["resolve", "--retrain"]):
        CliRunner().invoke(app, [*command, "--json"])
    tag = {RETRAIN_TAG: "true"}
    assert started == [("sync", tag), ("sync", {}), ("resolve", tag)]
    code = fingerprint_code(read_project_manifest(current_project()))
    answers = []
    for tags in ({}, tag):
        run = dg.DagsterRun(job_name="sync", run_id=f"run{len(answers)}", tags=tags)
        context = dg.build_init_resource_context(instance=open_instance(line.home))
        monkeypatch.setattr(type(context), "run", run)
        with line.stores.yield_for_execution(context) as stores:
            answers.append(stores.is_published_already(code))
    assert answers == [True, False]
