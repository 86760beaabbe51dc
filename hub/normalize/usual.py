"""Rare ways of writing a Chinese name, rewritten as the usual ones; few names are looked at."""

from functools import cache

import polars as pl

from hub.normalize.state_firms import match_short, spell_out
from hub.normalize.text import replace_rows
from hub.normalize.words import match_words, spell_numbers

#: what the names that are looked at have
_NUMBERED = "[0-9]|个体工商户"
_BRACKETED = r"所\(.*伙\)|\)[^()]*事务所$|[区校院局部所店会司行处厂社厅]\)$|(?:大学|学院|医院|事务所)\([^()]*\)$"
_FOREIGN = "[a-z&]中国|会社|^国家税务总局.|^中华人民共和国.|公司台湾分公司$"
_JAPANESE = "(?:株式|有限|合同|合资|合名)会社"
#: where a firm is from that registers a branch in Taiwan: 日商, 新加坡商, 英屬維京群島商
_HOMES = "|".join(
    (
        "日|美|英|法|德|韩|荷|泰|荷兰|瑞士|瑞典|新加坡|香港|澳门|加拿大|澳洲|马来西亚|比利时|丹麦|卢森堡|爱尔兰",
        "意大利|义大利|西班牙|以色列|大陆|英属.{2,6}|萨摩亚|开曼群岛",
    )
)
#: which of its sites one is, and not where
_WHICH = "本部|[总本]所|[总老新网]店|旗舰店|直营店|专卖店|加盟店|连锁店|自营店|专营店"


def write_usual(texts: pl.Series) -> pl.Series:
    """第36中学 as 第三十六中学, 36中 as 第三十六中; 个体工商户 behind the name; a branch in brackets without them; 工行 as
    中国工商银行."""
    rare = rf"{_NUMBERED}|{_BRACKETED}|{_FOREIGN}|(?:{match_words('branch')})\([^()]*\)$"
    may = texts.str.contains(f"{rare}|{match_short()}").fill_null(value=False)
    found = texts.filter(may)
    if found.str.contains(rare).any():
        found = found.to_frame("text").select(_rewrite()).to_series()
    return replace_rows(texts, may, spell_out(found)) if len(found) else texts


@cache
def _rewrite() -> pl.Expr:
    text = pl.col("text").str.replace(r"(\p{Han})([0-9]{1,3}[中小])$", "${1}第$2")
    parts = text.str.extract_groups(r"^(.*?第)([0-9]{1,3})(|[^0-9].*)$").struct
    number = parts.field("2").replace_strict(spell_numbers(), default=None, return_dtype=pl.String)
    text = pl.coalesce(pl.concat_str(parts.field("1"), number, parts.field("3")), text)
    text = text.str.replace(r"^\(?个体工商户\)?(.{2,})$|^(.{2,})\(个体工商户\)$", "$1${2}个体工商户")
    return _settle_abroad(_open_units(text))


def _open_units(text: pl.Expr) -> pl.Expr:
    """哈尔滨工业大学(深圳) is its 深圳分校, 北京大成(上海)律师事务所 its 上海分所."""
    units = f"{match_words('branch')}|{match_words('unit')}"
    text = text.str.replace(rf"((?:{match_words('branch')}))\([^()]*\)$", "$1").str.replace(rf"\((?:{_WHICH})\)$", "")
    text = text.str.replace(rf"\(([^()]+(?:{units}|店))\)$", "$1")
    text = text.str.replace(r"(大学|学院)\((\p{Han}{2,5}?)市?\)$", "$1${2}分校")
    text = text.str.replace(r"(医院)\(([东南西北新老][区院])\)$", "$1${2}分院")
    text = text.str.replace(r"(事务所)\((?:特殊)?普通合伙\)", "$1")
    return text.str.replace(
        r"^(.{2,})\((\p{Han}{2,4}?)市?\)(.*事务所)$|^(.{2,}事务所)\((\p{Han}{2,4}?)市?\)$", "$1$3$4${2}${5}分所"
    )


def _settle_abroad(text: pl.Expr) -> pl.Expr:
    """3M中国有限公司 is 3M(中国)有限公司, 株式会社日立制作所 日立制作所株式会社, 国家税务总局杭州市税务局 杭州市税务局."""
    text = text.str.replace(r"^([a-z0-9&]{2,})中国", "$1")
    text = text.str.replace(rf"^({_JAPANESE})(.{{2,}})$", "$2$1").str.replace(r"^(?:国家税务总局|中华人民共和国)(.{2,})$", "$1")
    return text.str.replace(rf"^(?:{_HOMES})商(.{{2,}}公司台湾分公司)$", "$1")
