"""The pictures of docs/identity.md, from the sandbox company and the hub itself: `python docs/images/draw.py`.

Needs a font that has Chinese, such as Noto Sans CJK.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findSystemFonts

from bench.identity.sandbox import ORGANISATIONS, build_records
from hub.explain import explain_pair
from hub.model import Model
from hub.resolve import Resolution, resolve
from hub.rules.read import load_rules
from orchestration.lib.waterfall import INK, draw_waterfall
from sandbox.company import build_company

FOLDER = Path(__file__).parent
COLOURS = ("#c9971c", "#4f86a8", "#7c9a5e", "#a3423c")
RULES = load_rules("organisation")
#: a traditional spelling with another first character of the same sound, and the name as it is registered
PAIR = (("forms", "M2507290000061"), ("u8", "K100237"))
CODES = ("91310000710000013P", "91310000710000021J")


def find_font() -> FontProperties:
    """A font that has Chinese: without one names would be boxes."""
    fonts = sorted(path for path in findSystemFonts() if re.search(r"NotoSansCJK-Regular|SourceHanSans|wqy|msyh|PingFang", path))
    if not fonts:
        raise SystemExit("no font that has Chinese is installed: install Noto Sans CJK")
    return FontProperties(fname=fonts[0])


def main() -> None:
    result, example = find_example()
    draw_waterfall(example, FOLDER / "waterfall.png")
    draw_histogram(result)
    draw_cut(result.model)
    draw_life(result.model)


def find_example() -> tuple[Resolution, dict[str, Any]]:
    """The sandbox company resolved, and the evidence for PAIR."""
    company = build_company(0.3, 7)
    records = build_records(company, ORGANISATIONS)
    result = resolve(records, rules=RULES, history=None, run_id="docs", at=company.as_of)
    return result, explain_pair(records, *PAIR, RULES, result.model)


def draw_histogram(result: Resolution) -> None:
    """How many candidate pairs weigh how much, by what is done with them."""
    histogram = result.report["weight_histogram"]
    starts, counts = histogram["from_bits"], histogram["pairs"]
    width = starts[1] - starts[0]
    figure, axes = open_figure(7.2, 3.2)
    colours = [COLOURS[3] if start < RULES.match_bits else COLOURS[0] for start in starts]
    axes.bar(starts, counts, width=width * 0.92, align="edge", color=colours)
    axes.axvspan(RULES.review_bits, RULES.match_bits, color=COLOURS[1], alpha=0.35, linewidth=0, label="a person is asked")
    axes.axvline(RULES.match_bits, color=INK, linewidth=1, label="a match from here on")
    axes.set_xlabel("weight of a candidate pair in bits", fontsize=8, color=INK)
    axes.set_ylabel("pairs", fontsize=8, color=INK)
    axes.legend(fontsize=8, frameon=False, labelcolor=INK)
    figure.savefig(FOLDER / "weights.png")


def draw_cut(model: Model) -> None:
    """Two companies with a credit code each, and a record that fits both: the matches, and where they are cut."""
    rows = [
        ("erp", "1", "上海云帆科技有限公司", CODES[0], "13907712346", None),
        ("crm", "2", "上海云帆科技", CODES[0], "13907712346", None),
        ("wecom", "3", "云帆科技 王总", None, "13907712346", None),
        ("form", "4", "云帆科技", None, "13907712346", "13655810921"),
        ("crm", "5", "杭州云帆科技", CODES[1], "13655810921", None),
        ("erp", "6", "杭州云帆科技有限公司", CODES[1], "13655810921", None),
    ]
    columns = ["source", "source_key", "company_name", "tax_no", "mobile", "phone"]
    records = pl.DataFrame(rows, schema=columns, orient="row")
    records = records.with_columns(mobile=pl.when(pl.col("source") == "form").then("phone").otherwise("mobile"), phone=None)
    records = records.with_columns(contact_name=pl.when(pl.col("source").is_in(["form", "wecom"])).then(pl.lit("王海涛")))
    result = resolve(records, rules=RULES, history=None, run_id="docs", at=datetime(2026, 1, 1, tzinfo=UTC), model=model)
    gids = dict(result.crosswalk.filter("is_current").select("source_key", "gid").iter_rows())
    order = sorted(set(gids.values()), key=lambda gid: min(key for key, own in gids.items() if own == gid))
    places = {key: (math.cos(angle), math.sin(angle)) for key, angle in zip("123456", spread_angles(), strict=True)}
    font = find_font()
    figure, axes = open_figure(7.6, 3.4)
    for edge in result.edges.iter_rows(named=True):
        a, b = edge["source_key_a"], edge["source_key_b"]
        (x, y), (u, v) = places[a], places[b]
        inside = gids[a] == gids[b]
        axes.plot([x, u], [y, v], color=INK if inside else COLOURS[3], linestyle="-" if inside else "--", zorder=1)
        axes.text(*mark_edge(x, y, u, v), f"{edge['weight']:+.0f}", fontsize=8, color=INK, ha="center", bbox=BOX)
    for row in rows:
        x, y = places[row[1]]
        axes.scatter([x], [y], s=320, color=COLOURS[order.index(gids[row[1]])], zorder=2)
        axes.text(x, y, row[1], ha="center", va="center", fontsize=9, color="white", zorder=3)
        code = {CODES[0]: "\ncredit code A", CODES[1]: "\ncredit code B", None: "\nno code"}[row[3]]
        side = "left" if x > 0 else "right"
        axes.text(x * 1.13, y, f"{row[0]}: {row[2]}{code}", ha=side, va="center", fontproperties=font, size=9, color=INK)
    axes.set_xlim(-2.3, 2.3)
    axes.set_ylim(-0.8, 0.8)
    axes.axis("off")
    figure.savefig(FOLDER / "cut.png")


BOX = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}


def spread_angles() -> list[float]:
    return [math.radians(degrees) for degrees in (145, 180, 215, 35, 0, -35)]


def mark_edge(x: float, y: float, u: float, v: float) -> tuple[float, float]:
    """A point on the edge, off its middle, where the marks of crossing edges would meet."""
    return x + 0.4 * (u - x), y + 0.4 * (v - y)


def draw_life(model: Model) -> None:
    """Four runs over the same company as its records come, merge through one of them, and part when that one is corrected."""
    one = ("erp:1", "上海云帆科技有限公司", CODES[0], None)
    two = ("crm:2", "云翔科技", None, "13907712346")
    three = ("form:3", "云翔科技有限公司", None, "13907712346")
    four = ("crm:2", "上海云帆科技有限公司", CODES[0], "13907712346")
    runs = [
        ("Monday\ntwo customers", [one, two, three]),
        ("Tuesday\na clerk gives crm:2 the\nname and code of erp:1", [one, four, three]),
        ("Wednesday\nit is corrected", [one, two, three]),
        ("Thursday\nerp:1 is deleted: C retires", [two, three]),
    ]
    history: pl.DataFrame | None = None
    states: list[dict[str, str]] = []
    ends: list[pl.DataFrame] = []
    for number, (_title, rows) in enumerate(runs):
        at = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(days=number)
        result = resolve(build_rows(rows), rules=RULES, history=history, run_id=f"run{number}", at=at, model=model)
        history = result.events if history is None else pl.concat([history, result.events])
        current = result.crosswalk.filter("is_current")
        states.append({f"{source}:{key}": gid for source, key, gid in current.select("source", "source_key", "gid").iter_rows()})
        ends.append(result.redirects)
    ids = list(dict.fromkeys(gid for state in states for gid in state.values()))
    figure, axes = open_figure(8.2, 3.4)
    for row, record in enumerate(("crm:2", "form:3", "erp:1")):
        axes.text(-0.65, row, record, ha="right", va="center", fontsize=9, color=INK)
        for run, state in enumerate(states):
            if record in state:
                place = ids.index(state[record])
                axes.barh(row, 0.92, left=run - 0.46, height=0.6, color=COLOURS[place])
                axes.text(run, row, f"ID {'ABCD'[place]}", ha="center", va="center", fontsize=9, color="white")
    for run, (title, _rows) in enumerate(runs):
        axes.text(run, -0.55, title, ha="center", va="bottom", fontsize=8, color=INK)
        told = [f"{'ABCD'[ids.index(gid)]} resolves to {'ABCD'[ids.index(end)]}" for gid, end in list_ends(ends[run])]
        axes.text(run, 2.5, "\n".join(told), ha="center", va="top", fontsize=8, color=INK)
    axes.set_xlim(-1.2, 3.6)
    axes.set_ylim(2.9, -1.6)
    axes.axis("off")
    figure.savefig(FOLDER / "life.png")


def build_rows(rows: list[tuple[str, str, str | None, str | None]]) -> pl.DataFrame:
    named = [(*record.split(":"), name, code, mobile) for record, name, code, mobile in rows]
    return pl.DataFrame(
        named, schema=dict.fromkeys(["source", "source_key", "company_name", "tax_no", "mobile"], pl.String), orient="row"
    )


def list_ends(redirects: pl.DataFrame) -> list[tuple[str, str]]:
    return list(redirects.select("gid", "target_gid").iter_rows())


def open_figure(width: float, height: float) -> tuple[Any, Axes]:
    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.tick_params(labelsize=8, colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


if __name__ == "__main__":
    main()
