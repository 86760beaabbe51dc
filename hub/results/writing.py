"""Parquet files of what was found, written beside those of the run before until all of them are there."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from hub.columns.prepare import RecordsError
from hub.results.edges import Pieces

_WRITING = ".writing-"


@contextmanager
def open_writing(out: Path) -> Iterator[Path]:
    """A folder in `out` to write into before the files are moved; what killed runs left of theirs is removed."""
    place = os.open(out, os.O_RDONLY)
    try:
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RecordsError(
                f"{out}: another run is writing there: wait for it to end, or write into another folder"
            ) from error
        for left in out.glob(f"{_WRITING}*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=_WRITING, dir=out) as folder:
            yield Path(folder)
    finally:
        os.close(place)


def write_tables(tables: Mapping[str, pl.DataFrame], folder: Path) -> None:
    """A Parquet file per table, named as it is."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda item: _write_parquet(item[1], folder / f"{item[0]}.parquet"), tables.items()))


def write_pieces(pieces: Pieces, path: Path) -> None:
    """One table that never is in memory whole; its columns repeat few values but for the keys of the records."""
    writer = None
    for piece in pieces:
        if writer is None:
            repeating = [column for column in piece.column_names if not column.startswith("source_key")]
            # without the schema of the pieces readers find texts and no dictionaries
            options = {"use_dictionary": repeating, "write_statistics": False, "store_schema": False}
            writer = pq.ParquetWriter(path, piece.schema, compression="lz4", **options)
        writer.write_table(piece)
    if writer:
        writer.close()


def _write_parquet(table: pl.DataFrame, path: Path) -> None:
    table.write_parquet(path, compression="lz4", statistics=False)
