"""Kinds of fields: how a column, or several, becomes what is compared, and what a first rules file says about it. Public door."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from hub.normalize.address import parse_address
from hub.normalize.codes import parse_tax_numbers
from hub.normalize.company import NAME_FIELDS, parse_company_names
from hub.normalize.contact import clean_domain, split_emails, split_numbers
from hub.normalize.dates import parse_date
from hub.normalize.generic import parse_category, parse_code, parse_name, parse_number, parse_place, parse_text, parse_zip
from hub.normalize.person import join_names, parse_person_name
from hub.normalize.regions import locate
from hub.normalize.text import fold_text, map_distinct
from hub.rules.model import Field

Parse = Callable[[pl.Series], pl.DataFrame]
Derive = Callable[[pl.DataFrame, Field], pl.DataFrame]


@dataclass(frozen=True)
class Kind:
    """`derive` makes columns `field` and `field.part` of one row per record; null where nothing is known.

    levels: graded tests of the main part, best first, as (name, test). keys: parts that find candidates ('' is the main part),
    exact ones first. frequency: agreement on a rare value weighs more. crosswise: two parts that people enter in each other's
    place; they are compared in the order that agrees better.
    """

    derive: Derive
    parts: tuple[str, ...] = ()
    levels: tuple[tuple[str, str], ...] = (("same", "same"),)
    keys: tuple[str, ...] = ("",)
    frequency: bool = False
    crosswise: tuple[str, str] | None = None


def _name_part(field: str, part: str) -> str:
    return f"{field}.{part}" if part else field


def _read_columns(frame: pl.DataFrame, field: Field) -> list[pl.Series]:
    return [frame[column].cast(pl.String) for column in field.columns if column in frame.columns]


def _parse_distinct(values: pl.Series, parse: Parse) -> pl.DataFrame:
    distinct = values.unique().drop_nulls()
    return map_distinct(values, parse(distinct).with_columns(distinct.alias("raw")), "raw").drop("raw")


def _derive_by(parse: Parse) -> Derive:
    """Each distinct value of each column is parsed once; the first column with a value wins, part by part."""

    def derive(frame: pl.DataFrame, field: Field) -> pl.DataFrame:
        tables = [_parse_distinct(values, parse) for values in _read_columns(frame, field)]
        tables = tables or [_parse_distinct(pl.Series([None] * frame.height, dtype=pl.String), parse)]
        return pl.select(
            pl.coalesce(*(table[part] for table in tables)).alias(_name_part(field.name, part)) for part in tables[0].columns
        )

    return derive


def _parse_phone(values: pl.Series) -> pl.DataFrame:
    number = split_numbers(values)
    main = pl.coalesce("mobile", "landline")
    return number.select(main.alias(""), "mobile", "landline", "extension", tail=main.str.slice(-7))


def _parse_email(values: pl.Series) -> pl.DataFrame:
    split = split_emails(values)
    return split.select(
        pl.col("email").alias(""),
        "domain",
        shared=pl.col("is_shared").cast(pl.String),
        user=pl.col("email").str.extract("^([^@]+)@"),
    )


def _parse_domain(values: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"raw": values}).select(clean_domain(pl.col("raw")).alias(""))


def _parse_company(values: pl.Series) -> pl.DataFrame:
    parsed = map_distinct(values, parse_company_names(values), "raw").drop("raw")
    renamed = {name: name.removeprefix("name_").replace("remark_", "") for name in NAME_FIELDS}
    frame = parsed.rename(renamed).rename({"text": ""}).with_columns(pl.col("is_han", "has_legal", "group_word").cast(pl.String))
    han = pl.col("is_han") == "true"
    return frame.with_columns(
        first=pl.when(han).then(pl.col("brand").str.slice(0, 1)),
        last=pl.when(han).then(pl.col("brand").str.slice(-1)),
        prefix3=pl.when(han).then(pl.col("brand").str.slice(0, 3)).otherwise(pl.col("core").str.slice(0, 6)),
        prefix2=pl.when(han).then(pl.col("brand").str.slice(0, 2)).otherwise(pl.col("core").str.slice(0, 4)),
    )


def _parse_credit_code(values: pl.Series) -> pl.DataFrame:
    return parse_tax_numbers(values).rename({"tax_text": "", "tax_code": "code", "tax_key": "key"})


def _derive_region(frame: pl.DataFrame, field: Field) -> pl.DataFrame:
    """Columns province, city; or one column that names either or both."""
    columns = _read_columns(frame, field) or [pl.Series([None] * frame.height, dtype=pl.String)]
    province, city = columns[0], columns[-1]
    folded = pl.select(p=fold_text(pl.lit(province)), c=fold_text(pl.lit(city)))
    place = locate(folded["p"], folded["c"])
    latin = folded["c"].str.extract(r"^([a-z .'-]+)$")
    return place.select(pl.coalesce("city", latin).alias(field.name), pl.col("province").alias(f"{field.name}.province"))


def _derive_full_name(frame: pl.DataFrame, field: Field) -> pl.DataFrame:
    """Columns given name, surname."""
    empty = pl.Series([None] * frame.height, dtype=pl.String)
    given, surname = (frame[column] if column in frame.columns else empty for column in field.columns[:2])
    table = join_names(given, surname)
    return table.rename({part: _name_part(field.name, part) for part in table.columns})


_TYPO = "osa <= 1 and length >= 4 or osa <= 2 and length >= 9"
_WORDS = (
    ("same", "same"),
    ("reordered", "token_sort >= 0.93"),
    ("contained", "token_set >= 0.96"),
    ("close", "token_sort >= 0.8 or jaro_winkler >= 0.92"),
    ("related", "token_set >= 0.75"),
    ("weak", "token_set >= 0.55"),
)
_PERSON = (
    ("same", "same"),
    ("reordered", "token_sort >= 0.97"),
    ("typo", _TYPO),
    ("close", "token_sort >= 0.85 or jaro_winkler >= 0.92"),
    ("contained", "token_set >= 0.97"),
    ("weak", "token_set >= 0.7"),
)
#: levels of one word of a person's name
SINGLE_NAME_LEVELS = (
    ("same", "same"),
    ("typo", _TYPO),
    ("close", "jaro_winkler >= 0.88 or initial"),
    ("weak", "jaro_winkler >= 0.7"),
)
_CODE = (("same", "same"), ("typo", "osa <= 1 and length >= 5"), ("close", "osa <= 2 and length >= 7"))
_NUMBER = (("same", "same"), ("near", "percent <= 1"), ("close", "percent <= 5"), ("rough", "percent <= 20"))
_DATE = (
    ("same", "same"),
    ("typo", "osa <= 1 or swapped"),
    ("near", "days <= 31"),
    ("partly", "parts >= 2"),
    ("year", "days <= 366"),
)
_PLACE = (("same", "same"), ("typo", _TYPO), ("close", "jaro_winkler >= 0.88 or token_set >= 0.97"))
_ADDRESS = (
    ("same", "same"),
    ("spelling", "numbers and token_set >= 0.93"),
    ("close", "numbers and token_set >= 0.75"),
    ("typo", "token_sort >= 0.88"),
    ("number", "numbers"),
    ("street", "token_set >= 0.75"),
)
_ZIP = (("same", "same"), ("typo", "osa <= 1"), ("area", "prefix >= 3"))
_EMAIL = (("same", "same"), ("typo", "osa <= 2 and length >= 9"), ("close", "jaro_winkler >= 0.9"))
_COMPANY = ("display", "key", "parent_key", "is_han", "has_legal", "group_word", "branch", "province", "city", "core", "brand")

KINDS: dict[str, Kind] = {
    "text": Kind(_derive_by(parse_text), ("first", "long"), _WORDS, ("", "long", "first"), frequency=True),
    "name": Kind(
        _derive_by(parse_name),
        ("sorted", "first", "prefix", "long"),
        _WORDS,
        ("sorted", "long", "prefix", "first"),
        frequency=True,
    ),
    "person_name": Kind(
        _derive_by(parse_person_name),
        ("surname", "given", "sorted"),
        _PERSON,
        ("sorted", "surname", "given"),
        frequency=True,
    ),
    "full_name": Kind(
        _derive_full_name,
        ("surname", "given", "sorted", "given_start", "surname_start"),
        _PERSON,
        ("sorted", "surname", "given", "surname_start", "given_start"),
        frequency=True,
        crosswise=("given", "surname"),
    ),
    "date": Kind(_derive_by(parse_date), ("year", "month", "day"), _DATE, ("", "year")),
    "number": Kind(_derive_by(parse_number), (), _NUMBER),
    "code": Kind(_derive_by(parse_code), (), _CODE),
    "category": Kind(_derive_by(parse_category), (), (("same", "same"), ("close", "token_set >= 0.9"))),
    "mobile": Kind(_derive_by(lambda values: _take(_parse_phone(values), "mobile")), (), _CODE),
    "landline": Kind(_derive_by(lambda values: _take(_parse_phone(values), "landline")), (), (("same", "same"),)),
    "phone": Kind(_derive_by(_parse_phone), ("mobile", "landline", "extension", "tail"), (*_CODE, ("exchange", "prefix >= 5"))),
    "email": Kind(_derive_by(_parse_email), ("domain", "shared", "user"), _EMAIL, ("", "user")),
    "domain": Kind(_derive_by(_parse_domain), (), (("same", "same"),), frequency=True),
    "address": Kind(_derive_by(parse_address), ("number", "core", "postcode"), _ADDRESS, ("", "core"), frequency=True),
    "place": Kind(_derive_by(parse_place), ("first",), _PLACE, frequency=True),
    "zip": Kind(_derive_by(parse_zip), ("area",), _ZIP, frequency=True),
    "region": Kind(_derive_region, ("province",), (("same", "same"),), frequency=True),
    "company": Kind(
        _derive_by(_parse_company),
        (*_COMPANY, "industry", "person", "first", "last", "prefix2", "prefix3"),
        _WORDS,
        ("key", "core", "brand", "prefix3"),
        frequency=True,
    ),
    "credit_code": Kind(_derive_by(_parse_credit_code), ("code", "key"), (("same", "same"), ("typo", "osa <= 1")), ("", "key")),
}


def _take(table: pl.DataFrame, part: str) -> pl.DataFrame:
    return table.select(pl.col(part).alias(""))


def derive(aligned: pl.DataFrame, fields: Sequence[Field]) -> pl.DataFrame:
    """The parts of all fields, one row per record, in the records' order."""
    return pl.concat([KINDS[field.kind].derive(aligned, field) for field in fields], how="horizontal")


def list_parts(field: Field) -> list[str]:
    """The names of the columns that `derive` makes for a field."""
    return [field.name, *(f"{field.name}.{part}" for part in KINDS[field.kind].parts)]
