"""`goldthread quarantine`: rows that broke their contract, and trying them again."""

from __future__ import annotations

import getpass
import json
import uuid
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from connectors.errors import ConnectorError
from orchestration.cli.console import open_console
from orchestration.cli.run import JsonOption, execute, load
from orchestration.project import Project, ProjectError, SourceSettings, current_project

if TYPE_CHECKING:
    import polars as pl

    from connectors.base import Stream
    from orchestration.lib.stores import Stores

SHOWN = 60  # characters of a payload in the table; --json shows all
SHOWN_STREAMS = 5
ALL = 1_000_000_000
app = typer.Typer(help="Rows that broke their contract: what, where, why.", no_args_is_help=True)
Source = Annotated[str | None, typer.Option(help="Only this source.")]
StreamName = Annotated[str | None, typer.Option(help="Only this stream.")]


@app.command("list")
def list_rows(
    source: Source = None,
    stream: StreamName = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows, newest first.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List quarantined rows with the reason and the payload."""
    from orchestration.lib.stores import open_existing_stores

    project = current_project()
    rows = _read_rows(project, open_existing_stores(project), source, stream, limit)
    if as_json:
        typer.echo(json.dumps(rows.to_dicts(), ensure_ascii=False, default=str))
        return
    table = Table(title=f"{rows.height} quarantined rows", title_justify="left", header_style="bold")
    for name in ("source.stream", "place", "key", "reason", "payload"):
        table.add_column(name, overflow="fold")
    for row in rows.iter_rows(named=True):
        payload = row["payload"] or ""
        cut = payload if len(payload) <= SHOWN else f"{payload[:SHOWN]}…"
        texts = (f"{row['source']}.{row['stream']}", row["position"] or "", row["key"] or "", row["reason"], cut)
        table.add_row(*map(escape, texts))
    open_console().print(table)


@app.command()
def dismiss(
    rows: Annotated[list[str] | None, typer.Argument(help="Keys or places, as `quarantine list` shows them.")] = None,
    source: Source = None,
    stream: StreamName = None,
    reason: Annotated[str, typer.Option(help="Why: kept in the ledger, so name nobody in it.")] = "",
    by: Annotated[str | None, typer.Option(help="Who decides (default: the user of this machine).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Give rows up: they leave quarantine until their source says something else, and the ledger keeps who, when and why."""
    from orchestration.lib.stores import open_existing_stores
    from warehouse.quarantine import dismiss_rows

    if not reason.strip():
        raise ProjectError("say why with --reason: it stays in the ledger")
    if not rows and (source is None or stream is None):
        raise ProjectError(
            "say which rows: keys or places from `goldthread quarantine list`, or --source and --stream for all of one"
        )
    project = current_project()
    stores = open_existing_stores(project)
    run_id = f"dismiss-{uuid.uuid4()}"
    with stores.home.hold_run_lock(run_id):
        found = _read_rows(project, stores, source, stream, ALL)
        chosen = [not rows or row["key"] in rows or row["position"] in rows for row in found.iter_rows(named=True)]
        given_up = [row for row, is_chosen in zip(found.to_dicts(), chosen, strict=True) if is_chosen]
        if not given_up:
            raise ProjectError("no such row is in quarantine; `goldthread quarantine list` shows keys and places")
        names = {(row["source"], row["stream"]) for row in given_up}
        dismiss_rows(stores.ledger, found.filter(chosen), run_id, by or getpass.getuser(), reason.strip())
        for name, declared in _list_streams(project):
            if (name, declared.name) in names:
                stores.load(name, declared)
    if as_json:
        typer.echo(json.dumps({"dismissed": len(given_up)}))
    else:
        open_console().print(f"{len(given_up)} rows dismissed; the next `goldthread run` publishes without them")


@app.command()
def retry(source: Source = None, as_json: JsonOption = False) -> None:
    """Parse rejected rows again under today's contracts; where that brings anything, derive, check and publish."""
    from orchestration.lib.stores import open_stores

    project = current_project()
    stores = open_stores(project)
    chosen = [settings for settings in project.sources if source in (None, settings.name)]
    run_id = f"retry-{uuid.uuid4()}"
    n_landed, errors = 0, []
    before = _count_left(stores, source)
    with stores.home.hold_run_lock(run_id):
        for settings in chosen:
            try:
                n_landed += _retry_source(project, stores, settings, run_id)
            except (ConnectorError, ProjectError) as error:
                errors.append(f"{settings.name}: {error}")
        has_news = n_landed > 0 or _has_news(project, stores)
    published = False
    if has_news:
        outcome = execute(load(project, "rebuild"), {}, quiet=as_json)
        published = outcome.success
        errors += outcome.errors
    left = _count_left(stores, source)
    recovered = sum(row["quarantined"] for row in before) - sum(row["quarantined"] for row in left)
    if as_json:
        typer.echo(json.dumps({"recovered": recovered, "left": left, "published": published, "errors": errors}))
    else:
        if not has_news:
            open_console().print("nothing could be recovered and no contract changed: nothing was derived or published")
        _print_retry(recovered, left, errors)
    if errors:
        raise typer.Exit(1)


def _read_rows(project: Project, stores: Stores, source: str | None, stream: str | None, limit: int) -> pl.DataFrame:
    """Quarantined rows, newest first. Raises ProjectError where the working file does not hold all that has landed."""
    from warehouse.quarantine import find_unloaded, list_quarantine

    with stores.open_working() as con:
        names = [(name, declared.name) for name, declared in _list_streams(project)]
        asked = [name for name in names if source in (None, name[0]) and stream in (None, name[1])]
        unloaded = find_unloaded(con, stores.ledger, asked)
        rows = list_quarantine(con, source, stream, limit)
    if unloaded:
        raise ProjectError(
            f"the working file lacks rows that have landed, of {', '.join(unloaded[:SHOWN_STREAMS])}"
            f"{f' and {len(unloaded) - SHOWN_STREAMS} more' if len(unloaded) > SHOWN_STREAMS else ''}: "
            "a run goes on or was interrupted. `goldthread run` first, then ask again"
        )
    return rows


def _retry_source(project: Project, stores: Stores, settings: SourceSettings, run_id: str) -> int:
    """Rows that could be read now."""
    from connectors.catalog import build_connector
    from warehouse.quarantine import retry_rejects

    connector = build_connector(settings.kind, settings.name, project.resolve_settings(settings), project.folder)
    try:
        return sum(
            batch.n_upserts
            for stream in connector.streams()
            for batch in retry_rejects(stores.home, stores.ledger, settings.name, stream, connector.retry, run_id)
        )
    finally:
        connector.close()


def _has_news(project: Project, stores: Stores) -> bool:
    """Whether a stream's table is older than what has landed or than its contract, which rows in quarantine are typed by."""
    from warehouse.load import read_loaded

    with stores.open_working() as con:
        loaded = read_loaded(con)
    known = [(source, stream, loaded.get((source, stream.name))) for source, stream in _list_streams(project)]
    return any(row is None or not row.is_newest(stores.ledger, source, stream) for source, stream, row in known)


def _list_streams(project: Project) -> list[tuple[str, Stream]]:
    from connectors.catalog import declare_streams

    return [(s.name, stream) for s in project.sources for stream in declare_streams(s.kind, s.settings, project.folder)]


def _print_retry(recovered: int, left: list[dict[str, Any]], errors: list[str]) -> None:
    console = open_console()
    console.print(f"{recovered} rows left quarantine; still there: {'' if left else 'none'}")
    for row in left:
        console.print(f"  {row['source']}.{row['stream']}: {row['quarantined']}")
    for error in errors:
        console.print(f"[red]failed[/] {error}", highlight=False)


def _count_left(stores: Stores, source: str | None) -> list[dict[str, Any]]:
    from warehouse.status import read_status

    streams = [row for row in read_status(stores.home, stores.ledger)["streams"] if source in (None, row["source"])]
    return [{name: row[name] for name in ("source", "stream", "quarantined")} for row in streams if row["quarantined"]]
