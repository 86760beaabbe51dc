"""Company names as numbers: what the ladder compares, once per distinct name."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.columns.hashing import Hashes
from hub.columns.parts import Ids, Parts, number
from hub.normalize.aliases import KNOWN
from hub.scoring.frequency import WORDS, Buckets, spread
from hub.scoring.vocabulary import Vocabulary, build_vocabulary

Mask = npt.NDArray[np.bool_]

#: 1, 2, 3-4, 5-8, 9-16, more names with the shared part
BUCKETS = 6
_HAN_DIGITS = "零一二三四五六七八九十"
#: the parts of a field of kind company that are compared, and those by which parents are found
COMPANY = (
    "key", KNOWN, "parent_key", "plain", "core", "brand", "industry", "sound", "province", "city", "district", "branch",
    "is_han", "is_traditional", "has_legal", "group_word", "is_bare", "prefix2", WORDS,
)  # fmt: skip


@dataclass(frozen=True)
class Names:
    """A field of kind company as numbers per distinct name, and the texts that edit distances need."""

    ids: Ids
    key: Ids
    known: Ids
    plain: Ids
    core: Ids
    brand: Ids
    industry: Ids
    sound: Ids
    province: Ids
    city: Ids
    district: Ids
    branch: Ids
    is_han: Mask
    has_legal: Mask
    is_group: Mask
    is_stock: Mask
    is_bare: Mask
    #: registered in 香港, 澳门 or 台湾
    is_offshore: Mask
    is_taiwanese: Mask
    is_traditional: Mask
    core_length: Ids
    brand_length: Ids
    core_spread: Buckets
    brand_spread: Buckets
    start_spread: Buckets
    sound_spread: Buckets
    industry_texts: pl.Series
    #: names of one core, brand, script and beginning are measured once: their number, and a name of each
    trunk: Ids
    trunk_names: Ids
    core_texts: pl.Series
    brand_texts: pl.Series
    #: per trunk with numbers its core without them, and the numbers
    words: Ids
    numbers: Ids
    #: per trunk a bit for each character of its core, modulo 64
    characters: Hashes
    #: the words of names in other letters than Chinese
    vocabulary: Vocabulary


def build_names(parts: Parts, field: str, buckets: Mapping[str, Buckets]) -> Names:
    """The company names of a field, ready to be compared by number; `buckets` by part, as of hub.scoring.frequency."""
    table = parts.tables[field]
    rows = table.rows
    core = parts.number_rows(f"{field}.core")
    brand = parts.number_rows(f"{field}.brand")
    industry = parts.number_rows(f"{field}.industry")
    sound = parts.number_rows(f"{field}.sound")
    key = parts.number_rows(f"{field}.key")
    trunk, trunk_names = number(rows.select(pl.struct("core", "brand", "is_han", "prefix2")).to_series())
    core_texts = rows["core"].gather(pl.Series(trunk_names))
    words, numbers = split_numbers(core_texts)
    return Names(
        ids=table.ids,
        key=key,
        known=parts.number_rows(f"{field}.{KNOWN}") if KNOWN in rows.columns else key,
        plain=parts.number_rows(f"{field}.plain"),
        sound=sound,
        core=core,
        brand=brand,
        industry=industry,
        province=parts.number_rows(f"{field}.province"),
        city=parts.number_rows(f"{field}.city"),
        district=parts.number_rows(f"{field}.district"),
        branch=parts.number_rows(f"{field}.branch"),
        is_han=_flag(rows["is_han"]),
        has_legal=_flag(rows["has_legal"]),
        is_group=_flag(rows["group_word"]),
        is_stock=_flag(rows["plain"].str.contains("股份", literal=True)),
        is_bare=_flag(rows["is_bare"]),
        is_offshore=_flag(rows["province"].is_in(["香港", "澳门", "台湾"])),
        is_taiwanese=_flag(rows["province"] == "台湾"),
        is_traditional=_flag(rows["is_traditional"]),
        core_length=_measure_length(rows["core"]),
        brand_length=_measure_length(rows["brand"]),
        core_spread=np.minimum(spread(buckets[f"{field}.core"], core), BUCKETS - 1),
        brand_spread=np.minimum(spread(buckets[f"{field}.brand"], brand), BUCKETS - 1),
        start_spread=np.minimum(spread(buckets[f"{field}.prefix2"], parts.number_rows(f"{field}.prefix2")), BUCKETS - 1),
        sound_spread=np.minimum(spread(buckets[f"{field}.sound"], sound), BUCKETS - 1),
        industry_texts=parts.list_values(f"{field}.industry"),
        trunk=trunk,
        trunk_names=trunk_names,
        core_texts=core_texts,
        brand_texts=rows["brand"].gather(pl.Series(trunk_names)),
        words=words,
        numbers=numbers,
        characters=_mark_characters(core_texts),
        vocabulary=build_vocabulary(rows[WORDS], buckets[f"{field}.{WORDS}"]),
    )


def split_numbers(texts: pl.Series) -> tuple[Ids, Ids]:
    """Per text its words without numbers and the numbers, as codes; 12, 十二 and 一二 are one. -1 where there is no number."""
    has = texts.str.contains(f"[0-9{_HAN_DIGITS}]").fill_null(value=False)
    digits = pl.col("t").str.replace_many(list(_HAN_DIGITS), [*"0123456789", "十"])
    for ten, written in ((r"(\d)十(\d)", "$1$2"), (r"(\d)十", "${1}0"), (r"十(\d)", "1$1"), ("十", "10")):
        digits = digits.str.replace_all(ten, written)
    found = texts.filter(has).to_frame("t").select(t=digits)
    found = found.select(
        words=pl.col("t").str.replace_all(r"\d+", "#"), numbers=pl.col("t").str.extract_all(r"\d+").list.join(" ")
    )
    codes = []
    for part in ("words", "numbers"):
        own = np.full(len(texts), -1, dtype=np.int32)
        own[np.flatnonzero(has.to_numpy())] = number(found[part])[0]
        codes.append(own)
    return codes[0], codes[1]


def _mark_characters(texts: pl.Series) -> Hashes:
    lengths = texts.str.len_chars().fill_null(0).to_numpy().astype(np.int64)
    codes = np.frombuffer("".join(texts.drop_nulls().to_list()).encode("utf-32-le"), dtype=np.uint32)
    bits = np.append(np.uint64(1) << (codes % np.uint32(64)).astype(np.uint64), np.uint64(0))
    marked = np.bitwise_or.reduceat(bits, np.cumsum(lengths) - lengths) if len(lengths) else np.zeros(0, dtype=np.uint64)
    return np.where(lengths > 0, marked, np.uint64(0))


def _flag(values: pl.Series) -> Mask:
    return values.fill_null(value=False).to_numpy()


def _measure_length(values: pl.Series) -> Ids:
    return values.str.len_chars().fill_null(0).cast(pl.Int32).to_numpy()
