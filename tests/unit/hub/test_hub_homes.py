"""Which cluster keeps which id when customers merge, split and exchange records."""

import polars as pl
import pytest

from hub.ids.homes import find_homes

CASES = {
    "the oldest of a merger, whatever its size": ({"old": "a", "young": "aaa"}, {"old": "a"}),
    "most of a split": ({"old": "aab"}, {"old": "a"}),
    "half goes to an older one: the rest keeps the id": ({"old": "a", "young": "ab"}, {"old": "a", "young": "b"}),
    "most go to an older one: the rest keeps the id": ({"old": "a", "young": "aab"}, {"old": "a", "young": "b"}),
    "half goes to a younger one: both keep theirs": ({"old": "ab", "young": "a"}, {"old": "b", "young": "a"}),
    "two of three go to a younger one: both keep theirs": ({"old": "aab", "young": "a"}, {"old": "b", "young": "a"}),
    "nine of ten take a younger one in": ({"old": "aaaaaaaaab", "young": "a"}, {"old": "a"}),
    "one that has most of its records elsewhere counts for nothing": (
        {"old": "aab", "young": "aaccc"},
        {"old": "a", "young": "c"},
    ),
    "two are left over and one place is free: the older takes it": (
        {"oldest": "a", "old": "aab", "young": "aab"},
        {"oldest": "a", "old": "b"},
    ),
    "what is left over goes on asking": (
        {"oldest": "a", "old": "aab", "young": "aaabbc"},
        {"oldest": "a", "old": "b", "young": "c"},
    ),
    "an exchange": ({"old": "aab", "young": "bba"}, {"old": "a", "young": "b"}),
}


@pytest.mark.parametrize(("clusters", "kept"), CASES.values(), ids=CASES.keys())
def test_an_id_is_given_up_only_where_each_of_its_clusters_has_another(clusters: dict[str, str], kept: dict[str, str]) -> None:
    rows = [(old, label) for old, labels in clusters.items() for label in labels] + [(None, "a"), (None, "z")]
    ages = pl.DataFrame([(old, number) for number, old in enumerate(clusters)], schema=["old_gid", "issued_no"], orient="row")
    for names in (list("abcz"), list("zcba")):
        # which cluster comes first decides nothing
        joined = pl.DataFrame(
            [(old, names.index(label)) for old, label in rows],
            schema={"old_gid": pl.String, "label": pl.Int64},
            orient="row",
        )
        homes = find_homes(joined, ages)
        assert set(homes["old_gid"]) == set(clusters)
        assert dict(homes.filter("keeps").select("old_gid", "label").iter_rows()) == {
            old: names.index(label) for old, label in kept.items()
        }
