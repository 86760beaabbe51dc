"""Excel sheets as sales assistants keep them: a title, a two-row header with merged cells, a 合计 line."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from sandbox.servers.atomic import write_atomically

# (upper header, lower header, column); no lower header: the cell spans both rows
EXHIBITION_HEADERS = (
    ("编号", None, "card_no"),
    ("公司名称", None, "company"),
    ("联系人", "姓名", "name"),
    ("联系人", "职务", "title"),
    ("联系人", "手机", "mobile"),
    ("联系人", "邮箱", "email"),
    ("城市", None, "city"),
    ("采购意向", "等级", "intent"),
    ("采购意向", "预算(万元)", "budget_wan"),
    ("日期", None, "sheet_date"),
)
PRICE_HEADERS = (
    ("产品", "编码", "product_code"),
    ("产品", "名称", "product_name"),
    ("产品", "产品线", "product_line"),
    ("报价", "单价(万元)", "unit_price_wan"),
    ("报价", "生效日期", "valid_from"),
)
HEADER_ROW = 1  # 0-based; the data begins two rows below
_MADE_AT = datetime(2025, 7, 1, tzinfo=UTC)  # in the file's properties: the same sheet is then the same bytes

Headers = Sequence[tuple[str, str | None, str]]


def write_exhibition_sheet(path: Path, exhibition: str, day: str, cards: pl.DataFrame) -> None:
    """Sheet 名片 of one exhibition day."""
    total = {"company": f"共{cards.height}家", "budget_wan": cards["budget_wan"].sum()}
    _write_sheet(path, "名片", f"{exhibition} 名片登记表 {day}", EXHIBITION_HEADERS, cards, total)


def write_price_sheet(path: Path, price_list: str, prices: pl.DataFrame) -> None:
    """Sheet 价格 of one price list."""
    total = {"product_name": f"共{prices.height}个产品"}
    _write_sheet(path, "价格", f"产品价格表 {price_list}", PRICE_HEADERS, prices, total)


def _write_sheet(path: Path, sheet_name: str, title: str, headers: Headers, rows: pl.DataFrame, total: dict[str, Any]) -> None:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        book.set_properties({"created": _MADE_AT.replace(tzinfo=None)})
        bold = book.add_format({"bold": True, "align": "center", "valign": "vcenter"})
        sheet = book.add_worksheet(sheet_name)
        sheet.merge_range(0, 0, 0, len(headers) - 1, title, bold)
        _write_header(sheet, headers, bold)
        columns = [column for _, _, column in headers]
        for number, row in enumerate(rows.select(columns).iter_rows()):
            _write_row(sheet, HEADER_ROW + 2 + number, row)
        _write_row(sheet, HEADER_ROW + 2 + rows.height, ["合计", *(total.get(column) for column in columns[1:])])
    write_atomically(path, buffer.getvalue())


def _write_header(sheet: Any, headers: Headers, bold: Any) -> None:
    column = 0
    while column < len(headers):
        upper, lower, _ = headers[column]
        width = 1
        while lower is not None and column + width < len(headers) and headers[column + width][0] == upper:
            width += 1
        if lower is None:
            sheet.merge_range(HEADER_ROW, column, HEADER_ROW + 1, column, upper, bold)
        elif width > 1:
            sheet.merge_range(HEADER_ROW, column, HEADER_ROW, column + width - 1, upper, bold)
        else:
            sheet.write_string(HEADER_ROW, column, upper, bold)
        for offset in range(width):
            below = headers[column + offset][1]
            if below is not None:
                sheet.write_string(HEADER_ROW + 1, column + offset, below, bold)
        column += width


def _write_row(sheet: Any, row: int, values: Iterable[Any]) -> None:
    for column, value in enumerate(values):
        if isinstance(value, str):
            sheet.write_string(row, column, value)
        elif value is not None:
            sheet.write(row, column, value)
