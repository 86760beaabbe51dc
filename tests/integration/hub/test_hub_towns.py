"""Persons of whom a list knows the name, the town and its postcode: neighbours share two of three columns."""

from datetime import UTC, datetime

import numpy as np
import polars as pl

from hub.evaluate import evaluate
from hub.resolve import resolve
from hub.rules.read import parse_rules
from hub.rules.suggest import suggest_rules
from hub.tables import gather_records

_GIVEN = ["Kate", "Lian", "Matthew", "Pauline", "Deborah", "Hugh", "Ivy", "Carl", "Raili", "Simone", "Trevor", "Nadia", "Oscar"]
_STARTS = ("Bar", "Chap", "Gal", "Hew", "Mel", "Rus", "Stol", "Tew", "Wal", "Wright", "Fen", "Dick")
_ENDS = ("man", "sen", "rose", "ke", "ton", "yen", "by", "ings", "mer", "ard")
_SURNAMES = [f"{start}{end}" for start in _STARTS for end in _ENDS]
_PLACES = ("Spring", "Green", "Fair", "Brook", "Clear", "West", "North", "Lake", "Stone", "Ash", "Oak", "King", "Mill", "Red")
_TOWNS = [
    f"{place}{end}" for place in _PLACES for end in ("field", "ville", "ton", "wood", "port", "bury", "ford", "ham", "dale")
]


def _list_neighbours(count: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Persons, one in three of them twice, the second time with a letter missing in the name or in the town."""
    generator = np.random.default_rng(5)
    rows = []
    for person in range(count):
        given, surname, town = (words[generator.integers(len(words))] for words in (_GIVEN, _SURNAMES, _TOWNS))
        postcode = str(4000 + 7 * _TOWNS.index(town))
        rows.append((given, surname, town, postcode, str(person)))
        if generator.random() < 0.33:
            place = generator.integers(1, 4)
            name, where = (surname[:place] + surname[place + 1 :], town) if generator.random() < 0.5 else (surname, town[:-1])
            rows.append((given, name, where, postcode, str(person)))
    table = pl.DataFrame(rows, schema=["given_name", "surname", "suburb", "postcode", "true_id"], orient="row")
    table = table.with_columns(source_key=pl.int_range(pl.len()).cast(pl.String))
    return table.drop("true_id"), table.select(pl.lit("neighbours").alias("source"), "source_key", "true_id")


def test_a_postcode_says_no_more_than_its_town() -> None:
    table, truth = _list_neighbours(3000)
    rules = parse_rules(suggest_rules(table), "suggested")
    gathered = gather_records({"neighbours": table}, rules)
    found = resolve(gathered.frame, rules=rules.rules, history=None, run_id="r1", at=datetime(2026, 1, 1, tzinfo=UTC))
    measured = evaluate(found.crosswalk, truth)
    assert measured["precision"] > 0.85
    assert measured["recall"] > 0.95
