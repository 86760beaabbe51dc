"""Files as they come: ragged, quoted, GB18030, merged headers, footers, half-written."""

import hashlib
import io
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from connectors.files.contract import Contract
from connectors.files.parsed import FileRefusedError, Parsed
from connectors.files.readers import read_file, read_piece


def a_contract(**settings: Any) -> Contract:
    base: dict[str, Any] = {"stream": "cards", "files": "*", "format": "csv", "key": ["id"], "columns": {"id": {}}}
    return Contract.model_validate(base | settings)


def read(text: str | bytes, name: str = "f.csv", **settings: Any) -> Parsed:
    return read_file(a_contract(**settings), text if isinstance(text, bytes) else text.encode(), name)


def cells(parsed: Parsed) -> list[tuple[str | None, ...]]:
    return parsed.rows.select(pl.exclude("^file\\..*$")).rows()


def a_workbook(rows: list[list[Any]], sheet: str = "名片", start: int = 0) -> bytes:
    memory = io.BytesIO()
    book = xlsxwriter.Workbook(memory, {"in_memory": True})
    page = book.add_worksheet(sheet)
    day = book.add_format({"num_format": "yyyy/m/d"})
    for at, row in enumerate(rows, start=start):
        for column, value in enumerate(row):
            if isinstance(value, date):
                page.write_datetime(
                    at, column, datetime(value.year, value.month, value.day, tzinfo=UTC).replace(tzinfo=None), day
                )
            elif value is not None:
                page.write(at, column, value)
    book.close()
    return memory.getvalue()


def test_text_keeps_leading_zeros_and_empty_is_null() -> None:
    parsed = read("id,phone,note\n001,00123,\n")
    assert cells(parsed) == [("001", "00123", None)]
    assert parsed.rows["file.name"].to_list() == ["f.csv"]


def test_a_short_line_is_rejected_with_its_text_line_and_reason() -> None:
    parsed = read("id,a,b\n1,2,3\n4,5\n6,7,8\n")
    assert cells(parsed) == [("1", "2", "3"), ("6", "7", "8")]
    assert parsed.rejects.rows() == [("f.csv:3", "has 2 of 3 cells", "id,a,b\n4,5")]
    assert parsed.rows["file.row"].to_list() == ["1", "3"]


def test_a_long_line_without_overflow_is_rejected_and_names_the_remedy() -> None:
    parsed = read("id,a,b\n1,2,3,4\n")
    assert parsed.rows.height == 0
    assert "overflow" in parsed.rejects["reason"][0]


def test_surplus_separators_go_back_into_the_overflow_column() -> None:
    parsed = read("id,addr,zip\n1,Rua 1, 67,05454\n2,x,9\n3,a,b,c,8\n", overflow="addr")
    assert cells(parsed) == [("1", "Rua 1, 67", "05454"), ("2", "x", "9"), ("3", "a,b,c", "8")]
    assert parsed.rejects.height == 0


def test_a_line_with_empty_trailing_cells_is_whole() -> None:
    assert cells(read("id,a\n1,2,,\n")) == [("1", "2")]


def test_quoted_cells_hold_separators_quotes_and_line_breaks() -> None:
    parsed = read('id,a\n1,"x, ""y"""\n2,"line 1\nline 2"\n3,"",\n')
    assert cells(parsed) == [("1", 'x, "y"'), ("2", "line 1\nline 2"), ("3", None)]


def test_a_stray_quote_is_text_and_does_not_swallow_the_next_lines() -> None:
    assert cells(read('id,a\n1,5" pipe\n2,b\n')) == [("1", '5" pipe'), ("2", "b")]


def test_a_quote_that_never_closes_rejects_its_line_only() -> None:
    parsed = read('id,a\n1,"open\n2,b\n3,c\n')
    assert cells(parsed) == [("2", "b"), ("3", "c")]
    assert parsed.rejects["position"].to_list() == ["f.csv:2"]


def test_windows_lines_and_blank_lines_are_no_rows() -> None:
    assert cells(read("id,a\r\n1,2\r\n\r\n,\r\n3,4\r\n")) == [("1", "2"), ("3", "4")]


# no quotes and line ends; the information separators are blanks for Python alone
CELLS = st.text(st.characters(codec="utf-8", exclude_characters='",\n\r\x00\x01\x1c\x1d\x1e\x1f\ufeff'), min_size=1)


@pytest.mark.generated
@given(st.lists(st.lists(CELLS, min_size=1, max_size=5), max_size=8))
def test_every_line_is_a_row_or_a_reject(lines: list[list[str]]) -> None:
    text = "id,a,b\n" + "".join(",".join(line) + "\n" for line in lines)
    parsed = read(text)
    n_lines = sum(1 for line in lines if ",".join(line).strip())
    assert parsed.rows.height + parsed.rejects.height == n_lines


@pytest.mark.parametrize(
    "data",
    [
        b"\x84\x31\x95\x33" + "编号,公司\n001,华东机床\n".encode("gb18030"),
        "编号,公司\n001,华东机床\n".encode("gb18030"),
        "\ufeff编号,公司\n001,华东机床\n".encode(),
    ],
    ids=["gb18030 with mark", "gb18030", "utf-8 with mark"],
)
def test_a_byte_order_mark_and_gb18030_are_understood(data: bytes) -> None:
    parsed = read(data, encoding="gb18030", columns={"id": {"headers": ["编号"]}})
    assert parsed.rows.select("编号", "公司").rows() == [("001", "华东机床")]


def test_a_wrong_encoding_refuses_the_file_and_says_which_to_try() -> None:
    with pytest.raises(FileRefusedError, match="perhaps gb18030"):
        read("id,公司\n1,华东\n".encode("gb18030"))


def test_a_missing_required_header_names_what_is_missing_and_what_is_there() -> None:
    with pytest.raises(FileRefusedError, match=r'name \(公司\); found \["id", "客户"\]'):
        read("id,客户\n1,x\n", columns={"id": {}, "name": {"headers": ["公司"], "required": True}})


def test_footer_rows_and_title_lines_are_not_data() -> None:
    text = "2026 报表\n编号,金额\n1,5\n合计,5\n"
    parsed = read(text, header_row=2, columns={"id": {"headers": ["编号"]}}, footer={"column": "id", "starts_with": ["合计"]})
    assert cells(parsed) == [("1", "5")]


def test_null_texts_become_null_everywhere() -> None:
    assert cells(read("id,a,b\n1,NULL, - \n", null_values=["NULL", "-"])) == [("1", None, None)]


def test_row_ids_are_the_hash_of_the_cells_and_count_identical_rows() -> None:
    parsed = read("id,a\n1,x\n1,x\n2,\n")
    first = hashlib.sha256(b"1\x1fx").hexdigest()[:16]
    assert parsed.rows["file.row_id"].to_list()[:2] == [first, f"{first}-2"]


def test_joined_columns_make_one_key() -> None:
    contract = a_contract(columns={"id": {"join": ["order", "product"]}})
    parsed = read_file(contract, b"order,product\n10248,11\n10249,\n", "f.csv")
    assert parsed.rows[contract.columns["id"].joined_header].to_list() == ["10248/11", None]


def test_repeated_and_empty_headers_stay_apart() -> None:
    parsed = read("id,A,a,,_x\n1,2,3,4,5\n")
    assert parsed.rows.columns[:5] == ["id", "A", "a (2)", "column 4", "x"]


def test_a_workbook_keeps_zeros_numbers_and_dates() -> None:
    data = a_workbook([["编号", "手机", "预算", "日期", "占比"], ["001", 13800138000, 12.5, date(2026, 3, 1), 3]])
    parsed = read(data, "a.xlsx", format="excel", columns={"id": {"headers": ["编号"]}})
    assert cells(parsed) == [("001", "13800138000", "12.5", "2026-03-01 00:00:00", "3")]


def test_merged_headers_below_a_title_are_joined_and_totals_dropped() -> None:
    data = a_workbook(
        [
            ["2026 价格表"],
            ["产品编码", "报价", None, "备注"],
            [None, "单价", "币种", None],
            ["P1", 12.5, "人民币", None],
            [None, None, None, None],
            ["P2", 3, "美元", "x"],
            ["合计", 15.5, None, None],
        ],
        start=1,
    )
    parsed = read(
        data,
        "a.xlsx",
        format="excel",
        header_row=4,
        header_rows=2,
        columns={"id": {"headers": ["产品编码"]}},
        footer={"column": "产品编码", "starts_with": ["合计"]},
    )
    assert parsed.rows.columns[:4] == ["产品编码", "报价/单价", "报价/币种", "备注"]
    assert cells(parsed) == [("P1", "12.5", "人民币", None), ("P2", "3", "美元", "x")]
    assert parsed.rows["file.row"].to_list() == ["1", "3"]


def test_a_half_written_workbook_is_refused() -> None:
    with pytest.raises(FileRefusedError, match="no readable workbook"):
        read(a_workbook([["id"], ["1"]])[:900], "a.xlsx", format="excel")


def test_a_missing_sheet_names_those_that_exist() -> None:
    with pytest.raises(FileRefusedError, match="it has 名片"):
        read(a_workbook([["id"], ["1"]]), "a.xlsx", format="excel", sheet="报价")


def test_json_lines_flatten_and_a_broken_line_is_rejected_alone() -> None:
    text = '{"id":"1","data":{"phone":"00123","n":1.10,"tags":["a",2]},"ok":true}\n{"id":\n[1]\n{"id":"3","data":null}\n'
    parsed = read(text, "f.jsonl", format="json")
    assert parsed.rows.select("id", "data.phone", "data.n", "data.tags", "ok").rows() == [
        ("1", "00123", "1.10", '["a",2]', "true"),
        ("3", None, None, None, None),
    ]
    assert parsed.rejects.select("position", "payload").rows() == [("f.jsonl:2", '{"id":'), ("f.jsonl:3", "[1]")]
    assert parsed.rows["file.row"].to_list() == ["1", "4"]


@pytest.mark.parametrize("text", ['{\n"id": "1"\n}', '[{"id": "1"}]', '{"id":"1"}\n{"id":"1"}'])
def test_an_object_a_list_and_lines_are_all_json(text: str) -> None:
    assert set(read(text, "f.json", format="json").rows["id"]) == {"1"}


def test_a_half_written_object_refuses_the_file() -> None:
    with pytest.raises(FileRefusedError, match="half-written"):
        read('{"id": "1", "data": {', "f.json", format="json")


def test_a_rejected_line_is_read_again_under_the_new_contract() -> None:
    rejects = read("t\nid,a,b\n1,x,y,2\n", header_row=2).rejects
    again = read_piece(a_contract(header_row=2, overflow="a"), rejects["payload"][0], rejects["position"][0])
    assert again.rows.select("id", "a", "b", "file.row").rows() == [("1", "x,y", "2", "1")]
