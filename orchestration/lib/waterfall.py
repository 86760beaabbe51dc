"""The evidence about a pair of records as a picture: bits from the prior to the sum, against the thresholds.

It names comparisons and levels, which are plain ASCII, and no values: a font that has Chinese may not be there, and a picture is
passed on more easily than a record should be.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

INK = "#1f3a5f"
FOR, AGAINST, SUM = "#c9971c", "#a3423c", "#7d8ca3"


def draw_waterfall(answer: Mapping[str, Any], path: Path) -> None:
    """Write what hub.explain.explain_pair answers as a PNG. Comparisons that say nothing are left out."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    steps = list_steps(answer)
    rows = range(len(steps) + 1)
    figure = Figure(figsize=(8.2, 1.5 + 0.34 * len(rows)), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    total = 0.0
    for row, (_name, bits) in enumerate(steps):
        axes.barh(row, bits, left=total, height=0.62, color=FOR if bits > 0 else AGAINST)
        end = total + bits
        axes.plot([end, end], [row, row + 1], color=INK, linewidth=0.8)
        axes.annotate(
            f"{bits:+.1f}", (max(total, end), row), (4, 0), textcoords="offset points", va="center", fontsize=8, color=INK
        )
        total = end
    axes.barh(len(steps), total, height=0.62, color=SUM)
    axes.annotate(
        f"{total:+.1f}", (max(total, 0.0), len(steps)), (4, 0), textcoords="offset points", va="center", fontsize=8, color=INK
    )
    for name, style in (("match", "-"), ("review", ":")):
        bits = float(answer[f"{name}_bits"])
        axes.axvline(bits, color=INK, linestyle=style, linewidth=1, label=f"{name} from {bits:+.1f}", zorder=0)
    axes.set_yticks(list(rows), [*(name for name, _bits in steps), "sum"])
    axes.invert_yaxis()
    axes.use_sticky_edges = False
    axes.margins(x=0.1)
    axes.set_xlabel("bits of evidence: one bit doubles the odds that the two records are one", fontsize=8, color=INK)
    axes.set_title("\n".join((_entitle(answer), *tell_outcome(answer))), fontsize=9, color=INK, loc="left")
    axes.tick_params(labelsize=8, colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower right", ncols=2, fontsize=8, frameon=False, labelcolor=INK)
    figure.savefig(path, format="png")


def list_steps(answer: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Name and bits of all that speaks, the prior first; they add up to the weight."""
    fields = [
        (f"{field['field']}: {field['level']}" if field["level"] else field["field"], field["bits"]) for field in answer["fields"]
    ]
    fields = [(name.replace("_", " "), bits) for name, bits in fields]
    together = [(name.replace("_", " "), bits) for name, bits in answer["together"].items()]
    return [("prior", answer["prior"]), *((name, bits) for name, bits in (*fields, *together) if bits)]


def tell_outcome(answer: Mapping[str, Any]) -> list[str]:
    """In how many steps the two are one though they do not match, or what kinds of things keep two that match apart."""
    if answer["verdict"] != "match" and answer.get("path"):
        return [f"one by a path of {len(answer['path'])}"]
    kinds = dict.fromkeys(held["kind"] for held in answer.get("held_back", []))
    return [f"kept two by: {', '.join(kinds)}"] if kinds and answer["verdict"] == "match" else []


def _entitle(answer: Mapping[str, Any]) -> str:
    names = [f"{source}:{key}" for source, key in (answer["a"], answer["b"])]
    subject = " and ".join(names) if all(name.isascii() for name in names) else "two records"
    return f"{subject}: {answer['verdict']}" + (", but people decided" if answer["decision"] else "")
