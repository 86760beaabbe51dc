"""`goldthread status`: where every stream, the verdict and the publication stand."""

from __future__ import annotations

import json

import typer

from orchestration.cli.console import open_console
from orchestration.cli.report import describe_line, print_line
from orchestration.cli.run import JsonOption
from orchestration.project import current_project


def show_status(as_json: JsonOption = False) -> None:
    """Show streams, verdict and publication; reads only the ledger, so it works while a run goes on."""
    from orchestration.lib.stores import open_existing_stores

    project = current_project()
    open_existing_stores(project)
    report = describe_line(project)
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False, default=str))
    else:
        print_line(open_console(), report)
