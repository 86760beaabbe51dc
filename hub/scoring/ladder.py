"""The ladder of agreement of two company names: which rule speaks, and how common what they share is (spec §5.1-5.2)."""

import numpy as np
import numpy.typing as npt
import polars as pl
from rapidfuzz.distance import OSA, JaroWinkler, LCSseq
from rapidfuzz.process import cpdist

from hub.columns.parts import Ids
from hub.columns.sorting import find_distinct_numbers
from hub.scoring.frequency import Buckets
from hub.scoring.names import BUCKETS, Mask, Names
from hub.scoring.sides import compare_branch, compare_group, compare_region
from hub.scoring.unlike import find_unlike
from hub.scoring.vocabulary import share_words

Codes = npt.NDArray[np.uint8]
Longs = npt.NDArray[np.int64]

#: best first. `*`: split by how many registered names share the core or the trade name; `!`: split by whether both names are
#: in full legal form, for two different full names are two companies where a short name may be either
LADDER = (
    "alias",
    "same_registered*",
    "same_legal*",
    "same_key*",
    "same_core_long*",
    "same_core*",
    "same_plain*",
    "same_brand_4*!",
    "same_brand_3*!",
    "same_brand_2*!",
    "related_4*!",
    "related_3*!",
    "related_2*!",
    "other_4!",
    "other_3!",
    "other_2!",
    "sound_4!",
    "sound_3!",
    "sound_2!",
    "typo_long!",
    "typo!",
    "contained*!",
    "prefix*!",
    "subsequence*!",
    "similar!",
    "weak!",
    "different!",
    "person",
    "spelled*",
    "unlike_script",
    # names in other letters than Chinese: `*` says by how few names chance gives the words that both have
    "words_same*",
    "words_alike*",
    "words_within*",
    "words_most*",
    "words_some",
)
_RULES = [level.rstrip("*!") for level in LADDER]
_IS_COUNTED = np.array(["*" in level for level in LADDER])
_IS_SPLIT = np.array(["!" in level for level in LADDER])
_WIDTHS = np.where(_IS_COUNTED, BUCKETS, 1) * np.where(_IS_SPLIT, 2, 1)
_FIRST = np.cumsum(np.r_[1, _WIDTHS])[:-1]


def _name_variants(level: str) -> list[str]:
    rule = level.rstrip("*!")
    counted = [f"{rule}~{bucket}" for bucket in range(BUCKETS)] if "*" in level else [rule]
    return [f"{name}{form}" for form in (("", "!") if "!" in level else ("",)) for name in counted]


#: level names of a comparison of company names by number: `rule~bucket`, with `!` where both names are registered ones
LEVELS = ["missing", *(name for level in LADDER for name in _name_variants(level))]
#: endings of an industry that tell nothing apart
_EMPTY_INDUSTRY = r"(?:科技|技术|实业|发展|国际|企业|产业|工程|制造|设备|服务|管理)+$"
#: log2 of the names that would have the words of both by chance, from which on each bucket but the first begins
_COINCIDENCES = (-9.0, -5.0, -2.0, 0.5, 3.0)
#: shares of what the words of two names tell that both have, for most and for some of it
_MOST, _SOME = 0.6, 0.3


def compare_names(names: Names, left: Longs, right: Longs) -> tuple[Codes, Codes, Codes, Codes]:
    """Level numbers of LEVELS, REGION_LEVELS, BRANCH_LEVELS and GROUP_LEVELS for each pair of records."""
    # numpy takes by whole words more than twice as fast as by half ones
    a, b = names.ids[left].astype(np.int64), names.ids[right].astype(np.int64)
    known = np.flatnonzero((a >= 0) & (b >= 0))
    a, b = a[known], b[known]
    cored = np.flatnonzero((names.core[a] >= 0) & (names.core[b] >= 0))
    known, a, b = known[cored], a[cored], b[cored]
    level = np.zeros(len(left), dtype=np.uint8)
    region, branch, group = (np.zeros_like(level) for _ in range(3))
    level[known] = _climb(names, a, b)
    region[known] = compare_region(names, a, b)
    branch[known] = compare_branch(names, a, b)
    group[known] = compare_group(names, a, b)
    return level, region, branch, group


def _climb(names: Names, a: Longs, b: Longs) -> Codes:
    """The highest rung per pair of names."""
    rung = np.full(len(a), -1, dtype=np.int8)
    spread = np.zeros(len(a), dtype=np.int8)
    han_a, han_b = names.is_han[a], names.is_han[b]
    han = han_a & han_b
    core_length = np.minimum(names.core_length[a], names.core_length[b])
    same_key, same_core = names.key[a] == names.key[b], names.core[a] == names.core[b]
    same_brand = _agree(names.brand, a, b)
    legal = names.has_legal[a] & names.has_legal[b]
    # a registered name is unique in its region, a long one anywhere
    whole = same_key & legal & ((core_length >= 5) | (names.province[a] >= 0))

    def settle(rule: str, where: Mask, counted: Buckets | None = None) -> None:
        chosen = np.flatnonzero(where & (rung < 0))
        rung[chosen] = _RULES.index(rule)
        if counted is not None:
            spread[chosen] = counted[a[chosen]]

    if names.known is not names.key:
        same_known = names.known[a] == names.known[b]
        settle("alias", same_known & ~same_key)
        # one name that two companies bore in turn
        settle("different", ~same_known & same_key)
    latin = np.flatnonzero(~(han_a | han_b) & (rung < 0))
    rung[latin], spread[latin] = _compare_words(names, a[latin], b[latin])
    unlike = han_a != han_b
    same_sound = _agree(names.sound, a, b)
    settle("spelled", unlike & same_sound, names.brand_spread)
    settle("unlike_script", unlike)
    settle("same_registered", whole, names.core_spread)
    # 联想控股股份有限公司 and 联想集团有限公司 are two companies
    same_plain = names.plain[a] == names.plain[b]
    settle("same_legal", same_key & legal & same_plain, names.core_spread)
    settle("same_key", same_key & (core_length >= 4), names.core_spread)
    settle("same_core_long", same_core & (core_length >= np.where(han, 5, 8)), names.core_spread)
    settle("same_core", same_core & (core_length >= 3), names.core_spread)
    # 威胜控股 is 威胜控股有限公司, not 威胜信息技术有限公司
    settle("same_plain", same_plain & same_core & (names.plain[a] >= 0), names.core_spread)
    if same_brand.any() or same_sound.any():
        relation = _relate_industries(names, a, b, (same_brand | same_sound) & (rung < 0))
        size = np.clip(np.minimum(names.brand_length[a], names.brand_length[b]), 2, 4)
        for length in (4, 3, 2):
            for number_of, word in ((1, "same_brand"), (2, "related"), (3, "other")):
                where = same_brand & (relation == number_of) & (size == length)
                settle(f"{word}_{length}", where, names.brand_spread if word != "other" else None)
        for length in (4, 3, 2):
            settle(f"sound_{length}", han & same_sound & ((relation == 1) | (relation == 2)) & (size == length))
    rest = np.flatnonzero(rung < 0)
    rung[rest], spread[rest] = _measure_cores(names, names.trunk[a[rest]], names.trunk[b[rest]])
    unlikely = np.isin(rung, [_RULES.index(rule) for rule in ("different", "weak", "unlike_script")])
    # 黄佳 and 黄佳刚 are two persons, not a short name and a long one
    bare_a, bare_b = names.is_bare[a], names.is_bare[b]
    unlikely |= bare_a & bare_b & (rung >= _RULES.index("sound_4"))
    rung[unlikely & (bare_a | bare_b)] = _RULES.index("person")
    counted = np.where(_IS_COUNTED[rung], spread, 0)
    registered = np.where(_IS_SPLIT[rung] & legal, _WIDTHS[rung] // 2, 0)
    return (_FIRST[rung] + counted + registered).astype(np.uint8)


def _agree(codes: Ids, a: Longs, b: Longs) -> Mask:
    one, two = codes[a], codes[b]
    return np.asarray((one == two) & (one >= 0))


def _compare_words(names: Names, a: Longs, b: Longs) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """Rung and bucket of names in other letters than Chinese: whole words, in any order; each distinct pair is measured once."""
    width = max(len(names.key), 1)
    distinct, place = find_distinct_numbers(np.minimum(a, b) * width + np.maximum(a, b))
    one, two = distinct // width, distinct % width
    shared = share_words(names.vocabulary, one, two)
    counts = np.diff(names.vocabulary.starts)
    length = np.minimum(names.core_length[one], names.core_length[two])
    # blueridge is blue ridge
    joined = (names.sound[one] == names.sound[two]) & (names.sound[one] >= 0) & (names.industry[one] == names.industry[two])
    whole = (shared.low == 1) | joined
    conditions = {
        "words_same": whole & (shared.exact | joined),
        # a typo in a short name of one word makes another name
        "words_alike": whole & ((counts[one] + counts[two] > 2) | (length >= 8)),
        # Toyota Motor Sales USA Inc. is not Toyota Motor Corporation
        "words_within": (shared.high == 1) & ~(names.has_legal[one] & names.has_legal[two]),
        "words_most": (shared.both >= _MOST) & ~shared.numbers,
        "words_some": shared.both >= _SOME,
    }
    rung = np.full(len(distinct), _RULES.index("different"), dtype=np.int8)
    for rule in reversed(conditions):
        rung[conditions[rule]] = _RULES.index(rule)
    bucket = np.searchsorted(_COINCIDENCES, shared.coincidences, side="right")
    # a name of one word in pinyin is common where many Chinese ones sound so
    bucket = np.where(counts[one] == 1, np.maximum(bucket, names.sound_spread[one]), bucket)
    return rung[place], bucket.astype(np.int8)[place]


def _relate_industries(names: Names, a: Longs, b: Longs, where: Mask) -> Codes:
    """1 a side is silent or both say the same, 2 they agree in part (食品 and 食品机械), 3 they differ; 0 not looked at."""
    relation = np.zeros(len(a), dtype=np.uint8)
    rows = np.flatnonzero(where)
    one, two = names.industry[a[rows]], names.industry[b[rows]]
    silent = (one < 0) | (two < 0) | (one == two)
    relation[rows[silent]] = 1
    rows, one, two = rows[~silent], one[~silent], two[~silent]
    width = len(names.industry_texts)
    distinct, place = find_distinct_numbers(np.minimum(one, two).astype(np.int64) * width + np.maximum(one, two))
    frame = pl.DataFrame(
        {
            "a": names.industry_texts.gather(pl.Series(distinct // max(width, 1))),
            "b": names.industry_texts.gather(pl.Series(distinct % max(width, 1))),
        }
    ).with_columns(
        said_a=pl.col("a").str.replace(_EMPTY_INDUSTRY, ""),
        said_b=pl.col("b").str.replace(_EMPTY_INDUSTRY, ""),
    )
    said = (pl.col("said_a") != "") & (pl.col("said_b") != "")
    start = pl.col("said_a").str.slice(0, 2) == pl.col("said_b").str.slice(0, 2)
    end = pl.col("said_a").str.slice(-2) == pl.col("said_b").str.slice(-2)
    within = pl.col("a").str.contains(pl.col("b"), literal=True) | pl.col("b").str.contains(pl.col("a"), literal=True)
    related = frame.select(within | said & (start | end)).to_series().to_numpy()
    relation[rows] = np.where(related[place], 2, 3)
    return relation


def _measure_cores(names: Names, a: Ids, b: Ids) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """Rung and bucket of pairs of trunks whose trade names differ; each distinct pair is measured once."""
    width = max(len(names.core_texts), 1)
    rung, spread = np.full(len(a), _RULES.index("different"), dtype=np.int8), np.zeros(len(a), dtype=np.int8)
    # without a common character no rule holds: of a million records a third of the pairs needs no measuring
    alike = np.flatnonzero(names.characters[a] & names.characters[b])
    a, b = a[alike], b[alike]
    distinct, place = find_distinct_numbers(np.minimum(a, b).astype(np.int64) * width + np.maximum(a, b))
    one, two = distinct // width, distinct % width
    low, high = names.trunk_names[one], names.trunk_names[two]
    frame = pl.DataFrame({"a": names.core_texts.gather(pl.Series(one)), "b": names.core_texts.gather(pl.Series(two))})
    texts_a, texts_b = frame["a"].to_list(), frame["b"].to_list()
    edits = cpdist(texts_a, texts_b, scorer=OSA.distance, score_cutoff=2, dtype=np.uint8, workers=2)
    similar = cpdist(texts_a, texts_b, scorer=JaroWinkler.similarity, score_cutoff=0.65, dtype=np.float32, workers=2)
    common = cpdist(texts_a, texts_b, scorer=LCSseq.similarity, dtype=np.uint8, workers=2)
    contains = (
        frame.select(pl.col("a").str.contains(pl.col("b"), literal=True) | pl.col("b").str.contains(pl.col("a"), literal=True))
        .to_series()
        .to_numpy()
    )
    brands = pl.DataFrame({"a": names.brand_texts.gather(pl.Series(one)), "b": names.brand_texts.gather(pl.Series(two))})
    starts = (
        brands.select(pl.col("a").str.starts_with(pl.col("b")) | pl.col("b").str.starts_with(pl.col("a"))).to_series().to_numpy()
    )
    core_length = np.minimum(names.core_length[low], names.core_length[high])
    brand_length = np.minimum(names.brand_length[low], names.brand_length[high])
    both_han = names.is_han[low] & names.is_han[high]
    # one character of a two-character trade name is half of it: 昌建 and 昌健 are two companies
    long_enough = np.where(both_han, (brand_length >= 3) & (core_length >= 5), core_length >= 8)
    conditions = {
        "typo_long": (edits == 1) & long_enough,
        "typo": (edits == 1) & (core_length >= 4) | (edits == 2) & (core_length >= 8),
        "contained": contains & (core_length >= 3),
        "prefix": starts & (brand_length >= 2),
        "subsequence": (common == core_length) & (core_length >= 2),
        "similar": similar >= 0.85,
        "weak": similar >= 0.65,
    }
    measured = np.full(len(distinct), _RULES.index("different"), dtype=np.int8)
    for rule in reversed(conditions):
        measured[conditions[rule]] = _RULES.index(rule)
    # 虎门永信 is no 长安永信 that is mistyped, nor 清华大学出版社 清华大学
    close = np.isin(measured, [_RULES.index(rule) for rule in ("typo_long", "typo", "contained", "prefix", "subsequence")])
    unlike = np.flatnonzero(close & find_unlike(frame, np.where(close, edits, 0)))
    least = np.where(conditions["weak"][unlike], _RULES.index("weak"), _RULES.index("different"))
    measured[unlike] = np.where(conditions["similar"][unlike], _RULES.index("similar"), least)
    # 第三中学 is 第3中学 and not 第七中学, nor is center 202 center 2929
    same_words = (names.words[one] == names.words[two]) & (names.words[one] >= 0)
    same_numbers = names.numbers[one] == names.numbers[two]
    measured[same_words] = np.where(same_numbers[same_words], _RULES.index("same_core"), _RULES.index("different"))
    shorter = np.where(names.core_length[low] <= names.core_length[high], low, high)
    rung[alike], spread[alike] = measured[place], names.start_spread[shorter].astype(np.int8)[place]
    return rung, spread
