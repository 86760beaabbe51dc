"""`goldthread sandbox`: the made-up company's systems, to play with."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from orchestration.cli.console import name_command, open_console
from orchestration.lib.sandbox import OnStages, SandboxOptions, advance_sandbox, start_sandbox
from orchestration.project import find_home, make_home

app = typer.Typer(help="The made-up company and its vendors' systems.", no_args_is_help=True)

BEGINNING = "making the company"

Scale = Annotated[float, typer.Option(help="Size; 1 is about 2,000 customers.")]
Seed = Annotated[int, typer.Option(help="The same seed makes the same company.")]
ErrorRate = Annotated[float, typer.Option(help="Share of answers that fail on purpose.")]
RateScale = Annotated[float, typer.Option(help="Loosens the vendors' rate limits by this factor.")]


@app.command()
def serve(scale: Scale = 1.0, seed: Seed = 7, error_rate: ErrorRate = 0.01, rate_scale: RateScale = 1.0) -> None:
    """Serve CRM, ERP, messaging and forms on loopback until Ctrl-C."""
    console = open_console()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    make_home(find_home())
    console.print("making the company ...")
    try:
        with start_sandbox(find_home(), SandboxOptions(scale, seed, error_rate, rate_scale)) as wait_until_ready:
            with show_stages() as on_stages:
                sandbox = wait_until_ready(on_stages)
            console.print(f"[green]serving[/]; addresses and credentials are in {sandbox.folder / 'endpoints.env'}")
            command = name_command()
            console.print(f"in another terminal: `{command} run`, `{command} sandbox advance --days 7`; Ctrl-C stops")
            signal.pause()
    except KeyboardInterrupt:
        console.print("stopped")


@app.command()
def advance(days: Annotated[int, typer.Option(min=1, max=31)] = 7) -> None:
    """Let the running company live on: new leads, visits, orders, corrections and deletions."""
    as_of = advance_sandbox(find_home(), days)
    open_console().print(f"the company's clock now stands at {as_of}")


@contextmanager
def show_stages() -> Iterator[OnStages]:
    """A bar over what there is to do until the systems answer; a line for each stage where there is no terminal."""
    console = open_console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(BEGINNING, total=None)

        told: list[str] = []

        def on_stages(count: int, done: list[str]) -> None:
            if not console.is_terminal:
                for name in done[len(told) :]:
                    told.append(name)
                    console.print(f"   {name} made ({len(told)} of {count})", highlight=False)
            progress.update(
                task, total=count or None, completed=len(done), description=f"{done[-1]} made" if done else "starting"
            )

        yield on_stages
