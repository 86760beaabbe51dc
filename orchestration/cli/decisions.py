"""`goldthread review`, `merge`, `split`, `never`, `undo` and `decisions`: people decide who is who, and it holds."""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from orchestration.cli.console import open_console
from orchestration.cli.run import JsonOption
from orchestration.project import ProjectError, current_project

if TYPE_CHECKING:
    from orchestration.lib.stores import Stores

NEXT = "takes effect with the next `goldthread run`, even if no source has news"
By = Annotated[str | None, typer.Option(help="Who decides (default: the user of this machine).")]
Reason = Annotated[str, typer.Option(help="Why: whoever contradicts it later reads this.")]
EntityOption = Annotated[str, typer.Option(help="organisation or person; an ID tells by itself.")]
Subject = Annotated[str, typer.Argument(help="An ID (one that was given up is followed), or a record as SOURCE:KEY.")]
app = typer.Typer(help="Pairs that a person should decide.", no_args_is_help=True)


@app.command("list")
def list_queue(
    limit: Annotated[int, typer.Option(help="At most so many pairs, most valuable first.")] = 20,
    entity: EntityOption = "organisation",
    as_json: JsonOption = False,
) -> None:
    """List the pairs that are neither surely one nor surely two, most valuable first."""
    from orchestration.lib.decisions import find_entity
    from orchestration.lib.review import read_queue

    queue = read_queue(_open(), find_entity(entity), limit)
    if as_json:
        typer.echo(json.dumps(queue.to_dicts(), ensure_ascii=False, default=str))
        return
    table = Table(title=f"{queue.height} pairs to decide", title_justify="left", header_style="bold")
    for name in ("record", "and", "bits", "at stake", "evidence"):
        table.add_column(name, justify="right" if name in {"bits", "at stake"} else "left", overflow="fold")
    for row in queue.iter_rows(named=True):
        ends = [f"{row[f'source_{side}']}:{row[f'source_key_{side}']}" for side in ("a", "b")]
        table.add_row(*ends, f"{row['weight']:+.1f}", f"{row['value_at_stake']:,.0f}", row["evidence"])
    open_console().print(table)


@app.command("export")
def export_queue(
    file: Annotated[Path, typer.Argument(help="A .csv or .xlsx file to write.")], entity: EntityOption = "organisation"
) -> None:
    """Write the queue as a table: both records side by side, the evidence, and empty columns `decision` and `reason`."""
    from orchestration.lib.decisions import find_entity
    from orchestration.lib.review import export_queue

    count = export_queue(_open(), find_entity(entity), file)
    open_console().print(
        f"{count} pairs in {file}: write same, different or skip under decision, then `goldthread review import {file}`",
        highlight=False,
    )


@app.command("import")
def import_queue(
    file: Annotated[Path, typer.Argument(help="A table of `review export`, filled in.")],
    by: By = None,
    entity: EntityOption = "organisation",
    as_json: JsonOption = False,
) -> None:
    """Make the decisions of a filled-in table: all rows that can be, at once. Exit code 1 if some cannot."""
    from orchestration.lib.decisions import find_entity
    from orchestration.lib.review import import_decisions

    done = import_decisions(_open(), find_entity(entity), file, by or getpass.getuser())
    if as_json:
        typer.echo(json.dumps(asdict(done), ensure_ascii=False))
    else:
        console = open_console()
        console.print(f"{done.same} same, {done.different} different, {done.skipped} skipped or decided before; {NEXT}")
        for problem in done.problems:
            console.print(f"[red]row {problem['row']}[/] left out: {problem['problem']}", highlight=False)
    if done.problems:
        raise typer.Exit(1)


def merge(
    a: Subject, b: Subject, by: By = None, reason: Reason = "", entity: EntityOption = "organisation", as_json: JsonOption = False
) -> None:
    """Two customers are one, with all their records, whatever the matcher says."""
    from orchestration.lib.decisions import decide_pair

    _report(decide_pair(_open(), "merge", a, b, entity=entity, actor=by or getpass.getuser(), reason=reason), as_json)


def never(
    a: Subject, b: Subject, by: By = None, reason: Reason = "", entity: EntityOption = "organisation", as_json: JsonOption = False
) -> None:
    """No record of one is ever with a record of the other. An ID stands for all its records, a record for itself."""
    from orchestration.lib.decisions import decide_pair

    _report(decide_pair(_open(), "never", a, b, entity=entity, actor=by or getpass.getuser(), reason=reason), as_json)


def split(
    customer: Subject,
    records: Annotated[str, typer.Option(help="Those that do not belong to it: SOURCE:KEY,SOURCE:KEY,...")],
    by: By = None,
    reason: Reason = "",
    entity: EntityOption = "organisation",
    as_json: JsonOption = False,
) -> None:
    """Part some records of a customer from the rest of it, for good."""
    from orchestration.cli.identity import parse_record
    from orchestration.lib.decisions import split_customer

    chosen = list(dict.fromkeys(parse_record(text.strip()) for text in records.split(",") if text.strip()))
    if not chosen:
        raise ProjectError("--records names no record: write SOURCE:KEY,SOURCE:KEY,...")
    _report(split_customer(_open(), customer, chosen, entity=entity, actor=by or getpass.getuser(), reason=reason), as_json)


def undo(
    decision: Annotated[str, typer.Argument(help="dec_..., see `goldthread decisions`.")],
    by: By = None,
    reason: Reason = "",
    as_json: JsonOption = False,
) -> None:
    """Take a decision back: what it merged gets back the IDs that it had."""
    from orchestration.lib.decisions import undo_decision

    _report(undo_decision(_open(), decision, actor=by or getpass.getuser(), reason=reason), as_json)


def list_decisions(as_json: JsonOption = False) -> None:
    """List what people decided, newest first: who, when, why, and whether it holds."""
    from orchestration.lib.decisions import list_made

    made = list_made(_open())
    if as_json:
        typer.echo(json.dumps(made, ensure_ascii=False, default=str))
        return
    table = Table(title=f"{len(made)} decisions", title_justify="left", header_style="bold")
    for name in ("decision", "when", "who", "what", "records", "why", "state"):
        table.add_column(name, overflow="fold")
    for row in made:
        groups = " | ".join(
            ", ".join(f"{one['source']}:{one['source_key']}" for one in row[side]) for side in ("group_a", "group_b")
        )
        undone = f"undone by {row['undone_actor']}: {row['undone_reason']}" if row["undone_by"] else ""
        state = "; ".join(filter(None, (row["state"], row["waits_for"], undone)))
        table.add_row(row["decision_id"], f"{row['at']:%Y-%m-%d}", row["actor"], row["kind"], groups, row["reason"], state)
    open_console().print(table)


def _open() -> Stores:
    from orchestration.lib.stores import open_existing_stores

    return open_existing_stores(current_project())


def _report(made: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(made, ensure_ascii=False))
        return
    what = (
        f"takes back {made['undoes']}"
        if made["kind"] == "undo"
        else f"{made['kind']} of {' and '.join(map(str, made['records']))} records"
    )
    open_console().print(f"{made['decision_id']}: {what}; {NEXT}", highlight=False)
