"""What a publication holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

from warehouse.described import Comments

# schemas of the working file whose tables readers get; a leading underscore keeps a table inside
PUBLISHED_SCHEMAS = ("marts", "policy", "hub", "gate")


def list_published_tables(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """(schema, table) of everything that readers get."""
    return con.execute(
        """
        select table_schema, table_name from information_schema.tables
        where list_contains(?, table_schema) and not starts_with(table_name, '_')
        order by list_position(?, table_schema), table_name
        """,
        [list(PUBLISHED_SCHEMAS), list(PUBLISHED_SCHEMAS)],
    ).fetchall()


def describe_tables(manifest: Mapping[str, Any]) -> dict[str, Comments]:
    """What dbt's manifest says of published tables and their columns, by table."""
    nodes = [*manifest["nodes"].values(), *manifest["sources"].values()]
    return {
        node["name"]: Comments(
            node["description"], {name: text for name, column in node["columns"].items() if (text := column["description"])}
        )
        for node in nodes
        if node["schema"] in PUBLISHED_SCHEMAS and node["resource_type"] in {"model", "seed", "source"}
    }


def count_funnel(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, int]]:
    """Opportunities that entered each stage: (pipeline, stage, count), in the funnel's order."""
    return con.execute(
        """
        select stages.pipeline, stages.stage, count(distinct visits.opportunity_key)
        from marts.dim_stage as stages
        join marts.fct_stage_visit as visits on visits.pipeline = stages.pipeline and visits.stage = stages.stage
        group by stages.pipeline, stages.stage, stages.position
        order by stages.pipeline desc, stages.position
        """
    ).fetchall()
