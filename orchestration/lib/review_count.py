"""How many doubtful pairs wait for a person: the review queue is cut off, the run that made it knows how many there were."""

from __future__ import annotations

import dagster as dg

CROSSWALK = dg.AssetKey(["hub", "crosswalk"])


def count_doubtful_pairs(instance: dg.DagsterInstance, run_id: str) -> int | None:
    """Doubtful pairs of organisations that a run found, before the cut; None where its events are gone."""
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION):
        made = entry.asset_materialization
        if made is not None and made.asset_key == CROSSWALK and "review_found" in made.metadata:
            return int(str(made.metadata["review_found"].value))
    return None


def describe_doubtful_pairs(kept: int, found: int | None) -> str:
    """The queue's length in words. Without `found` more may have been cut off."""
    if found is None:
        return f"at least {kept:,} doubtful pairs wait for a person"
    return f"{kept:,} of {found:,} doubtful pairs wait for a person"
