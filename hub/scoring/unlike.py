"""Cores that are spelled much alike and still name two: what is no typing error, and what goes on behind a whole name."""

import numpy as np
import numpy.typing as npt
import polars as pl
from rapidfuzz.distance import OSA, Postfix, Prefix
from rapidfuzz.process import cpdist

from hub.normalize.sound import spell
from hub.normalize.words import list_words

Mask = npt.NDArray[np.bool_]

#: a name that ends so is whole, and what goes on behind it is another's: 清华大学出版社
_BODY = "(?:大学|学院|医院|研究院|研究所|设计院|事务所|委员会|政府|总工会|局)$"
#: bodies of which every place has one: 海淀教育局 is not 教育局, nor 萧山第一人民医院 第一人民医院
_COMMON = (
    "(?:局|委员会|政府|法院|检察院|总工会|管委会|发改委|卫健委|办公室|控制中心|支队|大队|派出所|街道)$|^(?:图书|博物|文化|档案)馆$"
    r"|^(?:第[一二三四五六七八九十0-9]+|人民|中心|中医|中西医|妇幼|妇女儿童|实验|机关)\p{Han}{0,4}[院学园校]$"
)
#: what kind of body one is stands before its end: 西华师范大学 is not 西华大学, but 平和县人民医院 may be 平和县医院
_KIND = "^(.*?)((?:职业(?:技术)?)?(?:大学|学院)|医院|保健院|中学|小学|学校)$"
_ANY_KIND = ["", "人民", "附属", "总", "市", "区", "县"]
_ORDINAL = "第([一二三四五六七八九十0-9]+)"


def find_unlike(texts: pl.DataFrame, edits: npt.NDArray[np.uint8]) -> Mask:
    """Per pair of cores `a` and `b` whether what differs makes two names of them; where `edits` is 0 nobody asks."""
    unlike = _replace_words(texts, edits)
    rows = np.flatnonzero(edits)
    pairs = texts[rows].with_columns(
        longer=pl.when(pl.col("a").str.len_chars() > pl.col("b").str.len_chars()).then("a").otherwise("b"),
        shorter=pl.when(pl.col("a").str.len_chars() > pl.col("b").str.len_chars()).then("b").otherwise("a"),
    )
    goes_on = pl.col("longer").str.starts_with(pl.col("shorter")) & pl.col("shorter").str.contains(_BODY)
    # a university's 第一人民医院 may be the city's too
    own = ~pl.col("longer").str.ends_with("附属" + pl.col("shorter"))
    of_another = pl.col("longer").str.ends_with(pl.col("shorter")) & pl.col("shorter").str.contains(_COMMON) & own
    # 中铁十二局 is not its 第一工程; 中交二航局 may be 中交第二航务工程局
    numbered = ~pl.col("shorter").str.contains(pl.col("longer").str.extract(_ORDINAL), literal=True).fill_null(value=True)
    unlike[rows] |= pairs.select(goes_on | of_another | numbered | _differ_in_kind()).to_series().to_numpy()
    return unlike


def _differ_in_kind() -> pl.Expr:
    name, end = (pl.col("shorter").str.extract(_KIND, side) for side in (1, 2))
    fits = pl.col("longer").str.starts_with(name) & pl.col("longer").str.ends_with(end)
    kind = pl.col("longer").str.slice(name.str.len_chars()).str.strip_suffix(end)
    return (fits & ~kind.is_in(_ANY_KIND)).fill_null(value=False)


def _replace_words(texts: pl.DataFrame, edits: npt.NDArray[np.uint8]) -> Mask:
    """One character with another in its place, or two, that neither sound nor look alike: 隆瑞 and 晟瑞, 虎门 and 长安."""
    unlike = np.zeros(len(edits), dtype=np.bool_)
    near = np.flatnonzero((edits == 1) | (edits == 2))
    pairs = texts[near]
    sides = pairs["a"].to_list(), pairs["b"].to_list()
    starts, ends = (cpdist(*sides, scorer=scorer.similarity, dtype=np.uint8, workers=2) for scorer in (Prefix, Postfix))
    pairs = pairs.with_columns(
        start=pl.Series(starts), same=pl.Series(starts.astype(np.int64) + ends), edits=pl.Series(edits[near])
    )
    length = pl.col("a").str.len_chars()
    is_swap = (length == pl.col("b").str.len_chars()) & (pl.col("same") + pl.col("edits") == length)
    rows = pairs.select(is_swap).to_series()
    swaps = pairs.filter(rows)
    first, last = (
        [swaps.select(pl.col(side).str.slice(pl.col("start") + place, 1)).to_series() for side in ("a", "b")] for place in (0, 1)
    )
    (one, heard), (another, also_heard) = (_differ(*sides) for sides in (first, last))
    # 双利 for 双柳 is a slip of the finger
    is_word = np.where(swaps["edits"] == 1, one & (heard > 1), one & another & (heard > 0) & (also_heard > 0))
    unlike[near[rows.to_numpy()]] = is_word
    return unlike


def _differ(one: pl.Series, other: pl.Series) -> tuple[Mask, npt.NDArray[np.uint8]]:
    """Whether two are Chinese characters that do not look alike, and in how many letters they sound otherwise."""
    pairs = pl.DataFrame({"one": one, "other": other})
    is_han = pl.all_horizontal(pl.all().str.contains(r"\p{Han}"))
    misread = {character: group[0] for group in list_words("misread") for character in group}
    looks = pl.col("one").replace(misread) != pl.col("other").replace(misread)
    heard = cpdist(spell(one).to_list(), spell(other).to_list(), scorer=OSA.distance, dtype=np.uint8)
    return pairs.select(is_han & looks).to_series().to_numpy(), np.asarray(heard)
