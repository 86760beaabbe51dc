"""Time in the demo company: seconds since the epoch (int64 arrays), China's working days, seasons."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

AS_OF = datetime(2026, 6, 30, 10, tzinfo=UTC)  # 18:00 in Shanghai
HORIZON = datetime(2026, 7, 31, 10, tzinfo=UTC)
START = datetime(2025, 6, 30, 16, tzinfo=UTC)  # 2025-07-01 00:00 in Shanghai
HOUR, DAY = 3600, 86400
CHINA = 8 * HOUR
NEVER = 2**40  # later than every horizon

_HOLIDAYS = (
    ("2025-05-01", 5),
    ("2025-05-31", 3),
    ("2025-10-01", 8),
    ("2026-01-01", 3),
    ("2026-02-15", 9),
    ("2026-04-04", 3),
    ("2026-05-01", 5),
    ("2026-06-19", 3),
)
# the company's own: the last Sunday of the half-year is worked, so that a stage can be two to three days old at AS_OF, a Tuesday
_WORKED_SUNDAYS = ("2026-06-28",)
# demand by calendar month: spring and autumn peaks, the lull of the spring festival
SEASON = np.array([0.85, 0.55, 1.2, 1.15, 1.05, 1.1, 0.9, 0.9, 1.15, 1.05, 1.15, 1.0])


def epoch(moment: datetime) -> int:
    """Seconds since the epoch of an aware datetime."""
    return int(moment.timestamp())


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - date(1970, 1, 1)).days


def local_day(seconds: Ints) -> Ints:
    """Day number in Shanghai of each moment."""
    return (seconds + CHINA) // DAY


def is_workday(days: Ints) -> NDArray[np.bool_]:
    """True for Monday to Friday outside public holidays; make-up Saturdays are not modelled."""
    holidays = {day_number(date.fromisoformat(first) + timedelta(k)) for first, n in _HOLIDAYS for k in range(n)}
    weekday = (days + 3) % 7  # 1970-01-01 was a Thursday; 0 = Monday
    return (weekday < 5) & ~np.isin(days, np.array(sorted(holidays)))


def to_worktime(seconds: Ints) -> Ints:
    """Move each moment into 08:30-18:30 of the same or the next working day, keeping order within a day."""
    days = local_day(seconds)
    first = int(days.min(initial=20000))
    table = np.arange(first, int(days.max(initial=20000)) + 30, dtype=np.int64)
    extra = [day_number(date.fromisoformat(day)) for day in _WORKED_SUNDAYS]
    working = table[is_workday(table) | np.isin(table, extra)]
    moved = working[np.searchsorted(working, days)]
    of_day = (seconds + CHINA) % DAY
    return moved * DAY - CHINA + 8 * HOUR + 1800 + of_day * 10 // 24


def awake(seconds: Ints) -> Ints:
    """Move moments between 22:00 and 08:00 to shortly after 08:00."""
    of_day = (seconds + CHINA) % DAY
    late = of_day >= 22 * HOUR
    night = late | (of_day < 8 * HOUR)
    morning = (local_day(seconds) + late) * DAY - CHINA + 8 * HOUR + of_day % HOUR
    return np.where(night, morning, seconds)


def draw_moments(rng: np.random.Generator, n: int, first: datetime, last: datetime) -> Ints:
    """`n` sorted moments between two times, denser in busy months, on workdays and in office hours."""
    days = np.arange(local_day(np.array([epoch(first)]))[0], local_day(np.array([epoch(last)]))[0] + 1)
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
    weight = SEASON[months] * np.where(is_workday(days), 1.0, 0.22)
    day = rng.choice(days, n, p=weight / weight.sum())
    hours = np.array([0.1] * 7 + [0.5, 2, 5, 6, 5, 2.5, 3.5, 5.5, 6, 5, 4, 2, 1.5, 1.5, 1, 0.5, 0.2])
    hour = rng.choice(24, n, p=hours / hours.sum())
    moments = day * DAY - CHINA + hour * HOUR + rng.integers(0, HOUR, n)
    return np.sort(np.clip(moments, epoch(first), epoch(last) - 60))


def as_times(seconds: Ints) -> pl.Series:
    """Seconds -> Datetime(us, UTC); NEVER and beyond become null."""
    series = pl.Series(seconds).cast(pl.Int64)
    return (series.set(series >= NEVER, None) * 1_000_000).cast(pl.Datetime("us", "UTC"))


def as_dates(seconds: Ints) -> pl.Series:
    """The calendar day in Shanghai; NEVER and beyond become null."""
    series = pl.Series(seconds).cast(pl.Int64)
    days = (series.set(series >= NEVER, None) + CHINA) // DAY
    return days.cast(pl.Int32).cast(pl.Date)
