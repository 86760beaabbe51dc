"""Thresholds from pairs that people labelled: what each would find of them, and which to take. Public door.

Labels move the thresholds and nothing else: the weights stay those of the model.
"""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.decisions import to_labels
from hub.resolve import Resolution
from hub.scoring.weigh import UNITS_PER_BIT

LEAST_LABELS = 20
#: pairs below the match are shown to people as long as so many of those shown are the same
DOUBTFUL_SHARE = 0.1
#: labelled pairs across which a threshold moves without a word
_FEW = 10
#: bits between a threshold and the labelled pair that moved it
_MARGIN = 1.0
_ENDS = ["source_a", "source_key_a", "source_b", "source_key_b"]
_WORDS = {
    **dict.fromkeys(("true", "1", "same", "yes", "相同", "是"), True),
    **dict.fromkeys(("false", "0", "different", "no", "不同", "否"), False),
}


class LabelsError(ValueError):
    """Labels that cannot be used: what is wrong, what to do."""


@dataclass(frozen=True)
class Tuned:
    """The thresholds to take, and how they were chosen.

    curve: match_bits, found, right, precision, recall, f1 at every weight that a labelled pair has, lowest first; found are the
        labelled pairs at or above it, right those of them that are the same
    at_match, before: precision, recall, f1 at match_bits, and at the threshold of the rules
    n_same, n_different: labelled pairs among the records; n_unknown: labels of records that are not there
    n_unproposed: same pairs that no key proposes; n_barred: same pairs that a guard or veto keeps apart: no threshold finds them
    doubts: what speaks against taking these thresholds
    """

    match_bits: float
    review_bits: float
    curve: pl.DataFrame
    at_match: dict[str, float]
    before: dict[str, float]
    n_same: int
    n_different: int
    n_unproposed: int
    n_barred: int
    n_unknown: int
    doubts: tuple[str, ...] = ()


def read_labels(table: pl.DataFrame) -> pl.DataFrame:
    """source_a, source_key_a, source_b, source_key_b, same (bool), each pair once, its smaller record first.

    `same` is true, 1, same, yes, 相同, 是 or false, 0, different, no, 不同, 否. Raises LabelsError.
    """
    missing = [name for name in (*_ENDS, "same") if name not in table.columns]
    if missing:
        raise LabelsError(f"labels need {', '.join(missing)}; they have {', '.join(table.columns)}")
    words = table["same"].cast(pl.String).str.strip_chars().str.to_lowercase()
    same = words.replace_strict(_WORDS, default=None, return_dtype=pl.Boolean)
    if same.null_count():
        row = int(same.is_null().arg_max() or 0)
        raise LabelsError(f"row {row + 1}: same is {table['same'][row]!r}: write true or false")
    ends = table.select(pl.col(_ENDS).cast(pl.String))
    turned = ends.select(_is_after().fill_null(value=False)).to_series()
    swapped = ends.select(pl.col(new).alias(old) for old, new in zip(_ENDS, _ENDS[2:] + _ENDS[:2], strict=True))
    ordered = pl.concat([ends.filter(~turned), swapped.filter(turned)])
    labels = ordered.with_columns(same=pl.concat([same.filter(~turned), same.filter(turned)])).unique(maintain_order=True)
    broken = labels.filter(labels.select(_ENDS).is_duplicated())
    if broken.height:
        a, key_a, b, key_b = broken.select(_ENDS).row(0)
        raise LabelsError(f"{a}:{key_a} and {b}:{key_b} are labelled both ways")
    return labels


def label_decisions(log: pl.DataFrame, entity: str) -> pl.DataFrame:
    """Labels as read_labels gives them, from what people decided (hub.decide), with the decision_id of each."""
    return to_labels(log, entity).rename({"is_same": "same"})


def _is_after() -> pl.Expr:
    a, b, key_a, key_b = (pl.col(name) for name in ("source_a", "source_b", "source_key_a", "source_key_b"))
    return (a > b) | ((a == b) & (key_a > key_b))


def tune(resolution: Resolution, labels: pl.DataFrame, precision: float | None = None) -> Tuned:
    """Thresholds for a resolution's model from labels (read_labels).

    precision: take the threshold with the most recall at this precision or better; the best F1 where None. Decisions are of pairs
    in doubt, without the clear matches that count in F1: they lower the threshold as far as that spares more errors than it
    makes, and never raise it, for of the matches people look at those that seem wrong.

    Raises:
        LabelsError: fewer than 20 labelled pairs of known records, all of one kind, or a precision that none reaches.
    """
    weights, barred, same, n_unknown = _weigh_labels(resolution, labels)
    if len(same) < LEAST_LABELS:
        unknown = f" ({n_unknown} more are of records that the files do not hold)" if n_unknown else ""
        raise LabelsError(f"{len(same)} labelled pairs{unknown}: at least {LEAST_LABELS} are needed")
    if same.all() or not same.any():
        raise LabelsError(f"all {len(same)} labelled pairs are {'the same' if same.all() else 'different'}: label some of both")
    able = ~np.isnan(weights) & ~barred
    if not (able & same).any():
        raise LabelsError("no pair labelled the same is proposed by any key of the rules: no threshold would find one")
    curve = _draw_curve(weights[able], same[able], int(same.sum()))
    rules = resolution.rules
    in_doubt = precision is None and "decision_id" in labels.columns
    chosen = _lower(curve, rules.match_bits) if in_doubt else _choose(curve, precision)
    match_bits = rules.match_bits if chosen is None else _settle(curve["match_bits"].to_numpy(), chosen, rules.match_bits)
    review_bits = _find_review(weights[able], same[able], match_bits, match_bits - rules.match_bits + rules.review_bits)
    return Tuned(
        match_bits,
        review_bits,
        curve,
        _judge(weights[able], same[able], int(same.sum()), match_bits),
        _judge(weights[able], same[able], int(same.sum()), rules.match_bits),
        n_same=int(same.sum()),
        n_different=int((~same).sum()),
        n_unproposed=int((same & np.isnan(weights)).sum()),
        n_barred=int((same & barred).sum()),
        n_unknown=n_unknown,
        doubts=_find_doubts(weights[able], same[able], rules.match_bits, match_bits),
    )


def set_thresholds(text: str, match_bits: float, review_bits: float) -> str:
    """The text of a rules file with these thresholds, all else as it was."""
    for name, bits in (("review_bits", review_bits), ("match_bits", match_bits)):
        line = f"{name} = {bits:.1f}"
        text, replaced = re.subn(rf"^{name}\s*=[^#\n]*?(?=\s*(#|$))", line, text, count=1, flags=re.MULTILINE)
        if not replaced:
            text = re.sub(r"^(entity\s*=.*)$", rf"\1\n{line}", text, count=1, flags=re.MULTILINE)
    return text


def thin_curve(tuned: Tuned, rows: int = 16) -> pl.DataFrame:
    """Rows of the curve that a person reads: evenly over the weights, with `chosen` at the lowest weight that is a match."""
    curve = tuned.curve
    first = int((curve["match_bits"] >= tuned.match_bits).arg_max() or 0)
    taken = {round(place) for place in np.linspace(0, curve.height - 1, min(rows, curve.height))} | {first}
    marked = curve.with_columns(chosen=(pl.int_range(pl.len()) == first) & (pl.col("match_bits") >= tuned.match_bits))
    return marked[sorted(taken)]


def _weigh_labels(
    resolution: Resolution, labels: pl.DataFrame
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.bool_], int]:
    """Per labelled pair of known records its weight (NaN: not proposed), whether it may not be joined, and its label."""
    own = resolution.sources
    n = own.aligned.height
    ranks = own.aligned.select("source", "source_key").with_row_index("rank")
    for side in "ab":
        named = ranks.rename({"source": f"source_{side}", "source_key": f"source_key_{side}", "rank": f"rank_{side}"})
        labels = labels.join(named, on=[f"source_{side}", f"source_key_{side}"], how="left", maintain_order="left")
    known = labels.drop_nulls(["rank_a", "rank_b"]).filter(pl.col("rank_a") != pl.col("rank_b"))
    one, two = known["rank_a"].to_numpy().astype(np.int64), known["rank_b"].to_numpy().astype(np.int64)
    wanted = np.minimum(one, two) * n + np.maximum(one, two)
    pairs = own.candidates.left.astype(np.int64) * n + own.candidates.right
    weights, barred = np.full(len(wanted), np.nan), np.zeros(len(wanted), dtype=bool)
    if len(pairs):
        at = np.minimum(np.searchsorted(pairs, wanted), len(pairs) - 1)
        proposed = pairs[at] == wanted
        vector = own.place[at[proposed]]
        weights[proposed] = own.weighed.total[vector] / UNITS_PER_BIT
        barred[proposed] = own.weighed.is_vetoed[vector]
    for part in resolution.rules.separators:
        codes = own.parts.codes(part)
        barred |= (codes[one] >= 0) & (codes[two] >= 0) & (codes[one] != codes[two])
    told = _take_one_per_decision(known, weights, barred)
    return weights[told], barred[told], known["same"].to_numpy().astype(bool)[told], labels.height - known.height


def _take_one_per_decision(
    labels: pl.DataFrame, weights: npt.NDArray[np.float64], barred: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """The rows of labels that count: of a decision about two groups the pair that would join them first."""
    rows = np.arange(labels.height)
    if "decision_id" not in labels.columns:
        return rows
    frame = pl.DataFrame(
        {"row": rows, "decision": labels["decision_id"], "able": ~barred, "bits": pl.Series(weights).fill_nan(None)}
    )
    best = frame.sort("able", "bits", descending=True, nulls_last=True, maintain_order=True).unique("decision", keep="first")
    return np.sort(best["row"].to_numpy())


def _draw_curve(weights: npt.NDArray[np.float64], same: npt.NDArray[np.bool_], n_same: int) -> pl.DataFrame:
    by_weight = (
        pl.DataFrame({"match_bits": weights, "same": same}).group_by("match_bits").agg(n=pl.len(), right=pl.col("same").sum())
    )
    falling = by_weight.sort("match_bits", descending=True).with_columns(
        found=pl.col("n").cum_sum().cast(pl.Int64), right=pl.col("right").cum_sum().cast(pl.Int64)
    )
    judged = falling.with_columns(precision=pl.col("right") / pl.col("found"), recall=pl.col("right") / n_same)
    judged = judged.with_columns(f1=2 * pl.col("right") / (pl.col("found") + n_same))
    return judged.select("match_bits", "found", "right", "precision", "recall", "f1").sort("match_bits")


def _lower(curve: pl.DataFrame, present: float) -> int | None:
    """The row of the curve below the present threshold with the fewest errors, None where that has as few."""
    gain = curve.select(2 * pl.col("right") - pl.col("found")).to_series().to_numpy()
    levels = curve["match_bits"].to_numpy()
    below = int((levels < present).sum())
    chosen = max(range(below), key=lambda row: (gain[row], row), default=None)
    now = gain[below] if below < len(gain) else 0
    return chosen if chosen is not None and gain[chosen] > now else None


def _choose(curve: pl.DataFrame, precision: float | None) -> int:
    """The row of the curve to take; of equal ones the highest threshold."""
    if precision is None:
        wanted, measure = curve, "f1"
    else:
        wanted, measure = curve.filter(pl.col("precision") >= precision), "recall"
        if not wanted.height or not wanted["right"].max():
            best = curve["precision"].max()
            raise LabelsError(f"no threshold has a precision of {precision}; the best is {best!s:.5}")
    taken = wanted.filter(pl.col(measure) == wanted[measure].max())["match_bits"].max()
    return int((curve["match_bits"] == taken).arg_max() or 0)


def _settle(levels: npt.NDArray[np.float64], chosen: int, present: float) -> float:
    """A threshold between the chosen weight and the next lower one: the present one if it lies there, else what is nearest to it
    but for a margin; where no pair is labelled, there may be many others."""
    top = float(levels[chosen])
    if chosen == 0:
        return min(present, top)
    below = float(levels[chosen - 1])
    if below < present <= top:
        return present
    margin = min(_MARGIN, (top - below) / 2)
    nearest = below + margin if present <= below else top - margin
    return min(round(nearest + 1 / (2 * UNITS_PER_BIT), 1), top)


def _find_review(weights: npt.NDArray[np.float64], same: npt.NDArray[np.bool_], match_bits: float, usual: float) -> float:
    """The lowest weight of a same pair down to which, from the match, enough of the pairs are the same; else the usual one."""
    doubtful = weights < match_bits
    order = np.argsort(-weights[doubtful], kind="stable")
    bits, right = weights[doubtful][order], same[doubtful][order]
    last = np.append(bits[1:] != bits[:-1], True) if len(bits) else np.zeros(0, dtype=bool)
    share = np.cumsum(right) / np.arange(1, len(bits) + 1)
    holding = [float(weight) for weight in bits[last & (share >= DOUBTFUL_SHARE)] if right[bits == weight].any()]
    return min(holding, default=round(usual, 1))


def _find_doubts(weights: npt.NDArray[np.float64], same: npt.NDArray[np.bool_], before: float, after: float) -> tuple[str, ...]:
    low, high = sorted((before, after))
    between = int(((weights >= low) & (weights < high)).sum())
    doubts = []
    if after != before and between < _FEW:
        doubts.append(
            f"only {between} of the labelled pairs weigh between {low:+.1f} and {high:+.1f}, over which the match moves"
        )
    if same.any() and not same.all() and np.median(weights[same]) < np.median(weights[~same]):
        doubts.append("the labels gainsay the weights: pairs labelled the same weigh less than those labelled different")
    return tuple(doubts)


def _judge(weights: npt.NDArray[np.float64], same: npt.NDArray[np.bool_], n_same: int, bits: float) -> dict[str, float]:
    found = weights >= bits
    right = int((found & same).sum())
    precision = right / int(found.sum()) if found.any() else 1.0
    return {"precision": precision, "recall": right / n_same, "f1": 2 * right / (int(found.sum()) + n_same)}
