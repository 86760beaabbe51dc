"""Records to comparable parts: aligned columns in (source, source_key) order, and each field's distinct values taken apart."""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.columns.bearers import tell_aliases
from hub.columns.parallel import map_threads
from hub.columns.parts import Ids, Parts, Table, find_distinct, number
from hub.columns.sorting import order_texts
from hub.normalize.kinds import KINDS, Join
from hub.normalize.swapped import exchange_swapped
from hub.rules.model import Field, Rules
from hub.scoring.compare import list_compared
from hub.scoring.names import COMPANY

TIMES = ("created_at", "updated_at")
#: what a record is worth to whoever reviews it
VALUE = "value"
#: values parsed at once, which bounds what parsing holds; with half as many the regexes, which are compiled for each slice, take
#: a tenth of its time
_SLICE = 131_072
#: part of every parsed field: the value as it was written
SHOWN = "shown"
#: how whole a value is, where its field's kind says so: below 0 it can never be golden
WHOLE = "whole"


class RecordsError(ValueError):
    """The records handed in cannot be resolved: what is wrong, in which rows, what to do."""


def list_columns(rules: Rules) -> list[str]:
    """The record columns that rules read, after source and source_key."""
    fields = {field.name for field in rules.fields}
    named = [column for field in rules.fields for column in field.columns if not is_part(column, fields)]
    golden = [part for survivor in rules.survivors for _, part in survivor.values if part.partition(".")[0] not in fields]
    return [column for column in dict.fromkeys([*named, *golden, *TIMES]) if column not in ("source", "source_key")]


def align_records(records: pl.DataFrame, rules: Rules) -> tuple[pl.DataFrame, npt.NDArray[np.int32]]:
    """The columns of the rules, typed, missing ones null, as they come; and their order by (source, source_key)."""
    aligned = _type_records(records, rules)
    return aligned, _order_records(aligned, rules.entity)[0]


def _type_records(records: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    missing = [column for column in ("source", "source_key") if column not in records.columns]
    if missing:
        raise RecordsError(
            f"{rules.entity} records have no column {', '.join(missing)}: every record needs source and source_key"
        )
    typed = [pl.col("source").cast(pl.String), pl.col("source_key").cast(pl.String)]
    for column in list_columns(rules):
        dtype = pl.Datetime("us", "UTC") if column in TIMES else pl.String
        if column not in records.columns:
            typed.append(pl.lit(None, dtype=dtype).alias(column))
        else:
            typed.append(_to_utc(records, column) if column in TIMES else pl.col(column).cast(pl.String))
    aligned = records.select(typed)
    if aligned["source"].null_count() + aligned["source_key"].null_count():
        raise RecordsError(f"{rules.entity} records with a null source or source_key: fill them or leave the records out")
    return aligned


def _order_records(aligned: pl.DataFrame, entity: str) -> tuple[npt.NDArray[np.int32], pl.DataFrame]:
    """The order of the records, and their source, source_key, created_at, updated_at in it; RecordsError where a key repeats."""
    order = sort_records(aligned)
    ordered = aligned.select(pl.col("source", "source_key", *TIMES).gather(pl.Series(order)))
    _refuse_twins(ordered, entity)
    return order, ordered


def sort_records(aligned: pl.DataFrame) -> npt.NDArray[np.int32]:
    """The order of a frame by its source and source_key: one source after the other takes a third of a sort by both."""
    sources = aligned["source"].unique().sort()
    codes = aligned["source"].cast(pl.Enum(sources)).to_physical().to_numpy()
    parts = [np.zeros(0, dtype=np.int32)]
    for code in range(len(sources)):
        rows = np.flatnonzero(codes == code).astype(np.int32)
        keys = aligned["source_key"].gather(pl.Series(rows))
        # records often come in order: looking takes a tenth of sorting
        parts.append(rows if keys.is_sorted() else rows[order_texts(keys)])
    return np.concatenate(parts)


def prepare(records: pl.DataFrame, rules: Rules) -> tuple[pl.DataFrame, Parts]:
    """source, source_key, created_at, updated_at in the order of source and key, and the parts of the records in that order."""
    aligned = _type_records(records, rules)
    with ThreadPoolExecutor(1) as pool:
        # the order needs no parts: it is found while they are derived
        ordering = pool.submit(_order_records, aligned, rules.entity)
        parts = derive_parts(aligned, rules)
        order, ordered = ordering.result()
    parts.reorder(order)
    return ordered, parts


def _refuse_twins(keys: pl.DataFrame, entity: str) -> None:
    same = (keys["source"] == keys["source"].shift(1)) & (keys["source_key"] == keys["source_key"].shift(1))
    twice = same.fill_null(value=False)
    if twice.any():
        place = int(twice.arg_max() or 0)
        source, key = keys["source"][place], keys["source_key"][place]
        raise RecordsError(
            f"{twice.sum()} {entity} records repeat the (source, source_key) of another, first ({source}, {key}): "
            "keep one row per key"
        )


def _to_utc(records: pl.DataFrame, column: str) -> pl.Expr:
    dtype = records.schema[column]
    if dtype == pl.String:
        return pl.col(column).str.to_datetime(time_unit="us", time_zone="UTC", strict=False)
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return pl.col(column).dt.convert_time_zone("UTC").cast(pl.Datetime("us", "UTC"))
    return pl.col(column).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def derive_parts(aligned: pl.DataFrame, rules: Rules) -> Parts:
    """The parts of all fields, and of the columns that golden values are taken from as they are."""
    aligned = exchange_swapped(aligned, rules.fields)
    parts = Parts(aligned.height, {})
    waiting = list(rules.fields)
    names = {field.name for field in rules.fields}
    while waiting:
        ready = [field for field in waiting if not any(is_part(column, names - set(parts.tables)) for column in field.columns)]
        if not ready:
            raise RecordsError(f"fields {', '.join(field.name for field in waiting)} are made of each other: break the circle")
        parts.tables.update(_derive(ready, aligned, parts, rules))
        waiting = [field for field in waiting if field not in ready]
    plain = [column for column in list_columns(rules) if column not in TIMES]
    golden = {part for survivor in rules.survivors for _, part in survivor.values}
    kept = [column for column in plain if column in golden and column not in names]
    tables = map_threads(lambda column: _keep(aligned[column]), kept, parts.n)
    parts.tables.update(zip(kept, tables, strict=True))
    read = list_read_parts(rules)
    for name, table in parts.tables.items():
        parts.tables[name] = Table(_select_read(table.rows, (name,), read), table.ids)
    return parts


def _select_read(rows: pl.DataFrame, fields: Collection[str], read: Collection[str]) -> pl.DataFrame:
    """The main part, and those others that are read of any of the fields."""
    return rows.select(part for part in rows.columns if not part or any(f"{field}.{part}" in read for field in fields))


def list_read_parts(rules: Rules) -> set[str]:
    """The parts that are compared, found by, guarded or taken as golden values; a third of what is parsed is none of these."""
    read = {*rules.certain, *rules.separators, *(part for key in rules.block_keys for part in key.parts)}
    read |= {part for survivor in rules.survivors for _, part in survivor.values}
    read |= {part for comparison in rules.comparisons for part in list_compared(comparison)}
    for field in rules.fields:
        read |= {f"{field.name}.{part}" for part in (WHOLE, *(COMPANY if field.kind == "company" else ()))}
    return read


def is_part(column: str, fields: Collection[str]) -> bool:
    """`name.city` is a part of the field name, where there is one; `city` is a column of the records."""
    name, dot, _ = column.partition(".")
    return bool(dot) and name in fields


def _read(column: str, aligned: pl.DataFrame, parts: Parts) -> pl.Series:
    return parts.values(column) if is_part(column, parts.tables) else aligned[column]


def _derive(fields: Sequence[Field], aligned: pl.DataFrame, parts: Parts, rules: Rules) -> dict[str, Table]:
    """The tables of fields. The distinct values of the same columns are found once and, by the same parser, parsed once."""
    parsed = [field for field in fields if KINDS[field.kind].parse]
    sets = list(dict.fromkeys(_name_set(field) for field in parsed))
    found = dict(
        zip(
            sets,
            map_threads(lambda names: find_distinct([_read(name, aligned, parts) for name in names]), sets, parts.n),
            strict=True,
        )
    )
    read = list_read_parts(rules) | {column for field in rules.fields for column in field.columns}
    rows = _parse({names: values for names, (values, _) in found.items()}, parsed, read)

    def make(field: Field) -> Table:
        kind = KINDS[field.kind]
        if kind.join is not None:
            return _join(kind.join, [_read(column, aligned, parts) for column in field.columns])
        names = _name_set(field)
        values, ids = found[names]
        own = rows[names, kind.parse]
        picked = kind.pick(own) if kind.pick else own
        table = _make_table(picked, values, [ids[names.index(column)] for column in field.columns])
        return tell_aliases(table, aligned["created_at"], rules.aliases) if field.kind == "company" and rules.aliases else table

    return dict(zip((field.name for field in fields), map_threads(make, fields, parts.n), strict=True))


def _name_set(field: Field) -> tuple[str, ...]:
    return tuple(sorted(set(field.columns)))


def _parse(
    values: Mapping[tuple[str, ...], pl.Series], fields: Sequence[Field], read: Collection[str]
) -> dict[tuple[tuple[str, ...], Any], pl.DataFrame]:
    """The parsed rows by set of columns and parser, a slice of the values at a time; of parts only those that are read."""
    readers: dict[tuple[tuple[str, ...], Any], list[Field]] = {}
    for field in fields:
        readers.setdefault((_name_set(field), KINDS[field.kind].parse), []).append(field)
    tasks = list(readers)
    slices = [(task, start) for task in tasks for start in range(0, max(len(values[task[0]]), 1), _SLICE)]

    def parse(one: tuple[tuple[tuple[str, ...], Any], int]) -> pl.DataFrame:
        task, start = one
        rows: pl.DataFrame = task[1](values[task[0]].slice(start, _SLICE))
        if any(KINDS[field.kind].pick for field in readers[task]):
            return rows
        return _select_read(rows, [field.name for field in readers[task]], read)

    done = map_threads(parse, slices, sum(len(own) for own in values.values()))
    pieces: dict[tuple[tuple[str, ...], Any], list[pl.DataFrame]] = {}
    for (task, _), piece in zip(slices, done, strict=True):
        pieces.setdefault(task, []).append(piece)
    del done
    return {task: pl.concat(pieces.pop(task), rechunk=True) for task in tasks}


def _join(join: Join, columns: Sequence[pl.Series]) -> Table:
    codes, first = number(pl.struct(*[column.alias(str(k)) for k, column in enumerate(columns)], eager=True))
    return Table(join([column.gather(pl.Series(first)) for column in columns]), codes)


def _make_table(rows: pl.DataFrame, values: pl.Series, ids: Sequence[Ids]) -> Table:
    rows = rows.with_columns(values.str.strip_chars().alias(SHOWN))
    said = np.append(rows.select(pl.any_horizontal(pl.exclude(SHOWN).is_not_null())).to_series().to_numpy(), False)
    main = np.append(rows[""].is_not_null().to_numpy(), False)
    return Table(rows, _choose_column(ids, main, said))


def _choose_column(ids: Sequence[Ids], main: npt.NDArray[np.bool_], said: npt.NDArray[np.bool_]) -> Ids:
    """Per record the first column whose main part is known, else the first that says anything."""
    chosen = np.full(len(ids[0]), -1, dtype=np.int32)
    for known in (said, main):
        for own in reversed(ids):
            chosen = np.where(known[own], own, chosen)
    return chosen


def _keep(column: pl.Series) -> Table:
    """A column as it is, but for the blanks around it."""
    values, ids = find_distinct([column])
    text = values.to_frame("v").select(pl.col("v").str.normalize("NFKC").str.strip_chars())
    rows = text.select(pl.when(pl.col("v") != "").then("v").alias(""))
    return Table(rows, np.where(np.append(rows[""].is_not_null().to_numpy(), False)[ids[0]], ids[0], -1).astype(np.int32))
