"""The command answers at once: what takes seconds to import waits until a command needs it."""

import subprocess
import sys


def test_the_command_line_imports_no_part_of_the_pipeline() -> None:
    late = {"dagster", "dagster_dbt", "dbt", "duckdb", "polars", "pydantic", "yaml"}
    code = f"import orchestration.cli.app, sys; print(*({late} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
