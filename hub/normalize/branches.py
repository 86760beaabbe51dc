"""Branches: 某某有限公司苏州分公司, 工商银行西湖支行, 北京师范大学珠海校区, 中铁十二局成昆铁路项目部."""

from functools import cache

import polars as pl

from hub.normalize.regions import JILIN, build_region_patterns, load_regions
from hub.normalize.text import replace_rows, scatter
from hub.normalize.words import UNIT_FORMS, match_words

#: shops of one owner: 益丰大药房五一路店, and not 利民超市五金店, which is a shop of its own
_SHOP = r".{0,8}(?:[^酒饭书商药花][^食货金利果装品鞋衣器酒饭书商药花])店"

#: bytes of 江苏苏州分行
_SHORTEST_IN_PROVINCE = 18
#: a branch of a name of its own, which its city may be left out of
_NAMED = "(?:支行|支公司|营业部|营业厅|营业所|分理处|供电所)$"


@cache
def _find_branch() -> tuple[pl.Expr, ...]:
    """`head` and `branch` of `flat` by what is before the branch; the dearest pattern last.

    What takes groups out compiles its pattern whenever it is made, for a millisecond.
    """
    _, _, places = build_region_patterns()
    branch, unit = match_words("branch"), match_words("unit")
    tail = rf"(?:第?[\p{{Han}}0-9]{{1,3}})?(?:{branch})"
    patterns = (
        rf"^(?P<head>.{{2,}}?公司)(?P<branch>.{{0,14}}(?:{branch}|{unit})|{_SHOP})$",
        r"^(?P<head>.{2,}?银行)(?P<branch>.{1,14}(?:支行|分行|营业部|营业厅))$",
        # 平安保险经纪 and 华泰证券资产管理 are companies of their own
        r"^(?P<head>.{2,}?(?:保险|证券|期货))(?P<branch>[^经代公销服资风报研].{0,13}(?:支公司|分公司|营业部|营业厅))$",
        # the last body that the name tells: 浙江大学医学院附属第一医院余杭院区
        rf"^(?P<head>.{{2,}}(?:{match_words('body')}))(?P<branch>.{{0,10}}(?:{unit}|分院))$",
        rf"^(?P<head>.{{2,}}?(?:{match_words('chain')}))(?P<branch>{_SHOP})$",
        rf"^(?P<head>.{{2,}}?)(?P<branch>(?:(?:{places})[省市]?)+(?:\p{{Han}}{{2}}[区县])?{tail}"
        rf"|第[\p{{Han}}0-9]{{1,3}}(?:{branch})|(?:{branch}))$",
    )
    return tuple(pl.col("flat").str.extract_groups(pattern).alias("parts") for pattern in patterns)


def _drop_province(branches: pl.Series) -> pl.Series:
    """江苏苏州分公司 is the 苏州分公司; 北京朝阳分公司 is none of 朝阳."""
    table = load_regions()
    provinces = "|".join(table.filter(pl.col("province") != pl.col("city").fill_null(""))["province"].unique().sort())
    long = (branches.str.len_bytes() >= _SHORTEST_IN_PROVINCE).fill_null(value=False)
    may = long.clone().scatter(long.arg_true(), branches.filter(long).str.contains(f"^(?:{provinces})")) if long.any() else long
    if not may.any():
        return branches
    _, cities, _ = build_region_patterns()
    return replace_rows(branches, may, branches.filter(may).str.replace(f"^(?:{provinces})((?:{cities}).+)$", "$1"))


def split_branch(frame: pl.DataFrame) -> pl.DataFrame:
    """`head` and `branch` (null: none) of `flat`."""
    ends = frame["flat"].str.contains(rf"(?:{match_words('branch')}|{match_words('unit')}|店)$").fill_null(value=False)
    found = frame.filter(ends).select("flat", head=pl.lit(None, dtype=pl.String), branch=pl.lit(None, dtype=pl.String))
    is_unit = found["flat"].str.contains(rf"(?:{match_words('unit')}|分院|店)$")
    for parts_of, rows in zip(_find_branch(), (True, True, True, is_unit, is_unit, True), strict=True):
        # each looks at what none before it has taken apart
        left = found["head"].is_null() & rows
        if left.any():
            parts = found.filter(left).select(parts_of).unnest("parts")
            found = found.with_columns(replace_rows(found[side], left, parts[side]) for side in ("head", "branch"))
    branch_name = pl.col("branch").str.replace_all(f"({JILIN})|[省市()]", "$1").str.replace_many(UNIT_FORMS)
    found = found.select(found_head="head", branch=branch_name)
    found = found.with_columns(_drop_province(found["branch"]))
    frame = scatter(frame, ends, found)
    return frame.with_columns(head=pl.coalesce("found_head", "flat")).drop("found_head")


def drop_city(frame: pl.DataFrame) -> pl.DataFrame:
    """中国工商银行杭州西湖支行 is its 西湖支行: `branch` without its city, name_district where nothing else says a place."""
    may = (frame["branch"].str.contains(_NAMED) & frame["name_province"].is_null()).fill_null(value=False)
    if not may.any():
        return frame
    _, cities, _ = build_region_patterns()
    parts = pl.col("branch").str.extract_groups(rf"^({cities})市?([^第分省市区县]\p{{Han}}.*{_NAMED})").struct
    # 南京西路 is a street of 上海
    may_be = ~parts.field("2").str.contains("^[东南西北中][一二三四五六]?(?:路|街|大街|大道|道)").fill_null(value=True)
    found = frame.filter(may).select(
        name_district=pl.when(may_be).then(parts.field("1")), branch=pl.coalesce(pl.when(may_be).then(parts.field("2")), "branch")
    )
    return frame.with_columns(replace_rows(frame[side], may, found[side]) for side in found.columns)
