"""What assets are given: the stores of this home."""

import dagster as dg

from orchestration.lib.stores import open_stores
from orchestration.project import current_project


@dg.definitions
def resources() -> dg.Definitions:
    return dg.Definitions(resources={"stores": open_stores(current_project())})
