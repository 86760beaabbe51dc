"""Names and titles as sets of words, and how much the words that two of them share tell: rare ones much, common ones little."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from rapidfuzz.distance import OSA
from rapidfuzz.process import cpdist

from hub.columns.sorting import find_distinct_numbers

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint8]

#: counts of words are kept as log2 in steps of so much of a bit
_STEPS = 8
#: bits that a word tells at least
_LEAST_BITS = 0.5
#: a word that is a typo or a short form of the other's: what it is worth as a share of its bits, and in bits of coincidence
_UNSURE = 0.75
_UNSURE_COINCIDENCE = 2.0
#: a word that no text has but the two compared is a coincidence this often
_UNSEEN = 0.25
#: letters from which a word with one edit or two is the same word
_ONE_EDIT, _TWO_EDITS = 5, 9
#: letters of a short form at least, and those that it leaves out: tech, technologies
_SHORT_FORM, _LEFT_OUT = 3, 3


@dataclass(frozen=True)
class Vocabulary:
    """Texts as ascending word numbers: those of text t are ids[starts[t] : starts[t + 1]].

    counts: in how many texts each word is; of word 0, '', how many texts there are.
    """

    words: pl.Series
    starts: Longs
    ids: Longs
    counts: Floats


def split_words(texts: pl.Series) -> tuple[pl.Series, Longs, Longs]:
    """The distinct words of texts between single blanks, '' first, then ascending; starts and ids as of a Vocabulary."""
    frame = texts.cast(pl.String).fill_null("").to_frame("t").with_row_index("row").filter(pl.col("t") != "")
    told = frame.select("row", word=pl.col("t").str.split(" ")).explode("word").unique()
    words = pl.concat([pl.Series("word", [""], dtype=pl.String), told["word"].unique().sort()])
    places = words.to_frame().with_row_index("place")
    ids = told.join(places, on="word", how="left", maintain_order="left")["place"].to_numpy()
    keys = np.sort(told["row"].to_numpy().astype(np.int64) * len(words) + ids)
    starts = np.searchsorted(keys, np.arange(len(texts) + 1, dtype=np.int64) * len(words))
    return words, starts, keys % len(words)


def count_words(texts: pl.Series) -> Codes:
    """Per word of split_words in how many distinct texts it is, as log2 in steps; of word 0 how many there are."""
    distinct = texts.drop_nulls().unique()
    words, _, ids = split_words(distinct)
    counts = np.bincount(ids, minlength=len(words))
    counts[0] = len(distinct)
    return np.minimum(np.round(np.log2(np.maximum(counts, 1)) * _STEPS), 255).astype(np.uint8)


def build_vocabulary(texts: pl.Series, logs: Codes) -> Vocabulary:
    """logs: as of count_words, for the words of split_words in their order."""
    words, starts, ids = split_words(texts)
    return Vocabulary(words, starts, ids, np.exp2(logs.astype(np.float64) / _STEPS))


@dataclass(frozen=True)
class Shared:
    """Per pair of texts what the words of both tell, in shares of the bits.

    low, high: what the other has of the one and of the other, the smaller share first; 1 where nothing is left. both: of all.
    exact: no word is a typo or a short form. numbers: each has a number that the other has not. coincidences: log2 of how many
    of the texts have these words by chance.
    """

    low: Floats
    high: Floats
    both: Floats
    exact: Mask
    numbers: Mask
    coincidences: Floats


@dataclass(frozen=True)
class _Side:
    """The words of one text of each pair: whether the other has them, or one that is close."""

    pair: Longs
    word: Longs
    same: Mask
    close: Mask

    def add(self, values: Floats, where: Mask, n: int) -> Floats:
        """The sum of the values of those words, per pair."""
        return np.bincount(self.pair[where], weights=values[self.word[where]], minlength=n).astype(np.float64)


def share_words(vocabulary: Vocabulary, a: Longs, b: Longs) -> Shared:
    """What the texts of each pair share; it is the same whichever comes first."""
    n, size = len(a), max(float(vocabulary.counts[0]), 2.0)
    bits = np.maximum(np.log2(size / np.minimum(vocabulary.counts, size)), _LEAST_BITS)
    one, _ = sides = _pair_words(vocabulary, a, b)
    everything = [side.add(bits, np.ones(len(side.word), dtype=bool), n) for side in sides]
    told = [side.add(bits, side.same, n) + _UNSURE * side.add(bits, side.close, n) for side in sides]
    rest = [side.add(np.ones(len(bits)), ~(side.same | side.close), n) > 0 for side in sides]
    shares = [
        np.where(more, own / np.maximum(whole, _LEAST_BITS), 1.0) for own, whole, more in zip(told, everything, rest, strict=True)
    ]
    is_number = vocabulary.words.str.contains(r"\d").to_numpy().astype(np.float64)
    numbers = [side.add(is_number, ~(side.same | side.close), n) > 0 for side in sides]
    unsure = [side.add(np.ones(len(bits)), side.close, n) for side in sides]
    whole = np.minimum(*shares) == 1
    exact = (unsure[0] == 0) & (unsure[1] == 0)
    # a word of both is in two texts, but where they are one text
    own = np.where(whole & exact, 1.0, 2.0)[one.pair]
    counts = vocabulary.counts
    seen = np.log2((np.maximum(counts[one.word] - own, 0.0) + _UNSEEN) / size)
    by_chance = np.bincount(one.pair[one.same], weights=seen[one.same], minlength=n)
    alike = np.log2((np.maximum(counts - 1.0, 0.0) + _UNSEEN) / size) + _UNSURE_COINCIDENCE
    by_chance = by_chance + np.maximum(*(side.add(alike, side.close, n) for side in sides)) + np.log2(size)
    return Shared(
        low=np.minimum(*shares),
        high=np.maximum(*shares),
        both=(told[0] + told[1]) / np.maximum(everything[0] + everything[1], _LEAST_BITS),
        exact=exact,
        numbers=numbers[0] & numbers[1],
        coincidences=by_chance,
    )


def _pair_words(vocabulary: Vocabulary, a: Longs, b: Longs) -> tuple[_Side, _Side]:
    width = np.int64(len(vocabulary.words))
    found = [_list_words(vocabulary, rows) for rows in (a, b)]
    keys = [pair * width + word for pair, word in found]
    same = [np.isin(keys[0], keys[1], assume_unique=True), np.isin(keys[1], keys[0], assume_unique=True)]
    left = [(pair[~shared], word[~shared]) for (pair, word), shared in zip(found, same, strict=True)]
    close = [np.zeros(len(pair), dtype=bool) for pair, _ in found]
    for mask, shared, near in zip(close, same, _find_close(vocabulary, left, len(a)), strict=True):
        mask[np.flatnonzero(~shared)] = near
    one, other = (_Side(pair, word, shared, near) for (pair, word), shared, near in zip(found, same, close, strict=True))
    return one, other


def _list_words(vocabulary: Vocabulary, rows: Longs) -> tuple[Longs, Longs]:
    """The words of each row's text: the row's place, and the word."""
    lengths = vocabulary.starts[rows + 1] - vocabulary.starts[rows]
    pair = np.repeat(np.arange(len(rows)), lengths)
    within = np.arange(len(pair)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return pair, vocabulary.ids[np.repeat(vocabulary.starts[rows], lengths) + within]


def _find_close(vocabulary: Vocabulary, left: list[tuple[Longs, Longs]], n: int) -> tuple[Mask, Mask]:
    """Which of the words that the other text has not are a typo or a short form of one that it has."""
    (pair_a, word_a), (pair_b, word_b) = left
    counts = np.bincount(pair_b, minlength=n)
    first = np.cumsum(counts) - counts
    repeated = counts[pair_a]
    row_a = np.repeat(np.arange(len(pair_a)), repeated)
    row_b = np.arange(len(row_a)) - np.repeat(np.cumsum(repeated) - repeated, repeated) + np.repeat(first[pair_a], repeated)
    starts = vocabulary.words.str.slice(0, 1).hash().to_numpy()
    # a typo in the first letter is rare, and looking for it takes ten times as long
    alike = np.flatnonzero(starts[word_a[row_a]] == starts[word_b[row_b]])
    row_a, row_b = row_a[alike], row_b[alike]
    width = np.int64(len(vocabulary.words))
    one, two = word_a[row_a], word_b[row_b]
    distinct, place = find_distinct_numbers(np.minimum(one, two) * width + np.maximum(one, two))
    near = _are_close(
        vocabulary.words.gather(pl.Series(distinct // width)), vocabulary.words.gather(pl.Series(distinct % width))
    )[place]
    found = np.zeros(len(pair_a), dtype=bool), np.zeros(len(pair_b), dtype=bool)
    found[0][row_a[near]] = True
    found[1][row_b[near]] = True
    return found


def _are_close(a: pl.Series, b: pl.Series) -> Mask:
    frame = pl.DataFrame({"a": a, "b": b})
    edits = np.asarray(cpdist(a.to_list(), b.to_list(), scorer=OSA.distance, score_cutoff=2, dtype=np.uint8))
    one, two = pl.col("a").str.len_chars(), pl.col("b").str.len_chars()
    starts = pl.col("a").str.starts_with(pl.col("b")) | pl.col("b").str.starts_with(pl.col("a"))
    least = pl.min_horizontal(one, two)
    told = frame.select(
        length=least,
        short=starts & (least >= _SHORT_FORM) & (pl.max_horizontal(one, two) >= least + _LEFT_OUT),
        digits=pl.any_horizontal(pl.col("a", "b").str.contains(r"\d")),
    )
    length, short, digits = (told[column].to_numpy() for column in ("length", "short", "digits"))
    typo = (edits <= 1) & (length >= _ONE_EDIT) | (edits <= 2) & (length >= _TWO_EDITS)
    return np.asarray((typo | short) & ~digits)
