"""What is not the program's fault ends in one clear line."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from orchestration.project import ProjectError


@contextmanager
def blame_the_input() -> Iterator[None]:
    """What is wrong with rules, records or folders ends in one clear line."""
    from hub.columns.prepare import RecordsError
    from hub.decide import DecisionError
    from hub.kept.versions import StoreError
    from hub.rules.model import RulesError

    try:
        yield
    except (RulesError, RecordsError, StoreError, DecisionError) as error:
        raise ProjectError(str(error)) from error
    except OSError as error:
        # an error of a library has neither
        told = ": ".join(str(part) for part in (error.filename, error.strerror) if part)
        raise ProjectError(told or str(error)) from error


@contextmanager
def blame_the_disk(places: Sequence[Path]) -> Iterator[None]:
    """A full disk is told with the folders that were written to, whichever library met it."""
    try:
        yield
    except Exception as error:
        if os.strerror(errno.ENOSPC) not in str(error):
            raise
        written = " or ".join(map(str, places))
        raise ProjectError(f"no space is left for {written}: free some and run it again; what was there before stands") from error
