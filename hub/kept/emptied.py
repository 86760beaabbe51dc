"""What a hub loses where records are given again in tables of fewer columns."""

import polars as pl

from hub.kept.increment import find_present
from hub.kept.state import State

_RECORD = ["source", "source_key"]


def count_emptied(state: State, records: pl.DataFrame) -> dict[str, int]:
    """By column that the hub keeps and these records do not have, how many of them had a value there; without those of none."""
    kept = state.records
    lacking = [column for column in kept.columns if column not in records.columns and kept[column].null_count() < kept.height]
    if not lacking:
        return {}
    rows = find_present(state, records.select(pl.col(_RECORD).cast(pl.String)))["row"]
    known = kept.select(pl.col(lacking).gather(rows).count()).row(0, named=True)
    return {column: n for column, n in known.items() if n}
