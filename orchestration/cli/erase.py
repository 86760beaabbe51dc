"""`goldthread erase`: a person's values go from every store, and do not come back."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.cli.console import count, open_console
from orchestration.cli.run import JsonOption
from orchestration.project import ProjectError, current_project

if TYPE_CHECKING:
    from rich.console import Console

NEXT = "The next `goldthread run` derives everything anew and publishes; what is served is without them already."
QUESTION = "This cannot be undone. Erase?"
YOURS = (
    "Not ours to erase: the sources themselves, copies and backups of the home, files that `resolve` or `review export` wrote."
)

YOURS_BESIDE = "Not ours to erase: your tables of records, tables that `review export` or `compare` wrote, copies and backups."


def erase(
    subjects: Annotated[
        list[str] | None, typer.Argument(help="An ID, a record as SOURCE:KEY, or a landed one as SOURCE/STREAM/KEY; several.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="A subject per line, or a .csv with the columns source and source_key.")
    ] = None,
    entity: Annotated[str | None, typer.Option(help="organisation or person, where SOURCE:KEY may be either.")] = None,
    hub: Annotated[Path | None, typer.Option(help="Folder of a hub beside the line, which `resolve --hub` keeps.")] = None,
    rules: Annotated[Path | None, typer.Option(help="The rules file of that hub, where it has its own.")] = None,
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

    if hub is not None:
        _erase_from_folder(hub, rules, _list_named(subjects, file), dry_run=dry_run, yes=yes, as_json=as_json)
        return
    project = current_project()
    stores = open_existing_stores(project)
    console = open_console()
    if resume:
        plan = read_journal(stores.home)
        if plan is None:
            raise ProjectError("no erasure was interrupted")
    else:
        named = _list_named(subjects, file)
        if not reason.strip() and not dry_run:
            raise ProjectError("an erasure needs its --reason")
        actor = by or getpass.getuser()
        plan = plan_erasure(stores, project, named, entity=entity, actor=actor, reason=reason.strip(), is_rehearsal=dry_run)
    told = describe_plan(plan)
    if dry_run:
        _tell(console, told, as_json)
        return
    if not yes:
        _refuse_to_ask(as_json)
        _tell(console, told, as_json)
        typer.confirm(QUESTION, abort=True)
    done = do_erasure(stores, project, plan)
    if as_json:
        typer.echo(json.dumps(done, ensure_ascii=False))
        return
    counts = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in done.items() if isinstance(count, int))
    console.print(f"{done['erasure_id']}: {counts}", highlight=False)
    console.print(NEXT, highlight=False)
    console.print(YOURS, highlight=False)


def _erase_from_folder(hub: Path, rules: Path | None, named: list[str], *, dry_run: bool, yes: bool, as_json: bool) -> None:
    from hub.kept.versions import read_note
    from orchestration.cli.blame import blame_the_input
    from orchestration.cli.standalone import choose_rules
    from orchestration.lib.erasure_folder import erase_named, find_named

    with blame_the_input():
        note = read_note(hub)
        if "entity" not in note:
            raise ProjectError(f"{hub} holds no hub")
        chosen = choose_rules(note["entity"], rules).rules
        records = find_named(hub, named)
        told = [f"{source}:{key}" for source, key in records.iter_rows()]
        if not (yes or dry_run):
            _refuse_to_ask(as_json)
            open_console().print(f"records: {', '.join(told)}", highlight=False)
            typer.confirm(QUESTION, abort=True)
        done = {"hub": str(hub), "records": told} if dry_run else erase_named(hub, records, chosen)
    if as_json:
        typer.echo(json.dumps(done, ensure_ascii=False))
    elif dry_run:
        open_console().print(f"would be erased from {hub}: {', '.join(told)}", highlight=False)
    else:
        _tell_erased(open_console(), hub, done)


def _tell_erased(console: Console, hub: Path, done: dict[str, Any]) -> None:
    ended = f"; with them ended {', '.join(done['ids'])}" if done["ids"] else "; no id ended"
    texts = (
        f"{count(done['records'], 'record')} erased from {hub}, and left out whenever a file brings them again{ended}",
        f"Folders that `resolve --out` wrote hold values until `goldthread resolve --hub {hub} --out DIR` writes them anew.",
        YOURS_BESIDE,
    )
    for text in texts:
        console.print(text, highlight=False, markup=False, soft_wrap=True)


def _list_named(subjects: list[str] | None, file: Path | None) -> list[str]:
    named = [*(subjects or []), *(_read_file(file) if file else [])]
    if not named:
        raise ProjectError("whom? an ID, SOURCE:KEY, SOURCE/STREAM/KEY, or --file")
    return named


def _refuse_to_ask(as_json: bool) -> None:
    if as_json:
        raise ProjectError("--json does not ask: add --yes, or --dry-run to see what would go")


def _read_file(path: Path) -> list[str]:
    """Subjects of a file."""
    from hub.files import read_lines, read_table
    from orchestration.cli.blame import blame_the_input

    with blame_the_input():
        if path.suffix.lower() != ".csv":
            return read_lines(path)
        table = read_table(path)
    if not table.height or not {"source", "source_key"} <= set(table.columns):
        raise ProjectError(f"{path}: a .csv needs the columns source and source_key, and a row")
    named = table.select("source", "source_key").rows()
    lacking = [number for number, row in enumerate(named, start=1) if not all(row)]
    if lacking:
        raise ProjectError(f"{path}: row {lacking[0]} lacks its source or its source_key")
    return [f"{source}:{key}" for source, key in named]


def _tell(console: Console, told: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    console.print(f"records: {', '.join(told['records']) or 'none of the hub'}", highlight=False)
    console.print(f"ids that end: {', '.join(told['ids']) or 'none'}", highlight=False)
    for title, name in (("rows that go", "rows_erased"), ("rows of others that lose values", "rows_cleaned")):
        console.print(f"{title}: {sum(told[name].values())}", highlight=False)
        for where, rows in told[name].items():
            console.print(f"  {where}: {rows}", highlight=False)
    for note in told["kept"]:
        console.print(f"stays: {note}", highlight=False)
