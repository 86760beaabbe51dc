"""The code location: everything in `defs/`, run in one process (DuckDB allows no second one)."""

from pathlib import Path

import dagster as dg

from orchestration.project import current_project


@dg.definitions
def defs() -> dg.Definitions:
    current_project()
    found = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    return dg.Definitions.merge(found, dg.Definitions(executor=dg.in_process_executor))
