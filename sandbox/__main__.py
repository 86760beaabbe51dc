"""`python -m sandbox serve --dir DIR`: run the made-up company's systems until SIGTERM."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sandbox.serve import STAGES, ServeOptions, serve_until_stopped, start

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def explain() -> None:
    """The made-up company that the demo, the tests and the benchmarks connect to."""


@app.command()
def serve(
    directory: Annotated[Path, typer.Option("--dir", help="Where files, the ERP's data and endpoints.json go.")],
    scale: Annotated[float, typer.Option(help="1 is about 2,000 customers.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Same seed, same company.")] = 7,
    error_rate: Annotated[float, typer.Option(help="Share of HTTP calls that fail.")] = 0.01,
    rate_scale: Annotated[float, typer.Option(help="Factor on every rate limit.")] = 1.0,
    token_seconds: Annotated[float, typer.Option(help="How long a WeCom token is valid.")] = 7200,
) -> None:
    """Serve until SIGTERM; DIR/endpoints.json appears when everything answers."""
    options = ServeOptions(error_rate=error_rate, rate_scale=rate_scale, token_seconds=token_seconds, seed=seed)
    typer.echo(f"building the company at scale {scale:g}")
    typer.echo(f"stages: {' '.join(STAGES)}")
    sandbox = start(directory, scale=scale, options=options, on_stage=lambda stage: typer.echo(f"done: {stage}"))
    typer.echo(f"serving; settings in {directory / 'endpoints.json'}; stop with Ctrl-C")
    serve_until_stopped(sandbox)


app()
