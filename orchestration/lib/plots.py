"""Small pictures for the Dagster UI, as Markdown with the PNG inside."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import dagster as dg

INK = "#1f3a5f"
GOLD = "#c9971c"


def draw_bars(labels: Sequence[str], values: Sequence[float], title: str) -> dg.MarkdownMetadataValue:
    """Horizontal bars, first label on top; for a funnel or a share per stream."""
    figure, axes = _open_figure(height=0.9 + 0.3 * len(labels))
    bars = axes.barh(list(labels), list(values), color=GOLD)
    axes.bar_label(bars, padding=3, fontsize=8, color=INK, fmt="{:,.0f}")
    axes.invert_yaxis()
    axes.margins(x=0.12)
    return _close_figure(figure, axes, title)


def _open_figure(height: float) -> tuple[Any, Any]:
    """A figure and its axes, by the object interface: pyplot would keep global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots()


def _close_figure(figure: Any, axes: Any, title: str) -> dg.MarkdownMetadataValue:
    axes.set_title(title, fontsize=9, color=INK, loc="left")
    axes.tick_params(labelsize=8, colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return dg.MetadataValue.md(f"![{title}](data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()})")
