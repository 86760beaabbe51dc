"""Small pictures for the Dagster UI, as Markdown with the PNG inside."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

INK = "#1f3a5f"
GOLD = "#c9971c"
PALE_GOLD = "#ecd9a3"
GREY = "#b9bec6"

#: the kind of each bar, and the colour of each kind
Kinds = tuple[Sequence[str], Mapping[str, str]]


def draw_bars(labels: Sequence[str], values: Sequence[float], title: str, kinds: Kinds | None = None) -> dg.MarkdownMetadataValue:
    """Horizontal bars, first label on top; for a funnel or a share per stream."""
    figure, axes = _open_figure(height=0.9 + 0.3 * len(labels))
    of_bar, colours = kinds or ([""] * len(labels), {"": GOLD})
    bars = axes.barh(list(labels), list(values), color=[colours[kind] for kind in of_bar])
    if kinds:
        from matplotlib.patches import Patch

        axes.legend(handles=[Patch(color=colour, label=kind) for kind, colour in colours.items()], fontsize=8, loc="lower right")
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
