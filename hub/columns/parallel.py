"""Two threads where there is work for them: numpy and polars let go of the interpreter while they compute."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from hub.columns.memory import give_back

_THREADS = 2
#: records or pairs below which a thread, which compiles every regex anew, costs more than it saves
_LEAST = 2_000
#: from so many on what is let go of is worth the time to return it
_MUCH = 50_000

Item = TypeVar("Item")
Found = TypeVar("Found")


def map_threads(work: Callable[[Item], Found], items: Iterable[Item], size: int) -> list[Found]:
    """`work` of each item, in their order. size: the records or pairs that all items together are about."""
    if size < _LEAST:
        return [work(item) for item in items]
    with ThreadPoolExecutor(_THREADS) as pool:
        found = list(pool.map(work, items))
    if size >= _MUCH:
        give_back()
    return found
