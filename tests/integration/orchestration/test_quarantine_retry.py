import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import warehouse.quarantine
from connectors.base import Batch
from connectors.catalog import declare_streams
from orchestration.cli import quarantine
from orchestration.lib.runs import RunOutcome
from orchestration.lib.stores import open_stores
from orchestration.project import current_project

pytestmark = pytest.mark.integration


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


def land_bad_file(store):
    """A reject that has landed and is not loaded."""
    [stream] = [stream for stream in declare_streams("wecom", {}, Path()) if stream.name == "users"]
    rejects = pl.DataFrame({"position": ["a.csv:3"], "reason": ["has 1 of 2 cells"], "payload": [f"[b]{'x' * 80}"]})
    store.land("wecom", stream, Batch("users", pl.DataFrame(), {}, rejects=rejects), "run")
    return stream


def list_quarantine(*options):
    return CliRunner().invoke(quarantine.app, ["list", *options])


def test_a_working_file_that_lacks_landed_rows_is_not_listed(runs):
    _, stores = runs
    stream = land_bad_file(stores)
    answer = list_quarantine()
    assert answer.exit_code == 1
    assert "wecom.users" in str(answer.exception)
    assert "`goldthread run` first" in str(answer.exception)
    assert list_quarantine("--stream", "departments").exit_code == 0, "that one is whole"
    stores.load("wecom", stream)
    assert json.loads(list_quarantine("--json").stdout)[0]["position"] == "a.csv:3"


def test_the_list_says_where_a_row_stands_and_that_its_payload_is_cut(runs, monkeypatch):
    _, stores = runs
    stores.load("wecom", land_bad_file(stores))
    monkeypatch.setenv("COLUMNS", "250")
    shown = list_quarantine().stdout
    assert "place" in shown
    assert "a.csv:3" in shown
    assert f"[b]{'x' * 57}…" in shown


def dismiss(*arguments):
    return CliRunner().invoke(quarantine.app, ["dismiss", *arguments])


def test_rows_are_dismissed_by_place_or_stream_with_a_reason(runs):
    _, stores = runs
    stores.load("wecom", land_bad_file(stores))
    assert "--reason" in str(dismiss("a.csv:3").exception)
    assert "--source and --stream" in str(dismiss("--source", "wecom", "--reason", "old").exception)
    assert "no such row" in str(dismiss("b.csv:3", "--reason", "old").exception)
    assert json.loads(dismiss("a.csv:3", "--reason", "old", "--by", "Li", "--json").stdout) == {"dismissed": 1}
    assert json.loads(list_quarantine("--json").stdout) == []


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


def list_rows(stores):
    with stores.open_working() as con:
        return warehouse.quarantine.list_quarantine(con, "wecom", "users")


def test_a_retry_counts_the_rows_that_left_quarantine_whether_unreadable_or_against_their_contract(runs, monkeypatch):
    _, stores = runs
    users = land_bad_file(stores)
    stores.load("wecom", users)

    def mend(_job, _config, quiet):
        warehouse.quarantine.dismiss_rows(stores.ledger, list_rows(stores), "run", "Li", "mended")
        stores.load("wecom", users)
        return RunOutcome("r", True, ())

    monkeypatch.setattr(quarantine, "execute", mend)
    monkeypatch.setattr(quarantine, "_has_news", lambda *_: True)
    assert retry(monkeypatch, 0).split(";")[0] == "1 rows left quarantine"
