"""Kinds of fields: how a column, or several, becomes what is compared, and what a first rules file says about it. Public door."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from hub.normalize import levels
from hub.normalize.address import PARTS as ADDRESS_PARTS
from hub.normalize.address import join_address, parse_address
from hub.normalize.codes import parse_tax_numbers
from hub.normalize.company import NAME_FIELDS, parse_company_names
from hub.normalize.contact import clean_domain, drop_country, split_emails, split_numbers
from hub.normalize.dates import join_date, parse_date
from hub.normalize.generic import (
    drop_silent,
    parse_category,
    parse_code,
    parse_name,
    parse_number,
    parse_place,
    parse_text,
    parse_zip,
    pick_longest,
)
from hub.normalize.latin import load_spelled_cities
from hub.normalize.models import find_models
from hub.normalize.person import PARTS as PERSON_PARTS
from hub.normalize.person import join_names, parse_person_name
from hub.normalize.regions import locate
from hub.normalize.text import fold_texts, map_distinct
from hub.rules.model import Field

Parse = Callable[[pl.Series], pl.DataFrame]
Join = Callable[[Sequence[pl.Series]], pl.DataFrame]


@dataclass(frozen=True)
class Kind:
    """Either `parse` or `join` makes a column per part, '' for the main one, a row per value; null where nothing is known.

    parse: the values of one column; of several the first that says something counts. join: all columns of the field together;
    columns: what each of them says, where they are so many and no more.
    levels: graded tests of the main part, best first, as (name, test). keys: parts that find candidates ('' is the main part),
    exact ones first. frequency: agreement on a rare value weighs more. crosswise: two parts that people enter in each other's
    place; they are compared in the order that agrees better. pick: what of the parsed parts the kind shows.
    """

    parse: Parse | None = None
    parts: tuple[str, ...] = ()
    levels: tuple[tuple[str, str], ...] = (("same", "same"),)
    keys: tuple[str, ...] = ("",)
    frequency: bool = False
    crosswise: tuple[str, str] | None = None
    join: Join | None = None
    columns: tuple[str, ...] = ()
    pick: Callable[[pl.DataFrame], pl.DataFrame] | None = None


def _name_part(field: str, part: str) -> str:
    return f"{field}.{part}" if part else field


def _parse_title(values: pl.Series) -> pl.DataFrame:
    return pl.concat([parse_name(values), find_models(values)], how="horizontal")


def _parse_prose(values: pl.Series) -> pl.DataFrame:
    return pl.concat([parse_text(values), find_models(values)], how="horizontal")


def _parse_phone(values: pl.Series) -> pl.DataFrame:
    number = split_numbers(values)
    main = number.select(pl.coalesce("mobile", "landline").alias("")).to_series()
    return number.select(main, "mobile", "landline", "extension", tail=main.str.slice(-7), national=drop_country(main))


def _pick_mobile(parsed: pl.DataFrame) -> pl.DataFrame:
    return parsed.select(pl.col("mobile").alias(""))


def _pick_landline(parsed: pl.DataFrame) -> pl.DataFrame:
    either = pl.coalesce("landline", "mobile")
    return parsed.select(
        pl.col("landline").alias(""),
        any=either,
        national=pl.when(pl.col("landline").is_not_null()).then("national"),
        whole=pl.when(either.is_not_null()).then(pl.col("landline").is_not_null().cast(pl.Int8)),
    )


def _parse_email(values: pl.Series) -> pl.DataFrame:
    split = split_emails(values)
    return split.select(
        pl.col("email").alias(""),
        "domain",
        shared=pl.col("is_shared").cast(pl.String),
        personal=pl.when(~pl.col("is_shared")).then("email"),
        user="user",
    )


def _parse_domain(values: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"raw": values}).select(clean_domain(pl.col("raw")).alias(""))


def _parse_company(values: pl.Series) -> pl.DataFrame:
    parsed = parse_company_names(values).drop("raw")
    renamed = {name: name.removeprefix("name_").replace("remark_", "") for name in NAME_FIELDS}
    frame = parsed.rename(renamed).rename({"text": ""})
    han = pl.col("is_han")
    return frame.with_columns(
        person=pl.coalesce("person", pl.when("is_bare").then("")),
        first=pl.when(han).then(pl.col("brand").str.slice(0, 1)),
        last2=pl.when(han).then(pl.col("brand").str.slice(-2)).otherwise(pl.col("core").str.slice(-4)),
        prefix3=pl.when(han).then(pl.col("brand").str.slice(0, 3)).otherwise(pl.col("core").str.slice(0, 6)),
        prefix2=pl.when(han).then(pl.col("brand").str.slice(0, 2)).otherwise(pl.col("core").str.slice(0, 4)),
        lead=pl.when(~han).then(pl.col("core").str.slice(0, 4)),
        long=pl.when(pl.col("words").str.contains(" .* ")).then(pick_longest(pl.col("words"))),
        whole=pl.when(pl.col("core").is_not_null())
        .then(1 + pl.col("has_legal").cast(pl.Int8) * 2 + pl.col("province").is_not_null().cast(pl.Int8))
        .when(pl.col("display").is_not_null())
        .then(0)
        .otherwise(-1),
    )


def _parse_credit_code(values: pl.Series) -> pl.DataFrame:
    frame = parse_tax_numbers(values).rename({"tax_text": "", "tax_code": "code", "tax_key": "key"})
    # a credit code that fails its check digits is kept in the lineage, but is nobody's number
    broken = pl.col("code").is_null() & (pl.col("").str.len_chars() == 18)
    return frame.with_columns(whole=pl.when(broken).then(-1).otherwise(pl.col("code").is_not_null().cast(pl.Int8)))


def _join_region(columns: Sequence[pl.Series]) -> pl.DataFrame:
    """Columns province, city; or one that names either or both. Further pairs of them fill what the first leaves open."""
    pairs = [(columns[place], columns[min(place + 1, len(columns) - 1)]) for place in range(0, len(columns), 2)]
    provinces, cities = (pl.concat([side.cast(pl.String).alias("name") for side in sides]) for sides in zip(*pairs, strict=True))
    located, n = _locate(provinces, cities), len(columns[0])
    found = located.slice(0, n)
    for place in range(1, len(pairs)):
        found = _fill(found, located.slice(place * n, n))
    return found


def _fill(found: pl.DataFrame, further: pl.DataFrame) -> pl.DataFrame:
    """Places with what others say of them that name no other province: a city of 四川 is in no 广东."""
    both = pl.concat([found, further.select(pl.all().name.prefix("further"))], how="horizontal")
    fits = pl.coalesce(pl.col("province") == pl.col("furtherprovince"), True)
    return both.select(pl.coalesce(part, pl.when(fits).then(f"further{part}")).alias(part) for part in ("", "province"))


def _locate(province: pl.Series, city: pl.Series) -> pl.DataFrame:
    folded = fold_texts(city).to_frame("city").select(drop_silent(pl.col("city"))).to_series()
    # new york city is new york, and xiamen is 厦门; suzhou may be either of two
    latin = folded.str.extract(r"^([a-z .'-]+?)(?: city)?$")
    spelled, provinces, cities = load_spelled_cities()
    plain = latin.str.replace_all("[ '-]", "")
    is_spelled = plain.is_in(spelled)
    named = pl.when(is_spelled).then(plain.replace_strict(spelled, cities, default=None, return_dtype=pl.String)).otherwise(latin)
    lies = plain.replace_strict(spelled, provinces, default=None, return_dtype=pl.String)
    return locate(fold_texts(province), folded).select(pl.coalesce("city", named).alias(""), pl.coalesce("province", lies))


def _join_scoped_code(columns: Sequence[pl.Series]) -> pl.DataFrame:
    """Columns code, source, key: a code that is known everywhere, else a key that means something in its source alone."""
    everywhere, source, key = columns
    scoped = pl.select(pl.concat_str(pl.lit(source), pl.lit(":"), pl.lit(parse_code(key)[""]))).to_series()
    return pl.select(pl.coalesce(pl.lit(parse_code(everywhere)[""]), pl.lit(scoped)).alias(""))


def _join_full_name(columns: Sequence[pl.Series]) -> pl.DataFrame:
    """Columns given name, surname."""
    given, surname = columns
    return join_names(given, surname)


_COMPANY = (
    "display",
    "key",
    "parent_key",
    "is_han",
    "is_traditional",
    "has_legal",
    "group_word",
    "branch",
    "site",
    "province",
    "city",
    "district",
    "core",
    "brand",
    "sound",
    "plain",
)

KINDS: dict[str, Kind] = {
    "text": Kind(_parse_prose, ("first", "long", "model", "models"), levels.WORDS, ("", "long", "first"), frequency=True),
    "name": Kind(
        _parse_title,
        ("sorted", "first", "prefix", "long", "model", "models"),
        levels.WORDS,
        ("sorted", "long", "prefix", "first"),
        frequency=True,
    ),
    "person_name": Kind(parse_person_name, PERSON_PARTS, levels.PERSON, ("sorted", "surname", "given"), frequency=True),
    "full_name": Kind(
        None,
        (*PERSON_PARTS, "given_start", "surname_start"),
        levels.PERSON,
        ("sorted", "surname", "given", "surname_start", "given_start"),
        frequency=True,
        crosswise=("given", "surname"),
        join=_join_full_name,
        columns=("given name", "surname"),
    ),
    "date": Kind(parse_date, ("year", "month", "day"), levels.DATE, ("", "year")),
    "full_date": Kind(
        None, ("year", "month", "day"), levels.DATE, ("", "year"), join=join_date, columns=("year", "month", "day")
    ),
    "number": Kind(parse_number, (), levels.NUMBER),
    "source": Kind(parse_category),
    "code": Kind(parse_code, (), levels.CODE),
    "scoped_code": Kind(join=_join_scoped_code, columns=("code", "source", "key")),
    "category": Kind(parse_category, (), (("same", "same"), ("close", "token_set >= 0.9"))),
    "mobile": Kind(_parse_phone, (), levels.CODE, pick=_pick_mobile),
    "landline": Kind(_parse_phone, ("any", "national", "whole"), levels.LANDLINE, ("national",), pick=_pick_landline),
    "phone": Kind(_parse_phone, ("mobile", "landline", "extension", "tail", "national"), levels.PHONE, ("national",)),
    "email": Kind(_parse_email, ("domain", "shared", "personal", "user"), levels.EMAIL, ("", "user")),
    "domain": Kind(_parse_domain, (), (("same", "same"),), frequency=True),
    "address": Kind(parse_address, ADDRESS_PARTS, levels.ADDRESS, ("", "core"), frequency=True),
    "full_address": Kind(None, ADDRESS_PARTS, levels.ADDRESS, ("", "core"), frequency=True, join=join_address),
    "place": Kind(parse_place, ("first",), levels.PLACE, frequency=True),
    "zip": Kind(parse_zip, ("area",), levels.ZIP, frequency=True),
    "region": Kind(None, ("province",), frequency=True, join=_join_region),
    "company": Kind(
        _parse_company,
        (*_COMPANY, "industry", "person", "is_bare", "first", "last2", "prefix2", "prefix3", "words", "lead", "long", "whole"),
        levels.WORDS,
        ("key", "core", "brand", "prefix3"),
        frequency=True,
    ),
    "credit_code": Kind(_parse_credit_code, ("code", "key", "whole"), (("same", "same"), ("typo", "osa <= 1")), ("", "key")),
}


def derive(frame: pl.DataFrame, fields: Sequence[Field]) -> pl.DataFrame:
    """The parts of all fields as columns `field` and `field.part`, one row per record, in the records' order.

    A column that the records do not have counts as empty.
    """
    return pl.concat([_derive(frame, field) for field in fields], how="horizontal")


def _derive(frame: pl.DataFrame, field: Field) -> pl.DataFrame:
    kind = KINDS[field.kind]
    empty = pl.Series([None] * frame.height, dtype=pl.String)
    columns = [frame[column].cast(pl.String) if column in frame.columns else empty for column in field.columns]
    if kind.join is not None:
        table = kind.join(columns)
        return table.rename({part: _name_part(field.name, part) for part in table.columns})
    if kind.parse is None:
        raise TypeError(f"kind {field.kind} has neither parse nor join")
    tables = [_parse_distinct(values, kind.parse) for values in columns]
    tables = [kind.pick(table) for table in tables] if kind.pick else tables
    return pl.select(
        pl.coalesce(*(table[part] for table in tables)).alias(_name_part(field.name, part)) for part in tables[0].columns
    )


def _parse_distinct(values: pl.Series, parse: Parse) -> pl.DataFrame:
    distinct = values.unique().drop_nulls()
    return map_distinct(values, parse(distinct).with_columns(distinct.alias("raw")), "raw").drop("raw")


def list_parts(field: Field) -> list[str]:
    """The names of the columns that `derive` makes for a field."""
    return [field.name, *(f"{field.name}.{part}" for part in KINDS[field.kind].parts)]
