"""A test runs in the step that holds its check; one without a check where the last of its parents is made."""

import dagster as dg
import pytest
from dbt.graph.selector_methods import is_selected_node

from orchestration.lib.dbt_selection import select_nodes

pytestmark = pytest.mark.integration


class FirstTwoNames:
    """Asset keys as the real translator makes them of these nodes."""

    def get_asset_spec(self, manifest, unique_id, project):
        return dg.AssetSpec(["marts", unique_id.rsplit(".", 1)[-1]])


def node(name, *parents, kind="model", on=None, folder=()):
    """A dbt node; `on` is the table that a test is a check of."""
    attached = {"attached_node": f"model.p.{on}"} if on else {}
    return f"{kind}.p.{name}", {"name": name, "fqn": ["p", *folder, name], "depends_on": {"nodes": list(parents)}, **attached}


MANIFEST = {
    "nodes": dict(
        [
            node("a"),
            node("b", "model.p.a"),
            node("c"),
            node("test_a", "model.p.a", kind="test", on="a"),
            node("test_a_source", "model.p.a", "source.p.s", kind="test", on="a"),
            node("test_a_b", "model.p.a", "model.p.b", kind="test"),
            node("test_b_c", "model.p.b", "model.p.c", kind="test"),
            node("test_source", "source.p.s", kind="test", on="s"),
        ]
    ),
    "parent_map": {"model.p.b": ["model.p.a"], "model.p.a": [], "model.p.c": []},
}


def select(keys, checks=(), built=frozenset()):
    chosen = {dg.AssetKey(["marts", key]) for key in keys}
    held = {dg.AssetCheckKey(dg.AssetKey(["marts", table]), name) for table, name in checks}
    return select_nodes(MANIFEST, FirstTwoNames(), chosen, held, built)


def test_a_step_builds_its_assets_and_the_tests_behind_its_checks():
    selection = select(["a"], [("a", "test_a")])
    assert selection.tables == {"model.p.a"}
    assert selection.names == ("fqn:p.a", "fqn:p.test_a")


def test_a_check_that_a_later_step_holds_runs_there_and_only_there():
    assert select(["a"], [("a", "test_a")]).names == ("fqn:p.a", "fqn:p.test_a")
    assert select(["c"], [("a", "test_a_source")], built={"model.p.a"}).names == ("fqn:p.c", "fqn:p.test_a_source")


def test_a_check_whose_table_is_not_made_does_not_run():
    assert select(["c"], [("a", "test_a")]).names == ("fqn:p.c",)


def test_a_test_of_two_tables_waits_for_the_later_one():
    assert "fqn:p.test_a_b" not in select(["a"]).names
    assert "fqn:p.test_a_b" in select(["b"]).names


def test_a_test_over_two_branches_runs_once_both_are_built():
    assert "fqn:p.test_b_c" not in select(["c"]).names
    assert "fqn:p.test_b_c" in select(["c"], built={"model.p.b"}).names


def test_a_test_without_tables_or_a_check_belongs_to_no_step():
    assert not [name for name in select(["a", "b", "c"]).names if "source" in name]


FOLDERS = {
    "nodes": dict(
        [
            node("a", folder=("staging",)),
            node("test_a", "model.p.a", kind="test", on="a", folder=("staging",)),
            node("b", folder=("staging", "vendor")),
            node("c", folder=("staging_of_files",)),
            # a model beside the folder of its name
            node("d", folder=("marts",)),
            node("e", folder=("marts", "d")),
        ]
    ),
    "parent_map": {},
}


@pytest.mark.parametrize(
    ("keys", "checks", "names"),
    [
        ("abcde", [("a", "test_a")], ["p"]),
        ("ab", [("a", "test_a")], ["p.staging"]),
        ("abc", [], ["p.staging.a", "p.staging.vendor", "p.staging_of_files"]),
        ("e", [], ["p.marts.d.e"]),
        ("de", [], ["p.marts"]),
    ],
)
def test_a_folder_is_named_where_all_of_it_runs_and_dbt_takes_no_node_beside(keys, checks, names):
    held = {dg.AssetCheckKey(dg.AssetKey(["marts", table]), name) for table, name in checks}
    chosen = {dg.AssetKey(["marts", key]) for key in keys}
    selection = select_nodes(FOLDERS, FirstTwoNames(), chosen, held, frozenset())
    assert selection.names == tuple(f"fqn:{name}" for name in names)
    taken = [one["name"] for one in FOLDERS["nodes"].values() if any(is_selected_node(one["fqn"], name, False) for name in names)]
    assert sorted(taken) == sorted([*keys, *(name for _, name in checks)])
