"""A second process that has the working file open."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOLD = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("create or replace table left_behind as select 1 as number")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
connection.close()
"""


@contextmanager
def hold_elsewhere(file: Path, seconds: float) -> Iterator[None]:
    """A second process has the file for so long."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(file), str(seconds)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield
    finally:
        process.kill()
        process.communicate()
