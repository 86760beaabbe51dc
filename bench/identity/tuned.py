"""The best that thresholds can do: suggested rules, tuned with labelled pairs, then a resolve with them.

`python -m bench.identity.tuned FILE ENTITY TRUTH OUT` draws up to 1,000 pairs from the edges of a first resolve and as many
others, labels them by the truth (Parquet: source, source_key, true id), and resolves with what `goldthread tune` takes from them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polars as pl

from bench.identity.runs import OURS

_LABELS, _SEED = 1_000, 1
_RECORD = ["source", "source_key"]


def main(arguments: list[str]) -> None:
    """Suggest, resolve, label, tune, resolve."""
    path, entity, truth, folder = arguments
    out = Path(folder)
    rules, tuned, labels = (str(out / name) for name in ("rules.toml", "tuned.toml", "labels.csv"))
    first = out / "first"
    subprocess.run((*OURS, "rules", "suggest", path, "--entity", entity, "--out", rules), check=True)
    subprocess.run((*OURS, "resolve", path, "--entity", entity, "--rules", rules, "--out", str(first)), check=True)
    label_edges(pl.read_parquet(first / "edges.parquet"), pl.read_parquet(truth)).write_csv(labels)
    subprocess.run((*OURS, "tune", labels, path, "--entity", entity, "--rules", rules, "--out", tuned), check=True)
    os.execv(OURS[0], (*OURS, "resolve", path, "--entity", entity, "--rules", tuned, "--out", folder))


def label_edges(edges: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """Labels as `goldthread tune` reads them, of pairs drawn from the edges whose two records the truth knows."""
    known = truth.rename({truth.columns[2]: "label"}).drop_nulls()
    others = [
        known.sample(fraction=1, shuffle=True, seed=_SEED + side).rename(lambda name, side=side: f"{name}_{'ab'[side]}")
        for side in (0, 1)
    ]
    for side in ("a", "b"):
        named = known.rename({"source": f"source_{side}", "source_key": f"source_key_{side}", "label": f"label_{side}"})
        edges = edges.join(named, on=[f"{column}_{side}" for column in _RECORD], how="inner", maintain_order="left")
    drawn = edges.sample(min(_LABELS, edges.height), seed=_SEED)
    drawn = pl.concat([drawn, pl.concat(others, how="horizontal").head(drawn.height)], how="diagonal")
    drawn = drawn.filter(pl.concat_str("source_a", "source_key_a") != pl.concat_str("source_b", "source_key_b"))
    ends = [f"{column}_{side}" for side in ("a", "b") for column in _RECORD]
    return drawn.select(*ends, same=pl.col("label_a") == pl.col("label_b"))


if __name__ == "__main__":
    main(sys.argv[1:])
