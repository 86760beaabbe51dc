"""A first rules file from the look of a table: kinds, comparisons, keys. To be read and corrected. Public door."""

import math
from collections.abc import Sequence

import polars as pl

from hub.columns.prepare import VALUE
from hub.normalize.kinds import derive
from hub.rules.model import Field, RulesError
from hub.rules.naming import (
    ask_for_key,
    find_source,
    find_source_key,
    find_times,
    find_value,
    name_entity,
    name_prefix,
    note_columns,
    quote,
)
from hub.rules.organisations import (
    are_persons,
    are_things,
    find_chinese_names,
    find_lone_names,
    list_fitting,
    write_organisations,
)
from hub.rules.persons import find_persons, write_persons
from hub.rules.profile import Column, profile_column
from hub.rules.writing import (
    choose_keys,
    name_fields,
    name_survivor,
    write_comparison,
    write_comparisons,
    write_field,
    write_key,
    write_models,
    write_survivor,
)

#: what records are of where nobody says it
ENTITY = "entity"
#: a column filled in fewer rows than this speaks for one pair of records in six and is noise to the others
_MIN_FILLED = 0.4
#: kinds that identify where they are given at all
_IDENTIFYING = ("email", "mobile", "phone", "credit_code")
_MIN_FILLED_IDENTIFYING = 0.1
#: ... and of codes that identify, if so many of a source's are distinct
_MIN_DISTINCT = 0.5
#: two columns whose values are the same in so many of the rows that have both say the same thing twice
_SAME_COLUMN = 0.9
#: comparisons beyond these add more of the same than news
_MAX_COLUMNS = 10


def suggest_rules(table: pl.DataFrame, entity: str = ENTITY) -> str:
    """The text of a rules file (TOML) for a table of records.

    Chinese companies and lists of persons get the rules that come with the hub, over the table's columns. Columns of
    list_incomparable are left out, which a comment says."""
    left_out = list_incomparable(table)
    return note_columns("left out, since no text", left_out) + _suggest(table.drop(left_out), entity)


def list_incomparable(table: pl.DataFrame) -> list[str]:
    """The columns of lists, structures, bytes and durations."""
    return [name for name, dtype in table.schema.items() if dtype.is_nested() or dtype in (pl.Binary, pl.Object, pl.Duration)]


def _suggest(table: pl.DataFrame, entity: str) -> str:
    columns = [profile_column(table[name]) for name in table.columns]
    source = find_source(columns, table)
    source_key = find_source_key(columns, source)
    times, value = find_times(table), find_value(columns)
    asked = [] if "source_key" in table.columns else [ask_for_key(columns, source)]
    records = [
        *([f"source = {quote(source)}"] if source else []),
        *([f"source_key = {quote(source_key)}"] if source_key else asked),
        *([f"value = {quote(value)}"] if value and value != VALUE else []),
        *(f"{own} = {quote(column)}" for own, column in times.items()),
    ]
    # keys may repeat from source to source: they are no column of the entity all the same, nor are its times and worth
    named = {source, source_key, "source", "source_key", value, *times.values()}
    own = [column for column in columns if column.name not in named]
    sparse = [column for column in own if column.kind != "skip" and column.filled < _ask_filled(column, table, source)]
    kept = _choose([column for column in own if column not in sparse], table)
    fitting = list_fitting(columns)
    names = _find_company_names(table, fitting, list_fitting(kept), entity)
    if names:
        known = entity in (ENTITY, "organisation")
        return _note_unread(columns, fitting) + write_organisations(
            fitting, names, records, "organisation" if known else name_entity(entity), None if known else name_prefix(entity)
        )
    if not kept:
        raise RulesError("no column of the table can be compared: each is empty, constant, a key of the row or a time of change")
    fitting = list_fitting(own, "person")
    persons = find_persons(fitting, entity)
    if persons:
        called = "person" if entity == ENTITY else name_entity(entity)
        kept = list_fitting(kept, "person")
        unread = _note_sparse([column for column in sparse if column.identifies]) + _note_unread(columns, fitting)
        return unread + write_persons(table, fitting, kept, persons, records, called, name_prefix(called))
    return _note_sparse(sparse) + _write_own(
        table, kept, records, name_entity(entity), name_prefix(entity), _has_sources(table, source)
    )


def _write_own(
    table: pl.DataFrame, kept: list[Column], records: Sequence[str], entity: str, prefix: str, has_sources: bool
) -> str:
    """Rules whose weights the table teaches."""
    fields = name_fields(kept)
    parts = derive(table, fields)
    lines = [
        "# suggested from the table: read it, correct kinds and keys, leave out what is not the entity's own",
        f'entity = "{entity}"',
        f'id_prefix = "{prefix}"',
        'training = "em"',
        *["", "[records]", *records, ""],
    ]
    for field in fields:
        lines += write_field(field)
    if has_sources:
        lines += write_field(Field("source", "source", ("source",)))
    for field in fields:
        lines += write_comparisons(field)
    models, model_keys = write_models(fields, parts)
    lines += models
    if has_sources:
        # whether a source repeats what it has is learnt with the rest
        lines += write_comparison("source", "source", (("same", "same"), ("other", "differ")), frequency=False)
    for name, key in (model_keys | choose_keys(parts, fields)).items():
        lines += write_key(name, key)
    called = {field.name for field in fields}
    for field in fields:
        lines += write_survivor([name_survivor(column, field, called) for column in field.columns])
    return "\n".join(lines)


def _note_sparse(columns: Sequence[Column]) -> str:
    return note_columns("left out, since few rows have them", [column.name for column in columns])


def _note_unread(columns: Sequence[Column], fitting: Sequence[Column]) -> str:
    unread = [column.name for column in columns if "." in column.name and column not in fitting]
    return note_columns("left out, since these rules have such a field", unread)


def _find_company_names(table: pl.DataFrame, columns: Sequence[Column], kept: Sequence[Column], entity: str) -> str | None:
    """The column of names of a list of companies that the rules of organisations serve better than rules of its own."""
    if entity == "person":
        return None
    names = find_chinese_names(table, columns)
    if names and (entity == "organisation" or not (are_persons(columns) or are_things(columns, names))):
        return names
    return find_lone_names(table, kept)


def _has_sources(table: pl.DataFrame, source: str | None) -> bool:
    """There is a column of sources, and it names more than one."""
    column = source or "source"
    return column in table.columns and table[column].drop_nulls().n_unique() > 1


def _choose(columns: list[Column], table: pl.DataFrame) -> list[Column]:
    """Columns that say something about the entity, and nothing that another says already."""
    chosen: list[Column] = []
    for column in sorted(columns, key=lambda column: -_weigh_column(table[column.name])):
        is_row_key = column.distinct == 1.0 and column.filled == 1.0 and column.kind == "code"
        if column.kind == "skip" or is_row_key:
            continue
        if not any(_say_the_same(table[column.name], table[other.name]) for other in chosen):
            chosen.append(column)
    names = [column.name for column in chosen[:_MAX_COLUMNS]]
    return [column for column in columns if column.name in names]


def _ask_filled(column: Column, table: pl.DataFrame, source: str | None) -> float:
    """The share of the rows that have to have a value, for the column to be compared."""
    if column.kind in _IDENTIFYING:
        return _MIN_FILLED_IDENTIFYING
    place = source or "source"
    known = table.select(place if place in table.columns else pl.lit("").alias(place), column.name).drop_nulls(column.name)
    hardly_repeats = column.identifies and known.n_unique() >= _MIN_DISTINCT * max(known.height, 1)
    return _MIN_FILLED_IDENTIFYING if hardly_repeats else _MIN_FILLED


def _weigh_column(values: pl.Series) -> float:
    """How much a pair of records can be expected to learn from the column: bits of an agreement x chance that both have it."""
    known = values.cast(pl.String).drop_nulls()
    counts = known.value_counts(name="n")["n"].cast(pl.Float64)
    chance = float(counts.to_numpy() @ counts.to_numpy()) / max(len(known), 1) ** 2
    return -math.log2(chance) * (len(known) / max(len(values), 1)) ** 2 if chance else 0.0


def _say_the_same(a: pl.Series, b: pl.Series) -> bool:
    folded = pl.DataFrame({"a": a.cast(pl.String), "b": b.cast(pl.String)}).select(pl.all().str.to_lowercase().str.strip_chars())
    both = folded.drop_nulls()
    return both.height >= 0.05 * len(a) and float((both["a"] == both["b"]).mean() or 0.0) > _SAME_COLUMN  # type: ignore[arg-type]
