"""Reading a connector's settings: texts by name, as the user's configuration holds them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from connectors.errors import ConfigurationError

Settings = Mapping[str, str]


def require(settings: Settings, name: str, source: str) -> str:
    """The setting's value; raises ConfigurationError that names it when it is missing or empty."""
    value = settings.get(name, "")
    if not value:
        raise ConfigurationError(f"source {source!r}: the setting {name!r} is missing")
    return value


def read_number(settings: Settings, name: str, default: float, source: str) -> float:
    """A positive number setting."""
    text = settings.get(name) or str(default)
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if number <= 0:
        raise ConfigurationError(f"source {source!r}: the setting {name!r} must be a positive number, not {text!r}")
    return number


def read_moment(settings: Settings, name: str, source: str) -> datetime | None:
    """An ISO 8601 setting as UTC; None if it is not set. A zone is required, because 18:00 of nowhere is a wrong window."""
    text = settings.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ConfigurationError(
            f"source {source!r}: the setting {name!r} must be an ISO time with its zone, such as "
            f"2026-06-30T18:00:00+08:00, not {text!r}"
        )
    return moment.astimezone(UTC)


def read_clock(settings: Settings, source: str) -> Callable[[], datetime]:
    """What the source takes for "now": the setting `now` (a replayed or made-up system), else the real clock."""
    fixed = read_moment(settings, "now", source)
    return (lambda: fixed) if fixed else (lambda: datetime.now(UTC))
