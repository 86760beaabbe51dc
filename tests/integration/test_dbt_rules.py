"""Every rule that the dbt project states as a unit test holds."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.integration.dbt_harness import PROJECT, create_sources, run_dbt

pytestmark = pytest.mark.integration


def test_every_dbt_unit_test_passes(tmp_path: Path) -> None:
    path = tmp_path / "rules.duckdb"
    create_sources(path)
    # a unit test takes its columns' types from the tables, which may be empty
    # dbt leaves its log file open, which pytest reports as an error
    quietly = ("--log-level-file", "none")
    run_dbt(path, *quietly, "seed")
    run_dbt(path, *quietly, "run")
    outcome = run_dbt(path, *quietly, "test", "--select", "test_type:unit")
    stated = Counter(
        rule["name"]
        for file in (PROJECT / "models").rglob("*.yml")
        for rule in (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("unit_tests", [])
    )
    assert len(stated) > 20
    assert Counter(result.node.name for result in outcome.results) == stated
    assert {str(result.status) for result in outcome.results} == {"pass"}
