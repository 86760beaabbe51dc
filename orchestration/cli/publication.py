"""`goldthread publish` and `goldthread rollback`: what readers are served."""

from __future__ import annotations

import getpass
import json
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli.console import open_console
from orchestration.cli.decisions import By
from orchestration.cli.run import JsonOption
from orchestration.project import ProjectError, current_project

if TYPE_CHECKING:
    from warehouse.publication import Publication


def publish(as_json: JsonOption = False) -> None:
    """Publish the working warehouse of the newest run, if it passed. Runs do this themselves, except after a rollback."""
    from orchestration.lib.gate import read_project_manifest
    from orchestration.lib.inputs import describe_code, fingerprint_code
    from orchestration.lib.models import settle_retrained
    from orchestration.lib.publication import describe_tables, list_published_tables
    from orchestration.lib.stores import open_existing_stores
    from warehouse import publication

    project = current_project()
    stores = open_existing_stores(project)
    run_id = stores.ledger.newest_run()
    if run_id is None:
        raise ProjectError("there has been no run yet: `goldthread run`")
    with stores.home.hold_run_lock(run_id):
        served = publication.ensure_served(stores.home, stores.ledger)
        if served and served.action != "rollback" and stores.had_no_news(run_id):
            _print_served(served, stores.home.served, as_json)
            if not as_json:
                open_console().print("nothing is newer than that: the last run found no news")
            return
        if served is None or served.run_id != run_id or served.action == "rollback":
            with stores.open_working() as con:
                tables = list_published_tables(con)
            manifest = read_project_manifest(project)
            code, comments = describe_code(fingerprint_code(manifest)), describe_tables(manifest)
            rules = project.rule_version
            served = publication.publish(
                stores.home, stores.ledger, run_id, tables, code, rules, comments=comments, ends_hold=True
            )
            settle_retrained(stores.home, stores.ledger)
    _print_served(served, stores.home.served, as_json)


def rollback(
    reason: Annotated[str, typer.Option(help="Why; kept in the ledger and in the served file.")],
    to: Annotated[str | None, typer.Option(help="Run whose publication to serve; default: the one before.")] = None,
    by: By = None,
    as_json: JsonOption = False,
) -> None:
    """Serve an earlier publication again; runs go on, but publish nothing until `goldthread publish`."""
    from orchestration.lib.stores import open_existing_stores
    from warehouse import publication

    stores = open_existing_stores(current_project())
    served = publication.rollback(stores.home, stores.ledger, author=by or getpass.getuser(), reason=reason, to=to)
    _print_served(served, stores.home.served, as_json)
    if not as_json:
        open_console().print("runs go on and are checked, but publish nothing until `goldthread publish`")


def _print_served(served: Publication, path: object, as_json: bool) -> None:
    facts = {"path": str(path), "seq": served.seq, "run_id": served.run_id, "published_at": served.published_at.isoformat()}
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        open_console().print(f"serving [bold]{facts['path']}[/]: publication {facts['seq']} of run {facts['run_id']}")
