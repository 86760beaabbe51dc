"""What a run came to, as data and as a page of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from orchestration.lib.runs import RunOutcome
    from orchestration.lib.stores import Stores

FATES = ("rows_in", "accepted", "superseded", "quarantined", "tombstoned", "erased")


def describe_line(stores: Stores, outcome: RunOutcome | None = None) -> dict[str, Any]:
    """Status of the stores and, after a run, its checks that failed or warned, what drifted, what broke."""
    from warehouse.batches import schema_changes
    from warehouse.status import read_status

    status = read_status(stores.home, stores.ledger)
    run_id = outcome.run_id if outcome else (status["run"] or {}).get("run_id")
    results = stores.ledger.check_results(run_id) if run_id else []
    return {
        **status,
        "checks": {"passed": sum(result.passed for result in results), "failed": sum(not result.passed for result in results)},
        "problems": [
            {"asset": result.asset, "check": result.name, "severity": result.severity, "detail": result.detail}
            for result in results
            if not result.passed
        ],
        "drift": [
            {name: change[name] for name in ("source", "stream", "column_name", "kind", "old_type", "new_type")}
            for change in (schema_changes(stores.ledger, run_id=run_id) if run_id else [])
        ],
        "errors": list(outcome.errors) if outcome else [],
    }


def print_line(console: Console, report: dict[str, Any]) -> None:
    """The page: streams, problems, drift, verdict, publication."""
    console.print(_stream_table(report["streams"]))
    for (severity, check, detail), assets in _group_problems(report["problems"]).items():
        colour = "red" if severity == "error" else "yellow"
        place = f"{assets[0]}: " if len(assets) == 1 else f"{assets[0]} and {len(assets) - 1} more: " if assets else ""
        console.print(f"[{colour}]{severity}[/] {place}{check}: {detail}", highlight=False)
    for change in report["drift"]:
        types = f" ({change['old_type']} -> {change['new_type']})" if change["kind"] == "retyped_column" else ""
        console.print(f"[yellow]drift[/] {change['source']}.{change['stream']}: {change['kind']} {change['column_name']}{types}")
    for error in report["errors"]:
        console.print(f"[red]failed[/] {error}", highlight=False)
    verdict = report["verdict"]
    colour = "green" if verdict == "pass" else "red"
    reason = f": {report['verdict_reason']}" if report["verdict_reason"] else ""
    console.print(f"verdict [bold {colour}]{verdict or 'none yet'}[/]{reason}", highlight=False)
    _print_publication(console, report["publication"])


def _group_problems(problems: list[dict[str, Any]]) -> dict[tuple[str, str, str], list[str]]:
    """Assets by what is wrong with them: a source that is down is one line, not one a stream."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for problem in problems:
        assets = groups.setdefault((problem["severity"], problem["check"], problem["detail"]), [])
        assets += [problem["asset"]] if problem["asset"] else []
    return groups


def _stream_table(streams: list[dict[str, Any]]) -> Table:
    table = Table(title="streams", title_justify="left", header_style="bold")
    table.add_column("source.stream", no_wrap=True)
    for name in FATES:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("fresh at (UTC)", no_wrap=True)
    for stream in streams:
        fresh = (stream["fresh_at"] or "never")[:16].replace("T", " ")
        table.add_row(f"{stream['source']}.{stream['stream']}", *(f"{stream[name]:,}" for name in FATES), fresh)
    table.add_section()
    table.add_row("all", *(f"{sum(stream[name] for stream in streams):,}" for name in FATES), "")
    return table


def _print_publication(console: Console, publication: dict[str, Any] | None) -> None:
    if publication is None:
        console.print("nothing is published yet: `goldthread run`")
        return
    back = f", restored {publication['restored_at']} ({publication['restored_reason']})" if publication["restored_at"] else ""
    console.print(
        f"published [bold]{publication['path']}[/] by run {publication['run_id']} at {publication['published_at']}{back}"
    )
    if back:
        console.print("[yellow]held[/] runs publish nothing until `goldthread publish`")
