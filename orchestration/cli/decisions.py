"""`goldthread review`, `merge`, `split`, `never`, `move`, `undo` and `decisions`: people decide who is who, and it holds."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from orchestration.cli.console import count, open_console
from orchestration.cli.run import JsonOption
from orchestration.project import ProjectError, current_project

if TYPE_CHECKING:
    from orchestration.lib.desk import Office

By = Annotated[str | None, typer.Option(help="Who decides (default: the user of this machine).")]
Reason = Annotated[str, typer.Option(help="Why: whoever contradicts it later reads this.")]
HubOption = Annotated[
    Path | None, typer.Option("--hub", help="Folder of a hub that files were resolved into; without one: the line.")
]
RulesOption = Annotated[Path | None, typer.Option("--rules", help="The hub's rules file, where it has one of its own.")]
EntityOption = Annotated[str, typer.Option(help="organisation or person; an ID or a hub tells by itself.")]
Subject = Annotated[str, typer.Argument(help="An ID (one that was given up is followed), or a record as SOURCE:KEY.")]
app = typer.Typer(help="Pairs that a person should decide.", no_args_is_help=True)


@app.command("list")
def list_queue(
    limit: Annotated[int, typer.Option(min=1, help="At most so many pairs, most valuable first.")] = 20,
    entity: EntityOption = "organisation",
    hub: HubOption = None,
    rules: RulesOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the pairs that are neither surely one nor surely two, most valuable first."""
    from orchestration.lib.review import name_both, read_queue

    with _open(hub, rules) as office:
        chosen = office.choose_entity(entity)
        found = read_queue(office, chosen)
        queue = name_both(office, chosen, found.head(limit))
    if as_json:
        typer.echo(json.dumps(queue.to_dicts(), ensure_ascii=False, default=str))
        return
    shown = f"{queue.height:,} of " if queue.height < found.height else ""
    table = Table(title=f"{shown}{count(found.height, 'pair')} to decide", title_justify="left", header_style="bold")
    for name in ("record", "and", "bits", "at stake", "evidence"):
        table.add_column(name, justify="right" if name in {"bits", "at stake"} else "left", overflow="fold")
    for row in queue.iter_rows(named=True):
        ends = [_tell_end(row, side) for side in ("a", "b")]
        table.add_row(*map(escape, ends), f"{row['weight']:+.1f}", f"{row['value_at_stake']:,.0f}", row["evidence"])
    open_console().print(table)


def _tell_end(row: dict[str, Any], side: str) -> str:
    """A record of a pair, whose it is where it is not all of it, and whether it is asked whose it is."""
    from hub.results.queue import STRAYS
    from hub.results.strays import LEFT, RIGHT

    lines = [row[f"name_{side}"], f"{row[f'source_{side}']}:{row[f'source_key_{side}']}"]
    if (row[f"id_records_{side}"] or 1) > 1:
        lines.append(f"one of {row[f'id_records_{side}']:,} of {row[f'id_name_{side}'] or row[f'id_{side}']}")
    if row["reason"] == STRAYS[LEFT if side == "a" else RIGHT]:
        lines.append("fits both: is it of the other's customer?")
    return "\n".join(filter(None, lines))


@app.command("export")
def export_queue(
    file: Annotated[Path, typer.Argument(help="A .csv or .xlsx file to write.")],
    entity: EntityOption = "organisation",
    hub: HubOption = None,
    rules: RulesOption = None,
) -> None:
    """Write the queue as a table: both records side by side, the evidence, and empty columns `decision` and `reason`."""
    from orchestration.lib.review import export_queue

    with _open(hub, rules) as office:
        exported = export_queue(office, office.choose_entity(entity), file)
    place = f" --hub {hub}" if hub else ""
    open_console().print(
        f"{count(exported, 'pair')} in {file}: write same, different or skip (相同, 不同, 跳过) under decision, "
        f"then `goldthread review import {file}{place}`; where `found` asks about a record, it alone moves or stays",
        highlight=False,
    )


@app.command("import")
def import_queue(
    file: Annotated[Path, typer.Argument(help="A table of `review export`, filled in.")],
    by: By = None,
    entity: EntityOption = "organisation",
    hub: HubOption = None,
    rules: RulesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the decisions of a filled-in table: all rows that can be, at once. Exit code 1 if some cannot."""
    from orchestration.lib.review import import_decisions

    with _open(hub, rules) as office:
        done = import_decisions(office, office.choose_entity(entity), file, by or getpass.getuser())
    if as_json:
        typer.echo(json.dumps(asdict(done), ensure_ascii=False))
    else:
        console = open_console()
        console.print(f"{done.same} same, {done.different} different, {done.skipped} skipped or decided before; {office.effect}")
        for row, records in done.records.items():
            if sum(records) > len(records):
                console.print(
                    f"row {row} holds for all records of its two ids: {records[0]:,} and {records[1]:,}", highlight=False
                )
        for row, told in done.strays.items():
            console.print(f"row {row}: {told}", highlight=False)
        for problem in done.problems:
            console.print(f"[red]row {problem['row']}[/] left out: {problem['problem']}", highlight=False)
    if done.problems:
        raise typer.Exit(1)


def merge(
    a: Subject,
    b: Subject,
    by: By = None,
    reason: Reason = "",
    entity: EntityOption = "organisation",
    hub: HubOption = None,
    rules: RulesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Two customers are one, with all their records, whatever the matcher says."""
    from orchestration.lib.desk import decide_pair

    with _open(hub, rules) as office:
        made = decide_pair(office, "merge", a, b, entity=entity, actor=by or getpass.getuser(), reason=reason)
    _report(made, office, as_json)


def never(
    a: Subject,
    b: Subject,
    by: By = None,
    reason: Reason = "",
    entity: EntityOption = "organisation",
    hub: HubOption = None,
    rules: RulesOption = None,
    as_json: JsonOption = False,
) -> None:
    """No record of one is ever with a record of the other. An ID stands for all its records, a record for itself."""
    from orchestration.lib.desk import decide_pair

    with _open(hub, rules) as office:
        made = decide_pair(office, "never", a, b, entity=entity, actor=by or getpass.getuser(), reason=reason)
    _report(made, office, as_json)


def split(
    customer: Subject,
    records: Annotated[str, typer.Option(help="Those that do not belong to it: SOURCE:KEY,SOURCE:KEY,...")],
    by: By = None,
    reason: Reason = "",
    entity: EntityOption = "organisation",
    hub: HubOption = None,
    rules: RulesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Part some records of a customer from the rest of it, for good."""
    from orchestration.cli.explain import parse_record
    from orchestration.lib.desk import split_customer

    chosen = list(dict.fromkeys(parse_record(text.strip()) for text in records.split(",") if text.strip()))
    if not chosen:
        raise ProjectError("--records names no record: write SOURCE:KEY,SOURCE:KEY,...")
    with _open(hub, rules) as office:
        made = split_customer(office, customer, chosen, entity=entity, actor=by or getpass.getuser(), reason=reason)
    _report(made, office, as_json)


def move(
    records: Annotated[list[str], typer.Argument(help="Records of one customer, as SOURCE:KEY.")],
    to: Annotated[str, typer.Option(help="Whose they are: an ID, or a record of that customer as SOURCE:KEY.")],
    by: By = None,
    reason: Reason = "",
    entity: EntityOption = "organisation",
    hub: HubOption = None,
    rules: RulesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take records out of their customer and put them to another, for good. One `undo` takes all of it back."""
    from orchestration.cli.explain import parse_record
    from orchestration.lib.desk import move_records

    chosen = list(dict.fromkeys(parse_record(text) for text in records))
    with _open(hub, rules) as office:
        made = move_records(office, chosen, to, entity=entity, actor=by or getpass.getuser(), reason=reason)
    _report(made, office, as_json)


def undo(
    decision: Annotated[str, typer.Argument(help="dec_..., see `goldthread decisions`.")],
    by: By = None,
    reason: Reason = "",
    hub: HubOption = None,
    rules: RulesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a decision back, a move whole: what it merged gets back the IDs that it had."""
    from orchestration.lib.desk import undo_decision

    with _open(hub, rules) as office:
        made = undo_decision(office, decision, actor=by or getpass.getuser(), reason=reason)
    _report(made, office, as_json)


def list_decisions(hub: HubOption = None, rules: RulesOption = None, as_json: JsonOption = False) -> None:
    """List what people decided, newest first: who, when, why, and whether it holds."""
    from orchestration.lib.desk import list_made

    with _open(hub, rules) as office:
        made = list_made(office)
    if as_json:
        typer.echo(json.dumps(made, ensure_ascii=False, default=str))
        return
    table = Table(title=count(len(made), "decision"), title_justify="left", header_style="bold")
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


@contextmanager
def _open(hub: Path | None, rules: Path | None) -> Iterator[Office]:
    """The line, or a hub in a folder; what cannot be done there ends in one clear line."""
    from orchestration.cli.blame import blame_the_input

    with blame_the_input():
        yield _open_folder(hub, rules) if hub else _open_line(rules)


def _open_line(rules: Path | None) -> Office:
    if rules is not None:
        raise ProjectError("--rules are those of a hub in a folder: name it with --hub")
    from orchestration.lib.decisions import Line
    from orchestration.lib.stores import open_existing_stores

    return Line(open_existing_stores(current_project()))


def _open_folder(hub: Path, rules: Path | None) -> Office:
    from orchestration.cli.standalone import choose_rules, read_hub
    from orchestration.lib.hub_folder import Folder

    entity, _ = read_hub(hub)
    return Folder(hub, choose_rules(entity, rules).rules)


def _report(made: dict[str, Any], office: Office, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(made, ensure_ascii=False))
        return
    if made["kind"] == "undo":
        what = f"takes back {made['undoes']}"
    elif made["kind"] == "move":
        moved, there = made["records"]
        what = f"moves {count(moved, 'record')} to the {there:,} of {made['ids'][1]}"
    else:
        what = f"{made['kind']} of {' and '.join(map(str, made['records']))} records"
    open_console().print(f"{made['decision_id']}: {what}; {office.effect}", highlight=False)
