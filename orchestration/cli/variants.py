"""`goldthread compare` and `goldthread tune`: judge a model, rules or a threshold before it is used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from orchestration.cli.blame import blame_the_input
from orchestration.cli.console import count, open_console
from orchestration.cli.standalone import JsonOption, choose_rules
from orchestration.project import ProjectError

if TYPE_CHECKING:
    import polars as pl

    from hub.tune import Tuned

#: changes that are printed; --out holds all
_SHOWN = 20


def compare(
    before: Annotated[Path, typer.Argument(help="A folder of `goldthread resolve FILE --out`, or a crosswalk (Parquet, CSV).")],
    after: Annotated[Path, typer.Argument(help="Another one of the same records.")],
    out: Annotated[Path | None, typer.Option(help="Write every record of a change here (.csv or .parquet).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show which entities merge, split and change between two outcomes over the same records."""
    from hub.differences import find_differences

    with blame_the_input():
        _refuse_other_entity(before, after)
        one, two = _read_crosswalk(before), _read_crosswalk(after)
        names = _read_names(before) | _read_names(after)
    try:
        found = find_differences(one, two)
    except ValueError as error:
        raise ProjectError(f"{before}, {after}: {error}") from None
    if out is not None:
        with blame_the_input():
            _write_table(found.members, out)
    if as_json:
        typer.echo(json.dumps({**found.counts, "changes": found.changes.to_dicts()}, ensure_ascii=False))
        return
    counts, console = found.counts, open_console()
    console.print(
        f"{counts['records']:,} records: {counts['entities_before']:,} entities before, {counts['entities_after']:,} after; "
        f"{counts['same']:,} hold the same records ({counts['same_under_another_id']:,} of them under another id)\n"
        f"{counts['merged']:,} merge, {counts['split']:,} split, {counts['moved']:,} exchange records, "
        f"{counts['records_in_changes']:,} records in all; "
        f"pairs joined {counts['pairs_joined']:,}, parted {counts['pairs_parted']:,}; "
        f"records only before {counts['records_only_before']:,}, only after {counts['records_only_after']:,}",
        highlight=False,
    )
    if not found.changes.height:
        return
    table = Table(title="the largest changes", title_justify="left", header_style="bold")
    for name in ("kind", "records", "before", "after", "such as"):
        table.add_column(name, justify="right" if name == "records" else "left", overflow="fold")
    for row in found.changes.head(_SHOWN).iter_rows(named=True):
        ids = [
            "\n".join(f"{gid} {names.get(gid, '')}".strip() for gid in row[f"gids_{side}"][:4]) for side in ("before", "after")
        ]
        table.add_row(row["kind"], f"{row['records']:,}", *ids, "\n".join(row["sample"][:3]))
    console.print(table)
    if found.changes.height > _SHOWN:
        console.print(f"{found.changes.height - _SHOWN:,} more changes: write them with --out, or see --json", highlight=False)


def _refuse_other_entity(before: Path, after: Path) -> None:
    of = [_read_entity(path) for path in (before, after)]
    if None not in of and of[0] != of[1]:
        raise ProjectError(
            f"{before} is of {of[0]}, {after} of {of[1]}: compare two outcomes of one entity "
            "(`goldthread resolve --entity` beside --rules says what the records are of)"
        )


def _read_entity(path: Path) -> str | None:
    """What an outcome's records are of, where its report lies beside the crosswalk."""
    from hub.files import read_report

    report = (path if path.is_dir() else path.parent) / "report.json"
    if not report.exists() or not (path.is_dir() or path.name == "crosswalk.parquet"):
        return None
    return str(read_report(report)["entity"])


def _read_crosswalk(path: Path) -> pl.DataFrame:
    from hub.files import read_table

    return read_table(path / "crosswalk.parquet" if path.is_dir() else path)


def _read_names(path: Path) -> dict[str, str]:
    """The first golden value of each id, where the outcome is a folder that has golden records."""
    from hub.files import read_table

    golden = path / "golden.parquet"
    if not golden.exists():
        return {}
    gid, name, *_ = (table := read_table(golden)).columns
    return {row[0]: str(row[1]) for row in table.select(gid, name).drop_nulls().iter_rows()}


def _write_table(table: pl.DataFrame, path: Path) -> None:
    if path.suffix not in (".csv", ".parquet"):
        raise ProjectError(f"{path}: name a .csv or a .parquet file")
    if path.suffix == ".csv":
        table.write_csv(path, include_bom=True)  # Excel reads UTF-8 only with a mark
    else:
        table.write_parquet(path)


def tune(
    labels: Annotated[
        Path,
        typer.Argument(
            help="source_a, source_key_a, source_b, source_key_b, same (Parquet, CSV); or what people decided: a log, a reviewed "
            "table, or the folder of a hub."
        ),
    ],
    files: Annotated[list[Path], typer.Argument(help="The tables of records, as for `goldthread resolve`.")],
    entity: Annotated[str | None, typer.Option(help="What the records are of: organisation, person, or your own.")] = None,
    rules: Annotated[Path | None, typer.Option(help="Rules file (TOML) to start from.")] = None,
    precision: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="The most recall at this precision, instead of the best F1.")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Folder whose model weighs the pairs, instead of a new one.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the rules with the new thresholds here.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Choose the thresholds of match and review by pairs that people labelled; the weights stay the model's."""
    from dataclasses import asdict

    from hub.files import read_table
    from hub.model import read_model
    from hub.resolve import resolve
    from hub.rules.read import read_rules
    from hub.standalone import UNDATED
    from hub.tables import gather_records
    from hub.tune import LabelsError, set_thresholds
    from hub.tune import tune as choose

    with blame_the_input():
        own = choose_rules(entity, rules)
        trained = read_model(model, own.rules) if model else None
        records = gather_records({str(path): read_table(path) for path in files}, own).frame
        result = resolve(records, rules=own.rules, history=None, run_id="tune", at=UNDATED, model=trained)
    try:
        tuned = choose(result, _read_labels(labels, own.rules.entity), precision)
    except LabelsError as error:
        raise ProjectError(f"{labels}: {error}") from None
    if out is not None:
        with blame_the_input():
            text = set_thresholds(_read_rules_text(own.rules.entity, rules), tuned.match_bits, tuned.review_bits)
            out.write_text(text, encoding="utf-8")
            read_rules(out)  # a table that the rules name may not lie beside the new file
    if as_json:
        typer.echo(json.dumps({**asdict(tuned), "curve": tuned.curve.to_dicts()}))
    else:
        _print_tuned(tuned, own.rules.match_bits, own.rules.review_bits, out)


def _read_labels(path: Path, entity: str) -> pl.DataFrame:
    from hub.decided import read_decisions
    from hub.files import read_table
    from hub.store import read_decisions as read_log
    from hub.tune import label_decisions, read_labels

    with blame_the_input():
        if path.is_dir():
            return label_decisions(read_log(path), entity)
        table = read_table(path)
        if {"decision", "decision_id"} & set(table.columns):
            return label_decisions(read_decisions(path, entity), entity)
    return read_labels(table)


def _read_rules_text(entity: str, rules: Path | None) -> str:
    from importlib.resources import files

    return (rules or files("hub") / "rules" / f"{entity}.toml").read_text(encoding="utf-8")


def _print_tuned(tuned: Tuned, match_bits: float, review_bits: float, out: Path | None) -> None:
    from hub.tune import thin_curve

    console = open_console()
    table = Table(title="labelled pairs by threshold", title_justify="left", header_style="bold")
    for name in ("a match needs", "found", "right", "precision", "recall", "F1", ""):
        table.add_column(name, justify="right")
    for row in thin_curve(tuned).iter_rows(named=True):
        figures = (f"{row[name]:.3f}" for name in ("precision", "recall", "f1"))
        table.add_row(
            f"{row['match_bits']:+.1f}", f"{row['found']:,}", f"{row['right']:,}", *figures, "<" if row["chosen"] else ""
        )
    console.print(table)
    unknown = f", {tuned.n_unknown:,} of unknown records left out" if tuned.n_unknown else ""
    console.print(
        f"{count(tuned.n_same, 'pair')} labelled the same, {tuned.n_different:,} different{unknown}; no threshold finds "
        f"{tuned.n_unproposed:,} of the same that no key proposes and {tuned.n_barred:,} that a guard keeps apart\n"
        f"match_bits {match_bits:+.1f} -> {tuned.match_bits:+.1f}: precision {tuned.before['precision']:.3f} -> "
        f"{tuned.at_match['precision']:.3f}, recall {tuned.before['recall']:.3f} -> {tuned.at_match['recall']:.3f}, "
        f"F1 {tuned.before['f1']:.3f} -> {tuned.at_match['f1']:.3f}\n"
        f"review_bits {review_bits:+.1f} -> {tuned.review_bits:+.1f}; " + (f"written to {out}" if out else "write it with --out"),
        highlight=False,
    )
    for doubt in tuned.doubts:
        console.print(f"[yellow]{doubt}[/yellow]", highlight=False)
