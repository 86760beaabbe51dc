"""What suggested rules make of lists of persons as registers write them: names and dates in parts, towns with their counties."""

import polars as pl

from hub.normalize.kinds import derive
from hub.rules.model import Field
from hub.rules.profile import profile_column
from hub.rules.read import parse_rules
from hub.rules.suggest import suggest_rules

_GIVEN = ["anna", "bert", "cora", "dora", "emil"]
_SURNAMES = ["north", "south", "west", "east"]
_TOWNS = ["leeds", "york", "hull", "selby", "ripon", "whitby"]
_N = 6000
_LIST = {
    "fname_c1": [_GIVEN[k % 5] for k in range(_N)],
    "lname_c1": [_SURNAMES[k % 4] + "abcde"[k // 4 % 5] for k in range(_N)],
    "town": [_TOWNS[k * 7 % 6] for k in range(_N)],
    "by": [str(1900 + k * 13 % 97) for k in range(_N)],
}


def test_parts_of_names_are_names() -> None:
    given = ("fname_c1", "first_nm", "NAME_FIRST", "PRIMARY_NAME_FIRST", "Vorname", "given_name_2")
    assert {profile_column(pl.Series(header, _GIVEN)).kind for header in given} == {"given"}
    surnames = ("lname_c1", "last_nm", "NAME_LAST", "Nachname", "surname1")
    assert {profile_column(pl.Series(header, _SURNAMES)).kind for header in surnames} == {"surname"}


def test_a_year_a_month_and_a_day_are_one_date() -> None:
    born = {"bm": [str(1 + k % 12) for k in range(_N)], "bd": [str(1 + k * 11 % 28) for k in range(_N)]}
    rules = parse_rules(suggest_rules(pl.DataFrame(_LIST | born)), "suggested").rules
    date = next(field for field in rules.fields if field.name == "date")
    assert (date.kind, date.columns) == ("full_date", ("by", "bm", "bd"))
    # a month alone is no date, nor are days that most months lack
    rare = born | {"bd": [day if k % 2 else None for k, day in enumerate(born["bd"])]}
    for columns in ({"bm": born["bm"]}, rare):
        rules = parse_rules(suggest_rules(pl.DataFrame(_LIST | columns)), "suggested").rules
        assert "date" not in {field.name for field in rules.fields}


def test_a_date_is_read_from_its_parts() -> None:
    parts = pl.DataFrame({"y": ["1967", "1967", None], "m": ["9", "9.0", "9"], "d": ["27", None, "27"]})
    found = derive(parts, [Field("born", "full_date", ("y", "m", "d"))])
    assert found["born"].to_list() == ["1967-09-27", None, None]


def test_the_city_of_an_address_is_a_place() -> None:
    headers = ("ADDR_CITY", "address_state", "address_country", "mail_addr_town")
    assert {profile_column(pl.Series(header, _TOWNS)).kind for header in headers} == {"place"}
    assert profile_column(pl.Series("addr_type", ["home", "office"] * 60)).kind == "category"


def test_a_surname_and_a_year_find_candidates_together_though_many_share_either() -> None:
    rules = parse_rules(suggest_rules(pl.DataFrame(_LIST)), "suggested").rules
    assert ("name.surname", "by") in {key.parts for key in rules.block_keys}


def test_a_county_that_the_town_names_already_is_not_compared_beside_it() -> None:
    def list_compared(counties: list[str]) -> set[str]:
        rules = parse_rules(suggest_rules(pl.DataFrame(_LIST | {"county": counties})), "suggested").rules
        return {one.name for one in rules.comparisons}

    own = [f"riding of {town[:2]}" for town in _LIST["town"]]
    assert "place" in list_compared(own)
    assert "county" not in list_compared(own)
    assert "county" in list_compared([own[k * 5 % 7] for k in range(_N)])
