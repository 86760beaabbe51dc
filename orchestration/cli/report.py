"""What a run came to, as data and as a page of text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration.lib.unread import SYNCED, read_reason, tell_age

if TYPE_CHECKING:
    from orchestration.lib.runs import RunOutcome
    from orchestration.project import Project

FATES = ("rows_in", "accepted", "superseded", "quarantined", "tombstoned", "erased")
COLOURS = {"error": "red", "warn": "yellow"}


def describe_line(project: Project, outcome: RunOutcome | None = None) -> dict[str, Any]:
    """Status of the stores and, after a run, its checks that failed or warned, what drifted, what broke."""
    from orchestration.lib.configuration import declare_project
    from orchestration.lib.stores import open_stores
    from warehouse.batches import schema_changes
    from warehouse.status import read_status

    stores = open_stores(project)
    declared = [(source, stream.name) for source, stream in declare_project(project)]
    status = read_status(stores.home, stores.ledger, declared)
    if outcome and (status["run"] or {}).get("run_id") != outcome.run_id:
        # it ended before it had the home
        status["run"] = {"run_id": outcome.run_id, "state": "failed", "started_at": None, "finished_at": None}
    run_id = (status["run"] or {}).get("run_id")
    results = stores.ledger.check_results(run_id) if run_id else []
    problems = [
        {"asset": result.asset, "check": result.name, "severity": result.severity, "detail": result.detail}
        for result in results
        if not result.passed
    ]
    return {
        **status,
        "checks": {"passed": sum(result.passed for result in results), "failed": sum(not result.passed for result in results)},
        "problems": problems,
        "unread": _count_unread(problems, len(declared)),
        "drift": [
            {name: change[name] for name in ("source", "stream", "column_name", "kind", "old_type", "new_type")}
            for change in (schema_changes(stores.ledger, run_id=run_id) if run_id else [])
        ],
        "errors": _drop_told(outcome.unsaid, {result.name for result in results if not result.passed}) if outcome else [],
    }


def _count_unread(problems: list[dict[str, Any]], of: int) -> dict[str, Any]:
    """Streams that the run wanted to read and could not."""
    streams = [problem["asset"].replace("/", ".") for problem in problems if problem["check"] == SYNCED]
    return {"streams": streams, "of": of, "sources": sorted({stream.split(".")[0] for stream in streams})}


def _drop_told(errors: tuple[str, ...], checks: set[str]) -> list[str]:
    """dbt names every test that failed, and so does the ledger."""
    kept = ["\n".join(line for line in error.splitlines() if line.partition(":")[0] not in checks) for error in errors]
    return [error for error in kept if error]


def print_line(console: Console, report: dict[str, Any]) -> None:
    """The page: streams, problems, drift, verdict, publication, what could not be read; of a run that never began, why."""
    if report["run"] and report["run"]["started_at"] is None:
        _print_errors(console, report["errors"])
        return
    console.print(_stream_table(report["streams"]))
    for text in (*_tell_sources(report), *_tell_checks(report["problems"]), *_tell_drift(report["drift"])):
        console.print(text, highlight=False, soft_wrap=True)
    _print_errors(console, report["errors"])
    console.print(_tell_verdict(report), highlight=False, soft_wrap=True)
    for text in (*_tell_publication(report), *_tell_unread(report["unread"])):
        console.print(text, highlight=False, soft_wrap=True)


def _print_errors(console: Console, errors: list[str]) -> None:
    for error in errors:
        console.print(f"[red]error[/] {escape(error)}", highlight=False, soft_wrap=True)


def _tell_sources(report: dict[str, Any]) -> Iterator[str]:
    """A source that could not be read is one line, not one a stream."""
    fresh_at = {f"{stream['source']}/{stream['stream']}": stream["fresh_at"] for stream in report["streams"]}
    groups: dict[tuple[str, str, str], list[str]] = {}
    for problem in report["problems"]:
        if problem["check"] == SYNCED:
            source = problem["asset"].split("/")[0]
            groups.setdefault((problem["severity"], source, read_reason(problem["detail"])), []).append(problem["asset"])
    for (severity, source, reason), assets in groups.items():
        which = assets[0].replace("/", ".") if len(assets) == 1 else f"{source}: {len(assets)} streams"
        times = [fresh_at[asset] for asset in assets]
        read = "never read so far" if None in times else f"last read {_tell_since(min(times))} ago"
        yield f"[{COLOURS[severity]}]{severity}[/] {which} could not be read, {read}: {escape(reason)}"


def _tell_since(moment: str) -> str:
    return tell_age(datetime.now(UTC) - datetime.fromisoformat(moment))


def _tell_checks(problems: list[dict[str, Any]]) -> Iterator[str]:
    """What is wrong, once, with the first of the assets that it is wrong with."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for problem in problems:
        if problem["check"] != SYNCED:
            assets = groups.setdefault((problem["severity"], problem["check"], problem["detail"]), [])
            assets += [problem["asset"]] if problem["asset"] else []
    for (severity, check, detail), assets in groups.items():
        place = f"{assets[0]}: " if len(assets) == 1 else f"{assets[0]} and {len(assets) - 1} more: " if assets else ""
        yield f"[{COLOURS[severity]}]{severity}[/] {place}{check}: {escape(detail)}"


def _tell_drift(drift: list[dict[str, Any]]) -> Iterator[str]:
    for change in drift:
        types = f" ({change['old_type']} -> {change['new_type']})" if change["kind"] == "retyped_column" else ""
        yield f"[yellow]drift[/] {change['source']}.{change['stream']}: {change['kind']} {change['column_name']}{types}"


def _tell_verdict(report: dict[str, Any]) -> str:
    """The newest run's own verdict, or why it has none."""
    run, verdict, reason = report["run"], report["verdict"], report["verdict_reason"]
    if run is None:
        return "verdict none yet"
    if run["state"] == "killed":
        return f"[red]killed[/] run {run['run_id']} was killed, and changed nothing for readers; run again"
    if run["run_id"] == report["verdict_run_id"]:
        is_told = verdict == "fail" and (report["errors"] or any(p["severity"] == "error" for p in report["problems"]))
        colour = "green" if verdict == "pass" else "red"
        return f"verdict [bold {colour}]{verdict}[/]" + (f": {escape(reason)}" if reason and not is_told else "")
    before = f"the verdict of run {report['verdict_run_id']} stands: {verdict}" if verdict else "there is no verdict yet"
    if run["state"] == "running":
        return f"run {run['run_id']} goes on since {run['started_at']}; {before}"
    if run["state"] == "failed":
        return f"[bold red]failed[/] run {run['run_id']} ended before its checks"
    return f"run {run['run_id']} had nothing new to check or publish; {before}"


def _tell_publication(report: dict[str, Any]) -> Iterator[str]:
    publication, run = report["publication"], report["run"]
    if publication is None:
        yield "nothing is published yet: `goldthread run`"
        return
    is_broken = run is not None and run["state"] in {"failed", "killed"}
    stands = "what is served stands:" if is_broken and publication["run_id"] != run["run_id"] else "published"
    back = f", restored {publication['restored_at']} ({publication['restored_reason']})" if publication["restored_at"] else ""
    path, run_id, at = (publication[name] for name in ("path", "run_id", "published_at"))
    yield f"{stands} [bold]{escape(path)}[/] by run {run_id} at {at}{escape(back)}"
    if back:
        yield "[yellow]held[/] runs publish nothing until `goldthread publish`"


def _tell_unread(unread: dict[str, Any]) -> Iterator[str]:
    if unread["streams"]:
        sources = ", ".join(unread["sources"])
        yield f"[bold yellow]{len(unread['streams'])} of {unread['of']} streams could not be read[/] (sources {sources})"


def _stream_table(streams: list[dict[str, Any]]) -> Table:
    table = Table(title="streams", title_justify="left", header_style="bold")
    table.add_column("source.stream", no_wrap=True)
    for name in FATES:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("fresh at (UTC)", no_wrap=True)
    for stream in streams:
        fresh = (stream["fresh_at"] or "never")[:16].replace("T", " ")
        counts = ("-" if stream[name] is None else f"{stream[name]:,}" for name in FATES)
        table.add_row(f"{stream['source']}.{stream['stream']}", *counts, fresh)
    table.add_section()
    table.add_row("all", *(f"{sum(stream[name] or 0 for stream in streams):,}" for name in FATES), "")
    return table
