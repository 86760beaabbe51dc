"""Branches: 某某有限公司苏州分公司, 工商银行西湖支行, 北京师范大学珠海校区, 中铁十二局成昆铁路项目部."""

from functools import cache

import polars as pl

from hub.normalize.regions import JILIN, build_region_patterns
from hub.normalize.text import replace_rows, scatter
from hub.normalize.words import UNIT_FORMS, match_words

#: shops of one owner: 益丰大药房五一路店, and not 利民超市五金店, which is a shop of its own
_SHOP = r".{0,8}(?:[^酒饭书商药花][^食货金利果装品鞋衣器酒饭书商药花])店"


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
        # the last body that the name tells: 浙江大学医学院附属第一医院余杭院区
        rf"^(?P<head>.{{2,}}(?:{match_words('body')}))(?P<branch>.{{0,10}}(?:{unit}|分院))$",
        rf"^(?P<head>.{{2,}}?(?:{match_words('chain')}))(?P<branch>{_SHOP})$",
        rf"^(?P<head>.{{2,}}?)(?P<branch>(?:(?:{places})[省市]?)+(?:\p{{Han}}{{2}}[区县])?{tail}"
        rf"|第[\p{{Han}}0-9]{{1,3}}(?:{branch})|(?:{branch}))$",
    )
    return tuple(pl.col("flat").str.extract_groups(pattern).alias("parts") for pattern in patterns)


def split_branch(frame: pl.DataFrame) -> pl.DataFrame:
    """`head` and `branch` (null: none) of `flat`."""
    ends = frame["flat"].str.contains(rf"(?:{match_words('branch')}|{match_words('unit')}|店)$").fill_null(value=False)
    found = frame.filter(ends).select("flat", head=pl.lit(None, dtype=pl.String), branch=pl.lit(None, dtype=pl.String))
    is_unit = found["flat"].str.contains(rf"(?:{match_words('unit')}|分院|店)$")
    for parts_of, rows in zip(_find_branch(), (True, True, is_unit, is_unit, True), strict=True):
        # each looks at what none before it has taken apart
        left = found["head"].is_null() & rows
        if left.any():
            parts = found.filter(left).select(parts_of).unnest("parts")
            found = found.with_columns(replace_rows(found[side], left, parts[side]) for side in ("head", "branch"))
    branch_name = pl.col("branch").str.replace_all(f"({JILIN})|[省市()]", "$1").str.replace_many(UNIT_FORMS)
    found = found.select(found_head="head", branch=branch_name)
    frame = scatter(frame, ends, found)
    return frame.with_columns(head=pl.coalesce("found_head", "flat")).drop("found_head")
