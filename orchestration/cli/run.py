"""`goldthread run`: one pass of the whole line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from connectors.errors import ConnectorError
from orchestration.cli.console import open_console
from orchestration.cli.report import describe_line, print_line
from orchestration.project import Project, ProjectError, current_project, make_home
from warehouse.errors import WarehouseError
from warehouse.home import Home

if TYPE_CHECKING:
    import dagster as dg

    from orchestration.lib.runs import RunOutcome

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]


@dataclass(frozen=True)
class Line:
    """A job of the code location, and the Dagster instance that will show it."""

    job: dg.JobDefinition
    instance: dg.DagsterInstance


def run_line(
    source: Annotated[
        list[str] | None, typer.Option(help="Read only this source (repeatable); everything is still derived.")
    ] = None,
    full: Annotated[bool, typer.Option(help="Read the sources from the beginning.")] = False,
    rebuild: Annotated[bool, typer.Option(help="Read no source; derive everything again from what has landed.")] = False,
    retrain: Annotated[
        bool, typer.Option("--retrain", help="Train the hub's models anew, on all records and what people decided; IDs last.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Read what is new, derive, check, publish. Exit code 0: what is served is new, or stands; 1: something failed."""
    from orchestration.lib.configuration import check_environment

    project = current_project()
    job, config = _plan(project, source or [], full, rebuild)
    try:
        check_environment(project, [] if rebuild else source or [configured.name for configured in project.sources])
        Home(project.home).refuse_while_held()
        line = load(project, job)
    except (ProjectError, ConnectorError, WarehouseError) as error:
        if not as_json:
            raise
        typer.echo(json.dumps({"errors": [str(error)]}, ensure_ascii=False))
        raise typer.Exit(1) from None
    outcome = execute(line, config, quiet=as_json, tags=tag_run(retrain=retrain))
    report = describe_line(project, outcome)
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False, default=str))
    else:
        print_line(open_console(), report)
    if not outcome.success or _is_cut_off(report):
        raise typer.Exit(1)


def _is_cut_off(report: dict[str, Any]) -> bool:
    """Whether not one stream could be read: what is published may stand, but something is wrong on our side."""
    return bool(report["unread"]["streams"]) and len(report["unread"]["streams"]) == report["unread"]["of"]


def load(project: Project, job: str) -> Line:
    """What `execute` needs; takes seconds, and no source. A mistake in the project or its contracts is said at once."""
    from orchestration.lib.configuration import declare_project

    declare_project(project)
    make_home(project.home)
    from orchestration.lib.runs import load_job, open_instance

    return Line(load_job(job), open_instance(project.home))


def execute(line: Line, config: dict[str, Any], *, quiet: bool, tags: dict[str, str] | None = None) -> RunOutcome:
    """Run a job with a progress bar over its assets."""
    from orchestration.lib.runs import run_job

    if quiet:
        return run_job(line.job, line.instance, config, tags=tags)
    with _show_progress(line.job.name) as on_event:
        return run_job(line.job, line.instance, config, on_event, tags)


def tag_run(*, retrain: bool) -> dict[str, str]:
    """What a run is told beside its configuration."""
    from orchestration.lib.stores import RETRAIN_TAG

    return {RETRAIN_TAG: "true"} if retrain else {}


def _plan(project: Project, chosen: list[str], full: bool, rebuild: bool) -> tuple[str, dict[str, Any]]:
    names = [source.name for source in project.sources]
    unknown = sorted(set(chosen) - set(names))
    if unknown:
        raise ProjectError(f"--source {', '.join(unknown)}: not in this project, which has {', '.join(names)}")
    if rebuild and (full or chosen):
        raise ProjectError("--rebuild reads no source; leave out --full and --source")
    if rebuild:
        return "rebuild", {}
    mode = "full" if full else "incremental"
    modes = {name: mode if not chosen or name in chosen else "none" for name in names}
    return "sync", {"ops": {f"sync_{name}": {"config": {"mode": mode}} for name, mode in modes.items()}}


@contextmanager
def _show_progress(job: str) -> Iterator[Any]:
    from dagster import DagsterEventType

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = open_console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(job, total=0)

        def on_event(event: dg.DagsterEvent) -> None:
            kind = event.event_type
            if kind is DagsterEventType.ASSET_MATERIALIZATION_PLANNED:
                progress.update(task, total=(progress.tasks[0].total or 0) + 1)
            elif kind is DagsterEventType.STEP_START:
                progress.update(task, description=event.step_key or job)
            elif kind in {DagsterEventType.ASSET_MATERIALIZATION, DagsterEventType.ASSET_OBSERVATION}:
                progress.advance(task)

        yield on_event
