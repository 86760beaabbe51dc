"""A contract says what it means, and a wrong one says where and what to do."""

from decimal import Decimal
from pathlib import Path

import pytest

from connectors.base import Feed
from connectors.errors import ConfigurationError
from connectors.files.contract import read_contract, read_contracts

GOOD = """
stream: exhibition_cards
description: Cards collected at exhibitions.
files: "exhibition/*.xlsx"
format: excel
header_row: 3
header_rows: 2
key: [lead_id]
version: visited_at
columns:
  lead_id: {headers: [编号, card_no], required: true}
  company_name: {headers: [公司名称], required: true}
  budget: {headers: [预算(万元)], kind: decimal, unit: 万元, minimum: 0}
  visited_at: {headers: [日期], kind: timestamp, formats: ["%Y/%m/%d"], zone: Asia/Shanghai}
  stage: {headers: [deal_stage], values: {Won: signed}, allowed: [signed, lost]}
feeds:
  lead: {lead_id: lead_id, party_id: lead_id, lead_source: "=exhibition", created_at: visited_at}
  party: {party_id: lead_id, company_name: company_name, when: [company_name]}
"""


def write(folder: Path, text: str, name: str = "cards.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_contract_becomes_a_stream_with_typed_fields_and_feeds(tmp_path: Path) -> None:
    stream = read_contract(write(tmp_path, GOOD)).declare()
    assert (stream.name, stream.key, stream.version, stream.cursor, stream.deletes) == (
        "exhibition_cards",
        ("lead_id",),
        "visited_at",
        "manifest",
        "none",
    )
    fields = {field.name: field for field in stream.fields}
    assert fields["lead_id"].headers == ("编号", "card_no")
    assert fields["budget"].scale == Decimal(10000)
    assert fields["budget"].minimum == "0"
    assert fields["stage"].values == (("Won", "signed"),)
    columns = (("party_id", "lead_id"), ("company_name", "company_name"))
    assert stream.feeds[1] == Feed("party", columns, when=("company_name",), key=("lead_id",))


def test_a_date_cell_of_a_workbook_is_understood_beside_the_text_formats(tmp_path: Path) -> None:
    fields = {field.name: field for field in read_contract(write(tmp_path, GOOD)).declare().fields}
    assert fields["visited_at"].formats == ("%Y/%m/%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("header_row: 3", "headr_row: 3", "headr_row: no such setting; there are stream, description"),
        ("format: excel", "format: xls", "format: Input should be 'csv', 'excel' or 'json'"),
        ("unit: 万元", "unit: 万", "columns.budget.unit: Input should be"),
        ("kind: decimal, unit", "kind: integer, unit", "columns.budget: unit 万元 needs kind: decimal"),
        (
            "required: true}\n  company",
            "requird: true}\n  company",
            "columns.lead_id.requird: no such setting; there are headers",
        ),
        ("{Won: signed}", "{Yes: signed}", "columns.stage.values"),
        ("key: [lead_id]", "key: [id]", "'id' is none; there are lead_id, company_name"),
        ("created_at: visited_at", "creatd_at: visited_at", "feeds.lead.creatd_at: lead has no such column; it has lead_id"),
        ("created_at: visited_at", "created_at: visited", "feeds.lead.created_at: no field 'visited'"),
        ("created_at: visited_at", "created_at: stage", "feeds.lead.created_at is a timestamp: give columns.stage that kind"),
        ("party: {party_id: lead_id, ", "party: {", "feeds.party: lacks its key party_id"),
        ("  party: {", "  partie: {party_id: lead_id, ", "feeds.partie: no such entity; there are party, person"),
        ("when: [company_name]", "when: [firm]", "feeds.party.when: no field 'firm'"),
        ("header_rows: 2", "header_rows: 4", "header_row is the last of 4 header rows"),
        ("header_rows: 2", "overflow: x", "overflow is for format: csv"),
        ("zone: Asia/Shanghai", "zone: China", "columns.visited_at.zone: 'China' is no time zone"),
        ("stream: exhibition_cards\n", "", "stream: is missing"),
        ("columns:", "columns: [", "is no YAML"),
    ],
)
def test_a_mistake_names_file_place_and_remedy(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ConfigurationError) as caught:
        read_contract(path)
    assert str(path) in str(caught.value)
    assert complaint in str(caught.value)


def test_two_contracts_of_one_stream_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"holds no \*.yaml"):
        read_contracts(tmp_path)
    write(tmp_path, GOOD)
    write(tmp_path, GOOD, "other.yaml")
    with pytest.raises(ConfigurationError, match=r"other.yaml: stream 'exhibition_cards' is already in cards.yaml"):
        read_contracts(tmp_path)
    with pytest.raises(ConfigurationError, match="no such folder"):
        read_contracts(tmp_path / "nix")
