"""The page that a run or `status` ends in: each fault once, a source that is down in one line, and no false success."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console

from orchestration.cli import console
from orchestration.cli.report import _count_unread, _drop_told, print_line
from orchestration.lib.unread import drop_stream, read_reason, tell_age, tell_misconfigured, tell_unread

REASON = "u8 at db:5432: nothing listens there"


def make_stream(source, stream, hours=None):
    """As `status` gives it; `hours` since it was read, None: never."""
    fresh_at = None if hours is None else (datetime.now(UTC) - timedelta(hours=hours)).isoformat()
    counts = dict.fromkeys(
        ("rows_in", "accepted", "superseded", "quarantined", "tombstoned", "erased"), None if hours is None else 7
    )
    return {"source": source, "stream": stream, **counts, "fresh_at": fresh_at}


def make_problem(asset, check, detail, severity="error"):
    return {"asset": asset, "check": check, "severity": severity, "detail": detail}


def show(**changes):
    """The lines that are printed below the table of a run that published and passed, but for `changes`."""
    problems = changes.get("problems", [])
    report = {
        "streams": [make_stream("u8", "customers", 3.5), make_stream("u8", "stock", 5.5), make_stream("forms", "leads")],
        "problems": problems,
        "unread": _count_unread(problems, 3),
        "drift": [],
        "errors": [],
        "verdict": "pass",
        "verdict_reason": "564 checks passed",
        "verdict_run_id": "r2",
        "run": {"run_id": "r2", "state": "succeeded", "started_at": "2026-01-01T00:00:00+00:00"},
        "publication": {"path": "/home/x.duckdb", "run_id": "r1", "published_at": "2026-01-01", "restored_at": None},
        **changes,
    }
    text = StringIO()
    print_line(Console(file=text, width=60), report)
    table, _, below = text.getvalue().partition(" all ")
    assert "never" in table
    return below.splitlines()[2:]


def test_a_source_that_is_down_is_one_line_and_the_last_line_counts_its_streams():
    details = [tell_unread("u8", name, timedelta(hours=age), REASON) for name, age in (("customers", 3.5), ("stock", 5.5))]
    problems = [
        make_problem(f"u8/{name}", "synced", detail, "warn") for name, detail in zip(("customers", "stock"), details, strict=True)
    ]
    assert show(problems=problems) == [
        f"warn u8: 2 streams could not be read, last read 5 hours ago: {REASON}",
        "verdict pass: 564 checks passed",
        "published /home/x.duckdb by run r1 at 2026-01-01",
        "2 of 3 streams could not be read (sources u8)",
    ]


def test_one_stream_that_was_never_read_is_named():
    problem = make_problem("forms/leads", "synced", "never read: no such folder")
    lines = show(problems=[problem])
    assert lines[0] == "error forms.leads could not be read, never read so far: no such folder"


def test_a_fault_that_a_check_tells_is_told_once():
    run = {"run_id": "r2", "state": "failed", "started_at": "2026-01-01"}
    problems = [make_problem("gate/x", "balanced", "three rows are lost")]
    lines = show(problems=problems, verdict="fail", verdict_reason="balanced: three rows are lost", run=run)
    assert lines == [
        "error gate/x: balanced: three rows are lost",
        "verdict fail",
        "what is served stands: /home/x.duckdb by run r1 at 2026-01-01",
    ]
    alone = show(verdict="fail", verdict_reason="dbt_models: no space left", run=run)
    assert alone[0] == "verdict fail: dbt_models: no space left"
    broken = show(verdict="fail", verdict_reason="dbt_models: no space left", run=run, errors=["no space left"])
    assert broken[:2] == ["error no space left", "verdict fail"]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("killed", "killed run r3 was killed, and changed nothing for readers; run again"),
        ("failed", "failed run r3 ended before its checks"),
        ("running", "run r3 goes on since 2026-01-01; the verdict of run r2 stands: pass"),
        ("succeeded", "run r3 had nothing new to check or publish; the verdict of run r2 stands: pass"),
    ],
)
def test_a_run_without_a_verdict_never_borrows_that_of_another(state, words):
    lines = show(run={"run_id": "r3", "state": state, "started_at": "2026-01-01"})
    assert lines[0] == words
    assert lines[1].startswith("what is served stands:" if state in {"killed", "failed"} else "published")


def test_a_run_that_never_had_the_home_prints_why_and_nothing_else():
    text = StringIO()
    run = {"run_id": "r3", "state": "failed", "started_at": None}
    print_line(Console(file=text, width=60), {"run": run, "errors": ["another run holds the home"], "verdict": "pass"})
    assert text.getvalue() == "error another run holds the home\n"


def test_dbt_tests_that_the_ledger_tells_are_dropped_and_models_that_broke_are_kept():
    assert _drop_told(("unique_a: Got 3 results\nfct_a: no memory", "unique_a: Got 3 results"), {"unique_a"}) == [
        "fct_a: no memory"
    ]


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0.5, "less than 2 minutes"), (5, "5 minutes"), (90, "90 minutes"), (24 * 60, "24 hours"), (3 * 24 * 60, "3 days")],
)
def test_an_age_is_told_in_the_unit_that_fits(minutes, words):
    assert tell_age(timedelta(minutes=minutes)) == words


def test_a_reason_survives_its_way_through_the_ledger():
    for detail in (
        tell_unread("u8", "stock", timedelta(hours=1), REASON),
        tell_unread("u8", "stock", None, REASON),
        tell_misconfigured(REASON),
    ):
        assert read_reason(detail) == REASON


def test_what_one_stream_met_is_said_of_its_source():
    assert drop_stream("u8", 'u8.customers (table "Customer" at db:5432): nothing listens there') == REASON
    assert drop_stream("u8", "u8.customers: nothing listens there") == "u8: nothing listens there"
    assert drop_stream("wecom", "wecom: GET /x: no connection") == "wecom: GET /x: no connection"


def test_the_command_is_named_as_it_was_started(monkeypatch, tmp_path):
    started = tmp_path / "goldthread"
    started.write_text("", encoding="utf-8")
    started.chmod(0o755)
    monkeypatch.setattr("sys.argv", [str(started)])
    monkeypatch.setenv("PATH", "/nowhere")
    assert console.name_command() == str(started)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert console.name_command() == "goldthread"
    monkeypatch.setattr("sys.argv", ["/usr/bin/pytest"])
    assert console.name_command() == "goldthread"
