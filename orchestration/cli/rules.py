"""`goldthread rules`: a first rules file for a table, what a file says, and the rules that come with the hub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from orchestration.cli.blame import blame_the_input
from orchestration.cli.console import open_console, tell_compared_too

if TYPE_CHECKING:
    from hub.rules.model import Rules
    from hub.rules.read import RulesFile

_TRAINING = {
    "certain": "weights are learnt from pairs whose certain parts agree or differ",
    "em": "weights are learnt without labels (Fellegi-Sunter)",
    "fixed": "the weights of this file hold",
}
app = typer.Typer(help="Rules files: what the hub compares, and how.", no_args_is_help=True)


@app.command()
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


@app.command()
def check(file: Annotated[Path, typer.Argument(help="A rules file (TOML).")]) -> None:
    """Check a rules file; show all that it says, and what holds where it says nothing."""
    from hub.rules.read import read_rules

    with blame_the_input():
        read = read_rules(file)
    rules = read.rules
    table = Table(title=f"{file}: rules of {rules.entity}, version {rules.version}", title_justify="left", header_style="bold")
    for name in ("what", "name", "of", "how"):
        table.add_column(name, overflow="fold")
    for row in (*_list_evidence(rules), *_list_policy(read)):
        table.add_row(*map(escape, row))
    open_console().print(table)
    tell_compared_too(read.list_compared_too())


def _list_evidence(rules: Rules) -> Iterator[tuple[str, str, str, str]]:
    """What is compared, and how it is found."""
    for field in rules.fields:
        yield "field", field.name, ", ".join(field.columns), field.kind
    for comparison in rules.comparisons:
        levels = ", ".join(level.name for level in comparison.levels) + (", by frequency" if comparison.frequency else "")
        yield "comparison", comparison.name, comparison.field, levels
    for interaction in rules.interactions:
        yield "interaction", interaction.name, ", ".join(interaction.when), "weighs otherwise together"
    for key in rules.block_keys:
        pivots = f", {key.pivots} pivots beyond" if key.pivots else ""
        yield "key", key.name, ", ".join(key.parts), f"blocks of up to {key.cap}{pivots}"


def _list_policy(read: RulesFile) -> Iterator[tuple[str, str, str, str]]:
    """What keeps records apart, what is learnt, what is asked, which values survive."""
    rules = read.rules
    yield "ids", "id_prefix", rules.id_prefix, "what ids begin with"
    for guard in rules.guards:
        yield "guard", guard, "", "two values are never one; a placeholder is no value"
    for barrier in rules.barriers:
        yield "barrier", barrier, "", "two values are one only where people say so"
    for veto in rules.vetoes:
        yield "veto", veto, "", "keeps two records apart, whatever else agrees"
    for part in rules.certain:
        yield "certain", part, "", "teaches which pairs are one and which are two"
    for level in rules.uncertain:
        yield "uncertain", level, "", "pairs at this level teach nothing"
    yield "training", rules.training, "", _TRAINING[rules.training]
    for name, bits in _group_weights(rules):
        yield "weights", name, "", bits
    yield "threshold", "match_bits", f"{rules.match_bits:g}", "at or above: a match"
    yield "threshold", "review_bits", f"{rules.review_bits:g}", "from here to the match a person may be asked"
    yield "threshold", "review_limit", f"{rules.review_limit:,}", "pairs at most in the queue"
    yield "threshold", "silence_bits", f"{rules.silence_bits:g}", "what a pair below the match counts against joining its groups"
    for survivor in rules.survivors:
        yield "survivor", ", ".join(name for name, _ in survivor.values), "", " then ".join(survivor.order)
    if rules.source_precedence:
        yield "sources", "source_precedence", ", ".join(rules.source_precedence), "the first is trusted most"
    yield "aliases", f"{len(rules.aliases):,}", "", "other names of the companies in a table"
    for own, column in read.list_records().items():
        yield "records", own, column, "the column of the file"


def _group_weights(rules: Rules) -> Iterator[tuple[str, str]]:
    """The bits of each comparison's levels in one line, of interactions and of the prior."""
    grouped: dict[str, list[str]] = {}
    for name, bits in rules.weights.items():
        comparison, _, level = name.partition(".")
        grouped.setdefault(comparison, []).append(f"{level} {bits:+g}".strip())
    return ((name, ", ".join(levels)) for name, levels in grouped.items())


@app.command()
def show(entity: Annotated[str, typer.Argument(help="organisation or person.")]) -> None:
    """Print the rules that come with the hub, as a start for your own."""
    from importlib.resources import files

    from hub.rules.read import load_rules

    with blame_the_input():
        load_rules(entity)
    typer.echo((files("hub") / "rules" / f"{entity}.toml").read_text(encoding="utf-8"), nl=False)
