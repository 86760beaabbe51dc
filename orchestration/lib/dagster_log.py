"""What Dagster says of checks that did not run, where that is meant."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PLAN_LOGGER = "dagster._core.execution.plan.active"


@contextmanager
def hush_absent_checks(is_meant: Callable[[], bool]) -> Iterator[None]:
    """Drop Dagster's warnings of blocking checks without a result while `is_meant`: a run without news skips what they gate."""

    def keep(record: logging.LogRecord) -> bool:
        return not ("emitted no result" in str(record.msg) and is_meant())

    logger = logging.getLogger(PLAN_LOGGER)
    logger.addFilter(keep)
    try:
        yield
    finally:
        logger.removeFilter(keep)
