"""Orders and ranks of whole numbers, small ones and such as fill a word."""

import numpy as np
import pytest

from hub.sorting import find_distinct_numbers, order_numbers, rank_numbers, sort_numbers


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
