"""Remarks that name a company and a person: 华强电子-王总, 王小明-华强电子, 王总."""

from functools import cache

import polars as pl

from hub.normalize.text import replace_rows, scatter
from hub.normalize.words import list_words, match_words

#: a remark that ends so is a company, whatever it starts with
_COMPANY_END = "(?:公司|集团|科技|厂|行|院|店|中心|电子|机械|设备|贸易|实业|工业)$"


def split_remarks(texts: pl.Series) -> pl.DataFrame:
    """`公司-姓名` and `姓名-公司` remarks: the company in `text`, the person in `remark_person`."""
    frame = texts.to_frame("text")
    short = pl.col("text").str.len_chars() <= 5
    may = frame.select((pl.col("text").str.contains("[-_ /|:,、]") | short).fill_null(value=False)).to_series()
    found = _take_apart(frame.filter(may))
    frame = scatter(frame, may, found.select("remark_person"))
    return frame.with_columns(replace_rows(texts, may, found["text"]).alias("text"))


def _match_surname() -> str:
    return f"(?:{match_words('double_surname')}|[{''.join(list_words('surname'))}])"


def _match_titled() -> str:
    """A person by surname and title, or by a pet name. 宁波建工 and 江苏建工 are companies: 工 stands behind a surname alone."""
    long = "|".join(title for title in list_words("title") if len(title) > 1)
    short = "".join(title for title in list_words("title") if len(title) == 1)
    return rf"^(?:\p{{Han}}{{1,3}}(?:{long})|{_match_surname()}[{short}]|[小老]{_match_surname()})$"


def _match_person() -> str:
    surname, title = f"[{''.join(list_words('surname'))}]", f"(?:{match_words('title')})"
    return rf"(?:{surname}\p{{Han}}{{0,2}}|\p{{Han}}){title}|{surname}\p{{Han}}{{1,2}}"


@cache
def _find_sides() -> tuple[pl.Expr, pl.Expr]:
    """`company` and `person` of 华强电子-王总, and of 王小明-华强电子."""
    person = _match_person()
    after = pl.col("text").str.extract_groups(rf"^(?P<company>.*\p{{Han}}.+?)[-_ /|:,、]+(?P<person>{person})$")
    before = pl.col("text").str.extract_groups(rf"^(?P<person>{person})[-_ /|:,、]+(?P<company>.*\p{{Han}}.+)$")
    return after, before


def _take_apart(frame: pl.DataFrame) -> pl.DataFrame:
    titled = _match_titled()
    after, before = _find_sides()
    frame = frame.with_columns(after=after, before=before)

    def is_company(side: str) -> pl.Expr:
        found = pl.col(side).struct.field("person")
        return found.is_not_null() & ~found.str.contains(_COMPANY_END)

    return frame.with_columns(
        text=pl.when(is_company("after"))
        .then(pl.col("after").struct.field("company").str.strip_chars(" -_/|:,、"))
        .when(is_company("before"))
        .then(pl.col("before").struct.field("company").str.strip_chars(" -_/|:,、"))
        .when(pl.col("text").str.contains(titled))
        .then(None)
        .otherwise(pl.col("text")),
        remark_person=pl.when(is_company("after"))
        .then(pl.col("after").struct.field("person"))
        .when(is_company("before"))
        .then(pl.col("before").struct.field("person"))
        .when(pl.col("text").str.contains(titled))
        .then(pl.col("text")),
    ).drop("after", "before")
