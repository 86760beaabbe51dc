"""Where people read: as wide as the terminal, and wide enough for the tables when there is none."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

WIDTH_WITHOUT_TERMINAL = 140


def open_console(*, stderr: bool = False) -> Console:
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=WIDTH_WITHOUT_TERMINAL)


def name_command() -> str:
    """How this program was started, so that it can be typed again: on the path or not."""
    started = sys.argv[0]
    is_ours = Path(started).name == "goldthread"
    found = shutil.which("goldthread")
    on_path = found is not None and Path(found).resolve() == Path(started).resolve()
    return started if is_ours and not on_path else "goldthread"


def count(number: int, one: str, several: str | None = None) -> str:
    """1 pair, 2 pairs."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def tell_compared_too(compared: Mapping[str, Sequence[str]]) -> None:
    """Print which columns of a record's key and value are compared as well, and by what."""
    for own, comparisons in compared.items():
        told = f"the column of {own} is compared too ({', '.join(comparisons)}), though it does not tell who is who: "
        open_console().print(told + "leave it out of the fields", highlight=False, markup=False, soft_wrap=True)
