"""Whether two names at one door are two persons: a list says so itself, by who comes again."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from hub.resolve import Resolution, resolve
from hub.rules.read import load_rules

_GIVEN = ("James", "Mary", "Robert", "Linda", "David", "Susan", "Thomas", "Karen", "Daniel", "Betty", "Mark", "Donna")
_STARTS = ("Bar", "Castle", "Del", "Fen", "Gar", "Hol", "Kel", "Lans", "Mor", "Nor")
_ENDS = ("low", "ton", "ford", "wick", "land", "ding", "stad", "bury", "well", "field", "mont", "sworth")


def _resolve(rows: list[dict[str, Any]]) -> Resolution:
    records = pl.DataFrame(rows, schema_overrides={"source": pl.String}).with_row_index("source_key").cast(pl.String)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return resolve(records, rules=load_rules("person"), history=None, run_id="run", at=at)


def _list_homes(given: int, times: int, apart: bool = False) -> list[dict[str, str]]:
    """120 homes, a quarter with so many given names, each so often, `apart` in a list of its own; the others with one, twice."""
    rows = []
    for number in range(120):
        address = f"{100 + 7 * number} {_ENDS[number // 10].title()}{_STARTS[number % 10].lower()} Street"
        surname = _STARTS[number % 10] + _ENDS[number // 10]
        names = [_GIVEN[(number + 5 * step) % 12] for step in range(given)] if number % 4 == 0 else [_GIVEN[number % 12]]
        for step, name in enumerate(names):
            often = times if len(names) > 1 else 2
            source = f"list {step}" if apart else "list"
            rows += [{"source": source, "full_name": f"{name} {surname}", "address": address, "city": "Salem"}] * often
    return rows


def _count_owners(found: Resolution) -> int:
    return found.crosswalk["gid"].n_unique()


def test_names_that_never_come_again_at_their_door_are_another_ones() -> None:
    found = _resolve(_list_homes(given=2, times=1))
    assert found.model.report["raised"]["household"] > 0
    assert _count_owners(found) == 120


@pytest.mark.parametrize("rows", [_list_homes(given=2, times=2), _list_homes(given=2, times=1, apart=True)])
def test_persons_who_come_again_or_whom_lists_of_their_own_name_are_families(rows: list[dict[str, str]]) -> None:
    found = _resolve(rows)
    assert not found.model.report["raised"]
    assert _count_owners(found) == 150


@pytest.mark.parametrize("times", [(2, 1), (2, 2)])
def test_few_doubles_say_so_where_one_of_two_names_comes_again_and_the_other_never(times: tuple[int, int]) -> None:
    rows = []
    for number in range(480):
        begin, end = _STARTS[number % 10], _ENDS[number // 10 % 12]
        address, surname = f"{100 + 7 * number} {end.title()}{begin.lower()} Street", begin + end
        for step, often in enumerate(times if number < 40 else (1,)):
            row = {
                "source": "list",
                "full_name": f"{_GIVEN[(number + number // 120 + 5 * step) % 12]} {surname}",
                "address": address,
            }
            rows += [row] * often
    found = _resolve(rows)
    assert ("household" in found.model.report["raised"]) == (times == (2, 1))
