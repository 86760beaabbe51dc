"""Word lists of names, addresses and placeholders (hub/data/words.csv), each as a list or as a regex alternation."""

from functools import cache
from importlib.resources import files

import polars as pl

#: state firms and banks that everybody writes short
ABBREVIATIONS = {
    "工行": "工商银行",
    "农行": "农业银行",
    "中行": "中国银行",
    "建行": "建设银行",
    "交行": "交通银行",
    "招行": "招商银行",
    "中石化": "中国石油化工",
    "中石油": "中国石油天然气",
    "国网": "国家电网",
}
#: an industry's short form, so that it compares with the long one
INDUSTRY_FORMS = {"汽配": "汽车配件", "零部件": "配件", "部件": "配件", "轨交": "轨道交通"}


@cache
def _load() -> pl.DataFrame:
    return pl.read_csv((files("hub") / "data" / "words.csv").read_bytes(), schema_overrides={"word": pl.String})


@cache
def list_words(kind: str) -> list[str]:
    """The words of a kind, in the file's order: legal, group, branch, industry, latin_legal, latin_weak, note (regexes),
    placeholder, public_domain, shared_mailbox, placeholder_number, title, surname, double_surname,
    foreign_mobile and firm_end (regexes)."""
    return _load().filter(pl.col("kind") == kind)["word"].to_list()


@cache
def match_words(kind: str) -> str:
    """The words of a kind as a regex alternation, longest first, without a group around it."""
    return "|".join(sorted(list_words(kind), key=lambda word: (-len(word), word)))
