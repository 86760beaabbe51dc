"""Records that fit two entities which are never one: people are asked whose they are (I-8)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hub.columns.parts import Ids
from hub.rules.model import Rules
from hub.scoring.weigh import UNITS_PER_BIT

Longs = npt.NDArray[np.int64]
Codes = npt.NDArray[np.integer[Any]]
Mask = npt.NDArray[np.bool_]
Stakes = npt.NDArray[np.float64]

NEITHER, LEFT, RIGHT = range(3)
#: above any sum of weights
_MOST = 2**30


@dataclass(frozen=True)
class Scored:
    """Compared pairs that no veto keeps apart: both records by number, and the weight in tenths of a bit."""

    left: Ids | Longs
    right: Ids | Longs
    weight: Ids | Longs

    def __getitem__(self, rows: Longs | slice) -> "Scored":
        """Some of the pairs, in that order."""
        return Scored(self.left[rows], self.right[rows], self.weight[rows])


@dataclass(frozen=True)
class Scene:
    """Numbered records as a review sees them.

    owner: the entity of each, -1 for none; stake: what each entity is worth; codes: per separator the value of each record as a
    number, 0 for none; apart: pairs of records that people keep apart; merged: the records that they made one with others;
    rank: records stand to each other as they do by source and key.
    """

    owner: Ids | Longs
    stake: Stakes
    codes: Sequence[Codes]
    apart: tuple[Ids | Longs, Ids | Longs]
    merged: Ids | Longs
    rank: Ids | Longs

    def order(self, pairs: Scored) -> Longs:
        """Numbers that ascend with the pairs' records."""
        return self.rank[pairs.left].astype(np.int64) * len(self.rank) + self.rank[pairs.right]

    def add_stakes(self, pairs: Scored) -> Stakes:
        """What the two entities of each pair are worth."""
        both: Stakes = self.stake[self.owner[pairs.left]] + self.stake[self.owner[pairs.right]]
        return both

    def mark(self, *entities: Ids | Longs) -> Mask:
        """Which are the records of some entities."""
        asked = np.zeros(len(self.stake) + 1, dtype=bool)
        for some in entities:
            asked[some] = True
        mask: Mask = asked[self.owner]
        return mask


@dataclass(frozen=True)
class Questions:
    """What people may be asked: the pairs, and of each which record might belong to the entity of the other (LEFT, RIGHT; NEITHER
    where both entities might be one), the doubt (1 at even odds), and the urgency: value at stake x doubt."""

    pairs: Scored
    stray: npt.NDArray[np.int8]
    doubt: Stakes
    urgency: Stakes

    def __getitem__(self, rows: Longs) -> "Questions":
        """Some of them, in that order."""
        return Questions(self.pairs[rows], self.stray[rows], self.doubt[rows], self.urgency[rows])


def join_scored(parts: Sequence[Scored]) -> Scored:
    """All pairs, one part after the other."""
    return Scored(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("left", "right", "weight")))


def join_questions(parts: Sequence[Questions]) -> Questions:
    """All of them, one part after the other."""
    rest = (np.concatenate([getattr(part, name) for part in parts]) for name in ("stray", "doubt", "urgency"))
    return Questions(join_scored([part.pairs for part in parts]), *rest)


def read_whole(scene: Scene, code: Codes, rows: Longs) -> Codes:
    """The one value that some records, which have one, have of each entity; 0 where people made two one."""
    whole = np.zeros(len(scene.stake) + 1, dtype=code.dtype)
    owner, own = scene.owner[rows], code[rows]
    whole[owner] = own
    whole[owner[whole[owner] != own]] = 0
    return whole


def find_strays(
    clashing: Sequence[Scored], bar: float, scene: Scene, rules: Rules, list_inside: Callable[[Longs], Scored]
) -> Questions:
    """Which records might belong to another entity that has another value of a separator than theirs.

    A record without a value of its own, which people merged with none, is asked about where it matches a record of the other
    entity that has the value, and that comes within the width of the grey band of what holds it: the strongest chain of pairs
    that leads to the value within its own. One question for a record and an entity. clashing: per separator the pairs between
    entities with two values of it; bar: what is less urgent is not looked for; list_inside: the pairs within the entities whose
    records some are.
    """
    parts = [_find_loose(pairs, code, bar, scene, rules) for pairs, code in zip(clashing, scene.codes, strict=True)]
    pairs, is_left = join_scored([own for own, _ in parts]), np.concatenate([left for _, left in parts])
    place = np.repeat(np.arange(len(parts)), [len(left) for _, left in parts])
    record, other = np.where(is_left, pairs.left, pairs.right), np.where(is_left, pairs.right, pairs.left)
    own, to = scene.owner[record], scene.owner[other]
    rows = np.flatnonzero(scene.mark(own, to))
    inner = rows[np.isin(scene.owner[rows], own)]
    hold = _find_hold(inner, scene, list_inside)[place, np.searchsorted(inner, record)]
    margin = (hold - pairs.weight) / UNITS_PER_BIT
    near = np.flatnonzero(_are_open(record, to, scene, rows) & (margin <= rules.match_bits - rules.review_bits))
    key = record[near].astype(np.int64) * len(scene.stake) + to[near]
    order = np.lexsort((scene.order(pairs[near]), -pairs.weight[near], key))
    best = near[order[np.flatnonzero(np.diff(key[order], prepend=-1))]]
    chosen, stray = pairs[best], np.where(is_left[best], LEFT, RIGHT)
    # half of it is the chance that the record is of the other entity
    doubt = 2 / (1 + np.exp2(np.clip(margin[best], 0, 60)))
    return Questions(chosen, stray.astype(np.int8), doubt, scene.add_stakes(chosen) * doubt)


def _find_loose(pairs: Scored, code: Codes, bar: float, scene: Scene, rules: Rules) -> tuple[Scored, Mask]:
    """The matches that may be urgent enough, of a record that has the value of its entity and one that has none and that nobody
    merged with others; and whether that is the left one."""
    pairs = pairs[np.flatnonzero(pairs.weight >= round(rules.match_bits * UNITS_PER_BIT))]
    pairs = pairs[np.flatnonzero(scene.add_stakes(pairs) >= bar)]
    has_left, has_right = code[pairs.left] != 0, code[pairs.right] != 0
    loose = np.where(has_left, pairs.right, pairs.left)
    one = np.flatnonzero((has_left != has_right) & ~np.isin(loose, scene.merged))
    return pairs[one], has_right[one]


def _are_open(record: Ids | Longs, to: Ids | Longs, scene: Scene, rows: Longs) -> Mask:
    """Whether a record may belong to an entity: neither do people keep it from any record there, nor does a value of its own.
    rows: all records of these entities, if not more."""
    n = len(scene.stake)
    first, second = (side.astype(np.int64) for side in scene.apart)
    apart = np.concatenate([first * n + scene.owner[second], second * n + scene.owner[first]])
    is_open = ~np.isin(record.astype(np.int64) * n + to, apart)
    for code in scene.codes:
        whole, own = read_whole(scene, code, rows[code[rows] != 0])[to], code[record]
        is_open &= (own == 0) | (whole == 0) | (own == whole)
    return is_open


def _find_hold(rows: Longs, scene: Scene, list_inside: Callable[[Longs], Scored]) -> npt.NDArray[np.int32]:
    """What holds each of the records of some entities there, by separator: the weight of the strongest chain, which is that of
    its weakest pair, that leads to a record with a value."""
    inside, is_merged = list_inside(rows), np.isin(rows, scene.merged)
    place = np.zeros(len(scene.owner), dtype=np.int32)
    place[rows] = np.arange(len(rows), dtype=np.int32)
    left, right = place[inside.left], place[inside.right]
    hold = np.empty((len(scene.codes), len(rows)), dtype=np.int32)
    for own, code in zip(hold, scene.codes, strict=True):
        own[:] = np.where((code[rows] != 0) | is_merged, _MOST, -_MOST)
        before = np.zeros(0, dtype=np.int32)
        while not np.array_equal(before, own):
            before = own.copy()
            np.maximum.at(own, left, np.minimum(inside.weight, before[right]))
            np.maximum.at(own, right, np.minimum(inside.weight, before[left]))
    return hold
