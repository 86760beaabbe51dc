"""Where people read: as wide as the terminal, and wide enough for the tables when there is none."""

from __future__ import annotations

from rich.console import Console

WIDTH_WITHOUT_TERMINAL = 140


def open_console(*, stderr: bool = False) -> Console:
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=WIDTH_WITHOUT_TERMINAL)


def count(number: int, one: str, several: str | None = None) -> str:
    """1 pair, 2 pairs."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"
