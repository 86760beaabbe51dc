"""GoldenMatch: `python -m bench.identity.peers.goldenmatch RECORDS OUT zero|probabilistic`.

zero: dedupe_df() and nothing else. probabilistic: its Fellegi-Sunter configuration, built by itself from the frame.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import goldenmatch
import polars as pl
from goldenmatch.core.autoconfig import auto_configure_probabilistic_df


def main(arguments: list[str]) -> None:
    """Read, deduplicate, write crosswalk.parquet and seconds.json."""
    path, folder, mode = arguments
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    records = pl.read_parquet(path)
    # when a record was made says nothing about whose it is, and the others do not look at it either
    frame = records.drop("source", "source_key", "created_at", strict=False)
    started = time.perf_counter()
    config: Any = auto_configure_probabilistic_df(frame, n_rows_full=frame.height) if mode == "probabilistic" else None
    # above 100,000 rows it refuses to run on a configuration that it doubts: the comparison wants the result all the same
    result = goldenmatch.dedupe_df(frame, config=config, confidence_required=False, allow_red_config=True)
    rows, clusters = [], []
    for number, found in result.clusters.items():
        rows += found["members"]
        clusters += [number] * len(found["members"])
    gids = pl.DataFrame({"row": pl.Series(rows, dtype=pl.UInt32), "gid": pl.Series(clusters, dtype=pl.Int64)})
    keyed = records.select("source", "source_key").with_row_index("row").join(gids, on="row", how="left")
    # a record in no cluster is one of its own
    gid = pl.coalesce("gid", -1 - pl.col("row").cast(pl.Int64))
    keyed.select("source", "source_key", customer_gid=gid).write_parquet(out / "crosswalk.parquet")
    seconds = {"deduplicate": round(time.perf_counter() - started, 3)}
    (out / "seconds.json").write_text(json.dumps(seconds), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
