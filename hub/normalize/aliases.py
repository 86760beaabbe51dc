"""Aliases: former names, brands and short names that share no character with the registered name (spec §5.2)."""

from functools import lru_cache

import polars as pl

from hub.normalize.company import parse_company_names
from hub.rules.model import Alias

#: part of a company's name: its key, or that of the name that it is an alias of
KNOWN = "known"
#: days for an alias that was always borne, and that still is
_ALWAYS, _STILL = -(1 << 28), 1 << 28
#: more than there are days
_WIDTH = 1 << 30


@lru_cache(maxsize=4)
def list_bearings(aliases: tuple[Alias, ...]) -> pl.DataFrame:
    """key, bearer, since, until: the name key of an alias, that of the name which it stands for, and the days of its time."""
    names = [name for alias in aliases for name in (alias.alias, alias.name)]
    key_of = dict(parse_company_names(pl.Series(names, dtype=pl.String).unique()).select("raw", "name_key").iter_rows())
    rows = [(key_of[alias.alias], key_of[alias.name], alias.valid_from, alias.valid_to) for alias in aliases]
    table = pl.DataFrame(rows, schema=dict.fromkeys(("key", "bearer", "since", "until"), pl.String), orient="row")
    days = (pl.col(name).str.to_date().cast(pl.Int32) for name in ("since", "until"))
    days = (day.fill_null(at) for day, at in zip(days, (_ALWAYS, _STILL), strict=True))
    return table.drop_nulls(["key", "bearer"]).filter(pl.col("key") != pl.col("bearer")).with_columns(*days)


def replace_aliases(keys: pl.Series, bearings: pl.DataFrame) -> pl.Series:
    """Name keys with those of aliases replaced by the key of the name that each stands for.

    Of two companies that bore a name in turn it stands for the one that still bears it, else for the last; where two bear it
    since the same day it stands for neither.
    """
    asked = bearings.select(pl.col("key").unique(maintain_order=True), day=_STILL)
    found = choose_bearers(asked, bearings)
    return keys.replace(found["key"], found["bearer"])


def choose_bearers(asked: pl.DataFrame, bearings: pl.DataFrame) -> pl.DataFrame:
    """key, day, bearer for each key and day: who bore the name on that day, of several the one that took it last; else who gave
    it up last before, else who took it first after. Where these are two, the name stands for itself."""
    bore, is_over = pl.col("day").is_between("since", "until"), pl.col("until") < pl.col("day")
    how = pl.when(bore).then(2).when(is_over).then(1).otherwise(0).cast(pl.Int64)
    near = pl.when(bore).then("since").when(is_over).then("until").otherwise(-pl.col("since"))
    pairs = asked.join(bearings, on="key").with_columns(rank=(how * _WIDTH + near) * _WIDTH + pl.col("since"))
    best = pairs.filter(pl.col("rank") == pl.col("rank").max().over("key", "day"))
    is_one = pl.col("bearer").n_unique() == 1
    return best.group_by("key", "day").agg(bearer=pl.when(is_one).then(pl.col("bearer").first()).otherwise(pl.col("key").first()))
