"""The demo's contracts on what the demo company's receivers, scanners and assistants really leave in the folder."""

from pathlib import Path

import polars as pl
import pytest

from connectors.base import Batch
from connectors.files.connector import Files
from sandbox.company import Company, build_company
from sandbox.servers.forms import FormsFolder
from sandbox.servers.versions import select_live

pytestmark = pytest.mark.generated

CONTRACTS = Path(__file__).parents[3] / "examples" / "sandbox" / "contracts"
KEYS = {
    "web_leads": ("submission_id",),
    "exhibition_cards": ("card_no",),
    "card_scans": ("scan_id",),
    "price_sheets": ("price_list", "product_code"),
    "nps": ("submission_id",),
}


@pytest.fixture(scope="module")
def company() -> Company:
    return build_company(0.05)


@pytest.fixture(scope="module")
def batches(company: Company, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Batch]:
    folder = tmp_path_factory.mktemp("forms")
    FormsFolder(company.tables, folder).advance(company.as_of)
    source = Files("forms", folder, CONTRACTS)
    return {stream.name: next(source.read(stream.name, None)) for stream in source.streams()}


@pytest.mark.parametrize("stream", KEYS)
def test_every_record_arrives_once(stream: str, company: Company, batches: dict[str, Batch]) -> None:
    expected = select_live(company.tables[f"forms.{stream}"], KEYS[stream], company.as_of)
    assert expected.height > 0
    assert batches[stream].rows.height == expected.height


def test_every_declared_header_is_in_the_files(company: Company, batches: dict[str, Batch]) -> None:
    for stream in Files("forms", CONTRACTS, CONTRACTS).streams():
        for field in stream.fields:
            headers = field.headers or (field.name,)
            assert set(headers) & set(batches[stream.name].rows.columns), f"{stream.name}.{field.name}"


def test_only_the_post_that_broke_off_is_rejected(batches: dict[str, Batch]) -> None:
    rejects = {name: batch.rejects for name, batch in batches.items() if batch.rejects is not None}
    assert list(rejects) == ["web_leads"]
    assert rejects["web_leads"].height == 1
    assert rejects["web_leads"]["payload"][0].startswith('{"submission_id"')


def test_numbers_and_names_are_those_that_were_written(company: Company, batches: dict[str, Batch]) -> None:
    cards = batches["exhibition_cards"].rows.select(card_no="编号", company="公司名称", budget="采购意向/预算(万元)")
    written = company.tables["forms.exhibition_cards"].select("card_no", "company", "budget_wan")
    both = cards.join(written, on="card_no", how="inner", validate="1:1")
    assert both.filter(pl.col("company").ne_missing(pl.col("company_right"))).is_empty()
    assert both.filter(pl.col("budget").cast(pl.Float64).ne_missing(pl.col("budget_wan"))).is_empty()


def test_the_unquoted_comma_of_a_scanned_address_is_repaired(batches: dict[str, Batch]) -> None:
    repaired = batches["card_scans"].rows.filter(pl.col("地址").str.ends_with(",二楼"))
    assert repaired.height == 1
    assert repaired["置信度"].cast(pl.Float64).is_between(0, 1).all()
