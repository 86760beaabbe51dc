"""Orders and ranks of whole numbers. Number and place are packed into one word: polars sorts words in a quarter of the time that
numpy sorts them, and in a tenth of the time that numpy sorts places by them."""

from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import polars as pl

Ids = npt.NDArray[np.int32]
Words = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.integer[Any]]
Array = TypeVar("Array", bound=Numbers)

_WORD = 64
#: bytes of a text in a word
_HEAD = 8
_ODD = np.uint64(0x9E3779B97F4A7C15)


def sort_numbers(values: Array) -> Array:
    """The values, ascending, in an array that may not be written to."""
    ordered = pl.Series(values).sort(multithreaded=False).to_numpy()
    return cast("Array", ordered)


def order_numbers(values: Numbers) -> Ids:
    """Where the values stand in ascending order, equal ones as they come. None is negative."""
    return _order(values.astype(np.uint64, copy=False))


def rank_numbers(values: Numbers) -> tuple[Ids, Ids]:
    """Per value its place among the distinct ones, ascending, and the first row of each. No value is negative."""
    order = order_numbers(values)
    if not len(order):
        return order, order
    ordered = values[order]
    starts = np.r_[True, ordered[1:] != ordered[:-1]]
    ranks = np.empty(len(order), dtype=np.int32)
    ranks[order] = np.cumsum(starts, dtype=np.int32) - np.int32(1)
    return ranks, order[starts]


def find_distinct_numbers(values: Array) -> tuple[Array, Ids]:
    """The distinct values, ascending, and per value its place among them. None is negative."""
    words = values.astype(np.uint64, copy=False)
    if not _count_over(words):
        ranks, first = rank_numbers(values)
        return cast("Array", values[first]), ranks
    # an odd factor loses nothing, and brings what tells wide values apart into the bits that are sorted by
    ranks, first = rank_numbers(words * _ODD)
    order = np.argsort(values[first])
    place = np.empty(len(first), dtype=np.int32)
    place[order] = np.arange(len(first), dtype=np.int32)
    return cast("Array", values[first[order]]), place[ranks]


def _count_over(values: Words) -> int:
    """How many of the lowest bits of the values find no room beside their places."""
    return max(int(values.max(initial=np.uint64(0))).bit_length() + len(values).bit_length() - _WORD, 0)


def _order(values: Words) -> Ids:
    width, over = len(values).bit_length(), _count_over(values)
    packed = (values >> np.uint64(over)) << np.uint64(width) | np.arange(len(values), dtype=np.uint64)
    packed = sort_numbers(packed)
    order = (packed & np.uint64((1 << width) - 1)).astype(np.int32)
    return _mend(order, values, packed >> np.uint64(width)) if over else order


def _mend(order: Ids, values: Words, seen: Words) -> Ids:
    """The order by all bits of the values, where it is that by those seen."""
    ordered = values[order]
    alike = seen[1:] == seen[:-1]
    if not (alike & (ordered[1:] != ordered[:-1])).any():
        return order
    rows = np.flatnonzero(np.r_[alike, False] | np.r_[False, alike])
    order[rows] = order[rows][np.lexsort((order[rows], ordered[rows]))]
    return order


def order_texts(texts: pl.Series) -> Ids:
    """Where the texts stand in ascending order of their bytes, equal ones as they come. None is null.

    The eight bytes behind the beginning that all have in common are sorted as numbers; only texts alike in these are compared.
    """
    low, high = texts.min(), texts.max()
    if low is None or low == high:
        return np.arange(len(texts), dtype=np.int32)
    first, last = str(low).encode(), str(high).encode()
    start = next((place for place, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    binary = texts.to_frame("text").select((pl.col("text") + "\0" * _HEAD).cast(pl.Binary)).to_series()
    heads = binary.bin.slice(start, _HEAD).bin.reinterpret(dtype=pl.UInt64, endianness="big").to_numpy()
    order = order_numbers(heads)
    alike = heads[order[1:]] == heads[order[:-1]]
    rows = np.flatnonzero(np.r_[alike, False] | np.r_[False, alike])
    if len(rows):
        tied = order[rows]
        tied.sort()
        same = texts.gather(pl.Series(tied)).to_frame("text")
        order[rows] = tied[same.select(pl.arg_sort_by("text", maintain_order=True)).to_series().to_numpy()]
    return order
