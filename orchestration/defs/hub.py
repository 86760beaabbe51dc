"""The hub: parties in, customers with lasting IDs out, and what must hold of them."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import polars as pl

from hub.evaluate import evaluate, evaluate_candidates
from hub.kept.outcome import Whole
from orchestration.lib.identity import (
    LOG_SCHEMA,
    Identities,
    keep_identities,
    resolve_identities,
    write_identities,
)
from orchestration.lib.parents import measure_parents, read_true_parents
from orchestration.lib.plots import draw_bars
from orchestration.lib.stores import Stores
from orchestration.lib.upkeep import OWNER
from orchestration.project import current_project
from warehouse.identity_log import read_events, stage_events

TABLES = {
    "crosswalk": "Which customer a source record belongs to, and when.",
    "golden_customers": "One row per customer: the surviving values.",
    "golden_lineage": "Every value of a golden attribute, where it comes from and which rule chose.",
    "edges": "Match evidence between two records, in bits per field.",
    "review_queue": "Pairs that a person should decide, most valuable first.",
    "decisions": "What people decided about customers: merge, split, never; who, when, why, and whether it holds.",
    "person_decisions": "What people decided about persons.",
    "identity_events": "The identity log: issued, attached, merged, split, redirected.",
    "person_crosswalk": "Which person a source record belongs to, and when.",
    "golden_persons": "One row per person: the surviving values.",
    "person_lineage": "Every value of a golden person, where it comes from and which rule chose.",
    "person_edges": "Match evidence between two records of people, in bits per field.",
    "person_review_queue": "Pairs of people that a person should decide.",
    "redirects": "Customer IDs that were given up, and the ID that each resolves to.",
    "person_redirects": "Person IDs that were given up, and the ID that each resolves to.",
}
PARTIES = [dg.AssetKey(["intermediate", name]) for name in ("int_parties_unioned", "int_party_values", "int_persons_unioned")]
INVARIANTS = "hub_invariants"
CUSTOMERS = dg.AssetKey(["hub", "golden_customers"])


@dg.multi_asset(
    name="resolve_identities",
    specs=[
        dg.AssetSpec(["hub", name], deps=PARTIES, description=text, group_name="hub", owners=[OWNER], kinds={"polars", "duckdb"})
        for name, text in TABLES.items()
    ],
    check_specs=[
        dg.AssetCheckSpec(
            INVARIANTS,
            asset=CUSTOMERS,
            blocking=True,
            description="One credit code per customer, one current ID per record, every ID resolves, values have a source.",
        )
    ],
)
def resolved(context: dg.AssetExecutionContext, stores: Stores) -> Iterator[dg.MaterializeResult]:
    log = read_events(stores.home, stores.ledger, LOG_SCHEMA)
    with stores.open_working() as con:
        rules, decisions = current_project().rules, stores.read_decisions()
        identities = resolve_identities(
            con, stores.home, rules, log, decisions, context.run_id, stores.now, retrain=stores.is_retraining
        )
        counts = write_identities(con, identities, log)
    stage_events(stores.home, stores.ledger, context.run_id, identities.new_events)
    keep_identities(stores.home, context.run_id, log, identities)
    details = {
        "crosswalk": _describe_run(identities.organisations.whole, "parties"),
        "person_crosswalk": _describe_run(identities.persons.whole, "persons"),
        "edges": _describe_weights(identities.organisations.whole),
        "person_edges": _describe_weights(identities.persons.whole),
    }
    for name in TABLES:
        key = dg.AssetKey(["hub", name])
        check = [_judge_invariants(context, stores, identities)] if key == CUSTOMERS else []
        yield dg.MaterializeResult(
            asset_key=key, metadata={"dagster/row_count": counts[name], **details.get(name, {})}, check_results=check
        )


_COUNTS = (
    "records", "candidates", "blocks_capped", "pairs_left_out", "clusters", "largest_cluster", "vetoes", "share_ids_changed",
    "review_found", "review_kept",
)  # fmt: skip


def _describe_run(found: Whole, truth: str) -> dict[str, Any]:
    report = found.report
    numbers = {name: report[name] for name in _COUNTS}
    numbers |= {f"decisions_{state}": count for state, count in report["decisions"].items()}
    numbers |= {name: report[name] for name in ("added", "changed", "deleted", "records_reached") if name in report}
    return {
        **numbers,
        **_count_relations(found),
        "resolved": "what changed" if "added" in report else "all records",
        "rule_version": current_project().rule_version,
        "model_version": report["model_version"],
        "events": dg.MetadataValue.json(report["events"]),
        "seconds": dg.MetadataValue.json(report["seconds"]),
        **_measure_quality(found, truth),
    }


def _measure_quality(found: Whole, name: str) -> dict[str, float]:
    """Figures of pairs, candidates and parents where the project knows the truth; nothing of it flows back."""
    folder = current_project().truth
    path = folder / f"{name}.parquet" if folder else None
    if path is None or not path.exists():
        return {}
    table = pl.read_parquet(path)
    truth = table.select("source", "source_key", next(column for column in table.columns if column.endswith("_id")))
    figures = {**evaluate(found.crosswalk, truth), **evaluate_candidates(found.list_pairs(), truth)}
    if name == "parties" and path.with_stem("customers").exists():
        figures |= measure_parents(found.golden, found.crosswalk, *read_true_parents(path.parent))
    return {f"truth_{name}": round(value, 4) for name, value in figures.items()}


def _count_relations(found: Whole) -> dict[str, int]:
    """How many customers are a subsidiary, a branch or a group, have a parent, or name one that nobody was found for."""
    golden = found.golden
    if "relation" not in golden.columns:
        return {}
    names = [name for name in ("parent_name", "parent_source_key") if name in golden.columns]
    is_named = pl.any_horizontal(pl.lit(value=False), *(pl.col(name).is_not_null() for name in names))
    has_parent = pl.col("parent_gid").is_not_null()
    counts = {
        "subsidiaries": pl.col("relation") == "subsidiary",
        "branches": pl.col("relation") == "branch",
        "groups": pl.col("relation") == "group",
        "with_parent": has_parent,
        "named_parents_not_found": is_named & ~has_parent,
    }
    return golden.select(mask.sum().cast(pl.Int64).alias(name) for name, mask in counts.items()).row(0, named=True)


def _describe_weights(found: Whole) -> dict[str, Any]:
    histogram = found.report["weight_histogram"]
    labels = [f"{bits:+d} bits" for bits in histogram["from_bits"]]
    title = f"candidate pairs by match weight ({found.rules.match_bits:g} and above: a match)"
    return {"match weights": draw_bars(labels, histogram["pairs"], title)}


def _judge_invariants(context: dg.AssetExecutionContext, stores: Stores, identities: Identities) -> dg.AssetCheckResult:
    return stores.judge(context.run_id, CUSTOMERS, INVARIANTS, identities.broken)
