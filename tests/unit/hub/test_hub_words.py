"""Names as sets of words: what two of them share, and how often chance would give it."""

import numpy as np
import polars as pl

from hub.scoring.vocabulary import build_vocabulary, count_words, share_words, split_words


def share(texts, left, right):
    """What texts share, in a vocabulary that has counted them."""
    column = pl.Series(texts)
    return share_words(build_vocabulary(column, count_words(column)), np.array(left), np.array(right))


NAMES = [
    "bakery gordon",
    "bakery hill",
    "bakery lake",
    "bakery gordon lake",
    "bakry gordon",
    "arizona tech",
    "arizona technology",
]


def test_words_that_few_names_have_tell_more_than_common_ones():
    found = share(NAMES, [0, 1], [3, 3])
    # gordon and bakery of three words, bakery of three
    assert found.high[0] == 1
    assert found.both[0] > 2 * found.both[1]
    assert found.coincidences[0] < found.coincidences[1]


def test_a_typo_and_a_short_form_are_close_and_never_the_same():
    found = share(NAMES, [0, 5, 0], [4, 6, 0])
    assert found.low.tolist() == [1, 1, 1]
    assert found.exact.tolist() == [False, False, True]


def test_two_names_that_differ_in_a_number_each_are_marked():
    found = share(["center 202", "center 2929", "center"], [0, 0], [1, 2])
    assert found.numbers.tolist() == [True, False]


def test_what_names_share_is_the_same_whichever_comes_first():
    there, back = share(NAMES, [0, 0, 5], [3, 4, 1]), share(NAMES, [3, 4, 1], [0, 0, 5])
    for part in ("low", "high", "both", "exact", "numbers", "coincidences"):
        assert getattr(there, part).tolist() == getattr(back, part).tolist()


def test_a_name_counts_once_however_many_records_have_it():
    repeated = pl.Series([*NAMES, *["bakery gordon"] * 50])
    assert count_words(repeated).tolist() == count_words(pl.Series(NAMES)).tolist()
    assert split_words(repeated)[0].to_list() == split_words(pl.Series(NAMES))[0].to_list()
