"""Random pairs of records that are no candidates: what stands for all the pairs that nobody looks at."""

import numpy as np
import numpy.typing as npt

Longs = npt.NDArray[np.int64]

#: enough that a chance of agreement of 1 in 10,000 is seen 10 times
SIZE = 100_000


def sample_others(n: int, left: npt.NDArray[np.integer], right: npt.NDArray[np.integer], size: int = SIZE) -> tuple[Longs, Longs]:
    """Pairs of `n` rows, first < second, none of them among the candidates (left < right).

    The same pairs whenever the arguments are the same; all others where there are no more than `size` pairs.
    """
    if n * (n - 1) // 2 <= size:
        first, second = np.triu_indices(n, 1)
        pairs = first.astype(np.int64) * n + second
    else:
        generator = np.random.default_rng(20)
        one, other = generator.integers(0, n, size), generator.integers(0, n, size)
        pairs = np.unique((np.minimum(one, other) * n + np.maximum(one, other))[one != other])
    candidates = np.sort(left.astype(np.int64) * n + right.astype(np.int64))
    if len(candidates):
        place = np.minimum(np.searchsorted(candidates, pairs), len(candidates) - 1)
        pairs = pairs[candidates[place] != pairs]
    return pairs // max(n, 1), pairs % max(n, 1)
