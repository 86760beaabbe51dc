"""Word lists of names, addresses and placeholders (hub/data/words.csv), each as a list or as a regex alternation."""

from functools import cache
from importlib.resources import files

import polars as pl

#: an industry's short form, so that it compares with the long one
INDUSTRY_FORMS = {"汽配": "汽车配件", "零部件": "配件", "部件": "配件", "轨交": "轨道交通", "师事务所": ""}

#: what a public body is called in a sentence and on paper
OFFICE_FORMS = {
    "人力资源和社会保障局": "人社局", "市场监督管理局": "市场监管局", "住房和城乡建设局": "住建局", "发展和改革委员会": "发改委",
    "卫生健康委员会": "卫健委", "疾病预防控制中心": "疾控中心", "人民政府": "政府", "中医医院": "中医院",
    "管理委员会": "管委会", "人民检察院": "检察院", "人民法院": "法院",
    "村民委员会": "村委会", "居民委员会": "居委会",
}  # fmt: skip

#: units of a body that are called either way
UNIT_FORMS = {
    "校区": "分校",
    "院区": "分院",
    "工会委员会": "工会",
    "项目经理部": "项目部",
    "供电分公司": "供电公司",
    "证券营业部": "营业部",
}


@cache
def _load() -> pl.DataFrame:
    return pl.read_csv((files("hub") / "data" / "words.csv").read_bytes(), schema_overrides={"word": pl.String})


@cache
def list_words(kind: str) -> list[str]:
    """The words of a kind, in the file's order: legal, group, branch, unit (a branch behind a body alone), body, chain, industry,
    latin_legal, latin_weak, note (regexes), placeholder, placeholder_name (of companies and persons alone), silent (a whole
    value, not 南 of Nan Co., Ltd), public_domain, shared_mailbox, placeholder_number, placeholder_mailbox, placeholder_domain,
    title, surname, double_surname, misread (characters, for one another), foreign_mobile, firm_end and public_end (regexes)."""
    return _load().filter(pl.col("kind") == kind)["word"].to_list()


@cache
def match_words(kind: str) -> str:
    """The words of a kind as a regex alternation, longest first, without a group around it."""
    return "|".join(sorted(list_words(kind), key=lambda word: (-len(word), word)))


@cache
def _load_abbreviations() -> pl.DataFrame:
    table = pl.read_csv((files("hub") / "data" / "abbreviations.csv").read_bytes())
    return table.sort(pl.col("short").str.len_chars(), "short", descending=[True, False])


@cache
def load_abbreviations() -> dict[str, tuple[str, bool]]:
    """State firms and banks that everybody writes short: the registered trade name by the short one, the longest first, and
    whether the short one must be the whole trade name: 中铁建工 is no 中铁. A registered name that begins as a short one stands
    for itself."""
    table = _load_abbreviations().filter(pl.col("where").is_in(["start", "whole"]))
    return {short: (name, where == "whole") for short, name, where in table.iter_rows()}


@cache
def load_local_names() -> dict[str, tuple[str, str]]:
    """What a state firm is called behind a place, the longest first: its registered trade name, and what it has there."""
    table = _load_abbreviations().filter(~pl.col("where").is_in(["start", "whole"]))
    return {short: (name, where) for short, name, where in table.iter_rows()}


@cache
def spell_numbers() -> dict[str, str]:
    """12 as 十二 and 36 as 三十六; three digits one by one: 101 is 一〇一."""
    digits = "〇一二三四五六七八九"

    def spell(number: int) -> str:
        if number > 99:
            return "".join(digits[int(digit)] for digit in str(number))
        ten, one = divmod(number, 10)
        return (digits[ten] if ten > 1 else "") + ("十" if ten else "") + (digits[one] if one else "")

    return {str(number): spell(number) for number in range(1, 1000)}
