"""`goldthread erase`: a person's values go from every store, and do not come back."""

from __future__ import annotations

import csv
import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.cli.console import open_console
from orchestration.cli.run import JsonOption
from orchestration.project import ProjectError, current_project

if TYPE_CHECKING:
    from rich.console import Console

NEXT = "The next `goldthread run` derives everything anew and publishes; what is served is without them already."
YOURS = (
    "Not ours to erase: the sources themselves, copies and backups of the home, files that `resolve` or `review export` wrote."
)


def erase(
    subjects: Annotated[
        list[str] | None, typer.Argument(help="An ID, a record as SOURCE:KEY, or a landed one as SOURCE/STREAM/KEY; several.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="A subject per line, or a .csv with the columns source and source_key.")
    ] = None,
    entity: Annotated[str | None, typer.Option(help="organisation or person, where SOURCE:KEY may be either.")] = None,
    by: Annotated[str | None, typer.Option(help="Who decides (default: the user of this machine).")] = None,
    reason: Annotated[str, typer.Option(help="Why: kept in the ledger, so name nobody in it.")] = "",
    dry_run: Annotated[bool, typer.Option(help="Say what would go, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option(help="Do not ask.")] = False,
    resume: Annotated[bool, typer.Option(help="Complete an erasure that was interrupted.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Erase persons or customers: their rows from landing on, their values wherever else they stand, kept publications too."""
    from orchestration.lib.erasure import describe_plan, do_erasure, plan_erasure
    from orchestration.lib.stores import open_existing_stores
    from warehouse.erasure.plan import read_journal

    project = current_project()
    stores = open_existing_stores(project)
    console = open_console()
    if resume:
        plan = read_journal(stores.home)
        if plan is None:
            raise ProjectError("no erasure was interrupted")
    else:
        named = [*(subjects or []), *(_read_file(file) if file else [])]
        if not named:
            raise ProjectError("whom? an ID, SOURCE:KEY, SOURCE/STREAM/KEY, or --file")
        if not reason.strip() and not dry_run:
            raise ProjectError("an erasure needs its --reason")
        plan = plan_erasure(stores, project, named, entity=entity, actor=by or getpass.getuser(), reason=reason.strip())
    told = describe_plan(plan)
    if dry_run:
        _tell(console, told, as_json)
        return
    if not yes:
        if as_json:
            raise ProjectError("--json does not ask: add --yes, or --dry-run to see what would go")
        _tell(console, told, as_json)
        typer.confirm("This cannot be undone. Erase?", abort=True)
    done = do_erasure(stores, project, plan)
    if as_json:
        typer.echo(json.dumps(done, ensure_ascii=False))
        return
    counts = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in done.items() if isinstance(count, int))
    console.print(f"{done['erasure_id']}: {counts}", highlight=False)
    console.print(NEXT, highlight=False)
    console.print(YOURS, highlight=False)


def _read_file(path: Path) -> list[str]:
    """Subjects of a file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ProjectError(f"{path} cannot be read: {error}") from error
    if path.suffix.lower() != ".csv":
        return [line.strip() for line in text.splitlines() if line.strip()]
    rows = list(csv.DictReader(text.splitlines()))
    if not rows or not {"source", "source_key"} <= set(rows[0]):
        raise ProjectError(f"{path}: a .csv needs the columns source and source_key, and a row")
    return [f"{row['source']}:{row['source_key']}" for row in rows]


def _tell(console: Console, told: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    console.print(f"records: {', '.join(told['records']) or 'none of the hub'}", highlight=False)
    console.print(f"ids that end: {', '.join(told['ids']) or 'none'}", highlight=False)
    for title, name in (("rows that go", "rows_erased"), ("rows of others that lose values", "rows_cleaned")):
        console.print(f"{title}: {sum(told[name].values())}", highlight=False)
        for where, count in told[name].items():
            console.print(f"  {where}: {count}", highlight=False)
    for note in told["kept"]:
        console.print(f"stays: {note}", highlight=False)
