"""Weights from labels, without labels, and as the rules say."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl
import pytest

from hub.candidates.sample import sample_others
from hub.columns.prepare import prepare
from hub.rules.model import Comparison, Field, Interaction, Level, Rules, RulesError
from hub.rules.read import load_rules
from hub.scoring.compare import name_levels
from hub.scoring.weights import AND, weigh_interactions, weigh_vectors
from hub.training.bounds import bound_common
from hub.training.logistic import WRONG, fit
from hub.training.names import bound_chances
from hub.training.near import FARTHEST, LIGHTER, stay_near
from hub.training.train import train

_LEVELS = (Level("same", "same"), Level("close", "osa <= 1"))
_NAMES = [["missing", "same", "close", "different"]] * 4


def _rules(training: str = "em", **changes: Any) -> Rules:
    names = ("name", "town", "phone", "tax")
    comparisons = tuple(Comparison(name, name, _LEVELS) for name in names)
    fields = tuple(Field(name, "text", (name,)) for name in names)
    return Rules("thing", "T", fields, comparisons, (), (), training=training, certain=("tax",), **changes)  # type: ignore[arg-type]


def _draw(count: int, chances: list[list[float]], generator: np.random.Generator) -> np.ndarray:
    columns = [generator.choice(4, size=count, p=chance) for chance in chances]
    return np.stack(columns, axis=1).astype(np.uint8)


#: chance of missing, same, close, different per comparison
_MATCH = [[0.05, 0.75, 0.15, 0.05], [0.2, 0.6, 0.1, 0.1], [0.4, 0.4, 0.05, 0.15], [0.5, 0.45, 0.0, 0.05]]
_OTHER = [[0.05, 0.01, 0.02, 0.92], [0.2, 0.1, 0.05, 0.65], [0.4, 0.01, 0.0, 0.59], [0.5, 0.0, 0.0, 0.5]]


class _Population:
    """776 records, 500 matching pairs among the candidates, which share a name or a town."""

    def __init__(self) -> None:
        generator = np.random.default_rng(3)
        others = _draw(300_000, _OTHER, generator)
        sharing = (others[:, 0] == 1) | (others[:, 1] == 1)
        rows = np.concatenate([_draw(500, _MATCH, generator), others[sharing]])
        truth = np.r_[np.ones(500, dtype=np.int64), np.zeros(len(rows) - 500, dtype=np.int64)]
        self.matrix, place, self.counts = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
        self.matches = np.bincount(place.ravel(), weights=truth, minlength=len(self.matrix)).astype(np.int64)
        self.background = np.unique(others[~sharing], axis=0, return_counts=True)
        self.n = 776
        evidence = sum(
            np.log2(np.array(m) + 1e-9)[column] - np.log2(np.array(u) + 1e-9)[column]
            for m, u, column in zip(_MATCH, _OTHER, self.matrix.T, strict=True)
        )
        self.best = self._count_errors(evidence + np.log2(500 / 300_000) >= 0)

    def misjudged(self, weights: dict[str, float], rules: Rules) -> int:
        return self._count_errors(weigh_vectors(self.matrix, weights, rules, _NAMES) >= 0)

    def _count_errors(self, found: np.ndarray) -> int:
        return int(np.where(found, self.counts - self.matches, self.matches).sum())


@pytest.fixture(scope="module")
def population() -> _Population:
    return _Population()


def _train(population: _Population, rules: Rules, labelled: bool = False) -> Any:
    same = conflict = None
    if labelled:
        known = population.matrix[:, 3] > 0
        same, conflict = population.matches * known, (population.counts - population.matches) * known
    return train(population.matrix, population.counts, same, conflict, _NAMES, rules, population.n, population.background)


def test_without_labels_the_natural_threshold_errs_little_more_than_the_true_chances_do(population: _Population) -> None:
    trained = _train(population, _rules())
    assert trained.report["method"] == "em"
    assert population.misjudged(trained.weights, _rules()) <= 1.2 * population.best
    assert 400 < trained.report["expected_matches"] < 650


def test_a_better_level_never_weighs_less(population: _Population) -> None:
    for labelled in (False, True):
        weights = _train(population, _rules("certain"), labelled).weights
        for name in ("name", "town", "phone"):
            levels = [weights[f"{name}.{level}"] for level in ("same", "close", "different")]
            assert levels == pytest.approx(sorted(levels, reverse=True))


def test_the_same_counts_give_the_same_weights(population: _Population) -> None:
    assert _train(population, _rules()).weights == _train(population, _rules()).weights


def test_a_column_that_repeats_another_is_not_counted_twice() -> None:
    """Among others than matches, phone agrees exactly where town does: the two together must not be proof."""
    generator = np.random.default_rng(5)
    others = _draw(300_000, _OTHER, generator)
    others[:, 2] = np.where(others[:, 1] > 0, others[:, 1], others[:, 2])
    matches = _draw(300, _MATCH, generator)
    sharing = (others[:, 0] == 1) | (others[:, 1] == 1)
    rows = np.concatenate([matches, others[sharing]])
    matrix, counts = np.unique(rows, axis=0, return_counts=True)
    rules = _rules()
    trained = train(matrix, counts, None, None, _NAMES, rules, 800, np.unique(others[~sharing], axis=0, return_counts=True))
    assert "town & phone" in trained.report["dependent"]
    together = weigh_interactions(np.array([[3, 1, 1, 0]], dtype=np.uint8), trained.weights, rules, _NAMES)["town & phone"]
    assert together[0] < -1.5
    assert trained.report["expected_matches"] < 600


def test_a_family_that_shares_a_rare_name_is_not_taken_for_one_entity() -> None:
    """As the albums of an artist: name and town agree, title and number seldom do. There are 100 matches."""
    titles = [0.1, 0.1, 0.05, 0.75]
    family = [[0.0, 1.0, 0.0, 0.0], [0.2, 0.7, 0.1, 0.0], titles, titles]
    match = [[0.05, 0.75, 0.15, 0.05], [0.2, 0.6, 0.1, 0.1], [0.1, 0.8, 0.05, 0.05], [0.1, 0.8, 0.05, 0.05]]
    other = [[0.05, 0.0001, 0.0001, 0.9498], [0.2, 0.1, 0.05, 0.65], *[[0.1, 0.001, 0.001, 0.898]] * 2]
    generator = np.random.default_rng(7)
    others = _draw(300_000, other, generator)
    sharing = (others[:, [0, 2, 3]] == 1).any(axis=1)
    rows = np.concatenate([_draw(100, match, generator), _draw(1500, family, generator), others[sharing]])
    matrix, counts = np.unique(rows, axis=0, return_counts=True)
    background = np.unique(others[~sharing], axis=0, return_counts=True)
    trained = train(matrix, counts, None, None, _NAMES, _rules(), 776, background)
    assert trained.report["levels"]["phone.different"]["m"] <= 0.25
    assert trained.report["expected_matches"] < 400


def test_titles_that_are_a_little_alike_by_chance_are_no_family_either() -> None:
    """As the songs of an album: artist and album agree, titles share a word as often as any two do. There are 300 matches."""
    family = [[0.0, 0.9, 0.05, 0.05], [0.1, 0.8, 0.05, 0.05], [0.0, 0.0, 0.1, 0.9], [0.3, 0.7, 0.0, 0.0]]
    match = [[0.0, 0.9, 0.05, 0.05], [0.1, 0.8, 0.05, 0.05], [0.0, 0.9, 0.05, 0.05], [0.3, 0.7, 0.0, 0.0]]
    other = [[0.0, 0.003, 0.003, 0.994], [0.1, 0.005, 0.005, 0.89], [0.0, 0.0003, 0.03, 0.9697], [0.3, 0.02, 0.0, 0.68]]
    generator = np.random.default_rng(7)
    others = _draw(300_000, other, generator)
    sharing = (others[:, :3] == 1).any(axis=1)
    rows = np.concatenate([_draw(300, match, generator), _draw(1500, family, generator), others[sharing]])
    matrix, counts = np.unique(rows, axis=0, return_counts=True)
    background = np.unique(others[~sharing], axis=0, return_counts=True)
    trained = train(matrix, counts, None, None, _NAMES, _rules(), 776, background)
    assert 200 < trained.report["expected_matches"] < 500


def test_what_forty_records_share_is_no_proof_though_hardly_any_others_share_it() -> None:
    """As a shop's words for forty things, of 4,000: chance has it in 900 of eight million pairs, matches may in all."""
    levels = ["missing", "same", *(f"same~{bucket}" for bucket in range(1, 8)), "different"]
    m = np.array([0.0, 0.4, 0.0, 0.0, 0.0, 0.4, 0.0, 0.0, 0.2])
    u = np.array([0.0, 2e-5, 0.0, 0.0, 0.0, 1e-4, 0.0, 0.0, 0.99988])
    bounded = bound_common(m, u, levels, 4000, 1000.0)
    assert np.log2(bounded[5] / u[5]) == pytest.approx(np.log2(4000 / 2**5 / (0.6 + 1e-4 * 4000 / 2**5)))
    assert bounded[1] / m[1] == pytest.approx(bounded[8] / m[8])
    assert bound_common(m, u, levels, 4000, 40_000.0) is m  # where an entity has twenty records, forty may be one's


def test_given_weights_that_miss_matches_are_moved_a_little(population: _Population) -> None:
    given = {
        f"{name}.{level}": bits
        for name in ("name", "town", "phone", "tax")
        for level, bits in (("same", 3.0), ("different", -3.0))
    }
    rules = _rules(weights=MappingProxyType({"prior": -10.0, **given}))
    trained = _train(population, rules)
    assert trained.report["expected_matches"] > 1.5 * trained.report["expected_by_given"]
    assert max(abs(bits - rules.weights.get(name, 0.0)) for name, bits in trained.weights.items()) == pytest.approx(FARTHEST)
    assert population.misjudged(trained.weights, rules) < 0.6 * population.misjudged(dict(rules.weights), rules)


def test_a_level_that_alone_is_a_match_by_the_rules_stays_one(population: _Population) -> None:
    given = {f"{name}.same": 3.0 for name in ("town", "phone", "tax")} | {"name.same": 8.0, "name.close": 5.0}
    rules = _rules(weights=MappingProxyType({"prior": -8.0, **given}))
    own = {"prior": -11.0, "name.same": 8.0, "name.same & town.same": 9.0}
    learned = {name: bits + 4.0 for name, bits in given.items()} | own
    near, _ = stay_near(learned, population.matrix, population.counts, rules, _NAMES)
    assert near == {**learned, "name.same": 11.0, "name.same & town.same": FARTHEST}


def test_a_column_that_no_record_has_keeps_the_weights_of_the_rules(population: _Population) -> None:
    rules = _rules(
        weights=MappingProxyType({"prior": -10.0, **{f"{name}.same": 3.0 for name in ("name", "town", "phone", "tax")}})
    )
    empty = population.matrix.copy()
    empty[:, 2] = 0
    learned = {name: bits + 2.0 for name, bits in rules.weights.items()} | {"phone.same": 0.5, "phone.different": 1.0}
    near, _ = stay_near(learned, empty, population.counts, rules, _NAMES)
    assert near == {**learned, "phone.same": 3.0, "phone.different": 0.0}


def test_interactions_and_what_speaks_against_hold_while_weights_are_learnt(population: _Population) -> None:
    given = {f"{name}.{level}": bits for name in ("name", "town") for level, bits in (("same", 3.0), ("different", -9.0))}
    alone = _train(population, _rules(weights=MappingProxyType({"prior": -8.0, **given})))
    assert alone.weights["name.different"] <= -9.0 + LIGHTER
    home = _rules(
        weights={"prior": -8.0, **given, "home": -30.0}, interactions=(Interaction("home", ("name.same", "town.same")),)
    )
    together = _train(population, home)
    assert together.report["expected_matches"] < 0.7 * alone.report["expected_matches"]
    assert not any(AND in name for name in together.weights)


def test_a_comparison_of_which_the_rules_say_nothing_weighs_what_is_learnt(population: _Population) -> None:
    given = {f"name.{level}": bits for level, bits in (("same", 6.0), ("close", 5.0), ("different", -4.0))}
    trained = _train(population, _rules(weights=MappingProxyType({"prior": -9.0, **given})))
    assert max(abs(bits) for name, bits in trained.weights.items() if name.startswith("phone")) > FARTHEST + 1
    held = _train(population, _rules(weights=MappingProxyType({"prior": -5.0, **given})))
    assert held.report["method"] == "em"
    assert {name: held.weights[name] for name in given} == given
    assert held.weights["phone.same"] > FARTHEST


def test_what_comes_about_by_chance_is_bounded_where_that_is_known(population: _Population) -> None:
    rules = _rules()
    free, bound = (
        train(population.matrix, population.counts, None, None, _NAMES, rules, population.n, population.background, None, chances)
        for chances in (None, {0: 0.0001})
    )
    assert bound.weights["name.same"] > free.weights["name.same"] + 3


def test_a_whole_name_is_shared_by_chance_as_often_as_both_its_halves() -> None:
    def find(names: list[str]) -> dict[int, float]:
        rules = load_rules("person")
        records = pl.DataFrame({"full_name": names}).with_columns(source=pl.lit("s")).with_row_index("source_key")
        return bound_chances(rules, prepare(records, rules)[1])

    whole = [f"{given} {surname}" for given in ("anna", "bert", "cora", "dora") for surname in ("north", "south")]
    halves = (9 / 56) * (25 / 56)
    assert find(whole) == {0: pytest.approx(2 * halves)}
    lone = find([*whole, *["anna"] * 8])
    assert lone == {0: pytest.approx(0.25 * 2 * halves + 0.25 * 57 / 56)}
    assert find(["anna"] * 3) == {}


def test_given_weights_hold_where_learnt_ones_find_no_more(population: _Population) -> None:
    """A column alone passes for proof: what was learnt then expects fewer matches than there are."""
    learnt = _train(population, _rules()).weights
    trained = _train(population, _rules(weights=MappingProxyType({**learnt, "prior": learnt["prior"] + 0.5})))
    assert trained.report["method"] == "fixed"
    assert trained.weights == {**learnt, "prior": learnt["prior"] + 0.5}


def test_what_two_other_columns_corroborate_is_no_chance_and_joins_where_they_are_missing() -> None:
    """Of the pairs with one name town and phone agree in 500, differ in 350 and are unknown in 700: most of these are matches."""
    names = [["missing", "same", "close", "different"]] * 3
    matrix = np.array([[1, 1, 1], [1, 0, 0], [1, 3, 3], [3, 0, 0], [3, 3, 3]], dtype=np.uint8)
    counts = np.array([500, 700, 350, 1000, 1000])
    others = np.array([[3, 3, 3], [3, 0, 0]], dtype=np.uint8), np.array([4000, 4000])
    rules = replace(_rules(), fields=_rules().fields[:3], comparisons=_rules().comparisons[:3])
    weights = train(matrix, counts, None, None, names, rules, 4000, others).weights
    joined = weigh_vectors(np.array([[1, 0, 0], [1, 3, 3]], dtype=np.uint8), weights, rules, names) > 0
    assert joined.tolist() == [True, False]


def test_numbers_of_a_series_are_a_digit_apart_and_no_typing_errors() -> None:
    """Articles of one maker: their numbers are often close, seldom the same."""
    family = [[0.0, 1.0, 0.0, 0.0], [0.2, 0.7, 0.1, 0.0], [0.1, 0.0, 0.8, 0.1], [1.0, 0.0, 0.0, 0.0]]
    match = [[0.05, 0.75, 0.15, 0.05], [0.2, 0.6, 0.1, 0.1], [0.1, 0.8, 0.05, 0.05], [1.0, 0.0, 0.0, 0.0]]
    other = [[0.05, 0.0001, 0.0001, 0.9498], [0.2, 0.1, 0.05, 0.65], [0.1, 0.0001, 0.001, 0.8989], [1.0, 0.0, 0.0, 0.0]]
    generator = np.random.default_rng(7)
    others = _draw(300_000, other, generator)
    sharing = (others[:, [0, 2]] == 1).any(axis=1)
    rows = np.concatenate([_draw(100, match, generator), _draw(300, family, generator), others[sharing]])
    matrix, counts = np.unique(rows, axis=0, return_counts=True)
    background = np.unique(others[~sharing], axis=0, return_counts=True)

    def learn(kind: str) -> float:
        rules = _rules()
        rules = replace(rules, fields=(*rules.fields[:2], Field("phone", kind, ("phone",)), rules.fields[3]))
        return train(matrix, counts, None, None, _NAMES, rules, 776, background).report["levels"]["phone.close"]["m"]  # type: ignore[no-any-return]

    assert learn("text") > 0.5
    assert learn("code") <= 0.25


def test_a_lone_comparison_matches_what_is_the_same_and_rare_and_asks_about_the_rest() -> None:
    """Nothing corroborates it: learnt from itself it would say that nothing matches."""
    levels = (Level("same", "same"), Level("reordered", "token_sort >= 0.93"), Level("close", "jaro_winkler >= 0.92"))
    comparison = Comparison("name", "name", levels, frequency=True)
    fields = (Field("name", "name", ("name",)), Field("source", "source", ("source",)))
    source = Comparison("source", "source", (Level("same", "same"), Level("other", "differ")))
    rules = Rules("thing", "T", fields, (comparison, source), (), ())
    names = [name_levels(one) for one in (comparison, source)]
    matrix = np.array([[names[0].index(level), 1] for level in ("same~1", "reordered", "close", "same~7", "different")])
    trained = train(matrix.astype(np.uint8), np.ones(5, dtype=np.int64), None, None, names, rules, 100)
    weight = weigh_vectors(matrix.astype(np.uint8), trained.weights, rules, names)
    assert trained.report["method"] == "lone"
    assert [bits >= rules.match_bits for bits in weight] == [True, True, False, False, False]
    assert rules.review_bits <= weight[2] < rules.match_bits
    assert weight[4] < rules.review_bits


def test_a_town_beside_a_name_is_too_little_to_learn_from_and_only_speaks_against() -> None:
    generator = np.random.default_rng(9)
    name, town = [0.0, 0.0002, 0.0002, 0.9996], [0.0, 0.2, 0.0, 0.8]
    others = _draw(300_000, [name, town], generator)
    rows = np.concatenate([_draw(60, [[0.0, 0.9, 0.1, 0.0], [0.0, 0.9, 0.0, 0.1]], generator), others[others[:, 0] < 3]])
    matrix, counts = np.unique(rows, axis=0, return_counts=True)
    rules = _rules()
    rules = replace(rules, comparisons=rules.comparisons[:2])
    background = np.unique(others[others[:, 0] == 3], axis=0, return_counts=True)
    trained = train(matrix, counts, None, None, _NAMES[:2], rules, 776, background)
    assert trained.report == {"method": "lone", "why": "only name tells entities apart", "labelled_pairs": 0}
    weight = weigh_vectors(np.array([[1, 1], [1, 0], [2, 1], [1, 3]], dtype=np.uint8), trained.weights, rules, _NAMES[:2])
    assert weight[0] == weight[1] > 0
    assert (weight[2:] < weight[0] - 2).all()


@pytest.mark.parametrize("doubles", [10, 15, 25, 30, 40, 50, 500])
@pytest.mark.parametrize("towns", [2, 5])
def test_doubles_that_one_column_tells_are_found_however_few_records_there_are(doubles: int, towns: int) -> None:
    """Every record has a double with its number; the town, which is the key, says little beside it."""
    n = 2 * doubles
    sharing = n * (n // towns - 1) // 2 - doubles
    matrix, counts = np.array([[1, 1], [3, 1]], dtype=np.uint8), np.array([doubles, sharing])
    others = np.array([[3, 3]], dtype=np.uint8), np.array([n * (n - 1) // 2 - doubles - sharing])
    rules = replace(_rules(), comparisons=_rules().comparisons[:2])
    trained = train(matrix, counts, None, None, _NAMES[:2], rules, n, others)
    matched = weigh_vectors(matrix, trained.weights, rules, _NAMES[:2]) >= rules.match_bits
    assert matched.tolist() == [True, False]


def test_labels_decide_where_there_are_enough(population: _Population) -> None:
    rules = _rules("certain", weights=MappingProxyType({"tax.same": 20.0, "tax.different": -20.0}))
    trained = _train(population, rules, labelled=True)
    assert trained.report["method"] == "certain"
    assert population.misjudged(trained.weights, rules) <= 1.25 * population.best
    assert trained.weights["tax.same"] == 20.0
    assert trained.report["labelled_pairs"] > 300


def test_few_labels_do_not_decide(population: _Population) -> None:
    rules = _rules("certain")
    few = np.zeros_like(population.counts)
    few[:20] = 1
    trained = train(population.matrix, population.counts, few, few, _NAMES, rules, population.n, population.background)
    assert trained.report["method"] == "em"
    assert trained.report["labelled_pairs"] == 40


def test_few_labels_move_a_given_weight_little_and_many_move_it_far() -> None:
    features = np.array([[1.0, 1.0], [1.0, 0.0]])
    centre, spread = np.array([0.0, -2.0]), np.array([20.0, 2.0])

    def learn(times: float) -> float:
        weights, _ = fit(features, np.array([15.0, 1.0]) * times, np.array([1.0, 15.0]) * times, centre, spread)
        return float(weights[1])

    assert abs(learn(0.05) + 2.0) < 1.5
    # a hundredth of the labels are taken for wrong ones
    told = (15 / 16 - WRONG) / (1 / 16 - WRONG)
    assert learn(100.0) == pytest.approx(2 * np.log2(told), abs=0.2)


@pytest.mark.parametrize("wrong", [1.0, 3.0])
def test_a_few_wrong_labels_hardly_move_the_prior(wrong: float) -> None:
    features = np.array([[1, 1, 1], [1, 1, 0], [1, 0, 1], [1, 0, 0]], dtype=bool)
    conflict, centre, spread = np.array([0.0, 20.0, 20.0, 400.0]), np.array([-8.0, 8.0, 8.0]), np.array([20.0, 2.0, 2.0])

    def learn(copied: float) -> float:
        weights, _ = fit(features, np.array([300.0, 60.0, 40.0, copied]), conflict, centre, spread)
        return float(weights[0])

    assert learn(wrong) == pytest.approx(learn(0.0), abs=0.5)


def test_fixed_rules_keep_their_weights_and_need_a_prior(population: _Population) -> None:
    given = MappingProxyType({"prior": -9.0, "name.same": 4.0})
    assert _train(population, _rules("fixed", weights=given)).weights == dict(given)
    with pytest.raises(RulesError, match=r"weights\.prior"):
        _train(population, _rules("fixed"))


def test_interactions_of_the_rules_weigh_where_all_their_levels_stand() -> None:
    rules = _rules(interactions=(Interaction("both", ("name.same", "town.*")),))
    matrix = np.array([[1, 1, 0, 0], [1, 3, 0, 0], [1, 0, 0, 0], [2, 1, 0, 0]], dtype=np.uint8)
    assert weigh_interactions(matrix, {"both": -3.0}, rules, _NAMES)["both"].tolist() == [-3.0, -3.0, 0.0, 0.0]


def test_the_sample_holds_no_candidate_and_is_the_same_every_time() -> None:
    left, right = np.array([0, 1, 5]), np.array([1, 2, 9])
    first, second = sample_others(2_000, left, right, size=10_000)
    again = sample_others(2_000, left, right, size=10_000)
    assert np.array_equal(first, again[0])
    assert np.array_equal(second, again[1])
    assert (first < second).all()
    few = sample_others(4, np.array([0]), np.array([1]))
    assert list(zip(*(side.tolist() for side in few), strict=True)) == [(0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
