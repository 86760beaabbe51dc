"""New records into a hub that is open in the process: `python -m bench.identity.open_hub RECORDS HUB OUT`.

A few records go first, as in a service that adds all day; then the rest is added, and its seconds and events are written.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from hub.rules.read import load_rules
from hub.store import Hub

_FIRST = 10
_AT = datetime(2027, 1, 1, tzinfo=UTC)


def main(records: Path, folder: Path, out: Path) -> None:
    """Add, and write events.parquet and seconds.json."""
    hub = Hub.open(folder, load_rules("organisation"))
    table = pl.read_parquet(records)
    hub.add(table.head(_FIRST), "first", _AT)
    wall, cpu = time.perf_counter(), time.process_time()
    added = hub.add(table.slice(_FIRST), "rest", _AT)
    seconds = {"add wall": round(time.perf_counter() - wall, 2), "add CPU": round(time.process_time() - cpu, 2)}
    added.events.write_parquet(out / "events.parquet")
    (out / "seconds.json").write_text(json.dumps(seconds), encoding="utf-8")


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
