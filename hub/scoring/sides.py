"""What stands beside the trade name in two company names: region, branch, and whether one is a group's."""

import numpy as np
import numpy.typing as npt

from hub.scoring.names import Names

Codes = npt.NDArray[np.uint8]
Longs = npt.NDArray[np.int64]

REGION_LEVELS = ["missing", "same", "conflict"]
BRANCH_LEVELS = ["missing", "same", "conflict"]
GROUP_LEVELS = ["missing", "conflict", "rival"]


def compare_region(names: Names, a: Longs, b: Longs) -> Codes:
    """REGION_LEVELS: two cities, two provinces or the districts of two shops are a conflict.

    So are 中国银行(香港)有限公司 and 中国银行股份有限公司: two registers, and a name without a region is of the mainland's;
    but 台灣鴻騰科技有限公司 and 鴻騰科技有限公司, in traditional characters and of one form, may be one.
    """
    levels = np.zeros(len(a), dtype=np.uint8)
    for place in (names.city, names.province, names.district):
        one, two = place[a], place[b]
        known = (one >= 0) & (two >= 0)
        np.maximum(levels, known, out=levels)
        levels[np.flatnonzero(known & (one != two))] = 2
    if names.is_offshore.any():
        rows = np.flatnonzero((names.is_offshore[a] != names.is_offshore[b]) & names.has_legal[a] & names.has_legal[b])
        a, b = a[rows], b[rows]
        there, other = np.where(names.is_offshore[a], a, b), np.where(names.is_offshore[a], b, a)
        near = names.is_taiwanese[there] & names.is_traditional[other] & (names.province[other] < 0)
        near &= (names.core[a] == names.core[b]) & (names.is_stock[a] == names.is_stock[b])
        levels[rows[~near]] = 2
    return levels


def compare_branch(names: Names, a: Longs, b: Longs) -> Codes:
    """BRANCH_LEVELS: a branch against its head office, or against another, is a conflict. 西湖支行 may be of two cities."""
    levels = np.zeros(len(a), dtype=np.uint8)
    one, two = names.branch[a], names.branch[b]
    # most pairs name no branch
    rows = np.flatnonzero((one >= 0) | (two >= 0))
    a, b, one, two = a[rows], b[rows], one[rows], two[rows]
    # a name spelled in another script or a person's leaves the branch out
    silent = (one < 0) & names.is_bare[a] | (two < 0) & names.is_bare[b] | (names.is_han[a] != names.is_han[b])
    here, there = names.district[a], names.district[b]
    same = (one == two) & ((here == there) | (here < 0) | (there < 0))
    levels[rows] = np.where(silent, 0, np.where(same, 1, 2))
    return levels


def compare_group(names: Names, a: Longs, b: Longs) -> Codes:
    """One of two registered names is a group's; rival where the other is a stock company's (宏远集团, 宏远股份有限公司)."""
    levels = np.zeros(len(a), dtype=np.uint8)
    rows = np.flatnonzero(names.is_group[a] != names.is_group[b])
    rows = rows[names.has_legal[a[rows]] & names.has_legal[b[rows]]]
    a, b = a[rows], b[rows]
    stock = np.where(names.is_group[a], names.is_stock[b], names.is_stock[a])
    same = (names.is_stock[a] == names.is_stock[b]) | ~stock
    levels[rows] = np.where(same, 1, 2)
    return levels
