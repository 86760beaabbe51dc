"""State firms and banks: their registered names in place of short ones, 工行 and 苏州电信 (hub/data/abbreviations.csv)."""

from functools import cache

import polars as pl

from hub.normalize.regions import build_region_patterns, load_regions
from hub.normalize.text import replace_rows
from hub.normalize.words import load_abbreviations, load_local_names, match_words

#: what is called by a place behind it alone
_GRID = "国家电网"
#: provinces of 南方电网
_SOUTH = ["广东", "广西", "云南", "贵州", "海南"]


@cache
def match_short() -> str:
    """Regex of what spell_out may change."""
    there = f".{{0,10}}(?:{match_words('branch')}|{match_words('unit')})"
    called = f"(?:{'|'.join(load_local_names())})(?:分?公司|{there})?$"
    return f"^(?:{'|'.join([*load_abbreviations(), *_list_local_firms()])})|{called}"


def _list_local_firms() -> list[str]:
    return list(dict.fromkeys(name for name, _ in load_local_names().values()))


def spell_out(names: pl.Series) -> pl.Series:
    """Folded names with the registered name of a state firm or bank in place of its short one."""
    spelled = names.to_frame("flat").select(_spell()).to_series()
    local = spelled.str.contains("|".join([*load_local_names(), *_list_local_firms()])).fill_null(value=False)
    if not local.any():
        return spelled
    placed = spelled.filter(local).to_frame("flat").select(_name_local()).select(_settle_provinces())
    return replace_rows(spelled, local, placed.to_series())


@cache
def _spell() -> pl.Expr:
    known = load_abbreviations()
    start, whole = ("|".join(short for short, (_, is_whole) in known.items() if is_whole == kind) for kind in (False, True))
    rest = f"(?:{match_words('legal')}|{match_words('group')})*(?:.*(?:{match_words('branch')}|{match_words('unit')}))?"
    short = pl.coalesce(pl.col("flat").str.extract(f"^({start})"), pl.col("flat").str.extract(f"^({whole}){rest}$"))
    named = short.replace_strict({short: name for short, (name, _) in known.items()}, default=None, return_dtype=pl.String)
    return pl.coalesce(named + pl.col("flat").str.slice(short.str.len_chars()), "flat").alias("flat")


@cache
def _name_local() -> pl.Expr:
    """苏州电信 is 中国电信苏州分公司, 杭州工行西湖支行 is 中国工商银行杭州西湖支行, 国网杭州供电公司 a unit of 国家电网公司."""
    provinces, _, places = build_region_patterns()
    known = load_local_names()
    parts = pl.col("flat").str.extract_groups(
        rf"^(?P<grid>{_GRID}(?:(?:{provinces})省?)?)?(?P<place>(?:{places})[省市县]?)(?P<short>{'|'.join(known)})(?:分?公司)?"
        rf"(?P<rest>.{{0,10}}(?:{match_words('branch')}|{match_words('unit')}))?$"
    )
    grid, place, short, rest = (parts.struct.field(side) for side in ("grid", "place", "short", "rest"))
    # 深圳供电公司 is of another grid
    table = load_regions()
    province = place.str.replace("[省市县]$", "").replace_strict(table["name"], table["province"], default=None)
    elsewhere = (grid.fill_null("") == "") & short.str.starts_with("供电") & province.is_in(_SOUTH)
    short = pl.when(~elsewhere.fill_null(value=False)).then(short)
    name, what = (short.replace_strict({key: pair[side] for key, pair in known.items()}, default=None) for side in (0, 1))
    return pl.coalesce(name + place + pl.coalesce(pl.when(rest != "").then(rest), what), "flat").alias("flat")


@cache
def _settle_provinces() -> pl.Expr:
    """中国移动通信集团浙江有限公司 is 浙江移动通信有限公司, which is called 浙江移动; 中国电信浙江公司 is the 浙江分公司."""
    provinces, _, places = build_region_patterns()
    names = "|".join(dict.fromkeys(name for name, what in load_local_names().values() if what == "分公司"))
    text = pl.col("flat").str.replace(f"^中国移动通信(?:集团)?({provinces})[省市]?(?:(有限公司)|公司|分公司)", "${1}移动通信$2")
    return text.str.replace(f"^({names})((?:{places})[省市]?)(?:有限公司|公司)$", "${1}${2}分公司")
