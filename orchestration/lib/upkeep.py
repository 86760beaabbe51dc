"""Who owns the line's assets, and how old they may be."""

from datetime import timedelta

import dagster as dg

OWNER = "team:goldthread"
# what is read and what is served should be a day old at most; the schedule runs every quarter of an hour
FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=36), warn_window=timedelta(hours=26))
