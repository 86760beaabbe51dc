"""How common a value is, in buckets of powers of two; frozen with a model, so that a value weighs the same in every later run."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.columns.hashing import Hashes, hash_texts
from hub.columns.parallel import map_threads
from hub.columns.parts import Ids, Parts, sort_distinct
from hub.columns.sorting import rank_numbers
from hub.rules.model import Rules
from hub.scoring.vocabulary import count_words, split_words

Buckets = npt.NDArray[np.uint8]

#: the last bucket is of values that 128 records or more carry
LAST_BUCKET = 7
#: tests of company names, which count the registered names that share a core or a trade name
COMPANY_TEST = "company"
COMPANY_PARTS = ("core", "brand", "prefix2", "sound")
#: a part that is counted by its words
WORDS = "words"
#: a kind whose values are sources: what is counted is how often a company comes twice in one
SOURCE_KIND = "source"
#: share of repeated companies up to which a source is in the last bucket; each bucket before doubles it
_REPEATED = 0.001


@dataclass(frozen=True)
class Frequencies:
    """By part: lasting hashes of the values above bucket 0, ascending, and the bucket of each."""

    tables: Mapping[str, tuple[Hashes, Buckets]]

    def look_up(self, parts: Parts, part: str) -> Buckets:
        """The bucket of each of the part's codes; 0 for what was not known when they were frozen."""
        hashes, buckets = self.tables[part]
        asked = hash_texts(list_counted_texts(parts, part))
        place = np.minimum(np.searchsorted(hashes, asked), max(len(hashes) - 1, 0))
        if not len(hashes):
            return np.zeros(len(asked), dtype=np.uint8)
        return np.where(hashes[place] == asked, buckets[place], 0).astype(np.uint8)


def list_counted(rules: Rules) -> list[tuple[str, str]]:
    """The parts whose values are counted, and what is counted: `` for records, else the part whose different values are."""
    counted = [(comparison.field, "") for comparison in rules.comparisons if comparison.frequency]
    names = [comparison.field for comparison in rules.comparisons if comparison.levels[0].test == COMPANY_TEST]
    counted += [(f"{field}.{part}", f"{field}.key") for field in names for part in COMPANY_PARTS]
    counted += [(f"{field}.{WORDS}", "") for field in names]
    sources = [field.name for field in rules.fields if field.kind == SOURCE_KIND]
    counted = [(part, f"{names[0]}.key" if part in sources and names else of) for part, of in counted]
    return list(dict.fromkeys(counted))


def list_counted_texts(parts: Parts, part: str) -> pl.Series:
    """What is counted of a part: its distinct values, or the words of all of them (hub.scoring.vocabulary)."""
    return split_words(_list_rows(parts, part))[0] if _has_words(part) else parts.list_values(part)


def _list_rows(parts: Parts, part: str) -> pl.Series:
    name, _, rest = part.partition(".")
    return parts.tables[name].rows[rest]


def _has_words(part: str) -> bool:
    return part.partition(".")[2] == WORDS


def count_buckets(parts: Parts, part: str, of: str) -> Buckets:
    """The bucket of each of the part's codes: floor(log2) of its records, or ceil(log2) of the different values of `of`.

    Of words it is how many values have each, as hub.scoring.vocabulary keeps it.
    """
    if _has_words(part):
        return count_words(_list_rows(parts, part))
    codes = parts.codes(part)
    size = len(parts.list_values(part))
    if not of:
        counts = np.bincount(codes[codes >= 0], minlength=size)
        return np.clip(np.floor(np.log2(np.maximum(counts, 1))), 0, LAST_BUCKET).astype(np.uint8)
    others = parts.codes(of)
    known = (codes >= 0) & (others >= 0)
    if not of.startswith(f"{part.partition('.')[0]}."):
        return _count_repeats(codes[known], others[known], size)
    width = int(others.max(initial=0)) + 1
    pairs = sort_distinct(codes[known].astype(np.int64) * width + others[known])
    counts = np.bincount(pairs // width, minlength=size)
    return np.clip(np.ceil(np.log2(np.maximum(counts, 1))), 0, LAST_BUCKET).astype(np.uint8)


def _count_repeats(codes: Ids, others: Ids, size: int) -> Buckets:
    """The bucket of each source by the share of its records whose company it has more than once: 0 often, the last never."""
    width = int(others.max(initial=0)) + 1
    pair = codes.astype(np.int64) * width + others
    place, _ = rank_numbers(pair)
    repeated = np.bincount(codes, weights=np.bincount(place)[place] > 1, minlength=size)
    # a source of a few records has not shown that it repeats none
    share = (repeated + 1) / (np.bincount(codes, minlength=size) + 1)
    return (LAST_BUCKET - np.clip(np.ceil(np.log2(share / _REPEATED)), 0, LAST_BUCKET)).astype(np.uint8)


def freeze_frequencies(parts: Parts, buckets: Mapping[str, Buckets]) -> Frequencies:
    """What count_buckets found, by lasting hash."""
    tables = {}
    for part, found in buckets.items():
        common = np.flatnonzero(found)
        hashes = hash_texts(list_counted_texts(parts, part).gather(common))
        order = np.argsort(hashes)
        tables[part] = (hashes[order], found[common][order])
    return Frequencies(tables)


def find_buckets(parts: Parts, rules: Rules, frozen: Frequencies | None) -> dict[str, Buckets]:
    """By part the bucket of each code: as they were frozen, or as these records have them."""
    counted = list_counted(rules)

    def find(part: str, of: str) -> Buckets:
        return frozen.look_up(parts, part) if frozen else count_buckets(parts, part, of)

    parts.number_all([part for pair in counted for part in pair if part and not _has_words(part)])
    found = map_threads(lambda pair: find(*pair), counted, parts.n)
    return {part: buckets for (part, _), buckets in zip(counted, found, strict=True)}


def spread(buckets: Buckets, codes: Ids) -> Buckets:
    """The bucket of each record; 0 where the part is unknown."""
    return np.append(buckets, np.uint8(0))[codes]
