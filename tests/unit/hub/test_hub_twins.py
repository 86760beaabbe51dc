"""Lists that hardly repeat what they have: how that is seen, and what follows for what looks alike within one of them."""

from datetime import UTC, datetime
from itertools import combinations

import polars as pl

from hub.columns.prepare import prepare
from hub.resolve import resolve
from hub.rules.model import Rules
from hub.rules.read import parse_rules
from hub.rules.suggest import suggest_rules
from hub.training.twins import find_repeats, hold_back

_MAKERS = ("Alba", "Borex", "Cintra", "Delvo", "Erika", "Fonda", "Galt", "Hirsch", "Ilex", "Jura")
_THINGS = ("kettle", "toaster", "radio", "lamp", "mixer", "heater", "drill", "grill", "scale", "clock")
_COLOURS = ("black", "white", "red")


def _list_products() -> list[dict[str, str]]:
    """300 products, three colours of each of a hundred, which have a number each and differ in nothing else."""
    return [
        {
            "product": f"{maker} {thing} {_COLOURS[colour]}",
            "serial": f"{ord(maker[0])}{ord(thing[0])}{ord(thing[1])}{97 * colour + 13}",
            "maker": maker,
            "size": f"{ord(maker[1])}x{ord(thing[1])}x{ord(thing[2])}",
        }
        for maker in _MAKERS
        for thing in _THINGS
        for colour in range(3)
    ]


def _read(rows: list[dict[str, str]]) -> tuple[pl.DataFrame, Rules]:
    records = pl.DataFrame(rows).with_columns(source_key=pl.int_range(len(rows)).cast(pl.String))
    return records, parse_rules(suggest_rules(records), "suggested.toml").rules


def _write(products: list[dict[str, str]], source: str, **changes: pl.Expr) -> list[dict[str, str]]:
    return pl.DataFrame(products).with_columns(source=pl.lit(source), **changes).to_dicts()


def _list_shops() -> list[dict[str, str]]:
    """Two shops that write the same products otherwise."""
    products = _list_products()
    return [*_write(products, "one"), *_write(products[:200], "two", product=pl.format("{} (new)", "product"))]


def _find(records: pl.DataFrame, rules: Rules) -> object:
    _, parts = prepare(records, rules)
    return find_repeats(parts, rules)


def test_values_that_two_lists_share_and_none_repeats_say_that_lists_repeat_nothing() -> None:
    repeats = _find(*_read(_list_shops()))
    assert repeats is not None
    assert repeats.odds < 0.05  # type: ignore[attr-defined]
    assert repeats.bits < -4  # type: ignore[attr-defined]


def test_sources_that_repeat_themselves_say_nothing() -> None:
    products = _list_products()
    twice = [*_write(products[:100], "one"), *_write(products[:100], "one"), *_write(products[100:150], "two")]
    assert _find(*_read([*twice, *_write(products[150:250], "one"), *_write(products[150:250], "two")])) is None


def test_one_column_that_each_source_keeps_unique_is_no_proof() -> None:
    rows = [
        {"source": source, "person": f"{first} {thing}", "street": f"{number} {thing} road", "mail": mail}
        for number, (first, thing) in enumerate((first, thing) for first in _MAKERS for thing in _THINGS)
        for source, mail in (
            (("one", f"m{number}@alpha.com"), ("two", f"m{number}@alpha.com"))
            if number % 2
            else (("one", f"m{number}@alpha.com"), ("one", f"m{number}@beta.com"))
        )
    ]
    assert _find(*_read(rows)) is None


def test_what_is_held_back_within_a_source_matches_as_often_as_its_twins_say() -> None:
    bits = pl.Series([6.0] * 100 + [4.0] * 100).to_numpy()
    within = bits < 5
    counts = (bits > 0).astype("int64")
    held = bits[within] + hold_back(bits, counts, within, 0.1)
    assert abs((1 / (1 + 2.0**-held)).sum() - 0.1 * 100) < 0.5
    assert hold_back(bits, counts, within, 2.0) == 0.0


def test_colours_of_a_clean_list_stay_apart_and_find_their_own_in_the_other() -> None:
    records, rules = _read(_list_shops())
    found = resolve(records, rules=rules, history=None, run_id="a", at=datetime(2026, 1, 1, tzinfo=UTC))
    gid = dict(found.crosswalk.select("source_key", "gid").iter_rows())
    serial = dict(records.select("source_key", "serial").iter_rows())
    source = dict(records.select("source_key", "source").iter_rows())
    joined = [(a, b) for a, b in combinations(sorted(gid), 2) if gid[a] == gid[b]]
    assert not [pair for pair in joined if source[pair[0]] == source[pair[1]]]
    assert len([(a, b) for a, b in joined if serial[a] == serial[b]]) > 150
