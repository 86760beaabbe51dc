"""Why records are one or two (I-6): the path between them, and the evidence that outweighs a match."""

import polars as pl

from hub.clustering.standing import Decision
from hub.results.reasons import find_obstacles, find_path, grow_tree
from hub.rules.read import load_rules
from tests.unit.hub.conftest import DAY_ONE, make_parties

_RULES = load_rules("organisation")


def _pairs(*rows: tuple[str, str, float, float | None]) -> pl.DataFrame:
    """Pairs of records of one source: two keys, weight, what it adds between entities."""
    schema = {"source_key_a": pl.String, "source_key_b": pl.String, "weight": pl.Float64, "counted": pl.Float64}
    source, none = pl.lit("crm"), pl.lit(None, dtype=pl.String)
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(source_a=source, source_b=source, veto=none)


def _keys(pairs: pl.DataFrame, a: str, b: str) -> list[str]:
    return [step["a"][1] + step["b"][1] for step in find_path(pairs, [], 0.0, ("crm", a), ("crm", b))]


def test_the_path_has_the_fewest_matches_and_of_these_the_strongest() -> None:
    around = [("a", "b", 1.0, 1.0), ("b", "z", 9.0, 9.0), ("a", "c", 5.0, 5.0), ("c", "z", 4.0, 4.0)]
    assert _keys(_pairs(*around), "a", "z") == ["ac", "cz"]
    assert _keys(_pairs(*around, ("a", "z", -0.5, -1.0)), "z", "a") == ["cz", "ac"]
    assert _keys(_pairs(*around, ("a", "z", 0.0, 0.0)), "a", "z") == ["az"]
    vetoed = _pairs(*around).with_columns(veto=pl.when(pl.col("source_key_b") == "c").then(pl.lit("veto x")))
    assert _keys(vetoed, "a", "z") == ["ab", "bz"]
    assert _keys(_pairs(("a", "b", 1.0, 1.0)), "a", "z") == []


def test_evidence_that_outweighs_a_match_is_summed_and_named() -> None:
    records = make_parties({"company_name": "上海云帆科技有限公司"}, {"company_name": "北京瑞丰仪器有限公司"})
    pairs = _pairs(("a", "x", 3.0, 3.0), ("a", "y", -6.0, -2.5), ("b", "x", -9.0, -4.0), ("b", "y", -1.0, -0.1))
    sides = [{("crm", "a"), ("crm", "b")}, {("crm", "x"), ("crm", "y")}]
    [held] = find_obstacles(pairs, [], [records[:1], records[1:]], sides, _RULES, "ask them")
    assert (held["kind"], held["sum"]) == ("outweighed", -3.6)
    assert [pair["b"][1] for pair in held["against"]] == ["x", "y", "y"]
    assert "1 match and 3 pairs against come to -3.6 bits" in held["text"]
    assert "crm:b and crm:x -4.0" in held["text"]
    [none] = find_obstacles(pairs.filter(pl.col("weight") < 0), [], [records[:1], records[1:]], sides, _RULES, "ask them")
    assert none["kind"] == "no match"
    assert "crm:b and crm:y -1.0" in none["text"]
    unknown = pairs.with_columns(counted=pl.lit(None, dtype=pl.Float64))
    [unkept] = find_obstacles(unknown, [], [records[:1], records[1:]], sides, _RULES, "ask them")
    assert (unkept["kind"], unkept["text"].endswith("is not kept here: ask them")) == ("not kept", True)


def test_the_tree_of_an_entity_reaches_each_record_by_its_strongest_match() -> None:
    pairs = _pairs(("a", "b", 1.0, 1.0), ("a", "c", 5.0, 5.0), ("b", "c", 4.0, 4.0), ("c", "d", -1.0, -1.0))
    tree = grow_tree(pairs, [], 0.0, [("crm", key) for key in "dcba"])
    assert [(step["depth"], step["a"] and step["a"][1], step["b"][1], step["weight"]) for step in tree] == [
        (0, None, "a", None),
        (1, "a", "c", 5.0),
        (2, "c", "b", 4.0),
        (0, None, "d", None),
    ]


def test_the_tree_of_an_entity_that_two_merges_join_tells_one_of_them() -> None:
    a, b, c, d = (("crm", key) for key in "abcd")
    merges = [Decision(name, "merge", (one,), (b, d), name, "", DAY_ONE) for name, one in (("li", a), ("wang", c))]
    again = Decision("zhou", "merge", (b,), (a,), "zhou", "", DAY_ONE)
    tree = grow_tree(_pairs(), [*merges, again], 0.0, [a, b, c, d])
    assert [step["b"] for step in tree] == [a, b, c, d]
    assert [step["decision"] and step["decision"].split()[2] for step in tree] == [None, "li", "wang", "li"]


def test_a_merge_joins_two_sides_and_what_matches_within_one_is_told_as_a_match() -> None:
    a, b, c, d, e = (("crm", key) for key in "abcde")
    merge = Decision("li", "merge", (a, b, c), (d, e), "li", "", DAY_ONE)
    pairs = _pairs(("a", "b", 9.0, 9.0), ("b", "c", 5.0, 5.0))
    tree = grow_tree(pairs, [merge], 0.0, [a, b, c, d, e])
    told = [(step["a"], step["b"], step["weight"] or step["decision"][:12]) for step in tree[1:]]
    assert told == [(a, d, "merged by li"), (a, b, 9.0), (b, c, 5.0), (d, e, "merged by li")]
    assert [step["weight"] for step in find_path(pairs, [merge], 0.0, a, c)] == [9.0, 5.0]
    assert [step["decision"][:12] for step in find_path(pairs, [merge], 0.0, d, e)] == ["merged by li"]
