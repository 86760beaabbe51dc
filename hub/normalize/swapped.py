"""A company and its contact typed into each other's field: read the right way round before anything is compared."""

from collections.abc import Sequence

import polars as pl

from hub.normalize.contact import is_firm
from hub.normalize.text import drop_placeholders, fold_texts, replace_rows
from hub.normalize.words import list_words, match_words
from hub.rules.model import Field

#: bytes of a firm's name of four Chinese characters; most contacts are shorter and are not looked at
_SHORTEST_FIRM = 12


def exchange_swapped(aligned: pl.DataFrame, fields: Sequence[Field]) -> pl.DataFrame:
    """Records whose contact is a firm and whose company is a person, or nothing, with the two exchanged.

    A short name of the contact's firm stays where it is: 万科 and 上海万科企业有限公司 are no swap.
    """
    firms, persons = (
        dict.fromkeys(column for field in fields if field.kind == kind for column in field.columns if column in aligned.columns)
        for kind in ("company", "person_name")
    )
    for person in persons:
        for firm in firms:
            aligned = _exchange(aligned, firm, person)
    return aligned


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
