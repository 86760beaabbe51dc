"""Publication: what passed the gate, in one file, swapped in."""

from collections.abc import Iterator

import dagster as dg

from orchestration.defs.gate import VERDICT
from orchestration.lib.gate import read_project_manifest
from orchestration.lib.inputs import describe_code, fingerprint_code
from orchestration.lib.models import settle_retrained
from orchestration.lib.plots import draw_bars
from orchestration.lib.publication import count_funnel, describe_tables, list_published_tables
from orchestration.lib.stores import Stores
from orchestration.lib.upkeep import FRESHNESS, OWNER
from orchestration.project import current_project
from warehouse.errors import PublicationHeld
from warehouse.publication import publish

PUBLICATION = dg.AssetKey(["publication", "goldthread"])


@dg.asset(
    key=PUBLICATION,
    deps=[VERDICT],
    freshness_policy=FRESHNESS,
    group_name="publication",
    owners=[OWNER],
    kinds={"duckdb", "file"},
    output_required=False,
)
def publication(context: dg.AssetExecutionContext, stores: Stores) -> Iterator[dg.MaterializeResult]:
    """The served file: marts, hub and policy tables of the last run that passed; refuses without this run's own verdict."""
    with stores.open_working() as con:
        tables = list_published_tables(con)
        funnel = count_funnel(con)
    project = current_project()
    manifest = read_project_manifest(project)
    code, comments = fingerprint_code(manifest), describe_tables(manifest)
    try:
        made = publish(
            stores.home, stores.ledger, context.run_id, tables, describe_code(code), project.rule_version, comments=comments
        )
    except PublicationHeld as hold:
        context.log.warning(str(hold))
        return
    settle_retrained(stores.home, stores.ledger)
    stores.remember_published(code)
    picture = {
        "funnel": draw_bars([f"{p} {s}" for p, s, _ in funnel], [n for *_, n in funnel], "opportunities that entered a stage")
    }
    yield dg.MaterializeResult(
        metadata={
            "path": dg.MetadataValue.path(str(stores.home.served)),
            "seq": made.seq,
            "tables": len(made.n_rows),
            "rows": sum(made.n_rows.values()),
            **(picture if funnel else {}),
        }
    )
