"""Which places lie in one another, by how often records share them."""

import numpy as np

from hub.training.dependence import find_implied

#: levels of a town and a postcode: missing, same rare, same common, different
_GROUPS = [np.array([0, 0, 1])] * 2


def test_a_place_lies_in_another_where_most_who_share_it_share_the_other() -> None:
    # both rare, both common, town alone, postcode alone, neither
    matrix = np.array([[1, 1], [2, 2], [2, 3], [3, 2], [3, 3]], dtype=np.uint8)
    assert find_implied(matrix, np.array([5.0, 90.0, 900.0, 10.0, 1e6]), _GROUPS, [(0, 1)]) == [(0, 1)]
    assert find_implied(matrix, np.array([5.0, 90.0, 900.0, 400.0, 1e6]), _GROUPS, [(0, 1)]) == []


def test_where_nothing_is_shared_nothing_is_implied() -> None:
    matrix = np.array([[3, 3], [0, 1]], dtype=np.uint8)
    assert find_implied(matrix, np.array([10.0, 10.0]), _GROUPS, [(0, 1)]) == []
