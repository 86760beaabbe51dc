"""One group of assets per configured source, and the canonical tables that file streams fill together."""

from collections.abc import Iterator

import dagster as dg

from connectors.catalog import declare_streams
from connectors.files.entities import ENTITIES, table_name
from orchestration.lib.sources import build_source_assets
from orchestration.lib.stores import Stores
from orchestration.lib.upkeep import OWNER
from orchestration.project import Project, current_project


def _canonical_specs(project: Project) -> list[dg.AssetSpec]:
    feeding: dict[str, list[dg.AssetKey]] = {entity: [] for entity in ENTITIES}
    for source in project.sources:
        for stream in declare_streams(source.kind, source.settings, project.folder):
            for feed in stream.feeds:
                feeding[feed.entity].append(dg.AssetKey([source.name, stream.name]))
    return [
        dg.AssetSpec(
            ["files", table_name(entity)],
            deps=list(dict.fromkeys(keys)),
            description=f"Every file row that its contract feeds as {entity.replace('_', ' ')}, newest per source and key.",
            group_name="files",
            owners=[OWNER],
            kinds={"duckdb", "view"},
        )
        for entity, keys in feeding.items()
    ]


@dg.definitions
def source_definitions() -> dg.Definitions:
    project = current_project()

    @dg.multi_asset(name="canonical_files", specs=_canonical_specs(project))
    def canonical_files(context: dg.AssetExecutionContext, stores: Stores) -> Iterator[dg.MaterializeResult]:
        counts = stores.prepare_canonical_tables(project)
        for key in context.selected_asset_keys:
            yield dg.MaterializeResult(asset_key=key, metadata={"dagster/row_count": counts[key.path[-1]]})

    return dg.Definitions(assets=[canonical_files, *(build_source_assets(project, source) for source in project.sources)])
