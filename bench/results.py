"""How a benchmark says what it found: a table for people, JSON below bench/results for machines."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).resolve().parent / "results"


def report(name: str, figures: Mapping[str, Any], table: Table) -> None:
    """Print the table and write `bench/results/<name>.json` (figures, time, machine)."""
    RESULTS.mkdir(exist_ok=True)
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}
    written = {"measured_at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine, **figures}
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(written, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    console = Console()
    console.print(table)
    console.print(f"written to {path}", highlight=False)


def make_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """The first column is text, the others are numbers."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    return table
