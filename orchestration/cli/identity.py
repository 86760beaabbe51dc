"""`goldthread resolve` and `goldthread explain`: who is who, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration.cli.console import open_console
from orchestration.cli.run import JsonOption, execute, load, tag_run
from orchestration.cli.standalone import Files, blame_the_input, choose_rules, move_threshold, read_hub, resolve_files
from orchestration.project import ProjectError, current_project

if TYPE_CHECKING:
    from hub.rules.model import Rules


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
    from orchestration.lib.stores import open_stores

    project = current_project()
    outcome = execute(load(project, "resolve"), {}, quiet=as_json, tags=tag_run(retrain=retrain))
    if not outcome.success:
        raise ProjectError("; ".join(outcome.errors))
    with open_stores(project).open_working() as con:
        [[records, customers]] = con.execute(
            "select count(*), count(distinct customer_gid) from hub.crosswalk where is_current"
        ).fetchall()
        events = con.execute(
            "select kind, count(*) from hub.identity_events where run_id = ? group by kind order by kind", [outcome.run_id]
        ).fetchall()
    report = {"records": records, "customers": customers, "new_events": dict(events)}
    if as_json:
        typer.echo(json.dumps(report))
    else:
        open_console().print(f"{records:,} records are {customers:,} customers; new events: {report['new_events'] or 'none'}")


def explain(
    subjects: Annotated[
        list[str],
        typer.Argument(help="An ID, or one or two records as SOURCE:KEY; of the line also a record_ref or evidence_ref."),
    ],
    hub: Annotated[
        Path | None, typer.Option(help="Folder of a hub that files were resolved into; without one: the line.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder that `goldthread resolve FILE --out` wrote: what its files tell, without values.")
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(help="Rules file (TOML) of the hub or folder, where it has one of its own.")
    ] = None,
    match_bits: Annotated[float | None, typer.Option(help="The threshold that the hub or folder was resolved with.")] = None,
    entity: Annotated[
        str | None, typer.Option(help="Of the line, where a record is of both: organisation (if nothing is said) or person.")
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw the evidence for two records as a PNG.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say why a customer is what it is, why two records are or are not one, what landed for a record or what a figure counts."""
    if len(subjects) > 2:
        raise ProjectError("explain takes one customer, one record_ref, or one or two records")
    if picture is not None and len(subjects) != 2:
        raise ProjectError("--picture draws the evidence for two records: name both as SOURCE:KEY")
    if hub is not None and out is not None:
        raise ProjectError("name a hub or the folder of an outcome: --hub or --out")
    if (hub or out) is None and (rules or match_bits) is not None:
        raise ProjectError("--rules and --match-bits are those of a hub or folder: name it with --hub or --out")
    if (hub or out) is not None and entity is not None:
        raise ProjectError("--entity is said of the line: a hub or folder holds one entity")
    answer = _explain_folder(subjects, hub, out, rules, match_bits) if hub or out else _explain_line(subjects, entity)
    if picture is not None:
        _draw_pair(answer, picture)
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, default=str))
    elif "fields" in answer:
        _print_pair(open_console(), answer)
    else:
        open_console().print_json(json.dumps(answer, ensure_ascii=False, default=str))


def _explain_line(subjects: list[str], entity: str | None) -> dict[str, Any]:
    from orchestration.lib.explain import explain_customer, explain_pair, explain_record
    from orchestration.lib.stores import open_existing_stores

    stores = open_existing_stores(current_project())
    with stores.open_working() as con:
        if len(subjects) == 2:
            return explain_pair(con, stores, parse_record(subjects[0]), parse_record(subjects[1]), entity)
        if "/" in subjects[0]:
            return explain_record(con, stores.home, stores.ledger, subjects[0])
        return explain_customer(con, subjects[0], entity)


def _explain_folder(
    subjects: list[str], hub: Path | None, out: Path | None, rules: Path | None, match_bits: float | None
) -> dict[str, Any]:
    from orchestration.lib.explain_folder import (
        explain_hub_customer,
        explain_hub_pair,
        explain_written_customer,
        explain_written_pair,
    )

    with blame_the_input():
        if hub is not None:
            own = _choose_same_rules(hub, *read_hub(hub), rules, match_bits)
            if len(subjects) == 2:
                return explain_hub_pair(hub, own, parse_record(subjects[0]), parse_record(subjects[1]))
            return explain_hub_customer(hub, own, subjects[0])
        assert out is not None
        entity, version = _read_outcome(out)
        if len(subjects) == 2:
            own = _choose_same_rules(out, entity, version, rules, match_bits)
            return explain_written_pair(out, own, parse_record(subjects[0]), parse_record(subjects[1]))
        return explain_written_customer(out, subjects[0])


def _read_outcome(folder: Path) -> tuple[str, str]:
    path = folder / "report.json"
    if not path.exists():
        raise ProjectError(f"{folder} holds no outcome: `goldthread resolve FILE --out {folder}` writes one")
    report = json.loads(path.read_text(encoding="utf-8"))
    return report["entity"], report["rule_version"]


def _choose_same_rules(folder: Path, entity: str, version: str, rules: Path | None, match_bits: float | None) -> Rules:
    """Other rules or thresholds would give another account than the one that was acted on."""
    chosen = move_threshold(choose_rules(entity, rules), match_bits).rules
    if chosen.version != version:
        raise ProjectError(f"{folder}: resolved with other rules or thresholds: name them with --rules and --match-bits as then")
    return chosen


def _draw_pair(answer: dict[str, Any], path: Path) -> None:
    from orchestration.lib.waterfall import draw_waterfall

    try:
        draw_waterfall(answer, path)
    except OSError as error:
        raise ProjectError(f"{path}: {error.strerror}") from error


def _print_pair(console: Console, answer: dict[str, Any]) -> None:
    """The evidence as a waterfall: what each field adds, in bits, at which level, and what it compared; and what came of it."""
    if answer["weight"] is not None:
        _print_waterfall(console, answer)
    for veto in answer["vetoes"]:
        console.print(f"never one by the rules: {veto}", highlight=False, markup=False)
    if answer["decision"]:
        console.print(f"people decided: {answer['decision']}", highlight=False, markup=False)
    called = "person" if answer.get("entity") == "person" else "customer"
    together = f"are one {called}" if answer["are_one_customer"] else f"are two {called}s"
    bits = "no edge of their own" if answer["weight"] is None else f"{answer['weight']:+.1f} bits"
    console.print(
        f"{bits}; a match needs {answer['match_bits']:+.1f}, review {answer['review_bits']:+.1f}; "
        f"they {together} now: {', '.join(dict.fromkeys(answer['customers']))}",
        highlight=False,
    )
    for other in answer.get("also", []):
        console.print(f"both are records of a {other} too: --entity {other}", highlight=False)
    # what the line answers has neither
    for step in answer.get("path", []):
        why = step["decision"] or f"match, {step['weight']:+.1f} bits"
        console.print(f"joined: {':'.join(step['a'])} and {':'.join(step['b'])}: {why}", highlight=False, markup=False)
    for held in answer.get("held_back", []):
        console.print(f"kept two by: {held['text']}", highlight=False, markup=False)


def _print_waterfall(console: Console, answer: dict[str, Any]) -> None:
    a, b = (f"{source}:{key}" for source, key in (answer["a"], answer["b"]))
    table = Table(title=f"{a} and {b}: {answer['verdict']}", title_justify="left", header_style="bold")
    for name in ("field", "level", "bits", "sum", a, b):
        table.add_column(name, justify="right" if name in {"bits", "sum"} else "left", overflow="fold")
    total = answer["prior"]
    table.add_row("prior", "", f"{total:+.1f}", f"{total:+.1f}", "", "")
    silent = []
    for field in answer["fields"]:
        if not field["bits"]:
            silent.append(field["field"])
            continue
        total += field["bits"]
        row = (field["field"], field["level"] or "", f"{field['bits']:+.1f}", f"{total:+.1f}", field["a"] or "", field["b"] or "")
        table.add_row(*map(escape, row))
    for name, bits in answer["together"].items():
        total += bits
        table.add_row(name.replace("_", " "), "", f"{bits:+.1f}", f"{total:+.1f}", "", "")
    console.print(table)
    if silent:
        console.print(f"adds nothing: {', '.join(silent)}", highlight=False)


def parse_record(text: str) -> tuple[str, str]:
    """SOURCE:KEY. Raises ProjectError."""
    source, colon, key = text.partition(":")
    if not (colon and source and key):
        raise ProjectError(f"{text!r} is no record: write SOURCE:KEY, such as hubspot:123")
    return source, key
