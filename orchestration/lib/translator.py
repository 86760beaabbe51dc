"""How dbt nodes appear in Dagster: keys by schema and name, one-line descriptions, an owner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject

from orchestration.lib.upkeep import OWNER

SYNCED = dg.AssetKey(["files", "parties"])


class GoldthreadTranslator(DagsterDbtTranslator):
    """dbt's default keys; descriptions cut to their first line, because the default embeds the whole SQL."""

    def __init__(self) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True))

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        props = manifest["nodes"].get(unique_id) or manifest["sources"][unique_id]
        lines = (props.get("description") or "").strip().splitlines()
        # policy is read once the sources have been: without this a dbt step of its own (1 s) would run before them, news or none
        deps = [SYNCED] if props["resource_type"] == "seed" else spec.deps
        return spec.replace_attributes(
            deps=deps,
            description=lines[0] if lines else None,
            owners=[OWNER],
            kinds={"dbt", "duckdb"} if props["resource_type"] == "model" else {"dbt", "csv"},
            group_name=props.get("schema") or None,
        )
