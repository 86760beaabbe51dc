"""The generator of the demo company: repeatable, of any size, its records' versions in order."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from connectors.crm import hubspot_streams
from connectors.erp import u8_streams
from connectors.messaging import wecom_streams
from sandbox.company import Company, build_company
from sandbox.schema import SCHEMAS, VERSION

pytestmark = pytest.mark.generated

KEYS = {
    "hubspot.deal_stage_history": ["deal_id", "entered_at"],
    "wecom.external_contacts": ["external_userid", "userid"],
    "wecom.checkins": ["userid", "checkin_time", "checkin_type"],
    "forms.price_sheets": ["price_list", "product_code"],
}
ENVELOPE = {"createdAt", "updatedAt", "archived", "ufts"}


@pytest.fixture(scope="module")
def company() -> Company:
    return build_company(0.1, seed=7)


def key_of(table: str) -> list[str]:
    return KEYS.get(table, [next(iter(SCHEMAS[table]))])


def test_same_arguments_give_the_same_rows() -> None:
    one, two = build_company(0.01, seed=3), build_company(0.01, seed=3)
    for name, frame in one.tables.items():
        assert_frame_equal(frame, two.tables[name])
    for name, frame in one.truth.items():
        assert_frame_equal(frame, two.truth[name])


def test_another_seed_gives_another_company() -> None:
    one, two = build_company(0.01, seed=3), build_company(0.01, seed=4)
    assert not one.tables["hubspot.companies"].equals(two.tables["hubspot.companies"])
    assert not one.truth["customers"].equals(two.truth["customers"])


def test_size_grows_with_scale(company: Company) -> None:
    large = build_company(0.4, seed=7)
    for name in ("hubspot.companies", "hubspot.leads", "hubspot.deals", "u8.orders", "hubspot.calls", "wecom.checkins"):
        ratio = large.tables[name].height / company.tables[name].height
        assert 3 < ratio < 5, (name, ratio)


@pytest.mark.parametrize("scale", [0, -1.0, float("nan")])
def test_a_scale_that_is_not_positive_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="scale must be positive"):
        build_company(scale)


def test_the_smallest_company_fills_every_table() -> None:
    small = build_company(0.01)
    empty = [name for name, frame in small.tables.items() if frame.filter(pl.col("_valid_from") <= small.as_of).is_empty()]
    assert empty == []


def test_tables_have_the_columns_that_the_connectors_ask_for(company: Company) -> None:
    for vendor, module in (("hubspot", hubspot_streams), ("u8", u8_streams), ("wecom", wecom_streams)):
        for stream in module.STREAMS:
            wanted = {field.name for field in stream.fields} - ENVELOPE
            assert set(company.tables[f"{vendor}.{stream.name}"].columns) - set(VERSION) == wanted, stream.name


def test_required_fields_are_never_empty_but_in_rows_made_dirty_on_purpose(company: Company) -> None:
    for vendor, module in (("hubspot", hubspot_streams), ("u8", u8_streams), ("wecom", wecom_streams)):
        for stream in module.STREAMS:
            frame = company.tables[f"{vendor}.{stream.name}"]
            required = [f.name for f in stream.fields if f.required and f.name not in ENVELOPE]
            empty = {name for name in required if frame[name].null_count()}
            assert empty <= ({"name"} if stream.name == "companies" else set()), stream.name


def test_no_record_has_two_versions_at_one_moment(company: Company) -> None:
    for name, frame in company.tables.items():
        repeated = frame.filter(pl.struct(*key_of(name), "_valid_from").is_duplicated())
        assert repeated.is_empty(), (name, repeated)


def test_nothing_happens_to_a_record_that_is_gone(company: Company) -> None:
    for name, frame in company.tables.items():
        key = key_of(name)
        gone = frame.filter(pl.col("_op") != "upsert").select(*key, gone_at="_valid_from")
        later = frame.join(gone, on=key).filter(pl.col("_valid_from") > pl.col("gone_at"))
        assert later.is_empty(), name
        born = frame.group_by(key).agg(pl.col("_op").sort_by("_valid_from").first())
        assert (born["_op"] == "upsert").all(), name


def test_history_runs_on_into_the_month_after_the_clock(company: Company) -> None:
    for name in ("hubspot.leads", "hubspot.deals", "hubspot.calls", "u8.orders", "u8.receipts", "u8.stock", "wecom.events"):
        later = company.tables[name].filter(pl.col("_valid_from") > company.as_of)
        assert later.height > 0, name
        assert company.tables[name]["_valid_from"].max() <= company.horizon, name


@pytest.mark.parametrize("scale", [0.01, 0.1])
def test_the_month_after_the_clock_brings_archives_merges_and_deletes(scale: float) -> None:
    company = build_company(scale, seed=7)
    for name, op in (
        ("hubspot.companies", "merge"),
        ("hubspot.companies", "archive"),
        ("hubspot.contacts", "archive"),
        ("hubspot.deals", "archive"),
        ("u8.quotes", "delete"),
        ("u8.customers", "delete"),
        ("u8.receipts", "delete"),
        ("wecom.external_contacts", "delete"),
    ):
        frame = company.tables[name]
        assert frame.filter(pl.col("_op") == op, pl.col("_valid_from") > company.as_of).height > 0, (name, op)


def test_a_merged_id_is_listed_on_its_survivor_from_the_same_moment(company: Company) -> None:
    for name in ("hubspot.companies", "hubspot.contacts"):
        frame = company.tables[name]
        merged = frame.filter(pl.col("_op") == "merge").select(loser="id", at="_valid_from")
        assert merged.height > 0
        listed = frame.filter(pl.col("hs_merged_object_ids").is_not_null()).select(
            "_valid_from", loser=pl.col("hs_merged_object_ids").str.split(";")
        )
        first = listed.explode("loser", empty_as_null=True, keep_nulls=True).group_by("loser").agg(pl.col("_valid_from").min())
        assert merged.join(first, on="loser").filter(pl.col("at") == pl.col("_valid_from")).height == merged.height


def test_some_rows_are_beyond_repair(company: Company) -> None:
    now = company.as_of
    assert "面议" in company.tables["hubspot.deals"].filter(pl.col("_valid_from") <= now)["amount"].to_list()
    assert company.tables["forms.exhibition_cards"].filter(pl.col("_valid_from") <= now)["company"].null_count() > 0
    assert company.tables["forms.web_leads"]["submitted_at"].str.starts_with("2999").any()


def test_two_thirds_of_the_companies_were_edited_in_the_last_month(company: Company) -> None:
    past = company.tables["hubspot.companies"].filter(pl.col("_valid_from") <= company.as_of)
    newest = past.group_by("id").agg(pl.col("hs_lastmodifieddate").max())
    fresh = (newest["hs_lastmodifieddate"] > company.as_of - timedelta(days=30)).mean()
    assert 0.55 < fresh < 0.8  # the alarm line is 65 %
