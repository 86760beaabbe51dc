"""New records into a Splink model that is kept: nodes and term frequencies in a DuckDB file, the model as JSON.

`build RECORDS FOLDER` trains and keeps. `add RECORDS FOLDER OUT WEIGHT` scores the new ones against the kept ones and among
themselves, and writes the edges. It neither clusters nor keeps anything: Splink has no call for that.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import duckdb
import polars as pl
from splink import DuckDBAPI, Linker

from bench.identity.columns import normalise
from bench.identity.peers.splink import Stopwatch, open_linker, train
from bench.identity.peers.splink_b2b import PLAN

_FREQUENCIES = ("full_name", "core", "spoken", "two", "tax", "mobile", "phone", "email", "domain", "person", "surname", "city")


def build(records: Path, folder: Path) -> None:
    """Train on the records and keep nodes, term frequencies and model."""
    watch = Stopwatch()
    frame = normalise(pl.read_parquet(records))
    connection = duckdb.connect(str(folder / "kept.duckdb"))
    linker = open_linker(frame, PLAN, connection)
    train(linker, PLAN, watch)
    for column in _FREQUENCIES:
        table = linker.table_management.compute_tf_table(column)
        connection.execute(f"create table kept_{column} as from {table.physical_name}")
    linker.misc.save_model_to_json(str(folder / "model.json"))
    connection.close()


def add(records: Path, folder: Path, out: Path, weight: float) -> None:
    """Score the new records and write edges.parquet and seconds.json."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    watch = Stopwatch()
    incoming = normalise(pl.read_parquet(records))
    watch.lap("read and normalise")
    connection = duckdb.connect(str(folder / "kept.duckdb"), read_only=False)
    api = DuckDBAPI(connection)
    kept = api.register("nodes")
    linker = Linker(kept, str(folder / "model.json"), log_level=logging.ERROR)
    for column in _FREQUENCIES:
        linker.table_management.register_term_frequency_lookup(api.register(f"kept_{column}"), column)
    new = api.register(incoming.with_columns(pl.col("unique_id") + 10_000_000_000).to_arrow(), table_name="new_nodes")
    watch.lap("open")
    between = linker.inference.predict_between(kept, new, threshold_match_weight=weight)
    watch.lap("predict_between")
    within = linker.inference.predict_within(new, threshold_match_weight=weight)
    watch.lap("predict_within")
    edges = [pl.DataFrame(found.as_pyarrow_table()) for found in (between, within)]
    pl.concat(edges, how="diagonal").write_parquet(out / "edges.parquet")
    watch.lap("write")
    watch.write(out)


def main(arguments: list[str]) -> None:
    """build or add."""
    if arguments[0] == "build":
        build(Path(arguments[1]), Path(arguments[2]))
    else:
        add(Path(arguments[1]), Path(arguments[2]), Path(arguments[3]), float(arguments[4]))


if __name__ == "__main__":
    main(sys.argv[1:])
