"""Lasting ids: what happens to them when customers merge, split, shrink and vanish."""

import polars as pl
import pytest

CODE_A, CODE_B = 71000001, 71000002


@pytest.fixture
def two_firms(parties, credit_code):
    """Two records each of two firms, told apart by their credit codes."""
    return parties(
        *({"company_name": "上海云帆科技有限公司", "tax_no": credit_code(CODE_A)} for _ in range(2)),
        *({"company_name": "北京瑞丰仪器有限公司", "tax_no": credit_code(CODE_B)} for _ in range(2)),
    )


def set_value(records, row, **values):
    at_row = pl.int_range(pl.len()) == row
    return records.with_columns(
        pl.when(at_row).then(pl.lit(value)).otherwise(pl.col(name)).alias(name) for name, value in values.items()
    )


def owners(result):
    return dict(result.crosswalk.filter("is_current").select("source_key", "gid").iter_rows())


def test_an_id_is_a_prefix_and_16_hex(new_small_hub, two_firms):
    gids = new_small_hub().run(two_firms).golden["gid"]
    assert gids.str.contains(r"^cus_[0-9a-f]{16}$").all()
    assert gids.n_unique() == 2


def test_merge_keeps_the_older_id_and_redirects_the_other(new_small_hub, two_firms, credit_code):
    hub = new_small_hub()
    first = owners(hub.run(two_firms[:2]))["k0000"]
    second = owners(hub.run(two_firms))["k0002"]
    joined = two_firms.with_columns(company_name=pl.lit("上海云帆科技有限公司"), tax_no=pl.lit(credit_code(CODE_A)))
    result = hub.run(joined)
    assert set(owners(result).values()) == {first}
    assert result.redirects.select("gid", "target_gid").rows() == [(second, first)]
    history = result.crosswalk.filter(pl.col("source_key") == "k0002").sort("valid_from")
    assert history["gid"].to_list() == [second, first]
    assert history["valid_to"].to_list() == [history["valid_from"][1], None]


def test_redirects_are_collapsed_to_one_step(new_small_hub, parties, credit_code):
    names = ["上海云帆科技有限公司", "北京瑞丰仪器有限公司", "广州鹏翔机械有限公司"]
    codes = [credit_code(CODE_A + number) for number in range(3)]
    records = parties(*({"company_name": name, "tax_no": code} for name, code in zip(names, codes, strict=True)))
    hub = new_small_hub()
    oldest = owners(hub.run(records[:1]))["k0000"]
    middle = owners(hub.run(records[:2]))["k0001"]
    youngest = owners(hub.run(records))["k0002"]
    hub.run(set_value(records, 2, company_name=names[1], tax_no=codes[1]))
    everything = records.with_columns(company_name=pl.lit(names[0]), tax_no=pl.lit(codes[0]))
    result = hub.run(everything)
    assert dict(result.redirects.select("gid", "target_gid").iter_rows()) == {middle: oldest, youngest: oldest}
    assert result.events.filter(kind="redirected").select("gid", "other_gid").rows() == [(youngest, oldest)]


def test_split_leaves_the_id_with_the_plurality(new_small_hub, parties, credit_code):
    one = {"company_name": "上海云帆科技有限公司", "tax_no": credit_code(CODE_A)}
    hub = new_small_hub()
    records = parties(one, one, one)
    gid = owners(hub.run(records))["k0000"]
    result = hub.run(set_value(records, 0, company_name="北京瑞丰仪器有限公司", tax_no=credit_code(CODE_B)))
    assert owners(result)["k0001"] == owners(result)["k0002"] == gid
    assert owners(result)["k0000"] != gid
    assert result.events.filter(kind="split").select("gid", "other_gid").rows() == [(gid, owners(result)["k0000"])]


@pytest.mark.parametrize("shown_first", [0, 2])
def test_a_customer_whose_record_moves_to_another_keeps_its_id(new_small_hub, two_firms, shown_first):
    hub = new_small_hub()
    # either may be the older one
    hub.run(two_firms[shown_first : shown_first + 2])
    before = owners(hub.run(two_firms))
    moved = set_value(two_firms, 3, **two_firms.row(0, named=True) | {"source_key": "k0003"})
    result = hub.run(moved)
    assert owners(result) == before | {"k0003": before["k0000"]}
    assert result.events["kind"].to_list() == ["split", "detached", "attached"]
    assert result.redirects.height == 0


def test_a_deleted_record_closes_its_row_and_an_empty_customer_retires_for_ever(new_small_hub, two_firms):
    hub = new_small_hub()
    before = owners(hub.run(two_firms))
    result = hub.run(two_firms[:2])
    gone = result.crosswalk.filter(pl.col("source_key") == "k0003")
    assert gone["is_current"].to_list() == [False]
    assert result.events.filter(kind="retired")["gid"].to_list() == [before["k0002"]]
    back = owners(hub.run(two_firms))
    assert back["k0000"] == before["k0000"]
    assert back["k0002"] != before["k0002"]


def test_events_count_on_and_name_run_and_rules(new_small_hub, two_firms):
    hub = new_small_hub()
    hub.run(two_firms[:2])
    result = hub.run(two_firms)
    log = hub.history
    assert log["event_no"].to_list() == list(range(1, log.height + 1))
    assert result.events["run_id"].unique().to_list() == ["run1"]
    assert result.events["rule_version"].unique().to_list() == [result.rules.version]


def test_persons_and_organisations_share_one_log(new_small_hub, new_hub, two_firms, parties):
    organisations = new_small_hub().run(two_firms)
    people = new_hub("person")
    people.history = organisations.events
    result = people.peek(parties({"full_name": "李明轩", "mobile": "13912345670"}))
    assert result.golden["gid"].str.starts_with("per_").all()
    assert result.events["event_no"].min() == organisations.events["event_no"].max() + 1
    assert result.events["kind"].to_list() == ["issued", "attached"]
