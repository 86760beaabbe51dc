"""Identity resolution behind one door: frames in, one frozen result out. Public door.

resolve() is a pure function of the records, the identity log and the rules. The partition depends on the records and the rules
alone (I-1); ids come from the log (I-2, I-3); cached scores only spare work, they never change a result.
"""

import hashlib
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.block import Candidates, encode, find_candidates
from hub.cluster import cluster_pairs, find_components
from hub.identify import build_crosswalk, identify
from hub.prepare import align_records, prepare_aligned
from hub.report import build_edges, build_review, summarise
from hub.rules.first import UNITS_PER_BIT, Entity, Rules, default_rules
from hub.score import list_fields, score_pairs, weigh_for_clusters
from hub.survive import build_golden, choose_winners, list_values

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class History:
    """What earlier runs left: the identity log (`events`, all runs) and, to spare work, the last run's `scored` cache."""

    events: pl.DataFrame | None = None
    scored: pl.DataFrame | None = None


@dataclass(frozen=True)
class Resolution:
    """The result of one resolution. Frames are sorted, and equal for equal input whatever its order.

    crosswalk: source, source_key, gid, valid_from, valid_to, is_current - every attachment there ever was
    golden: one row per live id (columns of hub.golden_customers or hub.golden_persons, with gid)
    lineage: gid, attribute, value, source, source_key, rule, is_winner
    edges: source_a, source_key_a, source_b, source_key_b, weight (bits), evidence (JSON, bits per field);
        pairs at or above the review threshold
    review: pair_id, source_a, source_key_a, source_b, source_key_b, weight, reason, value_at_stake - most valuable first
    events: this run's new identity events (hub.identify names the kinds); redirects: gid, target_gid, since
    scored: the cache for the next run's History; report: counts, candidates by key, clusters, shares
    """

    entity: Entity
    rule_version: str
    crosswalk: pl.DataFrame
    golden: pl.DataFrame
    lineage: pl.DataFrame
    edges: pl.DataFrame
    review: pl.DataFrame
    events: pl.DataFrame
    redirects: pl.DataFrame
    scored: pl.DataFrame
    report: dict[str, Any]

    def tables(self) -> dict[str, pl.DataFrame]:
        """The frames under the names and columns of the warehouse's hub tables (person_ before a person's)."""
        organisation = self.entity == "organisation"
        own = "customer_gid" if organisation else "person_gid"
        prefix = "" if organisation else "person_"
        frames = {
            f"{prefix}crosswalk": self.crosswalk,
            "golden_customers" if organisation else "golden_persons": self.golden,
            "golden_lineage" if organisation else "person_lineage": self.lineage,
            f"{prefix}edges": self.edges,
            f"{prefix}review_queue": self.review,
            f"{prefix}redirects": self.redirects,
        }
        named = {name: frame.rename({"gid": own}, strict=False) for name, frame in frames.items()}
        # both entities share one log: a person's id stands in the same column, and its prefix tells
        named[f"{prefix}identity_events"] = self.events.rename({"gid": "customer_gid"}).select(
            "event_no", "at", "kind", "customer_gid", "other_gid", "source", "source_key", "run_id", "rule_version", "detail"
        )
        return named


def resolve(
    records: pl.DataFrame, *, entity: Entity, history: History | None, run_id: str, at: datetime, rules: Rules | None = None
) -> Resolution:
    """Resolve one entity's records into customers or persons with lasting ids.

    Args:
        records: one row per (source, source_key); columns of hub.prepare, missing ones allowed. All records that exist now:
            one that the log knows and that is missing here counts as deleted.
        history: the identity log and the score cache; None for a first run.
        at: the run's time, zone-aware; stamps events and crosswalk.
        rules: default_rules(entity) where None.

    Raises:
        RecordsError: keys missing, null or repeated.
        ValueError: `at` without a zone, or rules of another entity.
    """
    rules = rules or default_rules(entity)
    history = history or History()
    if at.tzinfo is None:
        raise ValueError("at has no time zone: pass an aware datetime")
    if rules.entity != entity:
        raise ValueError(f"rules are for {rules.entity}, records are {entity}: pass rules for {entity}")
    seconds: dict[str, float] = {}
    clock = time.perf_counter()

    def lap(stage: str) -> None:
        nonlocal clock
        now = time.perf_counter()
        seconds[stage] = round(now - clock, 3)
        clock = now

    aligned = align_records(records, entity)
    prepared = prepare_aligned(aligned, rules)
    lap("normalise")
    candidates = find_candidates(prepared, rules)
    lap("block")
    pairs, scored, is_fresh = _score(prepared, candidates, history.scored, rules)
    lap("score")
    weight = pairs["weight"].cast(pl.Int64).to_numpy()
    codes = encode(prepared, ("tax_code",)) if entity == "organisation" else np.full(aligned.height, -1, dtype=np.int64)
    labels = cluster_pairs(
        aligned.height, candidates.left, candidates.right, weigh_for_clusters(pairs, rules), codes, _hash_records(aligned)
    )
    lap("cluster")
    identified = identify(aligned, labels, history.events, entity, run_id, at, rules.version)
    lap("identify")
    values = list_values(aligned, prepared, identified.gids, rules)
    lineage = choose_winners(values, rules)
    golden = build_golden(values, lineage, rules)
    lap("survive")
    edges = build_edges(aligned, candidates, pairs, rules)
    review, n_grey = build_review(aligned, candidates, pairs, labels, codes, rules)
    report = summarise(labels, candidates, weight, codes, identified.events, identified.log)
    report |= {
        "rule_version": rules.version,
        "shared_values_dropped": int(prepared["n_shared"].sum()),
        "edges": edges.height,
        "review_found": n_grey,
        "review_kept": review.height,
        "pairs_scored": int(is_fresh.sum()),
        "pairs_reused": int((~is_fresh).sum()),
        "components_touched": _count_touched(
            aligned.height, candidates, weight, is_fresh, round(rules.review_bits * UNITS_PER_BIT)
        ),
    }
    lap("report")
    report["seconds"] = seconds
    return Resolution(
        entity=entity,
        rule_version=rules.version,
        crosswalk=build_crosswalk(identified.log),
        golden=golden,
        lineage=lineage,
        edges=edges,
        review=review,
        events=identified.events,
        redirects=identified.redirects,
        scored=scored,
        report=report,
    )


def _hash_records(aligned: pl.DataFrame) -> npt.NDArray[np.uint64]:
    """64 bits per record that no release of a library changes."""
    names = aligned.select(pl.concat_str("source", pl.lit("\x1f"), "source_key")).to_series()
    digests = b"".join(hashlib.blake2b(name.encode(), digest_size=8).digest() for name in names)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def _score(
    prepared: pl.DataFrame, candidates: Candidates, cache: pl.DataFrame | None, rules: Rules
) -> tuple[pl.DataFrame, pl.DataFrame, npt.NDArray[np.bool_]]:
    """Scores of all candidates in order, the cache for the next run, and which pairs were scored now."""
    prints = prepared["fingerprint"]
    a, b = prints.gather(candidates.left), prints.gather(candidates.right)
    keys = (
        pl.DataFrame({"a": a, "b": b})
        .select(low=pl.min_horizontal("a", "b"), high=pl.max_horizontal("a", "b"))
        .with_row_index("pair")
    )
    fields = ["weight", *(f"e_{name}" for name in list_fields(rules.entity))]
    known = _read_cache(cache, fields, rules.scoring_version)
    pairs = keys.join(known, on=["low", "high"], how="left", maintain_order="left")
    is_fresh = pairs["weight"].is_null().to_numpy()
    if is_fresh.any():
        rows = np.flatnonzero(is_fresh)
        new = score_pairs(prepared, candidates.left[rows], candidates.right[rows], rules)
        new = new.with_columns(pair=pl.Series(rows, dtype=pl.UInt32))
        pairs = pl.concat([pairs.filter(~pl.Series(is_fresh)).select("pair", *fields), new.select("pair", *fields)]).sort("pair")
    pairs = pairs.select(fields)
    scored = pl.concat([keys.select("low", "high"), pairs], how="horizontal").unique(["low", "high"]).sort("low", "high")
    return pairs, scored.with_columns(scoring_version=pl.lit(rules.scoring_version)), is_fresh


def _read_cache(cache: pl.DataFrame | None, fields: list[str], version: str) -> pl.DataFrame:
    schema = {"low": pl.UInt64, "high": pl.UInt64, **dict.fromkeys(fields, pl.Int32)}
    if cache is None or "scoring_version" not in cache.columns:
        return pl.DataFrame(schema=schema)
    return cache.filter(pl.col("scoring_version") == version).select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def _count_touched(n: int, candidates: Candidates, weight: Ints, is_fresh: npt.NDArray[np.bool_], least: int) -> int:
    strong = weight >= least
    roots = find_components(n, candidates.left[strong], candidates.right[strong])
    return len(np.unique(roots[candidates.left[is_fresh & strong]]))
