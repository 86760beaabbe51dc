"""The `goldthread` command. It drives the same Dagster jobs as the UI and the schedules.

A command imports the pipeline when it runs: Dagster and dbt take 4 s to import.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.markup import escape

from connectors.errors import ConnectorError
from orchestration.cli import (
    decisions,
    demo,
    erase,
    explain,
    identity,
    publication,
    quarantine,
    rules,
    run,
    sandbox,
    standalone,
    status,
    variants,
)
from orchestration.cli.console import open_console
from orchestration.cli.unforeseen import keep_traceback
from orchestration.project import ProjectError
from warehouse.errors import WarehouseError

app = typer.Typer(
    name="goldthread",
    help="One golden thread through every system that knows a customer.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def choose_project(
    project: Annotated[Path | None, typer.Option(help="Folder or file of the project (default: ./goldthread.yaml).")] = None,
    home: Annotated[Path | None, typer.Option(help="Where all stores live (default: .goldthread).")] = None,
) -> None:
    if project is not None:
        os.environ["GOLDTHREAD_PROJECT"] = str(project)
    if home is not None:
        os.environ["GOLDTHREAD_HOME"] = str(home)


app.command("demo")(demo.run_demo)
app.command("run")(run.run_line)
app.command("status")(status.show_status)
app.command("resolve")(identity.resolve)
app.command("explain")(explain.explain)
app.add_typer(rules.app, name="rules")
app.command("evaluate")(standalone.evaluate)
app.command("compare")(variants.compare)
app.command("tune")(variants.tune)
app.add_typer(decisions.app, name="review")
app.command("merge")(decisions.merge)
app.command("split")(decisions.split)
app.command("never")(decisions.never)
app.command("move")(decisions.move)
app.command("undo")(decisions.undo)
app.command("decisions")(decisions.list_decisions)
app.add_typer(quarantine.app, name="quarantine")
app.command("erase")(erase.erase)
app.command("publish")(publication.publish)
app.command("rollback")(publication.rollback)
app.add_typer(sandbox.app, name="sandbox")


def main() -> None:
    """Entry point: a user's mistake ends in one clear line, not in a traceback."""
    # read when polars is imported, which commands do: its allocator else keeps what is let go of, 100 MB at a million records
    os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:250,muzzy_decay_ms:0")
    try:
        app()
    except (ProjectError, ConnectorError, WarehouseError) as error:
        _end(str(error))
    except Exception as error:
        _end(keep_traceback(error))


def _end(message: str) -> NoReturn:
    open_console(stderr=True).print(f"[bold red]goldthread:[/] {escape(message)}", highlight=False, soft_wrap=True)
    raise SystemExit(1) from None
