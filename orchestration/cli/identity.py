"""`goldthread resolve`: who is who."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.console import open_console
from orchestration.cli.run import JsonOption, execute, load, tag_run
from orchestration.cli.standalone import Files, resolve_files
from orchestration.project import ProjectError, current_project


def resolve(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Tables of records, Parquet or CSV; without one: what has landed.")
    ] = None,
    entity: Annotated[str | None, typer.Option(help="What the files' records are of: organisation, person, or your own.")] = None,
    rules: Annotated[Path | None, typer.Option(help="Rules file (TOML); see `goldthread rules`.")] = None,
    hub: Annotated[
        Path | None, typer.Option(help="Folder of a hub that the records are added to; a new or empty one is founded.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="Folder written earlier, whose model is used instead of training; not with --hub.")
    ] = None,
    match_bits: Annotated[float | None, typer.Option(help="What a match needs, instead of the rules' threshold.")] = None,
    decisions: Annotated[
        Path | None,
        typer.Option(help="What people decided: a log (Parquet), or a reviewed table (CSV, Parquet). A hub keeps it."),
    ] = None,
    deleted: Annotated[Path | None, typer.Option(help="Table of records (source, source_key) that the hub is to forget.")] = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Resolve all that the hub holds anew, by the rules given now; ids last.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Take what runs away into the hub all the same.")] = False,
    retrain: Annotated[
        bool, typer.Option("--retrain", help="Of what has landed: with models trained anew, as `run --retrain` would.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder to write what is found into; needed with files or a hub.")] = None,
    at: Annotated[str | None, typer.Option(help="Time of the events (default: the records' newest).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Resolve the records of files, without a project; or what has landed, without publishing, and show what would change."""
    asked = Files(files or [], entity, rules, at, hub, model, match_bits, decisions, deleted, rebuild, force)
    if files or hub:
        if out is None:
            raise ProjectError("say where to write with --out DIR")
        if retrain:
            raise ProjectError("--retrain is about what has landed: files train a model unless --model, a hub with --rebuild")
        resolve_files(asked, out, as_json)
    elif asked != Files([]) or out:
        raise ProjectError("only --retrain and --json go without files: name at least one FILE, or a hub that exists with --hub")
    else:
        _resolve_line(as_json, retrain=retrain)


def _resolve_line(as_json: bool, *, retrain: bool) -> None:
    from orchestration.defs.hub import INVARIANTS
    from orchestration.lib.stores import open_stores

    project = current_project()
    outcome = execute(load(project, "resolve"), {}, quiet=as_json, tags=tag_run(retrain=retrain))
    stores = open_stores(project)
    broken = {
        result.name: result.detail
        for result in stores.ledger.check_results(outcome.run_id)
        if not result.passed and result.severity == "error"
    }
    # what breaks the hub's invariants was found, and is what one wants to see
    if not outcome.success and set(broken) != {INVARIANTS}:
        raise ProjectError("; ".join([*outcome.unsaid, *(f"{name}: {detail}" for name, detail in broken.items())]))
    with stores.open_working() as con:
        [[records, customers]] = con.execute(
            "select count(*), count(distinct customer_gid) from hub.crosswalk where is_current"
        ).fetchall()
        events = con.execute(
            "select kind, count(*) from hub.identity_events where run_id = ? group by kind order by kind", [outcome.run_id]
        ).fetchall()
    held_back = broken.get(INVARIANTS)
    report = {"records": records, "customers": customers, "new_events": dict(events), "held_back": held_back}
    if as_json:
        typer.echo(json.dumps(report))
    else:
        open_console().print(f"{records:,} records are {customers:,} customers; new events: {report['new_events'] or 'none'}")
    if held_back:
        raise ProjectError(f"a run would not publish that: {held_back}")
