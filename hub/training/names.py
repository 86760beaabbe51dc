"""How often two records have one person's name by chance, by the names that it is made of.

Pairs alone do not say it: all who share a rare name look like one person, and how many of them are namesakes is not seen. But
two who share a whole name by chance share the given name and the surname.
"""

import numpy as np

from hub.columns.parts import Ids, Parts
from hub.rules.model import Rules

KINDS = ("person_name", "full_name")
#: given names and surnames of one people go together: Jose is a Garcia more often than others are
_TOGETHER = 2.0
#: the parts that are whole names, and what is read of them
_WHOLE = ("", "called")
_READ = ("given", "surname", "sorted")


def find_names(rules: Rules) -> int | None:
    """The place of the comparison of persons' names."""
    fields = {field.name for field in rules.fields if field.kind in KINDS}
    return next((place for place, one in enumerate(rules.comparisons) if one.field.partition(".")[0] in fields), None)


def bound_chances(rules: Rules, parts: Parts) -> dict[int, float]:
    """By the place of the comparison of whole names how often two records agree on them by chance at most; empty if that is
    not to be found."""
    place = find_names(rules)
    if place is None or "prior" not in rules.weights:
        return {}
    field, _, part = rules.comparisons[place].field.partition(".")
    if part not in _WHOLE or not set(_READ) <= set(parts.tables[field].rows.columns):
        return {}
    given, surname, name = (parts.codes(f"{field}.{part}") for part in _READ)
    known, is_whole = name >= 0, (given >= 0) & (surname >= 0)
    if not is_whole.any():
        return {}
    both = _TOGETHER * _find_chance(given[is_whole]) * _find_chance(surname[is_whole])
    share = float(is_whole[known].mean())
    # of a word that stands alone nothing more is known than how many have it
    return {place: share**2 * both + (1 - share) ** 2 * _find_chance(name[known & ~is_whole])}


def _find_chance(codes: Ids) -> float:
    """How often two records have the same value; one more than were seen might."""
    counts = np.bincount(codes).astype(np.float64)
    n = counts.sum()
    return float(((counts * (counts - 1)).sum() + 1) / max(n * (n - 1), 1.0))
