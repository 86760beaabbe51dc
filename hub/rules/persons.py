"""Rules for a table of persons: those that come with the hub, reading the table's columns, and what the table knows beside."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import polars as pl

from hub.candidates.pairs import MOST_KEYS
from hub.normalize.contact import split_numbers
from hub.normalize.kinds import derive
from hub.rules.model import Field
from hub.rules.naming import quote
from hub.rules.organisations import are_persons, is_subject
from hub.rules.profile import Column, name_header
from hub.rules.writing import (
    choose_keys,
    find_date,
    name_fields,
    name_survivor,
    write_comparisons,
    write_field,
    write_key,
    write_survivor,
)

#: what only persons have: where a table has it, `name` is a person's
_OF_PERSONS = r"birth|^dob$|gender|^sex$|soc_sec|^ssn$|生日|出生|性别|身份证"
_NAME = r"^name$|full_?name|(?:person|patient|student|member|customer)_?name|姓名|名字"
#: kinds of columns that name what a list is of, if it is not of persons
_OF_THINGS = ("name", "text", "company", "credit_code")
#: kinds of what families and offices share, and of what tells every person apart
_SHARED = ("address", "mobile", "phone", "company")
_TELLING = ("date", "code")
_EMPLOYER = r"company|organi[sz]|employer|firm|workplace|公司|单位|雇主"
_TITLE = r"job|^title$|position|occupation|profession|职[位务称业]|岗位"
_MOST_TITLES = 0.5
#: fields that find candidates together with such columns
_CROSSED = ("name", "place", "address")
#: columns that are compared beside those of the built-in rules; the levels of all have to fit into one number
_MOST_BESIDE = 6
_PROVINCE = r"prov|state|省|自治区"
_CITY = r"city|town|suburb|locality|市|地区|区域|所在地"
#: the parts of an address that may have columns of their own
_HOUSE = r"^(?:street|house|building)_?(?:no|num|number)$|门牌"
_LINE = r"_?(?:line_?)?\d$"
#: share of the pairs of rows of one place that another place has to be the same in, to say nothing beside it
_IMPLIED = 0.9
#: fewer pairs that share a place may be one person's records
_LEAST_SHARING = 100
#: what says where somebody is from, which no residence implies
_NO_RESIDENCE = "birth|nation|origin|出生|籍贯|国籍"
_PARTY = ("customer_gid", "source", "party_source_key")


def find_persons(columns: Sequence[Column], entity: str) -> list[str]:
    """The column of the persons' names, or those of given names and surnames, where the list is one of persons."""
    if entity == "organisation" or (entity != "person" and not _look_like_persons(columns)):
        return []
    given, surnames = ([column for column in columns if column.kind == kind] for kind in ("given", "surname"))
    if given and surnames:
        shared = any(column.kind in _SHARED or _says(column, _EMPLOYER) for column in columns)
        told = any(column.kind in _TELLING for column in columns) or bool(find_date(columns))
        # names in two columns and dates of birth teach more by themselves, where families and offices share nothing
        return [given[0].name, surnames[0].name] if shared or not told else []
    named = [column for column in columns if column.kind == "person_name" or _is_name(column)]
    named.sort(key=lambda column: (not is_subject(column) and not _is_name(column), -column.filled))
    return [column.name for column in named[:1]]


def _is_name(column: Column) -> bool:
    return column.kind == "name" and bool(re.search(_NAME, name_header(column.name)))


def _look_like_persons(columns: Sequence[Column]) -> bool:
    if any(column.kind == "company" for column in columns) and not are_persons(columns):
        return False
    kinds = {column.kind for column in columns}
    told = any(is_subject(column) for column in columns if column.kind == "person_name")
    things = [column for column in columns if column.kind in _OF_THINGS and not (_says(column, _EMPLOYER) or _is_title(column))]
    if {"given", "surname"} <= kinds or told:
        return True
    if any(re.search(_OF_PERSONS, name_header(column.name)) for column in columns):
        return any(column.kind == "person_name" or _is_name(column) for column in columns)
    return "person_name" in kinds and not things


def _is_title(column: Column) -> bool:
    """What many have is a person's title, and what each has one of his own a book's."""
    return column.kind in ("name", "category") and column.distinct < _MOST_TITLES and _says(column, _TITLE)


def _says(column: Column, pattern: str) -> bool:
    return bool(re.search(pattern, name_header(column.name)))


def write_persons(
    table: pl.DataFrame,
    columns: Sequence[Column],
    kept: Sequence[Column],
    names: Sequence[str],
    records: Sequence[str],
    entity: str,
    prefix: str,
) -> str:
    """The built-in rules as TOML text over the table's columns; those of `kept` that they do not know teach their own weights."""
    fields = _assign(table, columns, names)
    read = {column for field in fields for column in field.columns}
    places = [column.name for column in columns if column.kind == "zip" or (column.name in read and column.kind == "place")]
    beside = [column for column in kept if column.name not in read and not _is_another_name(column)]
    beside = [column for column in beside if column.kind != "place" or not _is_implied(table, column.name, places)]
    telling = sorted(beside, key=lambda column: -column.filled * column.distinct)[:_MOST_BESIDE]
    own = name_fields([column for column in beside if column in telling], _list_known())
    built = _select(tomllib.loads(_read_text()), {field.name for field in fields})
    crossed = [*(field for field in fields if field.name in _CROSSED), *own]
    keys = choose_keys(derive(table, crossed), crossed) if own else {}
    lines = [
        "# suggested: the hub's rules of persons over this table's columns, and what the table knows beside; correct the fields",
        *(f"{name} = {_write(value)}" for name, value in {**built["settings"], "entity": entity, "id_prefix": prefix}.items()),
        *["", "[records]", *records, ""],
        *(line for field in [*fields, *own] for line in write_field(field)),
    ]
    for name, comparison in built["comparisons"].items():
        lines += [f"[comparisons.{name}]", *(f"{key} = {_write(value)}" for key, value in comparison.items()), ""]
    for field in own:
        lines += write_comparisons(field)
    lines += ["[interactions]", *(f"{name} = {_write(when)}" for name, when in built["interactions"].items()), ""]
    for name, key in built["keys"].items():
        lines += write_key(name, key["parts"], key["cap"])
    for name, parts in list(keys.items())[: MOST_KEYS - len(built["keys"])]:
        lines += write_key(f"own_{name}", parts)
    lines += ["[weights]", *(f"{_write(name)} = {bits}" for name, bits in built["weights"].items()), ""]
    return "\n".join([*lines, *_write_survivors([*fields, *own], table)])


def _read_text() -> str:
    return (files("hub") / "rules" / "person.toml").read_text(encoding="utf-8")


def _list_known() -> list[str]:
    return list(tomllib.loads(_read_text())["fields"])


def _write(value: Any) -> str:
    if isinstance(value, list) and len(value) > 4:
        return "[\n" + "".join(f"  {_write(one)},\n" for one in value) + "]"
    return quote(value)


def _is_another_name(column: Column) -> bool:
    return column.kind in ("given", "surname") or (column.kind == "person_name" and is_subject(column))


def _is_implied(table: pl.DataFrame, place: str, others: Sequence[str]) -> bool:
    """Whether rows that share another place share this one too, as those of a town share its county."""
    if re.search(_NO_RESIDENCE, name_header(place)):
        return False
    shared = [(_count_sharing(table, [other], place), _count_sharing(table, [other, place])) for other in others]
    return any(both >= _IMPLIED * pairs for pairs, both in shared if pairs >= _LEAST_SHARING)


def _count_sharing(table: pl.DataFrame, columns: Sequence[str], known: str | None = None) -> int:
    """Pairs of rows that share the columns' values; known: a column that both have to have."""
    sizes = table.drop_nulls([*columns, *([known] if known else [])]).group_by(columns).len()["len"].cast(pl.Int64)
    return int((sizes * (sizes - 1) // 2).sum())


def _select(built: Mapping[str, Any], fields: set[str]) -> dict[str, Any]:
    """What the built-in rules say of these fields."""

    def knows(parts: Sequence[str]) -> bool:
        return {part.partition(".")[0] for part in parts} <= fields

    interactions = {name: when for name, when in built["interactions"].items() if knows(when)}
    return {
        "settings": {name: value for name, value in built.items() if not isinstance(value, dict) and name != "survivors"},
        "comparisons": {name: one for name, one in built["comparisons"].items() if name in fields},
        "interactions": interactions,
        "keys": {name: key for name, key in built["keys"].items() if knows(key["parts"])},
        "weights": {
            name: bits
            for name, bits in built["weights"].items()
            if name == "prior" or name in interactions or ("." in name and knows([name]))
        },
    }


def _assign(table: pl.DataFrame, columns: Sequence[Column], names: Sequence[str]) -> list[Field]:
    """The built-in fields that the table has columns of, the better filled ones first; the first is the name."""
    ordered = sorted(columns, key=lambda column: -column.filled)

    def find(*kinds: str, header: str = "") -> list[str]:
        return [column.name for column in ordered if column.kind in kinds and _says(column, header)]

    mobile, phone = find("mobile"), find("phone")
    numbers = [*mobile, *phone]
    provinces, cities = find("place", header=_PROVINCE), find("place", header=_CITY) or find("place")
    employer = find("company") or [name for name in find("name", header=_EMPLOYER) if name not in names]
    title = [column.name for column in ordered if _is_title(column) and column.name not in names]
    address = _find_address(columns, ordered)
    found = [
        Field("name", "full_name" if len(names) > 1 else "person_name", tuple(names)),
        Field("mobile", "mobile", tuple(numbers if any(_has_mobiles(table[name]) for name in numbers) else ())),
        Field("phone", "landline", tuple([*phone, *mobile])),
        Field("email", "email", tuple(find("email"))),
        Field("party", "scoped_code", _PARTY if {_PARTY[0], _PARTY[2]} & set(table.columns) else ()),
        Field("employer", "company", tuple(employer[:1])),
        Field("place", "region", tuple([*(provinces or cities)[:1], *(cities or provinces)[:1]])),
        Field("address", "full_address" if len(address) > 1 else "address", tuple(address)),
        Field("source", "source", ("source",)),
        Field("title", "category", tuple(title[:1])),
    ]
    return [field for field in found if field.columns]


def _has_mobiles(values: pl.Series) -> bool:
    return split_numbers(values.cast(pl.String))["mobile"].count() > 0


def _find_address(columns: Sequence[Column], ordered: Sequence[Column]) -> list[str]:
    """The best filled address; where it has lines, or its number a column of its own, these as they stand in the table."""
    streets = [column for column in ordered if column.kind == "address"]
    if not streets:
        return []
    stem = re.sub(_LINE, "", name_header(streets[0].name))
    lines = [column for column in streets if column == streets[0] or _is_line(column, stem)]
    houses = [column for column in columns if column.kind in ("code", "number", "category") and _says(column, _HOUSE)]
    return [column.name for column in columns if column in lines or column in houses]


def _is_line(column: Column, stem: str) -> bool:
    return _says(column, _LINE) and re.sub(_LINE, "", name_header(column.name)) == stem


def _write_survivors(fields: Sequence[Field], table: pl.DataFrame) -> list[str]:
    """The columns of the table as they are; an address and its place, or two names, survive together."""
    known = {field.name for field in fields}
    linked: dict[str, dict[str, str]] = {}
    for field in fields:
        for column in field.columns:
            if column in table.columns and column not in ("source", *_PARTY[1:]):
                where = "address" if field.name in ("place", "address") else field.name if field.kind == "full_name" else column
                # a column called phone survives by the field that is called so
                own = next((one for one in fields if one.name == column and column in one.columns), field)
                linked.setdefault(where, {}).setdefault(column, name_survivor(column, own, known))
    lines: list[str] = []
    for attributes in linked.values():
        lines += write_survivor(list(attributes.values()))
    return lines
