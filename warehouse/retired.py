"""Rows that leave quarantine without being put right: their file was changed or is gone, or a person gave them up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb
import polars as pl

from warehouse.batches import Retired
from warehouse.protocols import BatchLike
from warehouse.sql import identifier

FILE, FILE_ROW = "file.name", "file.row"
PLACE_BITS = 32  # a place is the number of the batch, then that of the row in it
RANGES = {"batch_id": pl.String, "first_row": pl.Int64, "last_row": pl.Int64}

# neighbours by place are one range; batches are further apart than any two rows of one
REPLACED = """
with gone as (
    select place from landed
    where not is_replaced and _row_hash not in (select _row_hash from incoming_hashes)
        and (list_contains($replaced, file) or ($lists_refused and _op = 'reject' and is_whole_file))
),
islands as (select place, place - row_number() over (order by place) as island from gone)
select min(place), max(place) from islands group by island order by 1
"""


def file_sql(columns: Sequence[str]) -> str:
    """The file of a landed row with these vendor columns; a reject's position is `file:line`, or the file alone."""
    named = f"{identifier(FILE)}, " if FILE in columns else ""
    return f"coalesce({named}regexp_replace(_position, ':[0-9]+$', ''))"


def place_sql(columns: Sequence[str], prefix: str) -> str:
    """Where a landed row stands: `file:line` or what else the reject says, `file, row 7` (of the data rows) for a row of a
    file, null for others."""
    if FILE not in columns or FILE_ROW not in columns:
        return f"{prefix}_position"
    return f"coalesce({prefix}_position, {prefix}{identifier(FILE)} || ', row ' || {prefix}{identifier(FILE_ROW)})"


def frame_ranges(retired: Sequence[Retired]) -> pl.DataFrame:
    """Columns RANGES."""
    return pl.DataFrame([(rows.batch_id, rows.first_row, rows.last_row) for rows in retired], schema=RANGES, orient="row")


def find_replaced(
    connection: duckdb.DuckDBPyConnection, batch: BatchLike, hashes: pl.Series, batch_ids: Mapping[int, str]
) -> tuple[Retired, ...]:
    """What of table `landed` a batch leaves behind; `hashes`: of all its rows and rejects, `batch_ids`: by their numbers."""
    connection.register("incoming_hashes", pl.DataFrame({"_row_hash": hashes}))
    parameters = {"replaced": list(batch.replaces), "lists_refused": batch.lists_refused}
    ranges = connection.execute(REPLACED, parameters).fetchall()
    connection.unregister("incoming_hashes")
    rows = (1 << PLACE_BITS) - 1
    return tuple(Retired(batch_ids[first >> PLACE_BITS], first & rows, last & rows) for first, last in ranges)
