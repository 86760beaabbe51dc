"""Orders and ranks of whole numbers, small ones and such as fill a word."""

import numpy as np
import polars as pl
import pytest

from hub.columns.sorting import find_distinct_numbers, order_numbers, order_texts, rank_numbers, sort_numbers


def _draw(bits: int, distinct: int) -> np.ndarray:
    rng = np.random.default_rng(bits)
    return rng.integers(0, 2**bits, distinct, dtype=np.uint64)[rng.integers(0, distinct, 5_000)]


@pytest.mark.parametrize("bits", [3, 40, 64])
def test_equal_numbers_stay_in_the_order_in_which_they_come(bits: int) -> None:
    values = _draw(bits, 900)
    assert (order_numbers(values) == np.argsort(values, kind="stable")).all()


def test_numbers_that_differ_in_their_lowest_bit_alone_are_told_apart() -> None:
    values = np.tile(np.array([2**63 + 1, 2**63], dtype=np.uint64), 4_000)
    assert (order_numbers(values) == np.argsort(values, kind="stable")).all()


@pytest.mark.parametrize("bits", [3, 40, 64])
def test_ranks_and_distinct_values_are_those_of_numpy(bits: int) -> None:
    values = _draw(bits, 900)
    distinct, first, place = np.unique(values, return_index=True, return_inverse=True)
    ranks, firsts = rank_numbers(values)
    assert (ranks == place).all()
    assert (firsts == first).all()
    found, places = find_distinct_numbers(values)
    assert (found == distinct).all()
    assert (places == place).all()


def test_nothing_is_sorted_to_nothing() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert (
        len(sort_numbers(none))
        == len(order_numbers(none))
        == len(rank_numbers(none)[1])
        == len(find_distinct_numbers(none)[0])
        == 0
    )


@pytest.mark.parametrize(
    "texts",
    [
        ["b", "a", "", "ab", "b", "a"],
        [f"CUST-{number:09d}" for number in (70, 5, 5_000, 123_456_789, 5, 99)],
        ["深圳市甲", "深圳市乙科技有限公司", "深圳市乙科技", "深圳", "z", "深圳市乙科技有限公司"],
        ["x", "x", "x"],
        ["a\0", "a", "a\0\0"],
        [],
    ],
)
def test_texts_stand_in_the_order_of_their_bytes_and_equal_ones_as_they_come(texts: list[str]) -> None:
    expected = sorted(range(len(texts)), key=lambda place: texts[place].encode())
    assert order_texts(pl.Series(texts, dtype=pl.String)).tolist() == expected
