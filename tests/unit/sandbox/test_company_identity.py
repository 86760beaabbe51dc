"""Who is who in the demo company: valid numbers, hard negatives, duplicates, a truth for every party."""

from __future__ import annotations

import polars as pl
import pytest
from stdnum.cn import uscc

from sandbox.company import Company, build_company
from sandbox.noise import GARBAGE_NAMES
from sandbox.words import CITIES

pytestmark = pytest.mark.generated

VALUES = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@pytest.fixture(scope="module")
def company() -> Company:
    return build_company(0.2, seed=7)


@pytest.fixture(scope="module")
def full() -> Company:
    return build_company(1)


def test_credit_codes_are_valid_and_unique(company: Company) -> None:
    codes = company.truth["customers"]["tax_no"].drop_nulls()
    assert codes.n_unique() == codes.len() > 300
    assert [code for code in codes if not uscc.is_valid(code)] == []


def test_organisation_codes_within_credit_codes_have_their_own_check_digit(company: Company) -> None:
    for code in company.truth["customers"]["tax_no"].drop_nulls():
        weighted = sum(VALUES.index(c) * w for c, w in zip(code[8:16], (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
        assert code[16] == "0123456789X"[-weighted % 11], code


def test_the_district_of_a_credit_code_lies_in_the_customers_city(company: Company) -> None:
    districts = {city[0]: {word[:6] for word in city[6].split()} for city in CITIES}
    for code, city in company.truth["customers"].select("tax_no", "city").drop_nulls().rows():
        assert code[2:8] in districts[city]


def test_legal_names_are_unique_among_organisations(company: Company) -> None:
    names = company.truth["customers"].filter(pl.col("kind") != "person")["legal_name"]
    assert names.n_unique() == names.len()


def test_groups_are_hard_negatives(company: Company) -> None:
    customers = company.truth["customers"]
    branches = customers.filter(pl.col("kind") == "branch").join(
        customers.select(parent_customer_id="customer_id", parent_name="legal_name", parent_tax="tax_no"), on="parent_customer_id"
    )
    assert branches.height > 20
    assert branches.select(pl.col("legal_name").str.starts_with(pl.col("parent_name"))).to_series().all()
    assert (branches["tax_no"] != branches["parent_tax"]).all()
    subsidiaries = customers.filter(pl.col("kind") == "subsidiary")
    assert subsidiaries.height > 20
    assert subsidiaries["parent_customer_id"].null_count() == 0


def test_members_of_a_group_share_mail_domain_and_switchboard(full: Company) -> None:
    truth = full.truth["parties"].filter(pl.col("source") == "hubspot").rename({"source_key": "id"})
    kin = full.truth["customers"].with_columns(family=pl.coalesce("parent_customer_id", "customer_id"))
    records = full.tables["hubspot.companies"].unique("id", keep="last").join(truth, on="id").join(kin, on="customer_id")
    for column in ("domain", "phone"):
        shared = (
            records.drop_nulls(column)
            .group_by("family", column)
            .agg(pl.col("customer_id").n_unique())
            .filter(pl.col("customer_id") > 1)
        )
        assert shared.height > 20, column


@pytest.mark.parametrize(
    ("source", "table", "key"),
    [
        ("hubspot", "hubspot.companies", "id"),
        ("u8", "u8.customers", "cCusCode"),
        ("wecom", "wecom.external_contacts", "external_userid"),
        ("forms", "forms.web_leads", "submission_id"),
        ("forms", "forms.exhibition_cards", "card_no"),
        ("forms", "forms.card_scans", "scan_id"),
    ],
)
def test_truth_covers_every_party_record(company: Company, source: str, table: str, key: str) -> None:
    truth = company.truth["parties"].filter(pl.col("source") == source)
    assert truth["source_key"].n_unique() == truth.height
    assert set(company.tables[table][key]) <= set(truth["source_key"])


def test_truth_covers_every_person_record(company: Company) -> None:
    truth = company.truth["persons"]
    assert truth.select("source", "source_key").is_duplicated().sum() == 0
    known = set(truth.filter(pl.col("source") == "hubspot")["source_key"])
    assert set(company.tables["hubspot.contacts"]["id"]) <= known


def test_worthless_records_are_customers_of_their_own(company: Company) -> None:
    records = company.tables["hubspot.companies"].filter(pl.col("name").is_in(GARBAGE_NAMES)).unique("id")
    found = records.join(company.truth["parties"].filter(pl.col("source") == "hubspot"), left_on="id", right_on="source_key")
    assert found.height == records.height > 0
    assert found["customer_id"].n_unique() == found.height
    assert found["customer_id"].str.starts_with("X-").all()


def test_one_customer_is_written_differently_across_systems(company: Company) -> None:
    crm = company.tables["hubspot.companies"].unique("id", keep="first", maintain_order=True).select("id", "name")
    erp = company.tables["u8.customers"].unique("cCusCode", keep="first", maintain_order=True).select("cCusCode", "cCusName")
    truth = company.truth["parties"]
    both = (
        crm.join(truth.filter(pl.col("source") == "hubspot"), left_on="id", right_on="source_key")
        .select("customer_id", "name")
        .join(
            erp.join(truth.filter(pl.col("source") == "u8"), left_on="cCusCode", right_on="source_key").select(
                "customer_id", "cCusName"
            ),
            on="customer_id",
        )
    )
    equal = (both["name"] == both["cCusName"]).mean()
    assert 0.25 < equal < 0.75


def test_tax_numbers_are_present_as_often_as_the_sources_habits_say() -> None:
    company = build_company(0.5)
    erp = company.tables["u8.customers"].unique("cCusCode", keep="first", maintain_order=True)["cCusRegCode"]
    crm = company.tables["hubspot.companies"].unique("id", keep="first", maintain_order=True)["tax_no"]
    assert 0.88 < 1 - erp.null_count() / erp.len() < 0.97
    assert 0.38 < 1 - crm.null_count() / crm.len() < 0.52
    assert "000000000000000000" in company.tables["u8.customers"]["cCusRegCode"].to_list()
    wrong = [code for code in erp.drop_nulls() if not uscc.is_valid(code)]
    assert 0.01 < len(wrong) / erp.len() < 0.12


def test_some_mobiles_are_shared_by_people_of_different_customers() -> None:
    company = build_company(1)
    contacts = (
        company.tables["hubspot.contacts"].unique("id", keep="last").filter(pl.col("mobilephone").str.contains(r"^1\d{10}$"))
    )
    truth = company.truth["persons"].filter(pl.col("source") == "hubspot")
    shared = (
        contacts.join(truth, left_on="id", right_on="source_key").group_by("mobilephone").agg(pl.col("person_id").n_unique())
    ).filter(pl.col("person_id") > 1)
    assert shared.height > 5


@pytest.mark.parametrize(
    ("source", "table", "key", "column", "least"),
    [
        ("hubspot", "hubspot.companies", "id", "hs_parent_company_id", 150),
        ("u8", "u8.customers", "cCusCode", "cCusHeadCode", 60),
    ],
)
def test_clerks_name_many_parents_but_not_all_and_some_wrongly(
    full: Company, source: str, table: str, key: str, column: str, least: int
) -> None:
    known = full.truth["parties"].filter(pl.col("source") == source).select("source_key", "customer_id")
    kin = full.truth["customers"].select("customer_id", "parent_customer_id")
    present = full.tables[table].filter(pl.col("_valid_from") <= full.as_of).unique(key, keep="last").rename({key: "source_key"})
    records = present.select("source_key", named_key=column).join(known, on="source_key").join(kin, on="customer_id")
    heads = known.rename({"source_key": "named_key", "customer_id": "named_id"})
    named = records.filter(pl.col("named_key") != pl.col("source_key")).join(heads, on="named_key")
    right = named.filter(pl.col("named_id") == pl.col("parent_customer_id")).height
    assert named.height > least
    assert 0.85 < right / named.height < 0.99
    can_be = records.filter(pl.col("parent_customer_id").is_in(known["customer_id"].implode())).height
    assert 0.3 < right / can_be < 0.7
