"""Which dbt nodes one Dagster step must run: its assets, and the tests behind its checks."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator
from dagster_dbt.asset_utils import get_asset_check_key_for_test

MATERIALISED = ("model.", "seed.", "snapshot.")


@dataclass(frozen=True)
class Selection:
    """`tables` are the unique ids that the step builds; `names` select exactly them and their tests."""

    tables: frozenset[str]
    names: tuple[str, ...]


def select_nodes(
    manifest: Mapping[str, Any],
    translator: DagsterDbtTranslator,
    keys: Set[dg.AssetKey],
    checks: Set[dg.AssetCheckKey],
    built: Set[str],
) -> Selection:
    """The nodes behind `keys` and `checks`; `built` are the tables of earlier steps.

    Dagster puts a check into a step that has all its tables before it, which need not be the step that makes the last of
    them. A test that is no check belongs to that one. dbt's own indirect selection would run tests of tables that do not
    exist yet, or leave out those that span steps.
    """
    chosen = {
        unique_id
        for unique_id in manifest["nodes"]
        if unique_id.startswith(MATERIALISED) and translator.get_asset_spec(manifest, unique_id, None).key in keys
    }
    standing = chosen | built | _find_ancestors(manifest, chosen)
    tests = set()
    for unique_id, node in manifest["nodes"].items():
        if unique_id.startswith("test.") and standing >= _table_parents(node):
            check = get_asset_check_key_for_test(manifest, translator, unique_id, None)
            if check in checks or (check is None and chosen & _table_parents(node)):
                tests.add(unique_id)
    return Selection(frozenset(chosen), tuple(_name_nodes(manifest, chosen | tests)))


def _name_nodes(manifest: Mapping[str, Any], wanted: Set[str]) -> list[str]:
    """Fully qualified names of the nodes; where all of a folder are wanted, the folder's instead.

    dbt holds every name against every node: 560 names took it an eighth of the CPU seconds of a run.
    """
    ways = {unique_id: _list_way(node) for unique_id, node in manifest["nodes"].items()}
    partly = {place for unique_id, way in ways.items() if unique_id not in wanted for place in way}
    return sorted(
        {"fqn:" + next((place for place in way if place not in partly), way[-1]) for way in map(ways.__getitem__, wanted)}
    )


def _list_way(node: Mapping[str, Any]) -> list[str]:
    """The qualified names of the folders above a node, the project first, and its own."""
    parts = ".".join(node["fqn"]).split(".")
    return [".".join(parts[:depth]) for depth in range(1, len(parts) + 1)]


def _table_parents(node: Mapping[str, Any]) -> set[str]:
    return {parent for parent in node["depends_on"]["nodes"] if parent.startswith(MATERIALISED)}


def _find_ancestors(manifest: Mapping[str, Any], nodes: Set[str]) -> set[str]:
    found: set[str] = set()
    pending = list(nodes)
    while pending:
        for parent in manifest["parent_map"].get(pending.pop(), ()):
            if parent not in found:
                found.add(parent)
                pending.append(parent)
    return found
