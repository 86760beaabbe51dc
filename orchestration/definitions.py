"""The code location: everything in `defs/`, run in one process (DuckDB allows no second one)."""

from pathlib import Path

import dagster as dg

from orchestration.project import silence_telemetry


@dg.definitions
def defs() -> dg.Definitions:
    silence_telemetry()
    found = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    return dg.Definitions.merge(found, dg.Definitions(executor=dg.in_process_executor))
