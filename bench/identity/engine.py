"""The hub's door in a process of its own: `python -m bench.identity.engine resolve FILE --entity E --out DIR`.

Takes the arguments of `goldthread resolve` and stands in for it until the command is there.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, cast

import polars as pl

from hub.resolve import resolve

_AT = datetime(2026, 6, 30, tzinfo=UTC)


def main(arguments: list[str]) -> None:
    """Resolve and write what the command writes."""
    parser = argparse.ArgumentParser(prog="python -m bench.identity.engine")
    parser.add_argument("command", choices=("resolve",))
    parser.add_argument("file", type=Path)
    parser.add_argument("--entity", default="organisation")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    entity = cast(Literal["organisation", "person"], options.entity)
    result = resolve(pl.read_parquet(options.file), entity=entity, history=None, run_id="bench", at=_AT)
    options.out.mkdir(parents=True, exist_ok=True)
    crosswalk = result.crosswalk.filter("is_current").select("source", "source_key", customer_gid="gid")
    for name, frame in (("crosswalk", crosswalk), ("golden", result.golden), ("edges", result.edges), ("events", result.events)):
        frame.write_parquet(options.out / f"{name}.parquet")
    (options.out / "report.json").write_text(json.dumps(result.report, default=str), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
