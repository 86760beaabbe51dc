"""A home outlives the checkout that filled it: the next one's dbt reads its own seeds."""

import json
import shutil
import subprocess
import sys

import pytest

from tests.integration.dbt_harness import PROJECT

pytestmark = pytest.mark.integration

PARSE = """
import sys
from pathlib import Path
from orchestration.lib import dbt
dbt.DBT_PROJECT = Path(sys.argv[1])
print(dbt.write_manifest(Path(sys.argv[2]), Path(sys.argv[3])))
"""


def test_a_home_of_another_checkout_is_parsed_anew(tmp_path):
    other = shutil.copytree(PROJECT, tmp_path / "other", ignore=shutil.ignore_patterns("target", "logs"))
    for project in (other, PROJECT):
        command = [sys.executable, "-c", PARSE, str(project), str(tmp_path / "dbt"), str(tmp_path / "working.duckdb")]
        subprocess.run(command, check=True, cwd=PROJECT.parent, capture_output=True, timeout=120)
        manifest = json.loads((tmp_path / "dbt" / "manifest.json").read_text(encoding="utf-8"))
        seeds = [node for node in manifest["nodes"].values() if node["resource_type"] == "seed"]
        assert {node["root_path"] for node in seeds} == {str(project)}
