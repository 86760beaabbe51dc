"""Names that companies bore in turn: whose a name is, the date of its record says."""

import numpy as np
import polars as pl

from hub.columns.parts import Table
from hub.normalize.aliases import KNOWN, choose_bearers, list_bearings, replace_aliases
from hub.rules.model import Alias


def tell_aliases(table: Table, times: pl.Series, aliases: tuple[Alias, ...]) -> Table:
    """A table of company names with KNOWN: whom each name means today. Of a name that several bore in turn there is a further row
    for each other bearer that a record means.

    times: per record when it was made; one without means today's bearer.
    """
    bearings = list_bearings(aliases)
    rows = table.rows.with_columns(replace_aliases(table.rows["key"], bearings).alias(KNOWN))
    table = Table(rows, table.ids)
    shared = bearings.group_by("key").agg(pl.col("bearer").n_unique()).filter(pl.col("bearer") > 1)["key"]
    borne = rows["key"].is_in(shared.implode()).fill_null(value=False).arg_true()
    if not len(borne):
        return table
    record = pl.Series("record", np.flatnonzero(np.isin(table.ids, borne.to_numpy())))
    said = pl.DataFrame([record, pl.Series("row", table.ids[record]), times.gather(record).dt.date().cast(pl.Int32).alias("day")])
    said = said.drop_nulls("day")
    said = said.with_columns(rows.select(pl.col("key", KNOWN).gather(said["row"])))
    meant = said.join(choose_bearers(said.select("key", "day").unique(), bearings), on=["key", "day"])
    other = meant.filter(pl.col("bearer") != pl.col(KNOWN)).sort("row", "bearer")
    more = other.select("row", "bearer").unique(maintain_order=True).with_row_index("place", rows.height)
    ids = table.ids.copy()
    placed = other.join(more, on=["row", "bearer"])
    ids[placed["record"].to_numpy()] = placed["place"].to_numpy()
    return Table(pl.concat([rows, rows[more["row"]].with_columns(more["bearer"].alias(KNOWN))]), ids)
