"""The comparable columns that Splink is given: our own normalisers' output, so that linking is compared and not cleaning."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
from pypinyin import Style, lazy_pinyin

from hub.normalize.codes import parse_tax_numbers
from hub.normalize.company import parse_company_names
from hub.normalize.contact import split_emails, split_numbers, split_person_names
from hub.normalize.regions import locate
from hub.normalize.text import fold_texts, map_distinct


def normalise(records: pl.DataFrame) -> pl.DataFrame:
    """Per record its number `unique_id` and: full_name, core, spoken (its pinyin), two (its first two characters),
    sound (their pinyin), is_legal, branch,
    tax, mobile, phone, email, domain, person, surname, city."""
    names = _parse_distinct(records["company_name"], parse_company_names)
    mobile, phone = split_numbers(records["mobile"]), split_numbers(records["phone"])
    email = _parse_distinct(records["email"], split_emails)
    contact = pl.select(pl.coalesce(pl.lit(records["contact_name"]), pl.lit(names["remark_person"]))).to_series()
    person = _parse_distinct(contact, split_person_names)
    place = locate(fold_texts(records["province"]), fold_texts(records["city"]))
    frame = pl.DataFrame(
        {
            "unique_id": pl.Series(range(records.height), dtype=pl.Int64),
            "full_name": names["name_text"],
            "core": names["core"],
            "is_legal": names["has_legal"].fill_null(value=False),
            "branch": names["branch"],
            "tax": _parse_distinct(records["tax_no"], parse_tax_numbers)["tax_code"],
            "email": email["email"],
            "domain": email["domain"],
            "person": person["full"],
            "surname": person["surname"],
            "phone": phone["landline"],
            "mobile": mobile["mobile"].fill_null(phone["mobile"]),
            "city": place["city"].fill_null(names["name_city"]),
        }
    )
    return frame.with_columns(two=pl.col("core").str.slice(0, 2)).with_columns(
        sound=spell(frame["core"].str.slice(0, 2)), spoken=spell(frame["core"])
    )


def _parse_distinct(values: pl.Series, parse: Callable[[pl.Series], pl.DataFrame]) -> pl.DataFrame:
    distinct = values.unique()
    return map_distinct(values, parse(distinct).with_columns(distinct.alias("raw")), "raw")


def spell(texts: pl.Series) -> pl.Series:
    """Pinyin without tones of short texts; each distinct character is looked up once."""
    letters = texts.str.split("").list.explode().drop_nulls().unique().to_list()
    table = {letter: lazy_pinyin(letter, style=Style.NORMAL)[0] for letter in letters if letter}
    return texts.str.replace_many(table)
