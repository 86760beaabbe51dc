"""A first rules file from the look of a table: kinds, comparisons, keys. To be read and corrected. Public door."""

import math
import re
from collections.abc import Collection, Sequence
from itertools import combinations

import polars as pl

from hub.columns.prepare import SHOWN
from hub.normalize.kinds import KINDS, derive
from hub.normalize.levels import SINGLE_NAME
from hub.rules.check import RESERVED
from hub.rules.model import Field, RulesError
from hub.rules.naming import ask_for_key, find_source, find_source_key, name_entity, name_prefix, note_columns, quote, quote_all
from hub.rules.organisations import (
    are_persons,
    are_things,
    find_chinese_names,
    find_lone_names,
    list_fitting,
    write_organisations,
)
from hub.rules.profile import Column, name_header, profile_column

#: what records are of where nobody says it
ENTITY = "entity"
#: a column filled in fewer rows than this speaks for one pair of records in six and is noise to the others
_MIN_FILLED = 0.4
#: kinds that identify where they are given at all
_IDENTIFYING = ("email", "mobile", "phone", "credit_code")
_MIN_FILLED_IDENTIFYING = 0.1
#: two columns whose values are the same in so many of the rows that have both say the same thing twice
_SAME_COLUMN = 0.9
#: pairs per record that one key may propose, and how many keys there are at most
_PAIRS_PER_RECORD = 15.0
_MAX_KEYS = 20
_CAP = 100
#: a key is of no use where more of its records than this stand in blocks above the cap
_MAX_LEFT_OUT = 0.3
#: comparisons beyond these add more of the same than news
_MAX_COLUMNS = 10
#: kinds whose normal form is better to read than what was typed
_NORMAL = ("credit_code", "date", "domain", "email", "mobile", "phone", "number")
#: where so many of the titles have a number of a type, these numbers are compared too
_MIN_MODELS = 0.3
_MODEL_LEVELS = (("same", "same"), ("shared", "token_overlap >= 0.01"))
#: kinds whose agreement alone is no reason to compare
_NEVER_ALONE = ("category", "place", "zip", "region")


def suggest_rules(table: pl.DataFrame, entity: str = ENTITY) -> str:
    """The text of a rules file (TOML) for a table of records.

    Chinese companies get the rules of organisations that come with the hub, over the table's columns. Columns of
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
    records = [
        *([f"source = {quote(source)}"] if source else []),
        *(
            [f"source_key = {quote(source_key)}"]
            if source_key
            else []
            if "source_key" in table.columns
            else [ask_for_key(columns, source)]
        ),
    ]
    # keys may repeat from source to source: they are no column of the entity all the same
    named = {source, source_key, "source", "source_key"}
    kept = _choose([column for column in columns if column.name not in named], table)
    fitting = list_fitting(columns)
    names = _find_company_names(table, fitting, list_fitting(kept), entity)
    if names:
        unread = [column.name for column in columns if column not in fitting]
        note = note_columns("left out, since these rules have such a field", unread)
        known = entity in (ENTITY, "organisation")
        return note + write_organisations(
            fitting, names, records, "organisation" if known else name_entity(entity), None if known else name_prefix(entity)
        )
    if not kept:
        raise RulesError("no column of the table can be compared: each is empty, constant, a key of the row or a time of change")
    fields = _name_fields(kept)
    parts = derive(table, fields)
    lines = [
        "# suggested from the table: read it, correct kinds and keys, leave out what is not the entity's own",
        f'entity = "{name_entity(entity)}"',
        f'id_prefix = "{name_prefix(entity)}"',
        'training = "em"',
        "",
        "[records]",
        *records,
        "",
    ]
    for field in fields:
        lines += [f"[fields.{field.name}]", f'kind = "{field.kind}"', f"columns = {quote_all(field.columns)}", ""]
    if _has_sources(table, source):
        lines += ["[fields.source]", 'kind = "source"', 'columns = ["source"]', ""]
    for field in fields:
        lines += _write_comparisons(field)
    models = [field.name for field in fields if _has_models(parts, field)]
    for name in models:
        lines += _write_comparison(f"{name}_models", f"{name}.models", _MODEL_LEVELS, frequency=True)
    if _has_sources(table, source):
        # whether a source repeats what it has is learnt with the rest
        lines += _write_comparison("source", "source", (("same", "same"), ("other", "differ")), frequency=False)
    keys = {f"{name}_model": (f"{name}.model",) for name in models} | _choose_keys(parts, fields)
    for name, key in keys.items():
        lines += [f"[keys.{name}]", f"parts = {quote_all(key)}", f"cap = {_CAP}", ""]
    called = {field.name for field in fields}
    for field in fields:
        attributes = [_name_survivor(column, field, called) for column in field.columns]
        lines += ["[[survivors]]", f"attributes = {quote_all(attributes)}", 'order = ["precedence", "majority", "recency"]', ""]
    return "\n".join(lines)


def _find_company_names(table: pl.DataFrame, columns: Sequence[Column], kept: Sequence[Column], entity: str) -> str | None:
    """The column of names of a list of companies that the rules of organisations serve better than rules of its own."""
    if entity == "person":
        return None
    names = find_chinese_names(table, columns)
    if names and (entity == "organisation" or not (are_persons(columns) or are_things(columns, names))):
        return names
    return find_lone_names(table, kept)


def _has_models(parts: pl.DataFrame, field: Field) -> bool:
    part = f"{field.name}.models"
    return part in parts.columns and parts[part].count() >= _MIN_MODELS * max(parts[field.name].count(), 1)


def _name_survivor(column: str, field: Field, named: Collection[str]) -> str:
    """Names and texts survive as they are written; a column that is called like a field would give what the field compares.

    Golden records have columns of their own, and behind a colon stands what is taken: such columns survive under other names.
    """
    name = column.replace(":", " ").strip()
    name = f"own_{name}" if name in RESERVED else name
    if name == column and (column not in named or field.kind in _NORMAL):
        return column
    return f"{name}: {field.name}" if field.kind in _NORMAL else f"{name}: {field.name}.{SHOWN}"


def _has_sources(table: pl.DataFrame, source: str | None) -> bool:
    """There is a column of sources, and it names more than one."""
    column = source or "source"
    return column in table.columns and table[column].drop_nulls().n_unique() > 1


def _choose(columns: list[Column], table: pl.DataFrame) -> list[Column]:
    """Columns that say something about the entity, and nothing that another says already."""
    chosen: list[Column] = []
    for column in sorted(columns, key=lambda column: -_weigh_column(table[column.name])):
        least = _MIN_FILLED_IDENTIFYING if column.kind in _IDENTIFYING else _MIN_FILLED
        is_row_key = column.distinct == 1.0 and column.filled == 1.0 and column.kind == "code"
        if column.kind == "skip" or column.filled < least or is_row_key:
            continue
        if not any(_say_the_same(table[column.name], table[other.name]) for other in chosen):
            chosen.append(column)
    names = [column.name for column in chosen[:_MAX_COLUMNS]]
    return [column for column in columns if column.name in names]


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


def _name_fields(columns: list[Column]) -> list[Field]:
    """One field per column, but one for a given name and a surname together."""
    fields: list[Field] = []
    # address.city would be a part of a field called address
    taken = {"source", *(column.name.partition(".")[0] for column in columns if "." in column.name)}

    def add(name: str, kind: str, *sources: str) -> None:
        ascii_name = re.sub(r"[^a-z0-9_]", "", name)
        base = ascii_name if re.match(r"[a-z]", ascii_name) else kind
        number = 1
        while (unique := base if number == 1 else f"{base}_{number}") in taken:
            number += 1
        taken.add(unique)
        fields.append(Field(unique, kind, sources))

    given = [column.name for column in columns if column.kind == "given"]
    surname = [column.name for column in columns if column.kind == "surname"]
    paired = bool(given and surname)
    for column in columns:
        if paired and column.name == given[0]:
            add("name", "full_name", given[0], surname[0])
        elif paired and column.name == surname[0]:
            continue
        elif column.kind in ("given", "surname"):
            add(name_header(column.name), "name", column.name)
        else:
            add(name_header(column.name), column.kind, column.name)
    return fields


def _write_comparisons(field: Field) -> list[str]:
    kind = KINDS[field.kind]
    if kind.crosswise:
        return [
            line
            for part in kind.crosswise
            for line in _write_comparison(f"{field.name}_{part}", f"{field.name}.{part}", SINGLE_NAME, frequency=True)
        ]
    return _write_comparison(field.name, field.name, kind.levels, kind.frequency)


def _write_comparison(name: str, part: str, levels: Sequence[tuple[str, str]], frequency: bool) -> list[str]:
    written = [f"  {quote(level if level == test else f'{level}: {test}')}," for level, test in levels]
    return [
        f"[comparisons.{name}]",
        f"field = {quote(part)}",
        *(["frequency = true"] if frequency else []),
        "levels = [",
        *written,
        "]",
        "",
    ]


def _choose_keys(parts: pl.DataFrame, fields: Sequence[Field]) -> dict[str, tuple[str, ...]]:
    """Parts that alone propose few pairs, then pairs of parts of different fields that do together."""
    limit = _PAIRS_PER_RECORD * parts.height
    single = [(f"{field.name}.{part}" if part else field.name, field) for field in fields for part in KINDS[field.kind].keys]
    cost = {part: _count_pairs(parts, (part,)) for part, _ in single}
    alone = [
        (part,)
        for part, field in single
        if 0 < cost[part] <= limit
        and field.kind not in _NEVER_ALONE
        and not _repeats(parts, part, [p for p, f in single if f == field])
    ]
    lonely = {part for (part,) in alone}
    pairs = []
    for (one, field), (other, second) in combinations(single, 2):
        if field == second or {one, other} & lonely or not (cost[one] and cost[other]):
            continue
        proposed = _count_pairs(parts, (one, other))
        if 0 < proposed <= limit:
            pairs.append((proposed, (one, other)))
    pairs.sort(key=lambda pair: (-pair[0], pair[1]))
    # where no two records share anything, whole values are the keys: later records may share them
    keys = [*alone, *(key for _, key in pairs)][:_MAX_KEYS] or [(field.name,) for field in fields]
    return {"_".join(part.replace(".", "_") for part in key): key for key in keys}


def _repeats(parts: pl.DataFrame, part: str, siblings: list[str]) -> bool:
    """An earlier key part of the same field has the same values."""
    return any(parts[part].equals(parts[other]) for other in siblings[: siblings.index(part)])


def _count_pairs(parts: pl.DataFrame, key: Sequence[str]) -> int:
    """Pairs that the key proposes within the cap; 0 where too many of its records stand in larger blocks, or none share it."""
    sizes = parts.select(key).drop_nulls().group_by(key).len()["len"].cast(pl.Int64)
    fitting = sizes.filter(sizes <= _CAP)
    if int(fitting.sum()) < (1 - _MAX_LEFT_OUT) * int(sizes.sum()):
        return 0
    return int((fitting * (fitting - 1) // 2).sum())
