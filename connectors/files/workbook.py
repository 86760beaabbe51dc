"""Excel workbooks: one sheet, every cell as text (calamine: numbers without a false .0, dates ISO, leading zeros kept)."""

from __future__ import annotations

import fastexcel
import polars as pl

from connectors.files.contract import Contract
from connectors.files.parsed import FileRefusedError, Parsed, frame_rejects, merge_header_rows, name_columns


def read_workbook(contract: Contract, data: bytes, name: str) -> Parsed:
    """Rows of one sheet below its headers; rows without any cell are no rows. Raises FileRefusedError."""
    cells = load_cells(contract, data)
    if cells.height < contract.header_row:
        raise FileRefusedError(f"has no header in row {contract.header_row}: the sheet has {cells.height} rows")
    first = contract.header_row - contract.header_rows
    header = [list(row) for row in cells.slice(first, contract.header_rows).iter_rows()]
    rows = cells.slice(contract.header_row)
    rows.columns = name_columns(merge_header_rows(header))
    rows = rows.with_row_index("index").filter(~pl.all_horizontal(pl.exclude("index").is_null()))
    return Parsed(rows.drop("index"), rows["index"].cast(pl.Int64) + 1, frame_rejects([]))


def load_cells(contract: Contract, data: bytes) -> pl.DataFrame:
    """Every cell of the sheet from its first row on, as text."""
    try:
        book = fastexcel.read_excel(data)
    except fastexcel.FastExcelError as error:
        raise FileRefusedError(
            f"is no readable workbook (half-written, or protected by a password): {first_line(error)}"
        ) from None
    if contract.sheet is not None and contract.sheet not in book.sheet_names:
        raise FileRefusedError(f"has no sheet '{contract.sheet}'; it has {', '.join(book.sheet_names)}; correct sheet")
    try:
        sheet = book.load_sheet(contract.sheet or 0, header_row=None, skip_rows=0, dtypes="string")
        return sheet.to_polars().with_columns(pl.all().cast(pl.String))
    except fastexcel.FastExcelError as error:
        raise FileRefusedError(f"sheet cannot be read: {first_line(error)}") from None


def first_line(error: Exception) -> str:
    """What the library says, without its context lines."""
    return (str(error).splitlines() or [""])[0][:200]
