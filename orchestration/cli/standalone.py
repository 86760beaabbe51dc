"""The hub without a project, home or Dagster: `goldthread resolve FILE ...`, `goldthread rules ...`, `goldthread evaluate`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from orchestration.cli.console import count, open_console
from orchestration.project import ProjectError

if TYPE_CHECKING:
    import polars as pl

    from hub.rules.read import RulesFile

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]
rules_app = typer.Typer(help="Rules files: what the hub compares, and how.", no_args_is_help=True)


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
    with blame_the_input():
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
    _print_report(report, out)


def _print_report(report: dict[str, Any], out: Path) -> None:
    console = open_console()
    rejected = f", {report['rejected']:,} rejected (see rejected.parquet)" if report["rejected"] else ""
    are = "is" if report["records"] == 1 else "are"
    console.print(
        f"{count(report['records'], 'record')}{rejected} {are} {count(report['clusters'], 'entity', 'entities')} "
        f"({report['entity']}), found among {count(report['candidates'], 'pair')} in {sum(report['seconds'].values()):.1f} s; "
        f"{count(report.get('review_kept', 0), 'pair')} to review; written to {out}",
        highlight=False,
    )
    if "added" in report:
        console.print(
            f"the hub: {count(report['added'], 'record')} new, {report['changed']:,} changed, {report['deleted']:,} deleted; "
            f"{report['records_reached']:,} looked at again",
            highlight=False,
        )
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
    for read in report["inputs"]:
        if read["columns_ignored"]:
            console.print(f"{read['file']}: not used: {', '.join(read['columns_ignored'])}", highlight=False)
        for column, unread in read["times_not_read"].items():
            console.print(
                f"{read['file']}: {column} of {count(unread['rows'], 'row')} is no time and counts as empty, "
                f"first row {unread['first_row']}: {unread['first_value']!r}",
                highlight=False,
                markup=False,
            )


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

    if match_bits is None:
        return rules
    if not isfinite(match_bits):
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


@contextmanager
def blame_the_input() -> Iterator[None]:
    """What is wrong with rules, records or folders ends in one clear line."""
    from hub.columns.prepare import RecordsError
    from hub.decide import DecisionError
    from hub.rules.model import RulesError
    from hub.store import StoreError

    try:
        yield
    except (RulesError, RecordsError, StoreError, DecisionError) as error:
        raise ProjectError(str(error)) from error
    except OSError as error:
        raise ProjectError(f"{error.filename}: {error.strerror}") from error


@rules_app.command()
def suggest(
    file: Annotated[Path, typer.Argument(help="A table of records, Parquet or CSV.")],
    entity: Annotated[str, typer.Option(help="What the records are of.")] = "entity",
    out: Annotated[Path | None, typer.Option(help="Write it here instead of printing it.")] = None,
) -> None:
    """Write a first rules file from the look of a table: read it, correct it, keep it."""
    from hub.files import read_table
    from hub.rules.suggest import list_incomparable, suggest_rules

    with blame_the_input():
        table = read_table(file)
        text = suggest_rules(table, entity)
        if out is not None:
            out.write_text(text, encoding="utf-8")
    if out is None:
        typer.echo(text)
        return
    left_out = list_incomparable(table)
    note = f"; left out, since no text: {', '.join(left_out)}" if left_out else ""
    open_console().print(
        f"written to {out}{note}; read it, correct it, then `goldthread rules check {out}`", highlight=False, markup=False
    )


@rules_app.command()
def check(file: Annotated[Path, typer.Argument(help="A rules file (TOML).")]) -> None:
    """Check a rules file; show its fields, comparisons and keys."""
    from hub.rules.read import read_rules

    with blame_the_input():
        rules = read_rules(file).rules
    table = Table(title=f"{file}: rules of {rules.entity}, version {rules.version}", title_justify="left", header_style="bold")
    for name in ("what", "name", "of", "how"):
        table.add_column(name, overflow="fold")
    for field in rules.fields:
        table.add_row("field", field.name, ", ".join(field.columns), field.kind)
    for comparison in rules.comparisons:
        levels = ", ".join(level.name for level in comparison.levels) + (", by frequency" if comparison.frequency else "")
        table.add_row("comparison", comparison.name, comparison.field, levels)
    for key in rules.block_keys:
        pivots = f", {key.pivots} pivots beyond" if key.pivots else ""
        table.add_row("key", key.name, ", ".join(key.parts), f"blocks of up to {key.cap}{pivots}")
    open_console().print(table)


@rules_app.command()
def show(entity: Annotated[str, typer.Argument(help="organisation or person.")]) -> None:
    """Print the rules that come with the hub, as a start for your own."""
    from importlib.resources import files

    from hub.rules.read import load_rules

    with blame_the_input():
        load_rules(entity)
    typer.echo((files("hub") / "rules" / f"{entity}.toml").read_text(encoding="utf-8"), nl=False)


def evaluate(
    crosswalk: Annotated[Path, typer.Argument(help="source, source_key and an id (Parquet or CSV).")],
    truth: Annotated[Path, typer.Argument(help="source, source_key and the true id (Parquet or CSV).")],
    as_json: JsonOption = False,
) -> None:
    """Judge a crosswalk against a known truth: precision, recall and F1 over pairs of records, and their B-cubed forms."""
    from hub import evaluate as judge

    with blame_the_input():
        found, known = _read_labels(crosswalk), _read_labels(truth)
    try:
        figures = judge.evaluate(found, known)
    except ValueError as error:
        raise ProjectError(f"{crosswalk}: {error}") from None
    if not figures["records"]:
        raise ProjectError(
            f"{crosswalk} and {truth} have no record in common: nothing to judge; check that source and source_key are written "
            f"alike ({_name_first(found)} and {_name_first(known)})"
        )
    if as_json:
        typer.echo(json.dumps(figures))
        return
    table = Table(header_style="bold")
    for name in ("", "precision", "recall", "F1"):
        table.add_column(name, justify="right" if name else "left")
    for title, prefix in (("pairs", ""), ("B-cubed", "bcubed_")):
        table.add_row(title, *(f"{figures[f'{prefix}{name}']:.4f}" for name in ("precision", "recall", "f1")))
    open_console().print(table)
    counts: dict[str, Any] = {name: int(value) for name, value in figures.items() if name.endswith(("pairs", "clusters"))}
    open_console().print(
        f"{int(figures['records']):,} records ({int(figures['records_left_out']):,} that only one file knows are left out); "
        f"pairs {counts['found_pairs']:,} found, {counts['true_pairs']:,} true; "
        f"clusters {counts['found_clusters']:,} found, {counts['true_clusters']:,} true",
        highlight=False,
    )


def _name_first(table: pl.DataFrame) -> str:
    return ":".join(str(part) for part in table.select("source", "source_key").row(0)) if table.height else "no rows"


def _read_labels(path: Path) -> pl.DataFrame:
    import polars as pl

    from hub.columns.prepare import RecordsError
    from hub.files import read_table

    table = read_table(path)
    if not {"source", "source_key"} < set(table.columns):
        raise RecordsError(f"{path}: needs source, source_key and an id; it has {', '.join(table.columns)}")
    return table.with_columns(pl.col("source", "source_key").cast(pl.String))
