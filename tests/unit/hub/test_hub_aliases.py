"""Aliases: names that share no character with the registered one, as a dated table."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from hub.normalize.aliases import choose_bearers, list_bearings, replace_aliases
from hub.resolve import resolve
from hub.rules.aliases import add_aliases, read_aliases
from hub.rules.model import Alias, RulesError
from hub.rules.read import load_rules, read_rules

REGISTERED = "拉扎斯网络科技(上海)有限公司"


def count_customers(records, rules):
    return (
        resolve(records, rules=rules, history=None, run_id="r", at=datetime(2026, 1, 1, tzinfo=UTC)).crosswalk["gid"].n_unique()
    )


def test_a_brand_is_joined_with_the_registered_name_that_it_stands_for(parties):
    records = parties({"company_name": "饿了么"}, {"company_name": REGISTERED}, {"company_name": "上海云帆科技有限公司"})
    rules = load_rules("organisation")
    assert count_customers(records, rules) == 3
    told = add_aliases(rules, pl.DataFrame({"alias": ["饿了么"], "name": [REGISTERED]}))
    assert count_customers(records, told) == 2
    assert told.version != rules.version


def test_an_alias_still_bows_to_a_conflict_of_credit_codes(parties, credit_code):
    records = parties(
        {"company_name": "饿了么", "tax_no": credit_code(71000001)}, {"company_name": REGISTERED, "tax_no": credit_code(71000002)}
    )
    told = add_aliases(load_rules("organisation"), pl.DataFrame({"alias": ["饿了么"], "name": [REGISTERED]}))
    assert count_customers(records, told) == 2


def test_a_name_borne_in_turn_stands_for_its_last_bearer_and_one_borne_at_once_for_nobody():
    aliases = [
        Alias("远帆科技", "上海云帆科技有限公司", "2010-01-01", "2015-01-01"),
        Alias("远帆科技", "杭州鹏翔贸易有限公司", "2018-01-01"),
        Alias("双星", "上海甲乙科技有限公司"),
        Alias("双星", "北京丙丁科技有限公司"),
    ]
    replaced = replace_aliases(pl.Series(["|远帆科技||", "|双星||", "|云帆科技||"]), list_bearings(tuple(aliases)))
    assert replaced.to_list() == ["杭州|鹏翔贸易||", "|双星||", "|云帆科技||"]


@pytest.mark.parametrize(
    ("day", "bearer"),
    [
        (date(2012, 5, 1), "上海|云帆科技||"),
        (date(2020, 5, 1), "杭州|鹏翔贸易||"),
        # the day on which it passed on
        (date(2015, 1, 1), "杭州|鹏翔贸易||"),
        # nobody bore it: who gave it up last, else who took it first
        (date(2024, 5, 1), "杭州|鹏翔贸易||"),
        (date(2005, 5, 1), "上海|云帆科技||"),
        # two took it on one day
        (date(2030, 5, 1), "|远帆科技||"),
    ],
)
def test_whom_a_name_borne_in_turn_means_depends_on_the_day(day, bearer):
    aliases = (
        Alias("远帆科技", "上海云帆科技有限公司", "2010-01-01", "2015-01-01"),
        Alias("远帆科技", "杭州鹏翔贸易有限公司", "2015-01-01", "2022-01-01"),
        Alias("远帆科技", "北京丙丁科技有限公司", "2025-01-01"),
        Alias("远帆科技", "上海甲乙科技有限公司", "2025-01-01"),
    )
    asked = pl.DataFrame({"key": ["|远帆科技||"], "day": [(day - date(1970, 1, 1)).days]}, schema_overrides={"day": pl.Int32})
    assert choose_bearers(asked, list_bearings(aliases))["bearer"].item() == bearer


def test_a_record_under_a_name_borne_in_turn_is_who_bore_it_when_the_record_was_made(parties):
    first, last = "上海云帆科技有限公司", "杭州鹏翔贸易有限公司"
    table = pl.DataFrame({"alias": ["远帆科技"] * 2, "name": [first, last], "valid_from": ["2000-01-01", "2015-01-01"]})
    rules = add_aliases(load_rules("organisation"), table.with_columns(valid_to=pl.Series(["2010-12-31", None])))
    times = [
        None,
        None,
        datetime(2005, 5, 1, tzinfo=UTC),
        datetime(2006, 5, 1, tzinfo=UTC),
        datetime(2020, 5, 1, tzinfo=UTC),
        None,
    ]
    records = parties(*({"company_name": name} for name in [first, last, *["远帆科技"] * 4]))
    records = records.with_columns(created_at=pl.Series(times, dtype=pl.Datetime("us", "UTC")))
    found = resolve(records, rules=rules, history=None, run_id="r", at=datetime(2026, 1, 1, tzinfo=UTC)).crosswalk
    gid = dict(
        zip(records["source_key"], records.join(found, on=["source", "source_key"], maintain_order="left")["gid"], strict=True)
    )
    ids = [gid[key] for key in records["source_key"]]
    assert ids[0] != ids[1]
    assert ids == [ids[0], ids[1], ids[0], ids[0], ids[1], ids[1]]


def test_a_rules_file_names_its_table_beside_it(tmp_path, parties):
    rules = (
        'entity = "organisation"\nid_prefix = "O"\ntraining = "fixed"\n[aliases]\nfile = "aliases.csv"\n'
        '[fields]\nname = { kind = "company", columns = ["company_name"] }\n'
        '[comparisons]\nname = { levels = ["company"] }\n[keys]\nname = { parts = ["name"] }\n'
        '[weights]\nprior = -5.0\n"name.alias" = 9.0\n'
    )
    (tmp_path / "rules.toml").write_text(rules, encoding="utf-8")
    with pytest.raises(RulesError, match="is missing"):
        read_rules(tmp_path / "rules.toml")
    (tmp_path / "aliases.csv").write_text(f"alias,name,valid_from\n饿了么,{REGISTERED},2009-01-01\n", encoding="utf-8")
    read = read_rules(tmp_path / "rules.toml").rules
    assert count_customers(parties({"company_name": "饿了么"}, {"company_name": REGISTERED}), read) == 1


def test_a_table_without_names_is_refused():
    with pytest.raises(RulesError, match="no column name"):
        add_aliases(load_rules("organisation"), pl.DataFrame({"alias": ["饿了么"]}))


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({"valid_from": "gestern"}, "row 2: valid_from 'gestern' is no date: write it as"),
        ({"valid_to": "2015-02-30"}, "row 2: valid_to '2015-02-30' is no date"),
        ({"valid_from": "2015/1/2", "valid_to": "2015-01-01"}, "row 2: valid_to is before valid_from"),
        ({"name": " "}, "row 2: an alias and the name that it stands for are both needed"),
    ],
)
def test_a_row_of_aliases_that_cannot_be_meant_is_refused_with_its_number(row, fault):
    whole = {"alias": "饿了么", "name": REGISTERED, "valid_from": None, "valid_to": None}
    table = pl.DataFrame([whole | {"valid_from": "20090101"}, whole | row], schema=dict.fromkeys(whole, pl.String))
    with pytest.raises(RulesError, match=fault):
        add_aliases(load_rules("organisation"), table)


def test_aliases_are_read_as_tables_of_records_are(tmp_path):
    rows = pl.DataFrame({"alias": ["饿了么"], "name": [REGISTERED], "valid_from": ["2009/1/2"], "valid_to": [None]})
    paths = [tmp_path / name for name in ("utf8.csv", "excel.csv", "table.parquet")]
    rows.write_csv(paths[0])
    paths[1].write_bytes(rows.write_csv(separator=";").encode("gb18030"))
    rows.with_columns(valid_from=pl.date(2009, 1, 2)).write_parquet(paths[2])
    read = [add_aliases(load_rules("organisation"), read_aliases(path, "aliases.file")).aliases for path in paths]
    assert read == [(Alias("饿了么", REGISTERED, "2009-01-02"),)] * 3
    paths[0].write_bytes(b"alias,name\n\xff\xff,x\n")
    with pytest.raises(RulesError, match=r"aliases\.file: .*utf8\.csv: not UTF-8, GB18030"):
        read_aliases(paths[0], "aliases.file")
