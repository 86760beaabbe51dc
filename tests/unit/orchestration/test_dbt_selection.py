"""A test runs in the step that makes the last of its parents."""

import dagster as dg

from orchestration.lib.dbt_selection import select_nodes


class FirstTwoNames:
    """Asset keys as the real translator makes them of these nodes."""

    def get_asset_spec(self, manifest, unique_id, project):
        return dg.AssetSpec(["marts", unique_id.rsplit(".", 1)[-1]])


def node(name, *parents, kind="model"):
    return f"{kind}.p.{name}", {"fqn": ["p", name], "depends_on": {"nodes": list(parents)}}


MANIFEST = {
    "nodes": dict(
        [
            node("a"),
            node("b", "model.p.a"),
            node("c"),
            node("test_a", "model.p.a", kind="test"),
            node("test_a_b", "model.p.a", "model.p.b", kind="test"),
            node("test_b_c", "model.p.b", "model.p.c", kind="test"),
            node("test_source", "source.p.s", kind="test"),
        ]
    ),
    "parent_map": {"model.p.b": ["model.p.a"], "model.p.a": [], "model.p.c": []},
}


def names(keys, built=frozenset()):
    chosen = {dg.AssetKey(["marts", key]) for key in keys}
    return select_nodes(MANIFEST, FirstTwoNames(), chosen, built)


def test_a_step_builds_its_assets_and_their_own_tests():
    selection = names(["a"])
    assert selection.tables == {"model.p.a"}
    assert selection.names == ("fqn:p.a", "fqn:p.test_a")


def test_a_test_of_two_tables_waits_for_the_later_one():
    assert "fqn:p.test_a_b" not in names(["a"]).names
    assert "fqn:p.test_a_b" in names(["b"]).names


def test_a_test_over_two_branches_runs_once_both_are_built():
    assert "fqn:p.test_b_c" not in names(["c"]).names
    assert "fqn:p.test_b_c" in names(["c"], built={"model.p.b"}).names


def test_a_test_of_a_table_that_another_step_built_does_not_run_again():
    assert "fqn:p.test_a" not in names(["b"], built={"model.p.a"}).names


def test_a_test_without_tables_belongs_to_no_step():
    assert not [name for name in names(["a", "b", "c"]).names if "source" in name]
