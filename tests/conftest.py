"""What every test gets: the same generated examples each time, however busy the machine is."""

from hypothesis import settings

settings.register_profile("goldthread", derandomize=True, deadline=None, database=None)
settings.load_profile("goldthread")
