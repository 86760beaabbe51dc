import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.catalog import declare_streams
from orchestration.cli import quarantine
from orchestration.lib.runs import RunOutcome
from orchestration.lib.stores import open_stores
from orchestration.project import current_project


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """A project of one source whose streams are loaded; the runs that a retry starts are noted and not made."""
    monkeypatch.setenv("GOLDTHREAD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GOLDTHREAD_PROJECT", str(Path(__file__).parents[3]))
    monkeypatch.delenv("GOLDTHREAD_LEDGER", raising=False)
    current_project.cache_clear()
    whole = current_project()
    project = replace(whole, sources=tuple(source for source in whole.sources if source.name == "wecom"))
    stores = open_stores(project)
    stores.home.create()
    for stream in declare_streams("wecom", project.sources[0].settings, project.folder):
        stores.load("wecom", stream)
    started = []
    monkeypatch.setattr(quarantine, "current_project", lambda: project)
    monkeypatch.setattr(quarantine, "load", lambda _project, job: job)
    monkeypatch.setattr(quarantine, "execute", lambda job, _config, quiet: started.append(job) or RunOutcome("r", True, ()))
    yield started, stores
    current_project.cache_clear()


def retry(monkeypatch, recovered, *options):
    monkeypatch.setattr(quarantine, "_retry_source", lambda *_: recovered)
    answer = CliRunner().invoke(quarantine.app, ["retry", *options], catch_exceptions=False)
    assert answer.exit_code == 0
    return answer.stdout


def test_a_retry_that_recovers_nothing_derives_nothing_and_says_so(runs, monkeypatch):
    started, _ = runs
    assert json.loads(retry(monkeypatch, 0, "--json"))["published"] is False
    assert "nothing was derived or published" in " ".join(retry(monkeypatch, 0).split())
    assert started == []


def test_a_retry_that_recovers_a_row_publishes(runs, monkeypatch):
    started, _ = runs
    assert json.loads(retry(monkeypatch, 1, "--json"))["published"] is True
    assert started == ["rebuild"]


def test_a_retry_after_a_contract_changed_publishes_though_no_reject_was_read(runs, monkeypatch):
    started, stores = runs
    with stores.open_working() as con:
        con.execute("update landing._loaded set contract_hash = 'older' where stream = 'users'")
    assert json.loads(retry(monkeypatch, 0, "--json"))["published"] is True
    assert started == ["rebuild"]
