"""How suggested rules write fields, comparisons, keys and what survives."""

import re
from collections.abc import Collection, Sequence
from itertools import combinations

import polars as pl

from hub.columns.prepare import SHOWN
from hub.normalize.kinds import KINDS
from hub.normalize.levels import SINGLE_NAME
from hub.rules.check import RESERVED
from hub.rules.model import Field
from hub.rules.naming import quote, quote_all
from hub.rules.profile import Column, name_header

#: pairs per record that one key may propose, and how many keys there are at most
_PAIRS_PER_RECORD = 15.0
#: ... with a part that too many share by itself: F1 of 10,000 German names and birthdays .817 to .938
_PAIRS_OF_WIDE = 5.0
_MAX_KEYS = 20
_CAP = 100
#: a key is of no use where more of its records than this stand in blocks above the cap
_MAX_LEFT_OUT = 0.3
#: kinds whose normal form is better to read than what was typed
_NORMAL = ("credit_code", "date", "domain", "email", "mobile", "phone", "number", "region", "scoped_code")
#: where so many of the titles have a number of a type, these numbers are compared too
_MIN_MODELS = 0.3
_MODEL_LEVELS = (("same", "same"), ("shared", "token_overlap >= 0.01"))
#: kinds whose agreement alone is no reason to compare
_NEVER_ALONE = ("category", "place", "zip", "region")


#: headers of the year, the month and the day of a date, such as birth_year, dob_m, bd, and how many of each there are at most
_DATE_PARTS = tuple(
    (rf"^(?:(?:birth|dob|b)_?)?(?:{part[0]}|{part})(?:_?of_?birth)?$|^{part[0]}ob$", most)
    for part, most in (("year", 300), ("month", 40), ("day", 80))
)

#: where one of the three is filled less often than this share of another, many dates would be lost
_ALIKE_FILLED = 0.9


def write_models(fields: Sequence[Field], parts: pl.DataFrame) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """Comparisons, and keys, of the numbers of types in titles."""
    models = [field.name for field in fields if _has_models(parts, field)]
    lines = [
        line for name in models for line in write_comparison(f"{name}_models", f"{name}.models", _MODEL_LEVELS, frequency=True)
    ]
    return lines, {f"{name}_model": (f"{name}.model",) for name in models}


def _has_models(parts: pl.DataFrame, field: Field) -> bool:
    part = f"{field.name}.models"
    return part in parts.columns and parts[part].count() >= _MIN_MODELS * max(parts[field.name].count(), 1)


def name_survivor(column: str, field: Field, named: Collection[str]) -> str:
    """Names and texts survive as they are written; a column that is called like a field would give what the field compares.

    Golden records have columns of their own, and behind a colon stands what is taken: such columns survive under other names.
    """
    name = column.replace(":", " ").strip()
    name = f"own_{name}" if name in RESERVED else name
    if field.kind == "landline" and column in named:
        return f"{name}: {field.name}.any"
    if name == column and (column not in named or (field.kind in _NORMAL and column == field.name)):
        return column
    return f"{name}: {field.name}" if field.kind in _NORMAL else f"{name}: {field.name}.{SHOWN}"


def name_fields(columns: Sequence[Column], known: Collection[str] = ()) -> list[Field]:
    """One field per column, but one for a given name and a surname together, and one for a date; `known` fields there are
    already."""
    fields: list[Field] = []
    # address.city would be a part of a field called address
    taken = {"source", *known, *(column.name.partition(".")[0] for column in columns if "." in column.name)}

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
    dated = find_date(columns)
    for column in columns:
        if paired and column.name == given[0]:
            add("name", "full_name", given[0], surname[0])
        elif paired and column.name == surname[0]:
            continue
        elif column.name in dated:
            if column.name == dated[0]:
                add("date", "full_date", *dated)
        elif column.kind in ("given", "surname"):
            add(name_header(column.name), "name", column.name)
        else:
            add(name_header(column.name), column.kind, column.name)
    return fields


def find_date(columns: Sequence[Column]) -> list[str]:
    """The columns of a date's year, month and day, where each has one; else none."""
    found = [[one for one in columns if one.values <= most and _says(one, part)] for part, most in _DATE_PARTS]
    if any(len(parts) != 1 for parts in found):
        return []
    filled = [parts[0].filled for parts in found]
    return [parts[0].name for parts in found] if min(filled) >= _ALIKE_FILLED * max(filled) else []


def _says(column: Column, pattern: str) -> bool:
    return bool(re.search(pattern, name_header(column.name)))


def write_field(field: Field) -> list[str]:
    return [f"[fields.{field.name}]", f'kind = "{field.kind}"', f"columns = {quote_all(field.columns)}", ""]


def write_key(name: str, parts: Sequence[str], cap: int = _CAP) -> list[str]:
    return [f"[keys.{name}]", f"parts = {quote_all(parts)}", f"cap = {cap}", ""]


def write_survivor(attributes: Sequence[str]) -> list[str]:
    """One golden value, or a group that survives together."""
    return ["[[survivors]]", f"attributes = {quote_all(attributes)}", 'order = ["precedence", "majority", "recency"]', ""]


def write_comparisons(field: Field) -> list[str]:
    kind = KINDS[field.kind]
    if kind.crosswise:
        return [
            line
            for part in kind.crosswise
            for line in write_comparison(f"{field.name}_{part}", f"{field.name}.{part}", SINGLE_NAME, frequency=True)
        ]
    return write_comparison(field.name, field.name, kind.levels, kind.frequency)


def write_comparison(name: str, part: str, levels: Sequence[tuple[str, str]], frequency: bool) -> list[str]:
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


def choose_keys(parts: pl.DataFrame, fields: Sequence[Field]) -> dict[str, tuple[str, ...]]:
    """Parts that alone propose few pairs, then pairs of parts of different fields that do together: at last those with a part
    that too many share, such as a surname and a year of birth."""
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
        is_wide = not (cost[one] and cost[other])
        if field == second or {one, other} & lonely or (is_wide and {field.kind, second.kind} <= set(_NEVER_ALONE)):
            continue
        proposed = _count_pairs(parts, (one, other))
        if 0 < proposed <= (_PAIRS_OF_WIDE * parts.height if is_wide else limit):
            pairs.append((is_wide, -proposed, (one, other)))
    pairs.sort()
    # where no two records share anything, whole values are the keys: later records may share them
    keys = [*alone, *(key for *_, key in pairs)][:_MAX_KEYS] or [(field.name,) for field in fields]
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
