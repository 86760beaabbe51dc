"""Mistakes in rules files, and columns whose names golden records, fields or TOML have no room for."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from hub.columns.prepare import RecordsError
from hub.resolve import resolve
from hub.results.hierarchy import add_hierarchy
from hub.rules.check import RESERVED
from hub.rules.model import RulesError
from hub.rules.read import load_rules, parse_rules
from hub.rules.suggest import suggest_rules
from hub.tables import gather_records


def _choose(*attributes: str) -> str:
    return f'[[survivors]]\nattributes = {list(attributes)}\norder = ["majority"]\n[weights]'


_GOOD = """
entity = "thing"
id_prefix = "T"
[fields.name]
kind = "name"
columns = ["title"]
[comparisons.name]
frequency = true
levels = ["same", "close: token_sort >= 0.9"]
[keys.name]
parts = ["name.sorted"]
[weights]
"name.*" = 1.0
"name.same~2" = -0.5
"""


def test_a_rules_file_becomes_rules_and_its_patterns_add_up() -> None:
    rules = parse_rules(_GOOD, "thing.toml").rules
    assert rules.comparisons[0].levels[1].test == "token_sort >= 0.9"
    assert rules.weights["name.close"] == 1.0
    assert rules.weights["name.same~2"] == 0.5


@pytest.mark.parametrize(
    ("old", "new", "place", "advice"),
    [
        ('kind = "name"', 'kind = "nmae"', "fields.name.kind", "one of address"),
        ('kind = "name"', "", "fields.name.kind", "is missing"),
        ('kind = "name"', 'kind = "full_name"', "fields.name.columns", "given name, surname; 1"),
        ('kind = "name"', 'kind = "scoped_code"', "fields.name.columns", "code, source, key; 1"),
        ('kind = "name"', 'kind = "full_date"', "fields.name.columns", "year, month, day; 1"),
        ("frequency = true", "frequent = true", "comparisons.name.frequent", "correct its spelling"),
        ("token_sort >= 0.9", "token_sort >= 90", "comparisons.name.levels.close", "0 to 1"),
        ('"name.sorted"', '"name.sortd"', "keys.name.parts", "name.sorted"),
        ('"name.same~2"', '"name.equal"', "weights", "comparison.level"),
        ('parts = ["name.sorted"]', 'parts = ["name.sorted"]\ncap = 1', "keys.name.cap", "2"),
        ('entity = "thing"', 'entity = "thing"\nvetoes = ["name.close unless name.equal"]', "vetoes", "'name.equal' is no level"),
        ('entity = "thing"', 'entity = "thing', "not valid TOML", "line 2"),
        ('["title"]', '["title", "name.frst"]', "fields.name.columns", "name.first"),
        ("[weights]", _choose("title: name.shwn"), "survivors.title", "name.shown"),
        ("[weights]", _choose("key: source_key"), "survivors.key", "'source_key' is no part"),
        ("[weights]", _choose("gid"), "survivors", "own_gid: gid"),
        ("[weights]", _choose("parent_gid: title"), "survivors", "own_parent_gid: title"),
        ("[weights]", _choose("title", "title: name"), "survivors", "'title' is chosen more than once"),
        ("[weights]", _choose("title:"), "survivors", "write its name"),
        ('entity = "thing"', 'entity = "thing"\ntraining = "certain"', "training", "or write em"),
        ("[weights]", "".join(f'[keys.k{k}]\nparts = ["name"]\n' for k in range(32)) + "[weights]", "keys", "32 at most"),
        ('parts = ["name.sorted"]', 'parts = ["name.sorted"]\ncap = 5\npivots = 30', "keys.name.pivots", "above the cap, 5"),
        ('entity = "thing"', 'entity = "thing"\nmatch_bits = nan', "match_bits", "finite number"),
        ('entity = "thing"', 'entity = "thing"\nsilence_bits = 1e300', "silence_bits", "1000"),
        ('"name.*" = 1.0', '"name.*" = inf', "weights.name.*", "finite number"),
        ('entity = "thing"', 'entity = "thing"\nreview_bits = 12\nmatch_bits = 1', "review_bits", "above match_bits, 1"),
    ],
)
def test_a_mistake_is_reported_with_file_place_and_advice(old: str, new: str, place: str, advice: str) -> None:
    with pytest.raises(RulesError) as error:
        parse_rules(_GOOD.replace(old, new), "thing.toml")
    for text in ("thing.toml", place, advice):
        assert text in str(error.value)


def test_every_column_that_golden_records_have_of_their_own_is_reserved() -> None:
    records = pl.DataFrame({"source": ["crm"], "source_key": ["1"], "company_name": ["上海云帆科技有限公司"]})
    rules = load_rules("organisation")
    result = resolve(records, rules=rules, history=None, run_id="r", at=datetime(2026, 1, 1, tzinfo=UTC))
    chosen = {name for survivor in rules.survivors for name, _ in survivor.values}
    columns = {*result.golden.columns, *add_hierarchy(result).columns}
    assert columns - chosen <= {*RESERVED}


def _resolve_suggested(**columns: list[str]) -> dict[str, object]:
    """The first golden record by the suggested rules."""
    rules = parse_rules(suggest_rules(pl.DataFrame(columns)), "suggested").rules
    table = pl.DataFrame(columns).head(1).with_columns(source=pl.lit("crm"), source_key=pl.lit("1"))
    return resolve(table, rules=rules, history=None, run_id="r", at=datetime(2026, 1, 1, tzinfo=UTC)).golden.row(0, named=True)


_NAMES = [f"Gadget No {k}" for k in range(60)]


def test_columns_of_a_flattened_export_survive_beside_one_that_is_called_as_they_begin() -> None:
    streets, cities = [f"{k} Oak Street" for k in range(60)], ["Leeds", "York", "Bath"] * 20
    found = _resolve_suggested(**{"name": _NAMES, "address": streets[::-1], "address.street": streets, "address.city": cities})
    assert found["address"] == "59 Oak Street"
    assert (found["address.street"], found["address.city"]) == ("0 Oak Street", "Leeds")


def test_columns_that_golden_records_or_rules_have_too_survive_under_another_name() -> None:
    groups = [f"Group {k // 3}" for k in range(60)]
    found = _resolve_suggested(**{"name": _NAMES, "gid": groups, "parent_gid": groups[::-1], "Maker: brand": _NAMES[::-1]})
    assert (found["own_gid"], found["own_parent_gid"], found["Maker  brand"]) == ("Group 0", "Group 19", "Gadget No 59")


def test_rules_of_organisations_leave_out_columns_that_would_be_parts_of_their_fields() -> None:
    names = [f"上海云帆{k}科技有限公司" for k in range(60)]
    text = suggest_rules(
        pl.DataFrame({"客户": names, "address.city": ["上海", "苏州"] * 30, "城市": ["上海", "苏州", "广州"] * 20})
    )
    assert text.startswith("# left out, since these rules have such a field: address.city\n")
    assert {field.name: field.columns for field in parse_rules(text, "suggested").rules.fields}["place"][0] == "城市"


def test_headers_that_toml_would_misread_are_written_so_that_it_does_not() -> None:
    header = 'na\x7fme\n"x'
    text = suggest_rules(pl.DataFrame({header: _NAMES, "li\nst": [["a"]] * 60, "took": [timedelta(k) for k in range(60)]}))
    assert text.startswith("# left out, since no text: li\\nst, took\n")
    assert parse_rules(text, "suggested").rules.fields[0].columns == (header,)


def test_a_duration_is_refused_as_a_value() -> None:
    rules = parse_rules(_GOOD, "thing.toml")
    with pytest.raises(RecordsError, match="title holds Duration"):
        gather_records({"things": pl.DataFrame({"source_key": ["1"], "title": [timedelta(1)]})}, rules)
