"""Where values belong among many sorted ones that are not at hand as one array."""

from collections.abc import Callable

import numpy as np

from hub.kept.pieces import Longs
from hub.kept.state import Mask


def find_places(count: int, size: int, is_before: Callable[[Longs], Mask]) -> Longs:
    """Where `count` values belong among `size` sorted ones. is_before: whether the sorted value at a place, one place for each,
    comes before the value."""
    low, high = np.zeros(count, dtype=np.int64), np.full(count, size, dtype=np.int64)
    while (is_open := low < high).any():
        middle = (low + high) // 2
        before = is_before(np.minimum(middle, size - 1)) & is_open
        low, high = np.where(before, middle + 1, low), np.where(is_open & ~before, middle, high)
    return low
