"""A list of nothing but addresses: the flats of a house are many, and what they share is no proof."""

from datetime import UTC, datetime

import numpy as np
import polars as pl

from hub.evaluate import evaluate
from hub.resolve import resolve
from hub.rules.read import parse_rules
from hub.rules.suggest import suggest_rules
from hub.tables import gather_records

_STREETS = ["Main", "Oak", "Maple", "Church", "Station", "Park", "High", "Mill", "River", "Lake", "Cedar", "Elm", "Hill", "King"]
_KINDS = (("Street", "St"), ("Avenue", "Ave"), ("Road", "Rd"), ("Lane", "Ln"), ("Drive", "Dr"))
_STARTS = ("Spring", "Green", "Fair", "Brook", "Clear", "West")
_TOWNS = [f"{start}{end}" for start in _STARTS for end in ("field", "ville", "ton", "wood", "port")]


def _list_homes(count: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Homes, every other one of them in a house of many, up to three times each: the kind of street in full or short, now and
    then without the flat, one town in ten misspelt and one postcode in five missing."""
    generator = np.random.default_rng(3)
    rows = []
    for home in range(count):
        street, kind, town = (choices[generator.integers(len(choices))] for choices in (_STREETS, _KINDS, _TOWNS))
        number, flat = generator.integers(1, 400), generator.integers(1, 40)
        for _ in range(generator.choice([1, 2, 3], p=[0.6, 0.25, 0.15])):
            address = f"{number} {street} {kind[generator.integers(2)]}"
            if home % 2 and generator.random() < 0.9:
                address += f", Apt {flat}"
            postcode = str(20000 + 37 * _TOWNS.index(town)) if generator.random() < 0.8 else None
            written = town.replace(town[3], "", 1) if generator.random() < 0.1 else town
            rows.append((str(len(rows)), address, written, postcode, str(home)))
    table = pl.DataFrame(rows, schema=["source_key", "address", "city", "zip", "true_id"], orient="row")
    return table.drop("true_id"), table.select(pl.lit("homes").alias("source"), "source_key", "true_id")


def test_homes_are_told_by_suggested_rules_though_their_houses_are_shared() -> None:
    table, truth = _list_homes(4000)
    rules = parse_rules(suggest_rules(table), "suggested")
    gathered = gather_records({"homes": table}, rules)
    found = resolve(gathered.frame, rules=rules.rules, history=None, run_id="r1", at=datetime(2026, 1, 1, tzinfo=UTC))
    measured = evaluate(found.crosswalk, truth)
    assert measured["precision"] > 0.98
    assert measured["recall"] > 0.75
