"""The code location as text, one line per definition: what `tests/golden/definitions.txt` holds.

`GOLDTHREAD_HOME=$(mktemp -d) python -m tests.integration.definitions_text > tests/golden/definitions.txt` writes it anew
after a wanted change.
"""

from __future__ import annotations

import sys
from collections import Counter

import dagster as dg

from orchestration.definitions import defs


def describe_definitions(definitions: dg.Definitions) -> list[str]:
    """Assets (group, number of checks and of blocking ones, direct dependencies), jobs, schedules, sensors."""
    graph = definitions.resolve_asset_graph()
    checks = Counter(key.asset_key for key in graph.asset_check_keys)
    blocking = Counter(key.asset_key for key in graph.asset_check_keys if graph.get(key).blocking)
    lines = []
    for node in graph.asset_nodes:
        if node.is_materializable:
            parents = ", ".join(sorted(key.to_user_string() for key in node.parent_keys)) or "nothing"
            counts = f"{checks[node.key]} checks, {blocking[node.key]} blocking"
            lines.append(f"asset {node.key.to_user_string()} [{node.group_name}] {counts}; from {parents}")
    repository = definitions.get_repository_def()
    lines += [f"job {job.name}: {job.description}" for job in repository.get_all_jobs() if not job.name.startswith("__")]
    lines += [f"schedule {s.name}: {s.cron_schedule} runs {s.job_name}" for s in repository.schedule_defs]
    lines += [f"sensor {s.name}: {s.sensor_type.value}, {s.default_status.value}" for s in repository.sensor_defs]
    return sorted(lines)


if __name__ == "__main__":
    sys.stdout.write("\n".join(describe_definitions(defs())) + "\n")
