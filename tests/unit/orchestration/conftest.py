"""The libraries that orchestration stands on."""

import warnings

with warnings.catch_warnings():
    # they warn about each other when they are imported
    warnings.simplefilter("ignore")
    import dagster_dbt  # noqa: F401
