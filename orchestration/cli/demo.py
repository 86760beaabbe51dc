"""`goldthread demo`: a company, its four systems, one run, and what came of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

from orchestration.cli.console import name_command, open_console
from orchestration.cli.report import describe_line, print_line
from orchestration.cli.run import execute, load
from orchestration.cli.sandbox import RateScale, Scale, Seed, show_stages
from orchestration.lib.sandbox import Sandbox, SandboxOptions, start_sandbox
from orchestration.project import current_project, make_home
from warehouse.home import Home

if TYPE_CHECKING:
    import duckdb
    import polars as pl


def run_demo(scale: Scale = 1.0, seed: Seed = 7, rate_scale: RateScale = 1.0) -> None:
    """Start the sandbox company, run the whole line, publish, and show what came of it."""
    console = open_console()
    project = current_project()
    make_home(project.home)
    Home(project.home).refuse_while_held()
    started = time.monotonic()
    console.print("[bold]1[/] making a company and starting its CRM, ERP, messaging and forms ...")
    with start_sandbox(project.home, SandboxOptions(scale, seed, rate_scale=rate_scale)) as wait_until_ready:
        with show_stages() as on_stages:
            # while the systems start
            import duckdb

            from orchestration.lib.review_count import count_doubtful_pairs
            from warehouse.working import NO_EXTENSIONS

            line = load(project, "sync")
            sandbox = wait_until_ready(on_stages)
        console.print(f"[bold]2[/] the systems answer after {time.monotonic() - started:.0f} s; running the line ...")
        outcome = execute(line, {}, quiet=False)
        report = describe_line(project, outcome)
        print_line(console, report)
        if not outcome.success:
            raise typer.Exit(1)
        is_new = report["publication"]["run_id"] == outcome.run_id
        state = "published" if is_new else "nothing new, what was published stands,"
        console.print(f"[bold]3[/] {state} after {time.monotonic() - started:.0f} s; what the warehouse says:")
        served = report["publication"]["path"]
        with duckdb.connect(served, read_only=True, config=NO_EXTENSIONS) as con:
            _show_identity(console, con, sandbox, count_doubtful_pairs(line.instance, report["publication"]["run_id"]))
            _show_figures(console, con)
            _show_ways(console, served, con)


def _show_ways(console: Console, served: str, con: duckdb.DuckDBPyConnection) -> None:
    """What to type next, as it can be typed."""
    [[customer]] = con.execute(
        "select customer_gid from golden_customers order by n_records desc, customer_gid limit 1"
    ).fetchall()
    ways = {
        "status": "every stream, the verdict, the publication",
        "quarantine list": "rows that broke their contract, and why",
        f"explain {customer}": "a customer, its records and why they are one",
        "sandbox serve": "the company again, to play with",
    }
    console.print(f"look at it: {served} with any DuckDB, read-only; `make dev` shows the graph", highlight=False, soft_wrap=True)
    for words, meaning in ways.items():
        console.print(f"   {name_command()} {words}    # {meaning}", highlight=False, soft_wrap=True)


def _show_identity(console: Console, con: duckdb.DuckDBPyConnection, sandbox: Sandbox, doubtful: int | None) -> None:
    import polars as pl

    from hub.evaluate import evaluate
    from orchestration.lib.review_count import describe_doubtful_pairs

    [[customers]] = con.execute("select count(*) from dim_customer").fetchall()
    [[persons]] = con.execute("select count(*) from dim_person").fetchall()
    [[waiting]] = con.execute("select count(*) from review_queue").fetchall()
    for crosswalk, file, true_id, found in (
        ("crosswalk", "parties", "customer_id", f"{customers:,} customers"),
        ("person_crosswalk", "persons", "person_id", f"{persons:,} persons"),
    ):
        records = con.table(crosswalk).pl()
        truth = pl.read_parquet(sandbox.truth / f"{file}.parquet").select("source", "source_key", true_id)
        figures = evaluate(records, truth)
        console.print(
            f"   identity: {records.height:,} records are {found}; against the truth: "
            f"precision {figures['precision']:.3f}, recall {figures['recall']:.3f}, F1 {figures['f1']:.3f}",
            highlight=False,
        )
        if file == "parties":
            console.print(f"   {_describe_parents(con, records, sandbox)}", highlight=False)
    console.print(f"   {describe_doubtful_pairs(waiting, doubtful)}", highlight=False)


def _describe_parents(con: duckdb.DuckDBPyConnection, crosswalk: pl.DataFrame, sandbox: Sandbox) -> str:
    from orchestration.lib.parents import measure_parents, read_true_parents

    golden = con.sql("select customer_gid as gid, parent_gid, relation from dim_customer").pl()
    counts = dict(golden.drop_nulls("parent_gid").group_by("relation").len().iter_rows())
    figures = measure_parents(golden, crosswalk.rename({"customer_gid": "gid"}), *read_true_parents(sandbox.truth))
    return (
        f"parents: {counts.get('branch', 0):,} branches and {counts.get('subsidiary', 0):,} subsidiaries are linked to theirs; "
        f"against the truth: precision {figures['parent_precision']:.3f}, recall {figures['parent_recall']:.3f}"
    )


def _show_figures(console: Console, con: duckdb.DuckDBPyConnection) -> None:
    health = con.execute(
        """
        select dimension, numerator, denominator, value, threshold_lo, threshold_hi, below from fct_phi_daily
        where scope_type = 'company' and phi_date = (select max(phi_date) from fct_phi_daily) order by dimension
        """
    ).fetchall()
    table = Table(title="process health (rolling 30 days)", title_justify="left", header_style="bold")
    for name in ("dimension", "numerator", "denominator", "value", "threshold", "state"):
        table.add_column(name, justify="left" if name in {"dimension", "state"} else "right")
    for dimension, numerator, denominator, value, low, high, below in health:
        band = f">= {low:g}" if high is None else f"{low:g} to {high:g}"
        shown = "no data" if value is None else f"{value:.3f}"
        state = "" if below is None else "below" if below else "fine"
        table.add_row(dimension, f"{numerator:g}", f"{denominator:g}", shown, band, state)
    console.print(table)
    alerts = con.execute("select rule_code, count(*) from fct_alert group by rule_code order by rule_code").fetchall()
    console.print("   open alerts: " + ", ".join(f"{code} {n:,}" for code, n in alerts), highlight=False)
