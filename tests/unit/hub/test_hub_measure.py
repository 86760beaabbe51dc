"""The grammar of level tests."""

import polars as pl
import pytest

from hub.rules.model import RulesError
from hub.scoring.measure import measure, parse_test


def _measure(pairs: list[tuple[str, str]], *tests: str) -> list[int]:
    left, right = (pl.Series([pair[side] for pair in pairs]) for side in (0, 1))
    return measure([parse_test(test, "here") for test in tests], left, right).tolist()


def test_the_first_test_that_holds_counts_and_none_is_the_number_after_the_last() -> None:
    pairs = [("smith", "smith"), ("smith", "smiht"), ("smith", "smythe"), ("smith", "jones")]
    assert _measure(pairs, "same", "osa <= 1", "jaro_winkler >= 0.85") == [1, 2, 3, 4]


def test_every_test_gives_the_same_level_in_both_directions() -> None:
    pairs = [("华强电子", "华强电子科技"), ("12 high st", "12 high"), ("a", "anna"), ("martha", "marhta"), ("ab cd", "cd ab x")]
    tests = ("contains", "initial", "numbers and token_set >= 0.9", "jaro_winkler >= 0.93", "token_sort >= 0.7")
    assert _measure(pairs, *tests) == _measure([(b, a) for a, b in pairs], *tests)


def test_and_binds_closer_than_or() -> None:
    pairs = [("ab", "ac"), ("abcdefghi", "abcdefgxy"), ("abcd", "abce")]
    assert _measure(pairs, "osa <= 1 and length >= 4 or osa <= 2 and length >= 9") == [2, 1, 1]


def test_dates_agree_swapped_near_or_in_parts_and_an_impossible_date_is_near_nothing() -> None:
    pairs = [
        ("1990-03-04", "1990-04-03"),
        ("1990-01-31", "1990-02-01"),
        ("1990-05-06", "1990-05-21"),
        ("1990-13-45", "1990-12-31"),
    ]
    assert _measure(pairs, "swapped", "days <= 1", "parts >= 2") == [1, 2, 3, 4]


def test_numbers_compare_by_percent_and_by_distance() -> None:
    assert _measure([("100", "104"), ("100", "110"), ("1", "9"), ("0", "0")], "percent <= 5", "within <= 8.5") == [1, 3, 2, 1]


def test_words_prefixes_and_house_numbers() -> None:
    assert _measure([("hotel bel air", "bel air hotel")], "token_sort >= 1") == [1]
    assert _measure([("a b c d", "a b")], "token_overlap >= 0.5") == [1]
    assert _measure([("60618", "60643"), ("60618", "61200")], "prefix >= 3") == [1, 2]
    assert _measure([("12 high st", "12 high"), ("12 high st", "14 high st")], "numbers") == [1, 2]


def test_a_long_text_is_measured_by_its_beginning() -> None:
    same = "a long description " * 20
    assert _measure([(same + "x", same + "y"), ("x" + same, "y" + same)], "osa <= 0") == [1, 2]


def test_pinyin_spells_a_whole_chinese_name_with_the_surname_first_or_last() -> None:
    pairs = [("yanjie gao", "高艳杰"), ("高艳杰", "gao yan jie"), ("xiu ouyang", "欧阳修"), ("曾敏毅", "minyi zeng")]
    assert _measure([*pairs, ("吕布", "bu lyu")], "spells") == [1] * 5
    others = [("高艳杰", "jie yan gao"), ("王", "wang"), ("张伟", "张薇"), ("zhang wei", "wei zhang")]
    assert _measure(others, "spells") == [2] * 4


def test_characters_in_another_order_are_no_anagrams_and_scripts_are_told_apart() -> None:
    assert _measure([("桂英郭", "郭桂英"), ("董华怡", "董华艳"), ("amy", "may")], "characters") == [1, 2, 2]
    assert _measure([("张伟", "zhang wei"), ("小林", "木村"), ("tanaka", "mori"), ("ミサキ", "misaki")], "scripts") == [
        1,
        2,
        2,
        1,
    ]


@pytest.mark.parametrize(
    ("test", "advice"),
    [
        ("like", "write one of"),
        ("osa", "osa <= and a number"),
        ("osa >= 1", "osa <="),
        ("same <= 1", "same alone"),
        ("token_set >= 90", "0 to 1"),
    ],
)
def test_a_test_that_cannot_be_read_says_where_it_stands_and_what_to_write(test: str, advice: str) -> None:
    with pytest.raises(RulesError, match=r"comparisons\.name") as error:
        parse_test(test, "comparisons.name")
    assert advice in str(error.value)


def test_names_compare_by_their_ends_in_either_order() -> None:
    alike = [("john smith", "jonh smiht"), ("smith john", "john smith"), ("j smith", "john smith"), ("smith j", "john smith")]
    family = [("karen castillo", "andrea castillo"), ("castillo andrea", "karen castillo")]
    others = [("karen castillo", "james wood")]
    tests = ("ends >= 0.78", "end >= 0.85 and words >= 2", "end >= 0.85")
    assert _measure([*alike, *family, *others, ("smyth", "john smith")], *tests) == [1, 1, 1, 1, 2, 2, 4, 3]
    assert _measure([(b, a) for a, b in (*alike, *family, *others)], *tests) == [1, 1, 1, 1, 2, 2, 4]
