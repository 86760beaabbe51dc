"""Form files have the blemishes of real ones, and only grow."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import polars as pl
import pytest

from sandbox.servers.forms import DAMAGED, GB18030_BOM, FormsFolder


def some_scans(count: int, moment) -> list[dict[str, object]]:
    return [
        {
            "scan_id": f"s{n}",
            "company": "东海机械",
            "address": "延安路1号",
            "confidence": 0.9,
            "_valid_from": moment + timedelta(minutes=n),
        }
        for n in range(count)
    ]


def some_leads(count: int, moment) -> list[dict[str, object]]:
    return [
        {
            "submission_id": f"w{n}",
            "company": "东海机械",
            "submitted_at": "2026-06-01T16:30:00+08:00",
            "_valid_from": moment + timedelta(minutes=n),
        }
        for n in range(count)
    ]


@pytest.fixture
def write(make_tables, tmp_path):
    def run(at, **rows) -> None:
        FormsFolder(make_tables(**rows), tmp_path).advance(at)

    return run


def test_web_posts_are_json_lines_by_day_with_one_half_written(write, tmp_path, moment):
    write(moment + timedelta(days=2), forms_web_leads=some_leads(DAMAGED + 3, moment))
    lines = (tmp_path / "web" / "2026-06-01.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == DAMAGED + 4
    with pytest.raises(json.JSONDecodeError):
        json.loads(lines[DAMAGED])
    posts = [json.loads(line) for line in lines[:DAMAGED] + lines[DAMAGED + 1 :]]
    assert [post["submission_id"] for post in posts] == [f"w{n}" for n in range(DAMAGED + 3)]
    assert posts[0]["data"]["company"] == "东海机械"


def test_card_scans_are_gb18030_with_a_bom_a_surplus_column_and_a_footer(write, tmp_path, moment):
    scans = some_scans(7, moment)
    scans[0]["address"] = None
    write(moment + timedelta(days=2), forms_card_scans=scans)
    content = (tmp_path / "cards" / "2026-W23.csv").read_bytes()
    assert content.startswith(GB18030_BOM)
    lines = content[len(GB18030_BOM) :].decode("gb18030").splitlines()
    assert lines[0] == "编号,扫描时间,公司,姓名,职务,手机,邮箱,地址,置信度"
    assert lines[-1].startswith("合计,共7张,")
    assert [line.count(",") for line in lines[1:-1]] == [9 if n == DAMAGED + 1 else 8 for n in range(7)]


def test_exhibition_cards_have_a_title_merged_headers_and_a_footer(write, tmp_path, moment):
    cards = [
        {
            "card_no": f"c{n}",
            "exhibition": "工博会",
            "sheet_date": "2026/06/01",
            "company": "东海机械",
            "mobile": "013800000000",
            "budget_wan": 12.5,
        }
        for n in range(2)
    ]
    write(moment, forms_exhibition_cards=cards)
    content = (tmp_path / "exhibition" / "工博会-2026-06-01.xlsx").read_bytes()
    rows = pl.read_excel(
        io.BytesIO(content), sheet_name="名片", has_header=False, drop_empty_rows=False, infer_schema_length=0
    ).rows()
    assert rows[0][0] == "工博会 名片登记表 2026/06/01"
    assert rows[1] == ("编号", "公司名称", "联系人", None, None, None, "城市", "采购意向", None, "日期")
    assert rows[2] == (None, None, "姓名", "职务", "手机", "邮箱", None, "等级", "预算(万元)", None)
    assert (rows[3][0], rows[3][4], rows[3][8]) == ("c0", "013800000000", "12.5")
    assert (rows[5][0], rows[5][8]) == ("合计", "25")


def test_price_sheets_are_in_wan_yuan(write, tmp_path, moment):
    price = {"price_list": "2026H1", "product_code": "CNC-1", "unit_price_wan": 38.6, "valid_from": moment.date()}
    write(moment, forms_price_sheets=[price])
    content = (tmp_path / "prices" / "2026H1.xlsx").read_bytes()
    rows = pl.read_excel(io.BytesIO(content), sheet_name="价格", has_header=False, infer_schema_length=0).rows()
    assert rows[2] == ("编码", "名称", "产品线", "单价(万元)", "生效日期")
    assert rows[3][0] == "CNC-1"
    assert rows[3][3] == "38.6"


def test_time_adds_files_and_leaves_finished_ones_alone(make_tables, tmp_path, moment):
    later = [{**row, "submission_id": f"x{n}"} for n, row in enumerate(some_leads(2, moment + timedelta(days=1)))]
    scans = some_scans(6, moment) + [{**row, "scan_id": "z"} for row in some_scans(1, moment + timedelta(days=9))]
    folder = FormsFolder(make_tables(forms_web_leads=some_leads(6, moment) + later, forms_card_scans=scans), tmp_path)
    folder.advance(moment + timedelta(hours=1))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    folder.advance(moment + timedelta(days=10))
    assert sorted(path.name for path in before) == ["2026-06-01.jsonl", "2026-W23.csv"]
    assert all(path.read_bytes() == content for path, content in before.items())
    assert folder.counts() == {"web": 2, "nps": 0, "cards": 2, "exhibition": 0, "prices": 0}
