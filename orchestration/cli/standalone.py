"""The hub without a project, home or Dagster: `goldthread resolve FILE ...`, `goldthread evaluate`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from orchestration.cli.blame import blame_the_disk, blame_the_input
from orchestration.cli.console import count, open_console, tell_compared_too
from orchestration.project import ProjectError

if TYPE_CHECKING:
    import polars as pl

    from hub.rules.read import RulesFile

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]

#: what the report says of single rows, in words
_DOUBTFUL = {
    "times_not_read": "is no time and counts as empty",
    "times_to_come": "is in the future and taken as it is (events are stamped with the newest time, or --at)",
    "values_not_read": "is no number and counts as nothing at stake",
    "blanks_around": "has blanks around it, and is another one than without",
    "digits_lost": "is a number whose digits a spreadsheet has lost: make the column text there, and export again",
}


@dataclass(frozen=True)
class Files:
    """What `goldthread resolve` was told about files, as it was told."""

    files: list[Path]
    entity: str | None = None
    rules: Path | None = None
    at: str | None = None
    hub: Path | None = None
    model: Path | None = None
    match_bits: float | None = None
    decisions: Path | None = None
    deleted: Path | None = None
    rebuild: bool = False
    force: bool = False


def resolve_files(asked: Files, out: Path, as_json: bool) -> None:
    """Resolve the records of files into a folder."""
    from hub.decided import read_decisions
    from hub.files import read_table
    from hub.model import read_model
    from hub.standalone import Beside
    from hub.standalone import resolve_files as resolve
    from hub.tables import read_keys

    if asked.hub and asked.model:
        raise ProjectError("a hub has a model of its own: name --hub or --model")
    if asked.deleted and not asked.hub:
        raise ProjectError("--deleted takes records out of a hub: name it with --hub")
    if (asked.rebuild or asked.force) and not asked.hub:
        raise ProjectError("--rebuild and --force are about a hub: name it with --hub")
    with blame_the_input(), blame_the_disk([place for place in (asked.hub, out) if place]):
        chosen = move_threshold(choose_rules(asked.entity or _find_entity(asked), asked.rules), asked.match_bits)
        beside = Beside(
            at=_parse_time(asked.at),
            hub=asked.hub,
            model=read_model(asked.model, chosen.rules) if asked.model else None,
            decisions=read_decisions(asked.decisions, chosen.rules.entity) if asked.decisions else None,
            deleted=read_keys(str(asked.deleted), read_table(asked.deleted), chosen) if asked.deleted else None,
            rebuild=asked.rebuild,
            force=asked.force,
        )
        report = resolve(asked.files, chosen, out, beside)
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))
        return
    _print_report(report, out, is_own=asked.rules is not None)


def _print_report(report: dict[str, Any], out: Path, *, is_own: bool) -> None:
    """is_own: by a rules file, of which the user knows the fields."""
    console = open_console()
    rejected = f", {report['rejected']:,} rejected (see rejected.parquet)" if report["rejected"] else ""
    are = "is" if report["records"] == 1 else "are"
    console.print(
        f"{count(report['records'], 'record')}{rejected} {are} {count(report['clusters'], 'entity', 'entities')} "
        f"({report['entity']}), found among {count(report['candidates'], 'pair')} in {sum(report['seconds'].values()):.1f} s; "
        f"{count(report.get('review_kept', 0), 'pair')} to review; written to {out}",
        highlight=False,
    )
    _print_changes(report)
    if report.get("decided_unknown", {}).get("records"):
        unknown = report["decided_unknown"]
        _say(f"{count(unknown['records'], 'record')} that decisions name are not there and never were, first {unknown['first']}")
    if is_own and report["fields_missing"]:
        _say(f"no file has a column for these fields of the rules: {', '.join(report['fields_missing'])}")
    tell_compared_too(report["compared_too"])
    for read in report["inputs"]:
        if read["columns_ignored"]:
            _say(f"{read['file']}: not used: {', '.join(read['columns_ignored'])}")
        for what, text in _DOUBTFUL.items():
            for column, rows in read[what].items():
                first = f"first row {rows['first_row']}: {rows['first_value']!r}"
                _say(f"{read['file']}: {column} of {count(rows['rows'], 'row')} {text}, {first}")


def _print_changes(report: dict[str, Any]) -> None:
    """What happened to the records and columns of a hub."""
    console = open_console()
    if "added" in report:
        console.print(
            f"the hub: {count(report['added'], 'record')} new, {report['changed']:,} changed, {report['deleted']:,} deleted; "
            f"{report['records_reached']:,} looked at again",
            highlight=False,
        )
    if report.get("columns_emptied"):
        lost = ", ".join(f"{column} ({count(rows, 'record')})" for column, rows in report["columns_emptied"].items())
        _say(f"no file has these columns, so records that were given again lose what the hub had there: {lost}")
    if report.get("columns_never_kept"):
        console.print(
            f"the hub has never kept {', '.join(report['columns_never_kept'])}: empty for its "
            f"{count(report['records_from_hub'], 'record')} that no file gives",
            highlight=False,
        )
    if report.get("columns_let_go"):
        console.print(
            f"these rules do not read, so the hub keeps no more: {', '.join(report['columns_let_go'])}", highlight=False
        )
    if report.get("suppressed"):
        console.print(
            f"{count(report['suppressed'], 'record')} left out: erased from this hub before (`goldthread erase`)", highlight=False
        )
    if report.get("deleted_unknown"):
        console.print(f"{report['deleted_unknown']:,} of the records to delete are not in the hub", highlight=False)


def _say(text: str) -> None:
    open_console().print(text, highlight=False, markup=False, soft_wrap=True)


def _find_entity(asked: Files) -> str | None:
    """A hub knows what its records are of; a rules file says it too."""
    from hub.kept.versions import read_note

    return read_note(asked.hub).get("entity") if asked.hub and not asked.rules else None


def read_hub(folder: Path) -> tuple[str, str]:
    """What the records of a hub in a folder are of, and the version of its rules."""
    from hub.kept.versions import read_note

    note = read_note(folder)
    if "entity" not in note:
        raise ProjectError(f"{folder} holds no hub: `goldthread resolve FILE --hub {folder} --out DIR` founds one")
    return note["entity"], note["rules"]


def choose_rules(entity: str | None, rules: Path | None) -> RulesFile:
    """The file's rules, for the entity named; else those that come with the hub for it."""
    from dataclasses import replace

    from hub.rules.read import RulesFile, load_rules, read_rules

    if rules is not None:
        read = read_rules(rules)
        return replace(read, rules=replace(read.rules, entity=entity)) if entity else read
    if entity is None:
        raise ProjectError("say what the records are of: --entity organisation, --entity person, or a rules file with --rules")
    return RulesFile(load_rules(entity), None, None)


def move_threshold(rules: RulesFile, match_bits: float | None) -> RulesFile:
    """The rules with another threshold of match, if one is named."""
    from dataclasses import replace

    from hub.rules.model import MOST_BITS

    if match_bits is None:
        return rules
    if not abs(match_bits) <= MOST_BITS:
        raise ProjectError(f"--match-bits {match_bits}: write a number of bits, such as 4 or -1.5")
    review_bits = min(rules.rules.review_bits, match_bits)
    return replace(rules, rules=replace(rules.rules, match_bits=match_bits, review_bits=review_bits))


def _parse_time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ProjectError(f"--at {text!r} is no time: write it as 2026-06-30T08:00:00Z") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def evaluate(
    found: Annotated[Path, typer.Argument(help="Folder of a hub, or one that `resolve` wrote; or source, source_key and an id.")],
    truth: Annotated[Path, typer.Argument(help="source, source_key and the true id (Parquet or CSV).")],
    as_json: JsonOption = False,
) -> None:
    """Judge who is who against a known truth: precision, recall and F1 over pairs of records, and their B-cubed forms."""
    from hub import evaluate as judge
    from hub.crosswalks import read_crosswalk, read_truth
    from hub.files import read_table

    with blame_the_input():
        tables = _read_found(found), read_table(truth)
        try:
            crosswalk, known = read_crosswalk(tables[0], "crosswalk"), read_truth(tables[1])
        except ValueError as error:
            raise ProjectError(f"{found}, {truth}: {error}") from None
        figures = judge.evaluate(crosswalk, known)
        if not figures["records"]:
            raise ProjectError(
                f"{found} and {truth} have no record in common: nothing to judge; check that source and source_key are written "
                f"alike ({_name_first(crosswalk)} and {_name_first(known)})"
            )
        figures |= _measure_pairs(found, crosswalk, known)
    # of no pairs there is no share
    unknown = {"precision", "f1"} if not figures["found_pairs"] else set()
    unknown |= {"recall", "f1", "candidate_recall", "edge_recall"} if not figures["true_pairs"] else set()
    if as_json:
        typer.echo(json.dumps({name: None if name in unknown else value for name, value in figures.items()}))
        return
    table = Table(header_style="bold")
    for name in ("", "precision", "recall", "F1"):
        table.add_column(name, justify="right" if name else "left")
    for title, prefix in (("pairs", ""), ("B-cubed", "bcubed_")):
        names = [f"{prefix}{name}" for name in ("precision", "recall", "f1")]
        table.add_row(title, *("-" if name in unknown else f"{figures[name]:.4f}" for name in names))
    open_console().print(table)
    counts: dict[str, Any] = {name: int(value) for name, value in figures.items() if name.endswith(("pairs", "clusters"))}
    _say(
        f"{int(figures['records']):,} records ({int(figures['records_left_out']):,} that only one file knows are left out); "
        f"pairs {counts['found_pairs']:,} found, {counts['true_pairs']:,} true; "
        f"clusters {counts['found_clusters']:,} found, {counts['true_clusters']:,} true"
    )
    if "candidate_recall" in figures.keys() - unknown:
        _say(f"candidate recall {figures['candidate_recall']:.4f}: the share of the true pairs that was compared")
    if "edge_recall" in figures.keys() - unknown:
        _say(f"{figures['edge_recall']:.4f} of the true pairs are edges; how many were compared (candidate recall) a hub knows")


def _read_found(place: Path) -> pl.DataFrame:
    """source, source_key and id of a hub, of files that a resolution wrote, or of a table."""
    from hub.files import read_table
    from hub.kept.outcome import list_crosswalk, order_present
    from hub.kept.versions import read_version
    from hub.store import read_state

    if not place.is_dir():
        return read_table(place)
    if not read_version(place):
        return read_table(place / "crosswalk.parquet")
    state = read_state(place)
    return list_crosswalk(state, order_present(state))


def _measure_pairs(place: Path, crosswalk: pl.DataFrame, truth: pl.DataFrame) -> dict[str, float]:
    """What share of the true pairs of known records was compared, where a hub says so, or is told of, where only files do."""
    from hub.evaluate import evaluate_candidates, measure_candidates
    from hub.files import read_table
    from hub.kept.versions import read_version
    from hub.store import read_state

    if not place.is_dir():
        return {}
    if read_version(place):
        return measure_candidates(read_state(place), truth)
    known = truth.join(crosswalk, on=["source", "source_key"], how="semi")
    return {"edge_recall": evaluate_candidates(read_table(place / "edges.parquet"), known)["candidate_recall"]}


def _name_first(table: pl.DataFrame) -> str:
    return ":".join(str(part) for part in table.select("source", "source_key").row(0)) if table.height else "no rows"
