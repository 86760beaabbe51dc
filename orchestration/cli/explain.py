"""`goldthread explain`: why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.cli.blame import blame_the_input
from orchestration.cli.console import open_console
from orchestration.cli.explained import print_customer, print_pair
from orchestration.cli.run import JsonOption
from orchestration.cli.standalone import choose_rules, move_threshold, read_hub
from orchestration.project import ProjectError, current_project

if TYPE_CHECKING:
    from hub.rules.model import Rules


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
        str | None, typer.Option(help="Where a record of the line is of both: organisation (if nothing is said) or person.")
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
    answer = _explain_folder(subjects, hub, out, rules, match_bits, entity) if hub or out else _explain_line(subjects, entity)
    if picture is not None:
        _draw_pair(answer, picture)
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, default=str))
    elif "fields" in answer:
        print_pair(open_console(), answer)
    elif "lineage" in answer:
        print_customer(open_console(), answer)
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
    subjects: list[str], hub: Path | None, out: Path | None, rules: Path | None, match_bits: float | None, asked: str | None
) -> dict[str, Any]:
    from orchestration.lib.explain_folder import (
        explain_hub_customer,
        explain_hub_pair,
        explain_written_customer,
        explain_written_pair,
    )

    with blame_the_input():
        if hub is not None:
            entity, version = read_hub(hub)
            _refuse_other_entity(hub, entity, asked)
            own = _choose_same_rules(hub, entity, version, rules, match_bits)
            if len(subjects) == 2:
                return explain_hub_pair(hub, own, parse_record(subjects[0]), parse_record(subjects[1]))
            return explain_hub_customer(hub, own, subjects[0])
        assert out is not None
        entity, version = _read_outcome(out)
        _refuse_other_entity(out, entity, asked)
        if len(subjects) == 2:
            own = _choose_same_rules(out, entity, version, rules, match_bits)
            return explain_written_pair(out, own, parse_record(subjects[0]), parse_record(subjects[1]))
        return explain_written_customer(out, entity, subjects[0])


def _refuse_other_entity(folder: Path, held: str, asked: str | None) -> None:
    if asked not in (None, held):
        raise ProjectError(f"{folder} holds records of {held}, not of {asked}: leave out --entity")


def _read_outcome(folder: Path) -> tuple[str, str]:
    from hub.files import read_report

    path = folder / "report.json"
    if not path.exists():
        raise ProjectError(f"{folder} holds no outcome: `goldthread resolve FILE --out {folder}` writes one")
    report = read_report(path)
    return report["entity"], report["rule_version"]


def _choose_same_rules(folder: Path, entity: str, version: str, rules: Path | None, match_bits: float | None) -> Rules:
    """Other rules or thresholds would give another account than the one that was acted on."""
    chosen = move_threshold(choose_rules(entity, rules), match_bits).rules
    if chosen.version != version:
        raise ProjectError(f"{folder}: resolved with other rules or thresholds: name them with --rules and --match-bits as then")
    return chosen


def _draw_pair(answer: dict[str, Any], path: Path) -> None:
    from orchestration.lib.waterfall import draw_waterfall

    if answer["weight"] is None:
        raise ProjectError(f"{path}: the files have no evidence of the two by themselves to draw; a hub has it (--hub)")
    try:
        draw_waterfall(answer, path)
    except OSError as error:
        raise ProjectError(f"{path}: {error.strerror}") from error


def parse_record(text: str) -> tuple[str, str]:
    """SOURCE:KEY. Raises ProjectError."""
    source, colon, key = text.partition(":")
    if not (colon and source and key):
        raise ProjectError(f"{text!r} is no record: write SOURCE:KEY, such as hubspot:123")
    return source, key
