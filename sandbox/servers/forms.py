"""Files as receivers and people leave them: form posts (JSON lines), card scans (GB18030 CSV), sheets (Excel)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from sandbox.servers.atomic import write_atomically
from sandbox.servers.forms_sheets import write_exhibition_sheet, write_price_sheet
from sandbox.servers.versions import select_live

GB18030_BOM = b"\x84\x31\x95\x33"
# the n-th post and the n-th scan with an address (0-based) are the damaged ones: later ones do not move them
DAMAGED = 3
CARD_HEADERS = {
    "scan_id": "编号",
    "scanned_at": "扫描时间",
    "company": "公司",
    "name": "姓名",
    "title": "职务",
    "mobile": "手机",
    "email": "邮箱",
    "address": "地址",
    "confidence": "置信度",
}


class FormsFolder:
    """Writes every file that exists at a time below `folder`; files that did not change are left alone."""

    def __init__(self, tables: Mapping[str, pl.DataFrame], folder: Path) -> None:
        self._tables = tables
        self._folder = folder

    def advance(self, at: datetime) -> None:
        """Bring the folder to the state of `at`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._write_web_leads(self._live("web_leads", "submission_id", at))
        self._write_answers(self._live("nps", "submission_id", at))
        self._write_card_scans(self._live("card_scans", "scan_id", at))
        for (exhibition, day), cards in self._groups("exhibition_cards", ("card_no",), at, ("exhibition", "sheet_date")):
            name = f"{exhibition}-{day}.xlsx".replace("/", "-")
            write_exhibition_sheet(self._folder / "exhibition" / name, exhibition, day, cards)
        for (price_list,), prices in self._groups("price_sheets", ("price_list", "product_code"), at, ("price_list",)):
            write_price_sheet(self._folder / "prices" / f"{price_list}.xlsx", price_list, prices)

    def counts(self) -> dict[str, int]:
        """Files by folder."""
        folders = ("web", "nps", "cards", "exhibition", "prices")
        return {name: sum(1 for _ in (self._folder / name).glob("*.*")) for name in folders}

    def _live(self, table: str, key: str, at: datetime) -> pl.DataFrame:
        return select_live(self._tables[f"forms.{table}"], (key,), at).sort("_valid_from", key)

    def _groups(
        self, table: str, key: tuple[str, ...], at: datetime, by: tuple[str, ...]
    ) -> list[tuple[tuple[Any, ...], pl.DataFrame]]:
        rows = select_live(self._tables[f"forms.{table}"], key, at).sort(*by, *key)
        return list(rows.group_by(*by, maintain_order=True))

    def _write_web_leads(self, rows: pl.DataFrame) -> None:
        contact = ("name", "phone", "company", "email", "need", "province", "city", "industry")
        posts = [
            {
                "submission_id": row["submission_id"],
                "submitted_at": row["submitted_at"],
                "form": "website_inquiry",
                "data": {name: row[name] for name in contact},
                "utm": {"source": row["utm_source"], "campaign": row["utm_campaign"]},
            }
            for row in rows.iter_rows(named=True)
        ]
        self._write_days("web", _china_days(rows), posts, damaged=DAMAGED)

    def _write_answers(self, rows: pl.DataFrame) -> None:
        answers = [
            {
                "submission_id": row["submission_id"],
                "submitted_at": row["submitted_at"],
                "form": "nps",
                "data": {name: row[name] for name in ("company", "mobile", "score", "comment")},
            }
            for row in rows.iter_rows(named=True)
        ]
        self._write_days("nps", _china_days(rows), answers, damaged=None)

    def _write_days(self, name: str, days: list[str], posts: list[dict[str, Any]], damaged: int | None) -> None:
        """One file of JSON lines per day of arrival."""
        lines: dict[str, list[str]] = {}
        for number, (day, post) in enumerate(zip(days, posts, strict=True)):
            line = json.dumps(post, ensure_ascii=False)
            if number == damaged:
                # the receiver died while it wrote, and the sender posted again
                lines.setdefault(day, []).append(line[: len(line) // 2])
            lines.setdefault(day, []).append(line)
        for day, content in lines.items():
            write_atomically(self._folder / name / f"{day}.jsonl", ("\n".join(content) + "\n").encode())

    def _write_card_scans(self, rows: pl.DataFrame) -> None:
        """One CSV per ISO week, as the scanner's export: BOM, header, rows, a 合计 line."""
        if rows.is_empty():
            return
        weeks = rows.with_columns(_week=pl.col("_valid_from").dt.convert_time_zone("Asia/Shanghai").dt.strftime("%G-W%V"))
        addressed = rows.filter(pl.col("address").is_not_null())["scan_id"]
        damaged = addressed[DAMAGED] if len(addressed) > DAMAGED else None
        for (week,), scans in weeks.group_by("_week", maintain_order=True):
            table = scans.select(pl.col(name).alias(header) for name, header in CARD_HEADERS.items())
            text = table.write_csv(line_terminator="\r\n")
            text = "\r\n".join(_break_line(line, damaged) for line in text.split("\r\n"))
            footer = "合计," + f"共{scans.height}张" + "," * (len(CARD_HEADERS) - 2) + "\r\n"
            write_atomically(self._folder / "cards" / f"{week}.csv", GB18030_BOM + (text + footer).encode("gb18030"))


def _break_line(line: str, damaged: str | None) -> str:
    """Give the line of one scan a surplus column: an address with a comma that nobody quoted."""
    if damaged is None or not line.startswith(f"{damaged},"):
        return line
    head, confidence = line.rsplit(",", 1)
    return f"{head},二楼,{confidence}"


def _china_days(rows: pl.DataFrame) -> list[str]:
    return rows["_valid_from"].dt.convert_time_zone("Asia/Shanghai").dt.strftime("%Y-%m-%d").to_list()
