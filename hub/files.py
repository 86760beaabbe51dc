"""Tables and reports from files. Public door."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import polars as pl

from hub.columns.prepare import RecordsError

_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_SEPARATORS = (",", ";", "\t", "|")
#: a first line by which spreadsheets tell each other what separates
_TOLD_SEPARATOR = re.compile(rb'\s*"?sep=([,;|\t])"?[ \t]*\r?\n', re.IGNORECASE)
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")
#: the second byte of a Chinese character
_SECOND = re.compile(rb"[\x81-\xfe]([\x40-\x7e\x80-\xfe])")
#: in a wider table a first line with one value is its title
_WIDTH_OF_TITLE = 2
#: bytes that tell the encoding
_SAMPLE = 1 << 20
#: share of the bytes beyond ASCII that stand alone in Western text: in Big5 it is a half
_MOST = 0.9
#: share of ASCII among second bytes: in simplified names it is 0.01, in Big5 0.4
_FEW = 0.1


def read_table(path: Path) -> pl.DataFrame:
    """A Parquet file, or a CSV file with all values as text, in any usual encoding; its first line says what separates them.

    Raises RecordsError."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
            if start == b"PAR1":
                # in one piece: columns cut at different rows are copied when they are read side by side, 190 MB of a million rows
                return pl.read_parquet(path).rechunk()
            data = start + file.read()
    except OSError as error:
        raise RecordsError(f"{path}: cannot be read: {error.strerror or error}") from error
    except pl.exceptions.PolarsError as error:
        raise RecordsError(f"{path}: not a whole Parquet file: {_first_line(error)}") from error
    if start == b"PK\x03\x04":
        raise RecordsError(f"{path}: a workbook or archive: save the table as CSV or Parquet")
    text = _to_utf8(data.removeprefix(_BOM), path)
    if b"\r" in text and b"\n" not in text:
        text = text.replace(b"\r", b"\n")
    told = _TOLD_SEPARATOR.match(text)
    text = text[told.end() :] if told else text
    if not text.strip():
        raise RecordsError(f"{path}: the file is empty; its first line must name the columns")
    separator, names = _read_header(text, told[1].decode() if told else None)
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise RecordsError(f"{path}: more than one column is called {', '.join(twice)}: rename or leave out all but one")
    named = [name.strip() for name in names if name.strip()]
    if len(named) == 1 and len(names) > _WIDTH_OF_TITLE:
        raise RecordsError(
            f"{path}: the first line names one of {len(names)} columns, {named[0]}: "
            "if it is a title, delete what stands above the line that names them all"
        )
    try:
        return pl.read_csv(text, separator=separator, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise RecordsError(
            f"{path}: not valid CSV: {_find_long_row(text, separator, len(names)) or _first_line(error)}"
        ) from error


def read_lines(path: Path) -> list[str]:
    """The lines of a text, without the empty ones and the blanks around. Raises RecordsError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecordsError(f"{path}: cannot be read: {error.strerror or error}") from error
    lines = _to_utf8(data.removeprefix(_BOM), path).decode().splitlines()
    return [line.strip() for line in lines if line.strip()]


def read_report(path: Path) -> dict[str, Any]:
    """A report that `resolve` wrote (`report.json`), which names at least `entity` and `rule_version`. Raises RecordsError."""
    try:
        report: dict[str, Any] = json.loads(path.read_bytes())
        if {"entity", "rule_version"} <= set(report):
            return report
    except OSError as error:
        raise RecordsError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, TypeError):
        pass
    raise RecordsError(f"{path}: not the report of an outcome; resolve the records anew into another folder")


def _to_utf8(data: bytes, path: Path) -> bytes:
    for encoding in _list_encodings(data):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return data if encoding == "utf-8" else text.removeprefix("\ufeff").encode()
    raise RecordsError(f"{path}: not UTF-8, GB18030, Big5 or Windows-1252, nor UTF-16 with its mark: save it as UTF-8")


def _list_encodings(data: bytes) -> tuple[str, ...]:
    """What a text may be encoded in, the likeliest first: most of Big5 and Windows-1252 is GB18030 too, of other characters."""
    if data.startswith(_UTF_16):  # what spreadsheets call Unicode text
        return ("utf-16",)
    first = _BEYOND_ASCII.search(data)
    sample = data[first.start() :][:_SAMPLE] if first else b""
    runs = _BEYOND_ASCII.findall(sample)
    if sum(len(run) == 1 for run in runs) > _MOST * len(runs):
        return ("utf-8", "cp1252")
    seconds = _SECOND.findall(sample)
    if sum(second < b"\x80" for second in seconds) > _FEW * len(seconds):
        return ("utf-8", "cp950", "big5hkscs", "gb18030")
    return ("utf-8", "gb18030")


def _read_header(text: bytes, separator: str | None) -> tuple[str, list[str]]:
    """What separates the columns, a comma where it is in doubt, and their names."""
    line = next(line for line in io.BytesIO(text) if line.strip()).decode().strip("\r\n")
    bare = re.sub(r'"[^"]*"', "", line)
    separator = separator or max(_SEPARATORS, key=bare.count)
    return separator, next(csv.reader([line], delimiter=separator), [])


def _find_long_row(text: bytes, separator: str, width: int) -> str | None:
    """The first row that has more fields than there are columns."""
    rows = csv.reader(io.StringIO(text.decode(), newline=""), delimiter=separator)
    try:
        for number, row in enumerate(filter(None, rows)):
            if len(row) > width:
                return (
                    f"row {number} (line {rows.line_num}) has {len(row)} fields, the first line names {width} columns: "
                    f"quote values that hold the separator {separator!r}"
                )
    except csv.Error:
        return None
    return None


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
