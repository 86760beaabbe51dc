"""Tax numbers: both check characters, against python-stdnum and by hand."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import uscc

from hub.normalize.codes import check_credit_codes, check_organisation_codes, parse_tax_numbers

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@settings(max_examples=200)
@given(st.text(ALPHABET, min_size=8, max_size=8), st.text(ALPHABET, min_size=9, max_size=9), st.sampled_from(ALPHABET))
def test_outer_check_agrees_with_stdnum(front, body, last):
    digits = "".join(str(ALPHABET.index(character) % 10) for character in front)
    typed, right = digits + body + last, digits + body
    right += uscc.calc_check_digit(right)
    assert check_credit_codes([right]).tolist() == [True]
    assert check_credit_codes([typed]).tolist() == [uscc.is_valid(typed)]


def test_published_codes_pass_both_checks():
    # registration numbers that the companies print on their own pages
    codes = pl.Series(["91110000802100433B", "914403001922038216", "91330100799655058B"])
    assert parse_tax_numbers(codes)["tax_code"].to_list() == codes.to_list()


def test_inner_organisation_code_must_hold_too(credit_code):
    good = credit_code(71000001)
    inner = good[8:17]
    assert check_organisation_codes([inner]).tolist() == [True]
    broken = good[:16] + ("1" if good[16] != "1" else "2")
    broken += uscc.calc_check_digit(broken)
    assert uscc.is_valid(broken)
    assert parse_tax_numbers(pl.Series([broken]))["tax_code"].to_list() == [None]


def test_a_code_of_no_province_is_no_code(credit_code):
    nowhere = "9199" + credit_code(71000001)[4:17]
    nowhere += uscc.calc_check_digit(nowhere)
    assert uscc.is_valid(nowhere)
    assert parse_tax_numbers(pl.Series([nowhere]))["tax_code"].to_list() == [None]


def test_placeholders_and_unknown_leading_pairs_are_no_codes(credit_code):
    unknown = "99" + credit_code(71000001)[2:17]
    unknown += uscc.calc_check_digit(unknown)
    values = pl.Series(["000000000000000000", "无", "", None, "111111111111111111", unknown])
    assert parse_tax_numbers(values)["tax_code"].to_list() == [None] * 6


def test_older_forms_point_to_the_same_organisation_code(credit_code):
    code = credit_code(71000001)
    old = "310000" + code[8:17]
    parsed = parse_tax_numbers(pl.Series([code, old, code[8:17], f" {code.lower()[:8]} {code[8:]}"]))
    assert parsed["tax_key"].to_list() == [code[8:17]] * 4
    assert parsed["tax_code"].to_list() == [code, None, None, code]


def test_a_number_that_a_spreadsheet_took_for_an_amount_is_read_as_it_was():
    found = parse_tax_numbers(pl.Series(["310115123456789.0", "3.10115123456789E+14", "310115123456789", "3.10115E+14"]))
    assert found["tax_key"].to_list() == ["310115123456789"] * 3 + [None]


def test_a_number_of_one_character_is_no_organisation_code_though_its_check_character_holds():
    # for 1 eight times: 11 - 48 % 11 = 7
    alike = ["000000000", "111111117", "33333333X", "AAAAAAAA4", "BBBBBBBB0"]
    assert check_organisation_codes([*alike, "111111125"]).tolist() == [False] * len(alike) + [True]
    assert parse_tax_numbers(pl.Series([*alike, "111111125"]))["tax_key"].to_list() == [None] * len(alike) + ["111111125"]
