"""The hub: parties in, customers with lasting IDs out, and what must hold of them."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from hub.kept.outcome import Whole
from orchestration.lib.identity import (
    LOG_SCHEMA,
    Identities,
    keep_identities,
    resolve_identities,
    write_identities,
)
from orchestration.lib.identity_metadata import describe_golden, describe_queue, describe_run, describe_weights
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
    "decisions": "What people decided about customers: merge, split, never, move; who, when, why, and whether it holds.",
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
            description=(
                "One credit code per customer, one current ID per record, every ID resolves, values have a source, "
                "nobody is part of itself; no customer is out of bounds, and no more than a tenth of the records change their ID."
            ),
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
        **_describe(identities.organisations.whole, "parties", ("crosswalk", "golden_customers", "edges", "review_queue")),
        **_describe(
            identities.persons.whole, "persons", ("person_crosswalk", "golden_persons", "person_edges", "person_review_queue")
        ),
    }
    for name in TABLES:
        key = dg.AssetKey(["hub", name])
        check = [_judge_invariants(context, stores, identities)] if key == CUSTOMERS else []
        yield dg.MaterializeResult(
            asset_key=key, metadata={"dagster/row_count": counts[name], **details.get(name, {})}, check_results=check
        )


def _describe(found: Whole, truth: str, names: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Metadata by table of an entity. names: of its crosswalk, golden records, edges and review queue."""
    told = (describe_run(found, truth), describe_golden(found, truth), describe_weights(found), describe_queue(found))
    return dict(zip(names, told, strict=True))


def _judge_invariants(context: dg.AssetExecutionContext, stores: Stores, identities: Identities) -> dg.AssetCheckResult:
    return stores.judge(context.run_id, CUSTOMERS, INVARIANTS, identities.broken)
