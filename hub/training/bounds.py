"""What is supposed of matches where no label says: what tells entities apart seldom differs, what many share says little."""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hub.normalize.models import MODELS
from hub.rules.model import Comparison, Rules
from hub.scoring.weights import Floats

#: what tells entities apart (two records in 64 or fewer agree on it by chance) differs in at most this share of the matches.
#: Without the bound all records of an artist or a maker look like one entity whose titles differ in 70 of 100 pairs; in six
#: tables of persons and places, where there are no such families, it differs in up to 0.23
MISSES = (-1, 0.25)
TELLING = 2.0**-6
#: of a title that tells most, grades that two records in 256 reach by chance are misses too: two titles of an artist share a word
_RARE = 2.0**-8
#: matches whose titles name other types, and whose numbers are not the same: those of a series are a digit apart
_MOST_WRONG_MODELS = 0.1
_MOST_WRONG_NUMBERS = 0.25
_NUMBER_KINDS = ("code", "credit_code")
_TITLE_KINDS = ("name", "text")
#: a value of so many times the records that one entity has is not one entity's
_TOO_COMMON = 2.0


def group_levels(levels: Sequence[str]) -> npt.NDArray[np.int64]:
    """Per level (without `missing`) its grade: `same` and its frequency buckets `same~1` .. are one grade, 0."""
    bucket = np.array([level.startswith(f"{levels[1]}~") for level in levels[1:]])
    return np.where(bucket, 0, np.cumsum(~bucket) - 1)


def choose_misses(comparison: Comparison, rules: Rules) -> tuple[int, float]:
    """The grade from which on a comparison disagrees (-1: the last), and in what share of the matches it may."""
    field, _, part = comparison.field.partition(".")
    if part == MODELS:
        return -1, _MOST_WRONG_MODELS
    is_number = any(one.name == field and one.kind in _NUMBER_KINDS for one in rules.fields)
    return (1, _MOST_WRONG_NUMBERS) if is_number else MISSES


def is_title(comparison: Comparison, rules: Rules) -> bool:
    """Whether it compares what things are called, or their descriptions, in words."""
    return any(one.name == comparison.field and one.kind in _TITLE_KINDS for one in rules.fields)


def find_most_telling(u: Sequence[Floats], known: Sequence[float], grades: Sequence[npt.NDArray[np.int64]]) -> int:
    """The comparison of which most is learnt: bits of an agreement x chance that both records have the value."""
    bits = [-np.log2(chance[grade == 0].sum()) for chance, grade in zip(u, grades, strict=True)]
    return int(np.argmax([own * share for own, share in zip(bits, known, strict=True)]))


def bound_misses(m: Floats, u: Floats, grades: npt.NDArray[np.int64], first: int, most: float, of_title: bool) -> Floats:
    """m whose grades from the first miss on are together no likelier than `most`, if agreement is rare by chance."""
    chances = np.cumsum(np.bincount(grades, weights=u))
    first %= len(chances)
    if of_title and chances[0] <= _RARE:
        first = min(first, int(np.argmax(chances > _RARE)))
    missed = grades >= first
    share = float(m[missed].sum())
    if share <= most or u[~missed].sum() > TELLING:
        return m
    return np.where(missed, m * (most / share), m * ((1 - most) / (1 - share)))


def bound_common(m: Floats, u: Floats, levels: Sequence[str], n_records: int, matches: float) -> Floats:
    """m by which agreement on what far more records share than one entity has weighs no more than such a value is rare.

    u: of all pairs, matches too. Else what a shop writes under forty things would prove that they are one, for hardly any others
    share it.
    """
    shared = np.array([2.0 ** int(found[1]) if (found := re.search(r"~(\d+)$", level)) else 1.0 for level in levels[1:]])
    records_of_one = 1 + 2 * matches / max(n_records, 1)
    most = np.where(shared > _TOO_COMMON * records_of_one, u * n_records / shared, np.inf)
    if (m <= most).all():
        return m
    bounded = np.minimum(m, most)
    return np.asarray(bounded / bounded.sum())
