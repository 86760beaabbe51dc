"""What differs between two crosswalks of the same records: before a new model, rules or threshold is trusted. Public door."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from hub.clustering.cluster import find_components
from hub.crosswalks import RECORD, read_crosswalk

_KINDS = ("merged", "split", "moved")
#: records that stand for a change where it is printed
_SAMPLE = 5


@dataclass(frozen=True)
class Differences:
    """Entities that share records are looked at together; what only one side knows is counted and left out.

    changes: change (number, largest first), kind, records, gids_before, gids_after, sample (SOURCE:KEY, one per pair of ids)
        merged: several became one; split: one became several; moved: several became several others
    members: change, kind, source, source_key, gid_before, gid_after - every record of a change
    counts: records, entities_before, entities_after, same (entities with the same records), same_under_another_id,
        merged, split, moved, records_in_changes, pairs_joined, pairs_parted, records_only_before, records_only_after
    """

    changes: pl.DataFrame
    members: pl.DataFrame
    counts: dict[str, int]


def find_differences(before: pl.DataFrame, after: pl.DataFrame) -> Differences:
    """What merges, splits and moves from one crosswalk (hub.crosswalks) to another.

    Raises:
        ValueError: a crosswalk that cannot be read, or without a record in common.
    """
    one, two = (
        read_crosswalk(table, f"crosswalk {side}").rename({"id": side}) for side, table in (("before", before), ("after", after))
    )
    both = one.join(two, on=RECORD).sort(RECORD)
    if not both.height:
        raise ValueError("the two crosswalks have no record in common: they are not of the same records")
    way = pl.struct("before", "after")
    placed = both.with_columns(part=pl.Series(_find_parts(both)), stands_for_its_kind=way.is_first_distinct())
    parts = placed.group_by("part").agg(
        records=pl.len(),
        gids_before=pl.col("before").unique().sort(),
        gids_after=pl.col("after").unique().sort(),
        sample=pl.concat_str(RECORD, separator=":").filter("stands_for_its_kind").head(_SAMPLE),
    )
    n_before, n_after = pl.col("gids_before").list.len(), pl.col("gids_after").list.len()
    kind = pl.when(n_before == 1).then(pl.lit("split")).when(n_after == 1).then(pl.lit("merged")).otherwise(pl.lit("moved"))
    same = parts.filter((n_before == 1) & (n_after == 1))
    changed = parts.join(same.select("part"), on="part", how="anti").with_columns(kind=kind)
    changed = changed.sort("records", "part", descending=[True, False]).with_row_index("change", offset=1)
    changes = changed.select("change", "kind", "records", "gids_before", "gids_after", "sample")
    members = changed.select("change", "kind", "part").join(placed, on="part").sort("change", *RECORD)
    joined = [_count_pairs(placed, by) for by in (["before"], ["after"], ["before", "after"])]
    counts = {
        "records": both.height,
        "entities_before": both["before"].n_unique(),
        "entities_after": both["after"].n_unique(),
        "same": same.height,
        "same_under_another_id": same.filter(pl.col("gids_before") != pl.col("gids_after")).height,
        **{name: changes.filter(pl.col("kind") == name).height for name in _KINDS},
        "records_in_changes": int(changes["records"].sum()),
        "pairs_joined": joined[1] - joined[2],
        "pairs_parted": joined[0] - joined[2],
        "records_only_before": one.height - both.height,
        "records_only_after": two.height - both.height,
    }
    listed = members.select("change", "kind", *RECORD, gid_before="before", gid_after="after")
    return Differences(changes, listed, counts)


def _find_parts(both: pl.DataFrame) -> np.ndarray:
    """Per record the first record that a chain of shared ids, of either side, leads to."""
    numbered = both.with_row_index("row")
    firsts = [numbered.select(pl.col("row").first().over(side)).to_series().to_numpy() for side in ("before", "after")]
    rows = np.arange(both.height, dtype=np.int64)
    return find_components(both.height, np.concatenate([rows, rows]), np.concatenate(firsts))


def _count_pairs(frame: pl.DataFrame, by: list[str]) -> int:
    sizes = frame.group_by(by).len().select(pl.col("len").cast(pl.Int64))
    return int(sizes.select((pl.col("len") * (pl.col("len") - 1) // 2).sum()).item())
