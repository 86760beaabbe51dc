"""The words for a stream that could not be read: written by the check, read again by the report."""

from __future__ import annotations

import re
from datetime import timedelta

SYNCED = "synced"
_TOLD = re.compile(r"(?:never read|not read|\S+ was last read .+? ago): (?P<reason>.*)", re.DOTALL)


def tell_age(age: timedelta) -> str:
    """So long ago, in the unit that fits."""
    minutes = int(age.total_seconds() // 60)
    if minutes >= 2 * 24 * 60:
        return f"{minutes // (24 * 60)} days"
    if minutes >= 2 * 60:
        return f"{minutes // 60} hours"
    return "less than 2 minutes" if minutes < 2 else f"{minutes} minutes"


def tell_unread(source: str, stream: str, age: timedelta | None, reason: str) -> str:
    """The detail of the check of one stream."""
    return f"never read: {reason}" if age is None else f"{source}.{stream} was last read {tell_age(age)} ago: {reason}"


def tell_misconfigured(reason: str) -> str:
    """The detail where our own settings are wrong: what has landed is no excuse."""
    return f"not read: {reason}"


def read_reason(detail: str) -> str:
    """Why, without which stream and how long ago."""
    told = _TOLD.fullmatch(detail)
    return told["reason"] if told else detail


def drop_stream(source: str, reason: str) -> str:
    """A reason that one stream met, said of the whole source: without that stream's name and table, but with the place."""
    place = re.match(rf"{re.escape(source)}\.\w+(?: \((?:table \"[^\"]*\" )?(?P<at>[^)]*)\))?: ", reason)
    return f"{source} {place['at'] or ''}".rstrip() + f": {reason[place.end() :]}" if place else reason
