"""Aliases: names that share no character with the registered one, as a dated table."""

from datetime import UTC, datetime

import polars as pl
import pytest

from hub.normalize.aliases import replace_aliases
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
    replaced = replace_aliases(pl.Series(["|远帆科技||", "|双星||", "|云帆科技||"]), aliases)
    assert replaced.to_list() == ["杭州|鹏翔贸易||", "|双星||", "|云帆科技||"]


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
    with pytest.raises(RulesError, match=r"aliases\.file: .*utf8\.csv: neither UTF-8 nor GB18030"):
        read_aliases(paths[0], "aliases.file")
