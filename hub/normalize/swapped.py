"""A company and its contact, number or code typed into each other's field: read the right way round before all else."""

from collections.abc import Mapping, Sequence

import polars as pl

from hub.normalize.contact import is_firm
from hub.normalize.text import CODE, NUMBER, drop_placeholders, fold_texts, replace_rows
from hub.normalize.words import list_words, match_words
from hub.rules.model import Field

#: bytes of a firm's name of four Chinese characters; most contacts are shorter and are not looked at
_SHORTEST_FIRM = 12
#: what a number in the field of a company is, by the kind of field where it belongs
_SHAPES = {"credit_code": CODE, "mobile": r"^(?:\+?86)?[ -]?1[3-9](?:[ -]?[0-9]){9}$", "landline": NUMBER}


def exchange_swapped(aligned: pl.DataFrame, fields: Sequence[Field]) -> pl.DataFrame:
    """Records whose contact is a firm and whose company is a person, or nothing, with the two exchanged; and those whose
    company is a number.

    A short name of the contact's firm stays where it is: 万科 and 上海万科企业有限公司 are no swap.
    """
    columns = {
        kind: list(dict.fromkeys(column for field in fields if field.kind == kind for column in field.columns))
        for kind in ("company", "person_name", *_SHAPES)
    }
    held = {kind: [column for column in own if column in aligned.columns] for kind, own in columns.items()}
    for firm in held["company"]:
        aligned = _move_numbers(aligned, firm, {kind: held[kind][0] for kind in _SHAPES if held[kind]})
    for person in held["person_name"]:
        for firm in held["company"]:
            aligned = _exchange(aligned, firm, person)
    return aligned


def _move_numbers(aligned: pl.DataFrame, firm: str, places: Mapping[str, str]) -> pl.DataFrame:
    """A number in the field of a company goes to the first of the `places`, by kind, where it fits, if that says nothing or
    holds a company's name, which takes its place."""
    # names in Chinese are not looked at
    may = (aligned[firm] < "z").fill_null(value=False)
    number = aligned[firm].filter(may).str.contains(f"(?i){CODE}|{NUMBER}").fill_null(value=False)
    rows = may.clone().scatter(may.arg_true(), number)
    if not rows.any():
        return aligned
    left = fold_texts(aligned[firm].filter(rows)).to_frame("left")
    for kind, column in places.items():
        fits = left["left"].str.contains(_SHAPES[kind]).fill_null(value=False)
        here = rows.clone().scatter(rows.arg_true(), fits)
        aligned = _move(aligned, here, firm, column)
        left = left.with_columns(pl.when(~fits).then("left").alias("left"))
    return aligned


def _move(aligned: pl.DataFrame, rows: pl.Series, firm: str, column: str) -> pl.DataFrame:
    suspects = aligned.filter(rows).select(own=firm, other=column)
    suspects = suspects.with_columns(said=fold_texts(suspects["other"]))
    said = drop_placeholders(pl.col("said"))
    turned = suspects.with_columns(is_free=said.is_null(), is_named=is_firm(said).fill_null(value=False)).select(
        own=pl.when("is_named").then("other").when(~pl.col("is_free")).then("own"),
        other=pl.when(pl.col("is_named") | pl.col("is_free")).then("own").otherwise("other"),
    )
    changed = ((firm, turned["own"]), (column, turned["other"]))
    return aligned.with_columns(replace_rows(aligned[name], rows, found) for name, found in changed)


def _exchange(aligned: pl.DataFrame, firm: str, person: str) -> pl.DataFrame:
    may = (aligned[person].str.len_bytes() >= _SHORTEST_FIRM).fill_null(value=False)
    if not may.any():
        return aligned
    contacts = aligned[person].filter(may)
    distinct = contacts.unique()
    named = distinct.filter(pl.select(is_firm(pl.lit(fold_texts(distinct)))).to_series().fill_null(value=False))
    rows = may & aligned[person].is_in(named.implode())
    if not rows.any():
        return aligned
    suspects = aligned.filter(rows).select(firm, person)
    company, contact = fold_texts(suspects[firm]), fold_texts(suspects[person])
    known = pl.DataFrame({"company": company, "contact": contact}).with_columns(drop_placeholders(pl.col("company")))
    within = pl.col("contact").str.contains(pl.col("company"), literal=True).fill_null(value=False)
    swapped = known.select((_is_person() & ~within) | pl.col("company").is_null()).to_series()
    turned = suspects.select(
        pl.when(pl.lit(swapped)).then(other).otherwise(own).alias(f"turned_{own}")
        for own, other in ((firm, person), (person, firm))
    )
    return aligned.with_columns(replace_rows(aligned[name], rows, turned[f"turned_{name}"]) for name in (firm, person))


def _is_person() -> pl.Expr:
    """王小明, 王总 and John Smith in the field of a company; 精工 and Acme Trading are firms."""
    text = pl.col("company")
    surname = f"(?:{match_words('double_surname')}|[{''.join(list_words('surname'))}])"
    han = text.str.contains(rf"^{surname}(?:\p{{Han}}{{0,2}}(?:{match_words('title')})|\p{{Han}}{{1,2}})$")
    words = text.str.contains(r"^[a-z'-]+[ ,]+[a-z'.-]+(?: [a-z'-]+)?$")
    weak = text.str.contains(rf"\b(?:{match_words('latin_legal')}|{match_words('latin_weak')})$")
    return ((han & ~text.str.contains(rf"(?:{match_words('industry')})$")) | (words & ~weak)).fill_null(value=False)
