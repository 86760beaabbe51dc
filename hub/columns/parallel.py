"""Two threads where there is work for them: numpy and polars let go of the interpreter while they compute."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import current_thread
from typing import TypeVar

from hub.columns.memory import give_back

_THREADS = 2
_NAME = "hub-columns"
#: records or pairs below which handing over costs more than it saves: at 1,000 two idle cores still gain a tenth of the wall time
_LEAST = 500
#: from so many on what is let go of is worth the time to return it
_MUCH = 50_000

Item = TypeVar("Item")
Found = TypeVar("Found")


def map_threads(work: Callable[[Item], Found], items: Iterable[Item], size: int) -> list[Found]:
    """`work` of each item, in their order. size: the records or pairs that all items together are about."""
    # what one of the threads hands over would wait for both
    if size < _LEAST or current_thread().name.startswith(_NAME):
        return [work(item) for item in items]
    found = list(_keep_threads(os.getpid()).map(work, items))
    if size >= _MUCH:
        give_back()
    return found


@cache
def _keep_threads(process: int) -> ThreadPoolExecutor:
    """The threads of a process: a new one compiles every regex anew, 20 ms of those of company names."""
    return ThreadPoolExecutor(_THREADS, thread_name_prefix=_NAME)
