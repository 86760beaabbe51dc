"""Landing rows of a PostgreSQL table against connectorx and write_parquet alone, in interleaved pairs."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import connectorx
import psycopg

from bench.results import make_table, report
from connectors.base import Field, Stream
from connectors.sql import SqlConnector, Table
from sandbox.servers.u8_postgres import PostgresProcess
from warehouse.home import Home
from warehouse.landing import land
from warehouse.ledger import open_ledger

TABLE = "dispatch"
MAKE = f"""
create table {TABLE} (
    id bigint primary key, order_no text, customer text, name text, spec text, quantity numeric(18, 4), price numeric(18, 4),
    amount numeric(18, 2), currency text, ordered_on date, made_at timestamp, is_done boolean, memo text, ufts bigint not null
);
insert into {TABLE}
select g, 'SO' || lpad(g::text, 10, '0'), 'C' || (g % 5000), '客户' || (g % 5000) || '有限公司', 'X-' || (g % 97), g % 100 + 0.25,
    (g % 9973) * 1.37, (g % 100) * (g % 9973) * 1.37, case when g % 20 = 0 then '美元' else '人民币' end,
    date '2025-07-01' + g % 365,
    timestamp '2025-07-01 08:00' + g * interval '37 seconds', g % 3 = 0, case when g % 4 = 0 then '备注' || md5(g::text) end, g
from generate_series(1, %s) g;
create index on {TABLE} (ufts, id);
analyze {TABLE};
"""
COLUMNS = ("id", "order_no", "customer", "name", "spec", "quantity", "price", "amount", "currency", "ordered_on", "made_at")
STREAM = Stream(
    name=TABLE,
    key=("id",),
    fields=(*(Field(name) for name in COLUMNS), Field("ufts", "integer")),
    cursor="watermark",
    deletes="id_reconcile",
    description="Dispatches.",
    version="ufts",
)


def main(arguments: list[str]) -> None:
    """Print and write the median ratio of wall and of CPU seconds."""
    parser = argparse.ArgumentParser(prog="python -m bench extraction", description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--pairs", type=int, default=9)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="goldthread-bench-") as name:
        folder = Path(name)
        server = PostgresProcess(folder / "erp")
        folder.chmod(0o755)  # the server may run as another user
        server.start()
        try:
            with server.connect() as connection:
                connection.execute(psycopg.sql.SQL(MAKE.replace("%s", str(options.rows))))
            pairs = measure(folder, f"postgresql://postgres:{server.password}@127.0.0.1:{server.port}/postgres", options)
        finally:
            server.stop()
    _report(options.rows, pairs)


def measure(folder: Path, url: str, options: argparse.Namespace) -> list[dict[str, tuple[float, float]]]:
    """Per pair: (wall, CPU) seconds of each side; the first pair only warms up. Which side goes first changes."""
    pairs = []
    for number in range(options.pairs + 1):
        sides: dict[str, Callable[[], int]] = {
            "alone": lambda number=number: extract_alone(url, folder / f"alone-{number}.parquet"),
            "landed": lambda number=number: extract_and_land(url, folder / f"home-{number}"),
        }
        pair = {}
        for side in sorted(sides, reverse=number % 2 == 0):
            wall, cpu = time.perf_counter(), time.process_time()
            n_rows = sides[side]()
            pair[side] = (time.perf_counter() - wall, time.process_time() - cpu)
            if n_rows != options.rows:
                raise RuntimeError(f"{side}: {n_rows} rows instead of {options.rows}")
        pairs.append(pair)
    return pairs[1:]


def extract_alone(url: str, path: Path) -> int:
    """connectorx as one would call it by hand, and one Parquet file with the same compression."""
    frame = connectorx.read_sql(url, f"select * from {TABLE}", return_type="polars")
    frame.write_parquet(path, compression="zstd")
    return int(frame.height)


def extract_and_land(url: str, place: Path) -> int:
    """Our connector and landing: text columns, pages, row hashes, durable files, ledger."""
    home = Home(place).create()
    ledger = open_ledger(home)
    connector = SqlConnector("erp", url, (Table(STREAM, TABLE),))
    return sum(land(home, ledger, "erp", STREAM, batch, "bench").n_rows for batch in connector.read(TABLE, None))


def _report(n_rows: int, pairs: list[dict[str, tuple[float, float]]]) -> None:
    figures: dict[str, object] = {"rows": n_rows, "columns": 14, "pairs": len(pairs)}
    rows = []
    for clock, place in (("wall", 0), ("cpu", 1)):
        alone, landed = ([pair[side][place] for pair in pairs] for side in ("alone", "landed"))
        ratios = [ours / theirs for ours, theirs in zip(landed, alone, strict=True)]
        figures[clock] = {
            "alone_median_s": round(statistics.median(alone), 3),
            "landed_median_s": round(statistics.median(landed), 3),
            "ratio_median": round(statistics.median(ratios), 3),
            "ratios": [round(ratio, 3) for ratio in sorted(ratios)],
        }
        medians = [f"{statistics.median(values):.2f}" for values in (alone, landed, ratios)]
        rows.append((clock, *medians, f"{min(ratios):.2f} to {max(ratios):.2f}"))
    columns = ("clock", "connectorx + write_parquet s", "extract and land s", "median ratio", "ratios")
    report("extraction", figures, make_table(f"{n_rows:,} PostgreSQL rows of 14 columns, {len(pairs)} pairs", columns, rows))
