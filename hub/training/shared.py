"""Whether what two names share (a door, a number, a mailbox) is two persons', or one person is named in two ways.

Persons come again and misspellings hardly do: of two persons at one door each is found there again as often as anybody else is.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hub.candidates.pairs import Candidates
from hub.columns.parts import Ids, Parts
from hub.rules.model import Rules
from hub.scoring.frequency import SOURCE_KIND
from hub.scoring.weights import Floats, Matrix, Names, mark_interaction, to_chance, weigh_vectors
from hub.training.bounds import group_levels
from hub.training.names import find_names

Longs = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

#: of the pairs so many at most are two persons, else what they share is shared as the rules suppose
_MOST = 0.5
#: and those found again on both sides are fewer than two persons would be by so many standard deviations. Pairs of one home go
#: together, so homes are what is counted: 35 pairs of 25 persons with as few by chance joined families, .917 to .636 of F1
_DEVIATIONS = 2.0
#: what a weight is raised by at most, and how exactly that is found, in bits
_HIGHEST = 20.0
_STEP = 0.01


@dataclass(frozen=True)
class _Pairs:
    """Candidates within one source: the rows of both sides and the place of each pair's vector."""

    left: Ids
    right: Ids
    place: Ids


def raise_shared(
    weights: Mapping[str, float],
    rules: Rules,
    names: Names,
    matrix: Matrix,
    counts: Longs,
    candidates: Candidates,
    place: Ids,
    parts: Parts,
) -> dict[str, float]:
    """The weights of interactions of something shared and another name, raised where most of their pairs are one person.

    Only pairs within a source say so: one list may name the husband of each household, and another the wife.
    """
    name_of = find_names(rules)
    if name_of is None:
        return {}
    pairs = _pick_within_sources(rules, candidates, place, parts)
    raised: dict[str, float] = {}
    for shared, interactions in _list_shared(name_of, rules, names, matrix).items():
        place_of = [one.name for one in rules.comparisons].index(shared)
        again = _find_again(name_of, place_of, np.any(list(interactions.values()), axis=0), names, matrix, pairs, parts.n)
        # the very same door says whether a home is one person's: what is only like it may be another house of the street
        exact = np.concatenate([[False], group_levels(names[place_of]) == 0])[matrix[:, place_of]]
        at_door = np.any([rows & exact for rows in interactions.values()], axis=0)
        rate = _find_rate(again, parts.are_known(rules.comparisons[place_of].field), at_door, pairs)
        if not _are_fewer(again, rate, at_door, pairs):
            continue
        for name, rows in interactions.items():
            share = _find_share(again, rate, rows, pairs)
            if share <= _MOST:
                bits = weigh_vectors(matrix[rows], weights, rules, names)
                raised[name] = weights.get(name, 0.0) + _find_raise(bits, counts[rows], 1 - share)
    return raised


def _pick_within_sources(rules: Rules, candidates: Candidates, place: Ids, parts: Parts) -> _Pairs:
    field = next((field.name for field in rules.fields if field.kind == SOURCE_KIND), None)
    sources = parts.codes(field) if field else np.zeros(parts.n, dtype=np.int32)
    own = sources[candidates.left] == sources[candidates.right]
    return _Pairs(candidates.left[own], candidates.right[own], place[own])


def _list_shared(name_of: int, rules: Rules, names: Names, matrix: Matrix) -> dict[str, dict[str, Mask]]:
    """By comparison the interactions of its levels with another name and nothing else, with the vectors that each means."""
    found: dict[str, dict[str, Mask]] = {}
    other = f"{rules.comparisons[name_of].name}.other*"
    for interaction in rules.interactions:
        shared = [when.partition(".")[0] for when in interaction.when if when != other]
        if len(interaction.when) == 2 and len(shared) == 1:
            found.setdefault(shared[0], {})[interaction.name] = mark_interaction(interaction, matrix, rules, names)
    return found


def _find_again(name_of: int, shared: int, meant: Mask, names: Names, matrix: Matrix, pairs: _Pairs, n: int) -> Mask:
    """Records that come again under their name, with what the meant vectors share or what agrees better."""
    thing = matrix[:, shared]
    is_same = np.concatenate([[False], group_levels(names[name_of]) == 0])[matrix[:, name_of]]
    rows = (is_same & (thing > 0) & (thing <= thing[meant].max(initial=0)))[pairs.place]
    again = np.zeros(n, dtype=bool)
    again[pairs.left[rows]] = True
    again[pairs.right[rows]] = True
    return again


def _find_rate(again: Mask, known: Mask, at_door: Mask, pairs: _Pairs) -> float:
    """How often records are found again: all that have a door, or, where that is more, those that share theirs.

    Whoever is written in two ways has been written down more often than others.
    """
    rows = at_door[pairs.place]
    beside = np.concatenate([pairs.left[rows], pairs.right[rows]])
    return max((float(again[one].mean()) for one in (known, beside) if again[one].size), default=0.0)


def _find_share(again: Mask, rate: float, meant: Mask, pairs: _Pairs) -> float:
    """What share of the meant pairs is two persons, by those that are found again on both sides."""
    rows = meant[pairs.place]
    both = int((again[pairs.left[rows]] & again[pairs.right[rows]]).sum())
    return (both + 1) / (int(rows.sum()) * rate**2 + 1)


def _are_fewer(again: Mask, rate: float, meant: Mask, pairs: _Pairs) -> bool:
    """Whether clearly fewer pairs are found again on both sides than if all were two persons."""
    rows = meant[pairs.place]
    left, right = pairs.left[rows], pairs.right[rows]
    beside = np.bincount(np.concatenate([left, right]), minlength=len(again))
    homes = float((1 / (beside[left] * beside[right])).sum()) * rate**2
    fewer = 1 - (again[left] & again[right]).sum() / max(len(left) * rate**2, 1e-9)
    return homes > 0 and bool(fewer >= max(_DEVIATIONS / np.sqrt(homes), 1 - _MOST))


def _find_raise(bits: Floats, counts: Longs, share: float) -> float:
    """What to add to the bits of pairs so that this share of them is to be expected to match."""
    low, high = 0.0, _HIGHEST
    while high - low > _STEP:
        middle = (low + high) / 2
        low, high = (middle, high) if (counts * to_chance(bits + middle)).sum() < share * counts.sum() else (low, middle)
    return low
