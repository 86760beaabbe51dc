"""Delimited text (CSV): every line becomes a row or a reject with its raw text.

polars fills a short line with nulls and says nothing, and fails as a whole on a long one, so lines are counted here
first: a line is handed to polars only when its quotes are regular and it has as many cells as the header. The few
others are read one by one, repaired through the contract's `overflow` column, or rejected.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

import polars as pl

from connectors.files.contract import Contract
from connectors.files.parsed import FileRefusedError, Parsed, Reject, frame_rejects, merge_header_rows, name_columns

BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\x84\x31\x95\x33", "gb18030"))
QUOTED_LINES = 1_000  # a quoted cell that spans more lines was never closed
MARK = "\x01"  # stands for a well-formed quoted cell


@dataclass(frozen=True)
class Header:
    """Column names, the raw header lines, and the index of the first data record."""

    columns: list[str]
    text: str
    first: int


def read_delimited(contract: Contract, data: bytes, name: str) -> Parsed:
    """Rows and rejects of one file. Raises FileRefusedError."""
    return parse_text(contract, decode(data, contract.encoding), name, contract.header_row)


def parse_text(contract: Contract, text: str, name: str, header_row: int) -> Parsed:
    """As `read_delimited`, for decoded text whose last header line is `header_row`."""
    records = group_lines(text, contract.separator)
    header = read_header(contract, records["text"].head(header_row).to_list(), header_row)
    records = records.slice(header.first).filter(pl.col("text").str.strip_chars() != "").with_row_index("index")
    records = records.with_columns(_count_cells(contract.separator, quoted='"' in text))
    good = records.filter(pl.col("regular") & (pl.col("cells") == len(header.columns)))
    rows = _read_regular(good, header.columns, contract.separator)
    repaired, rejects = [], []
    for index, raw, line in records.join(good, on="index", how="anti").select("index", "text", "line").iter_rows():
        cells, reason = split_irregular(contract, raw, header.columns)
        if reason:
            rejects.append(Reject(f"{name}:{line}", reason, f"{header.text}\n{raw}"))
        else:
            repaired.append([index, *cells])
    schema = {"index": pl.UInt32, **dict.fromkeys(header.columns, pl.String)}
    rows = pl.concat([rows, pl.DataFrame(repaired, schema=schema, orient="row")]).sort("index")
    rows = rows.filter(~pl.all_horizontal(pl.exclude("index").is_null()))
    return Parsed(rows.drop("index"), rows["index"].cast(pl.Int64) + 1, frame_rejects(rejects))


def decode(data: bytes, encoding: str) -> str:
    """The text without its byte order mark, lines ending in newline; a mark outranks the contract's encoding."""
    for mark, its_encoding in BOMS:
        if data.startswith(mark):
            data, encoding = data[len(mark) :], its_encoding
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        hint = "gb18030" if encoding == "utf-8" else "utf-8"
        raise FileRefusedError(
            f"is not {encoding} (byte {error.object[error.start]:#x} at {error.start}): half-written, or of another encoding; "
            f"set encoding, perhaps {hint}"
        ) from None
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def group_lines(text: str, separator: str) -> pl.DataFrame:
    """Records (`text`) and the 1-based line on which each starts (`line`); a quoted cell may span lines."""
    lines = pl.DataFrame({"text": [text]}).select(pl.col("text").str.split("\n").explode()).with_row_index("line", offset=1)
    lines = lines.select("text", pl.col("line").cast(pl.Int64))
    if '"' not in text:
        return lines
    odd = lines["text"].str.count_matches('"', literal=True) % 2 == 1
    openers = (odd & _leaves_open(lines["text"].set(~odd, None), separator)).arg_true()
    if openers.is_empty():
        return lines
    texts = lines["text"].to_list()
    records: list[str] = []
    numbers: list[int] = []
    at = 0
    for opener in openers:
        if opener < at:
            continue
        end = _find_close(texts, opener)
        records += texts[at:opener]
        numbers += range(at + 1, opener + 1)
        records.append("\n".join(texts[opener : end + 1]))
        numbers.append(opener + 1)
        at = end + 1
    return pl.DataFrame({"text": records + texts[at:], "line": [*numbers, *range(at + 1, len(texts) + 1)]})


def _find_close(lines: list[str], opener: int) -> int:
    """The line that ends the record; the opening line itself if its quote is never closed."""
    quotes = lines[opener].count('"')
    for at in range(opener + 1, min(opener + QUOTED_LINES, len(lines))):
        quotes += lines[at].count('"')
        if quotes % 2 == 0:
            return at
    return opener


def read_header(contract: Contract, records: list[str], header_row: int) -> Header:
    """The header lines above the data. Raises FileRefusedError if the file is shorter."""
    first = header_row - contract.header_rows
    lines = records[first:header_row]
    if len(lines) < contract.header_rows or not lines[-1].strip():
        raise FileRefusedError(f"has no header in line {header_row}: it is empty, or header_row is wrong")
    levels = [next(csv.reader([line], delimiter=contract.separator), []) for line in lines]
    width = max(map(len, levels))
    padded = [[*level, *[""] * (width - len(level))] for level in levels]
    return Header(name_columns(merge_header_rows(padded)), "\n".join(lines), header_row)


def split_irregular(contract: Contract, raw: str, columns: list[str]) -> tuple[list[str | None], str]:
    """Cells of one line that does not fit, or the reason why it cannot be a row."""
    try:
        cells = next(csv.reader([raw], delimiter=contract.separator, strict=True))
    except csv.Error as error:
        return [], f"its quotes do not close: {error}"
    surplus = len(cells) - len(columns)
    while surplus > 0 and not cells[-1].strip():
        cells.pop()
        surplus -= 1
    if surplus < 0:
        return [], f"has {len(cells)} of {len(columns)} cells"
    if surplus > 0:
        found = [columns.index(header) for header in contract.find_headers(contract.overflow or "") if header in columns]
        if not found:
            return [], (
                f"has {len(cells)} cells under {len(columns)} headers: an unquoted '{contract.separator}' in one of them; "
                "name the column in overflow, or quote it at the source"
            )
        at = found[0]
        cells[at : at + surplus + 1] = [contract.separator.join(cells[at : at + surplus + 1])]
    return [cell or None for cell in cells], ""


def _leaves_open(lines: pl.Series, separator: str) -> pl.Series:
    """Whether a cell starts with a quote that the line does not close."""
    start = rf"(^|{re.escape(separator)})"
    return lines.str.replace_all(rf'{start}"(?:[^"]|"")*"', "${1}").str.contains(rf'{start}"')


def _count_cells(separator: str, *, quoted: bool) -> list[pl.Expr]:
    if not quoted:
        return [(pl.col("text").str.count_matches(separator, literal=True) + 1).alias("cells"), pl.lit(True).alias("regular")]
    # a doubled quote inside a cell leaves two marks side by side
    plain = pl.col("text").str.replace_all(r'"[^"]*"', MARK)
    beside = rf"[^{re.escape(separator)}{MARK}]"
    strange = plain.str.contains('"', literal=True) | plain.str.contains(rf"{beside}{MARK}|{MARK}{beside}")
    return [(plain.str.count_matches(separator, literal=True) + 1).alias("cells"), (~strange).alias("regular")]


def _read_regular(good: pl.DataFrame, columns: list[str], separator: str) -> pl.DataFrame:
    schema = {"index": pl.UInt32, **dict.fromkeys(columns, pl.String)}
    if good.is_empty():
        return pl.DataFrame(schema=schema)
    rows = pl.read_csv(
        io.BytesIO(good["text"].str.join("\n")[0].encode()),
        has_header=False,
        infer_schema=False,
        separator=separator,
        new_columns=columns,
    )
    if rows.height != good.height:
        raise FileRefusedError(f"{good.height} lines were read as {rows.height} rows; convert the file to plain CSV")
    return rows.insert_column(0, good["index"])
