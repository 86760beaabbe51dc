"""Lists that have nothing twice: best partners compete, and what tells them from the next best is learnt."""

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from hub.rules.model import Comparison, Field, Level, Rules
from hub.scoring.weights import weigh_vectors
from hub.training.rivals import Rivals
from hub.training.train import Trained, train

_LEVELS = (Level("same", "same"), Level("close", "osa <= 1"))
_COMPARED = ("title", "maker", "size", "price")
_NAMES = [["missing", "same", "close", "different"]] * 4
_RULES = Rules(
    "thing",
    "T",
    tuple(Field(name, "code", (name,)) for name in _COMPARED),
    tuple(Comparison(name, name, _LEVELS) for name in _COMPARED),
    (),
    (),
    training="em",
)
#: chance of missing, same, close, different per comparison: of records of one thing, of things of one series, of any others
_ONE = [[0.0, 0.75, 0.2, 0.05], [0.1, 0.9, 0.0, 0.0], [0.1, 0.85, 0.05, 0.0], [0.1, 0.85, 0.05, 0.0]]
_SERIES = [[0.0, 0.02, 0.2, 0.78], [0.1, 0.9, 0.0, 0.0], [0.1, 0.85, 0.05, 0.0], [0.1, 0.1, 0.3, 0.5]]
_OTHERS = [[0.0, 0.001, 0.009, 0.99], [0.1, 0.02, 0.0, 0.88], [0.1, 0.02, 0.08, 0.8], [0.2, 0.02, 0.03, 0.75]]


def _draw(count: int, chances: list[list[float]], generator: np.random.Generator) -> np.ndarray:
    return np.stack([generator.choice(4, size=count, p=chance) for chance in chances], axis=1).astype(np.uint8)


def _learn(copies: int, with_rivals: bool = True) -> tuple[Trained, int, int]:
    """What is learnt of a list with a hundred series of four things, each in it so many times; pairs that match and should
    not, and that do not and should."""
    generator = np.random.default_rng(2)
    size = 4 * copies
    pairs = np.array([(size * series + a, size * series + b) for series in range(100) for a, b in combinations(range(size), 2)])
    is_one = pairs[:, 0] // copies == pairs[:, 1] // copies
    chance = np.array([(generator.integers(0, 100 * size), generator.integers(0, 100 * size)) for _ in range(4000)])
    left, right = (np.concatenate([pairs[:, side], chance[:, side]]).astype(np.int32) for side in (0, 1))
    rows = np.where(is_one[:, None], _draw(len(pairs), _ONE, generator), _draw(len(pairs), _SERIES, generator))
    rows = np.concatenate([rows, _draw(len(chance), _OTHERS, generator)])
    matrix, place, counts = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    background = np.unique(_draw(20_000, _OTHERS, generator), axis=0, return_counts=True)
    rivals = Rivals(left, right, place.ravel().astype(np.int32), np.zeros(100 * size, dtype=np.int32)) if with_rivals else None
    trained = train(matrix, counts, None, None, _NAMES, _RULES, 100 * size, background, rivals=rivals)
    found = (weigh_vectors(matrix, trained.weights, _RULES, _NAMES) >= 0)[place.ravel()]
    truth = np.concatenate([is_one, np.zeros(len(chance), dtype=bool)])
    return trained, int((found & ~truth).sum()), int((truth & ~found).sum())


def test_things_of_a_series_stay_apart_where_none_has_two_partners() -> None:
    trained, wrong, missed = _learn(2)
    assert trained.report["method"] == "partners"
    assert wrong < 50
    assert missed < 150
    _, alike, _ = _learn(2, with_rivals=False)
    assert alike > 5 * wrong + 200


def test_lists_that_have_things_often_are_learnt_from_without_rivals() -> None:
    trained, _, _ = _learn(6)
    assert trained.report["method"] == "em"
    assert trained == _learn(6, with_rivals=False)[0]


def test_two_sources_that_share_nothing_have_no_rivals() -> None:
    matrix = np.array([[1, 1, 1, 1], [3, 3, 3, 3]], dtype=np.uint8)
    counts, as_ids = np.array([2, 1]), lambda *ids: np.array(ids, dtype=np.int32)
    rivals = Rivals(as_ids(0, 2, 0), as_ids(1, 3, 3), as_ids(0, 0, 1), as_ids(0, 0, 0, 1))
    trained = train(matrix, counts, None, None, _NAMES, _RULES, 4, (matrix[1:], np.array([3])), rivals=rivals)
    assert trained.report["method"] != "partners"


def test_the_same_pairs_give_the_same_weights() -> None:
    assert _learn(2)[0] == _learn(2)[0]


def _rivals(sources: list[int]) -> Rivals:
    """Record 0 with 1 and 2, and 2 with 3."""
    ids: Any = [np.array(own, dtype=np.int32) for own in ([0, 0, 2], [1, 2, 3], [0, 1, 2], sources)]
    return Rivals(*ids)


def test_a_pair_counts_as_far_as_its_records_have_no_better_partner() -> None:
    bits = np.array([10.0, 4.0, -20.0])
    best, second, _ = _rivals([0, 0, 0, 0]).count(bits)
    assert best > 0.97
    assert second < 0.02
    # one partner in each other source, and none in its own
    best, second, _ = _rivals([0, 1, 2, 1]).count(bits)
    assert min(best, second) > 0.9
    assert _rivals([0, 0, 1, 1]).count(bits)[0] == 0.0
    # a source that may have things twice
    best, second, _ = _rivals([0, 1, 1, 0]).count(bits, repeating=1)
    assert min(best, second) > 0.9


def test_sources_of_which_nothing_is_known_are_one() -> None:
    rivals = _rivals([-1, 0, 0, -1])
    assert rivals.list_sources() == [-1, 0]
    assert replace(rivals, sources=np.zeros(4, dtype=np.int32)).is_open.all()
