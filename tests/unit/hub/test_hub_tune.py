"""Thresholds from labelled pairs: which are chosen, what they find, and what cannot be tuned."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import Any

import polars as pl
import pytest

from hub.decide import AlreadyDecidedError, Book
from hub.resolve import Resolution, resolve
from hub.rules.read import load_rules, parse_rules
from hub.tune import LabelsError, Tuned, label_decisions, read_labels, set_thresholds, thin_curve, tune
from tests.unit.hub.conftest import DAY_ONE, make_company_records

RULES = load_rules("organisation")
_CHOICES = [(firm, spelling, False, spelling != 1) for firm in range(5) for spelling in range(3)]


@cache
def resolve_firms(match_bits: float = 0.0, codes: tuple[str, ...] = ()) -> Resolution:
    """The firms' records, with these credit codes where some are given; no test changes what it is handed."""
    records = make_company_records(_CHOICES)
    if codes:
        records = records.with_columns(tax_no=pl.Series(codes))
    rules = replace(RULES, match_bits=match_bits, review_bits=match_bits - 3)
    return resolve(records, rules=rules, history=None, run_id="r", at=DAY_ONE)


def label_firms(flip: Callable[[int, int], bool] = lambda a, b: False) -> pl.DataFrame:
    """Every pair of the records, with the truth that `flip` turns round for some."""
    keys = make_company_records(_CHOICES).select("source", "source_key").rows()
    rows = [(*keys[a], *keys[b], (_CHOICES[a][0] == _CHOICES[b][0]) != flip(a, b)) for a, b in combinations(range(len(keys)), 2)]
    return pl.DataFrame(rows, schema=["source_a", "source_key_a", "source_b", "source_key_b", "same"], orient="row")


def at(tuned: Tuned, bits: float) -> dict[str, Any]:
    return tuned.curve.filter(pl.col("match_bits") >= bits).row(0, named=True)


def test_the_best_f1_of_all_thresholds_is_chosen_and_judged_as_the_curve_says() -> None:
    tuned = tune(resolve_firms(match_bits=30.0), read_labels(label_firms()))
    assert tuned.at_match["f1"] == tuned.curve["f1"].max() > tuned.before["f1"]
    assert tuned.match_bits < 30.0
    row = at(tuned, tuned.match_bits)
    assert (row["precision"], row["recall"]) == (tuned.at_match["precision"], tuned.at_match["recall"])
    assert (tuned.n_same, tuned.n_different) == (15, 90)
    # what lies far below the last labelled pair, nobody has looked at
    below = tuned.curve.filter(pl.col("match_bits") < tuned.match_bits)["match_bits"].max()
    assert row["match_bits"] - below > 2
    assert row["match_bits"] - tuned.match_bits <= 1


def test_what_the_chosen_threshold_finds_is_what_a_resolution_with_it_stores_as_matches() -> None:
    tuned = tune(resolve_firms(), read_labels(label_firms()))
    edges = resolve_firms(tuned.match_bits).edges.filter(pl.col("weight") >= tuned.match_bits)
    assert edges.height == at(tuned, tuned.match_bits)["found"]


def test_a_wanted_precision_is_met_with_the_most_recall_that_meets_it() -> None:
    labels = read_labels(label_firms(lambda a, b: (a + b) % 11 == 0))
    strict = tune(resolve_firms(), labels, precision=0.9)
    assert strict.at_match["precision"] >= 0.9
    lower = strict.curve.filter(pl.col("match_bits") < strict.match_bits)
    assert lower.filter((pl.col("precision") >= 0.9) & (pl.col("recall") > strict.at_match["recall"])).height == 0


def test_a_threshold_that_already_parts_the_same_pairs_stays_where_it_is() -> None:
    first = tune(resolve_firms(), read_labels(label_firms()))
    again = tune(resolve_firms(first.match_bits), read_labels(label_firms()))
    assert again.match_bits == first.match_bits


def test_the_review_band_ends_at_the_lowest_same_pair_that_a_person_would_still_find() -> None:
    result = resolve_firms()
    clean = tune(result, read_labels(label_firms()))
    strict = tune(result, read_labels(label_firms()), precision=1.0)
    below = strict.curve.filter(pl.col("match_bits") < strict.match_bits)
    assert strict.review_bits <= strict.match_bits
    assert clean.review_bits == below["match_bits"].min() or clean.review_bits == round(clean.match_bits - 3, 1)


def test_pairs_that_no_key_proposes_and_that_a_guard_bars_are_counted_and_never_found(
    credit_code: Callable[[int], str],
) -> None:
    parted = resolve_firms(codes=tuple(credit_code(80000001 + row) for row in range(len(_CHOICES))))
    with pytest.raises(LabelsError, match="no threshold would find one"):
        tune(parted, read_labels(label_firms()))
    keys = make_company_records(_CHOICES).select("source", "source_key").rows()
    strangers = label_firms(lambda a, b: (a, b) == (0, 14))
    assert strangers.filter((pl.col("source_key_a") == keys[0][1]) & (pl.col("source_key_b") == keys[14][1]))["same"].item()
    tuned = tune(resolve_firms(), read_labels(strangers))
    assert tuned.n_unproposed == 1 + tune(resolve_firms(), read_labels(label_firms())).n_unproposed
    assert tuned.curve["recall"].max() < 1.0


def test_labels_are_read_in_any_direction_and_spelling_and_each_pair_once() -> None:
    rows = [("b", "1", "a", "9", " Same"), ("a", "9", "b", "1", "TRUE"), ("a", "1", "a", "2", "0")]
    table = pl.DataFrame(rows, schema=["source_a", "source_key_a", "source_b", "source_key_b", "same"], orient="row")
    assert sorted(read_labels(table).rows()) == [("a", "1", "a", "2", False), ("a", "9", "b", "1", True)]


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"same": pl.lit("maybe")}, "row 1: same is 'maybe': write true or false"),
        ({"same": pl.lit("same")}, "all 105 labelled pairs are the same"),
        ({"source_a": pl.lit("nowhere")}, "0 labelled pairs .105 more are of records that the files do not hold.: at least 20"),
    ],
)
def test_labels_that_cannot_tune_are_refused_with_the_reason(change: dict[str, pl.Expr], advice: str) -> None:
    with pytest.raises(LabelsError, match=advice):
        tune(resolve_firms(), read_labels(label_firms().with_columns(**change)))


def test_few_contradicting_or_incomplete_labels_and_a_precision_out_of_reach_are_refused() -> None:
    labels = label_firms()
    with pytest.raises(LabelsError, match="19 labelled pairs: at least 20 are needed"):
        tune(resolve_firms(), read_labels(labels.head(19)))
    with pytest.raises(LabelsError, match="are labelled both ways"):
        read_labels(pl.concat([labels, labels.head(1).with_columns(same=~pl.col("same"))]))
    with pytest.raises(LabelsError, match="labels need source_b"):
        read_labels(labels.drop("source_b"))
    with pytest.raises(LabelsError, match=r"no threshold has a precision of 0\.98; the best is 0\."):
        tune(resolve_firms(), read_labels(label_firms(lambda a, b: True)), 0.98)


def test_the_rules_text_is_kept_but_for_the_two_thresholds() -> None:
    rest = '[fields.name]\nkind = "name"\n'
    text = f'# mine\nentity = "boat"  # of the harbour\nmatch_bits = 4  # seen in May\n{rest}'
    moved = f'# mine\nentity = "boat"  # of the harbour\nreview_bits = -1.0\nmatch_bits = 2.5  # seen in May\n{rest}'
    assert set_thresholds(text, 2.5, -1.0) == moved


def test_every_set_of_rules_that_comes_with_the_hub_takes_new_thresholds() -> None:
    from importlib.resources import files

    for entity in ("organisation", "person"):
        text = (files("hub") / "rules" / f"{entity}.toml").read_text(encoding="utf-8")
        rules = parse_rules(set_thresholds(text, 4.5, -2.5), "own.toml").rules
        assert rules == replace(load_rules(entity), match_bits=4.5, review_bits=-2.5)


def test_the_curve_that_is_printed_marks_the_lowest_weight_that_is_a_match() -> None:
    tuned = tune(resolve_firms(), read_labels(label_firms()))
    chosen = thin_curve(tuned, rows=3).filter("chosen")
    assert chosen["match_bits"].to_list() == [at(tuned, tuned.match_bits)["match_bits"]]


def test_decisions_are_labels_too() -> None:
    book = Book("organisation")
    for a, key_a, b, key_b, same in label_firms().iter_rows():
        with suppress(AlreadyDecidedError):
            book.decide("merge" if same else "never", [(a, key_a)], [(b, key_b)], actor="li", reason="", at=DAY_ONE)
    tuned = tune(resolve_firms(match_bits=30.0), label_decisions(book.log, "organisation"))
    assert (tuned.n_same, tuned.n_different) == (10, 30)
    assert tuned.before["recall"] == 0.0 < tuned.at_match["recall"]


def test_a_decision_about_two_groups_is_one_label_that_of_the_pair_that_would_join_them_first() -> None:
    keys = make_company_records(_CHOICES).select("source", "source_key").rows()
    book = Book("organisation")
    for one in range(0, 15, 3):
        book.decide("merge", keys[one : one + 1], keys[one + 1 : one + 3], actor="li", reason="", at=DAY_ONE)
        for other in range(one + 3, 15, 3):
            book.decide("never", keys[one : one + 3], keys[other : other + 3], actor="li", reason="", at=DAY_ONE)
    with pytest.raises(LabelsError, match="15 labelled pairs: at least 20 are needed"):
        tune(resolve_firms(), label_decisions(book.log, "organisation"))
    more = (
        label_firms()
        .filter(~pl.col("same"))
        .head(5)
        .with_columns(decision_id=pl.lit("own") + pl.int_range(pl.len()).cast(pl.String))
    )
    tuned = tune(resolve_firms(), pl.concat([label_decisions(book.log, "organisation"), more]))
    assert (tuned.n_same, tuned.n_different, tuned.n_unproposed) == (5, 15, 0)


def test_decisions_lower_the_threshold_no_further_than_most_of_them_say_the_same_and_never_raise_it() -> None:
    def decide(labels: pl.DataFrame) -> pl.DataFrame:
        return read_labels(labels).with_columns(decision_id=pl.int_range(pl.len()).cast(pl.String))

    assert tune(resolve_firms(match_bits=30.0), decide(label_firms())).match_bits < 30.0
    wrong = decide(label_firms(lambda a, b: True))
    tuned = tune(resolve_firms(match_bits=30.0), wrong)
    assert tuned.match_bits == 30.0 > tune(resolve_firms(match_bits=30.0), wrong.drop("decision_id")).match_bits
    assert ["gainsay" in doubt for doubt in tuned.doubts] == [True]
    low = tune(resolve_firms(match_bits=-30.0), decide(label_firms()))
    assert low.match_bits == -30.0 < tune(resolve_firms(match_bits=-30.0), read_labels(label_firms())).match_bits


def test_a_threshold_that_moves_over_few_labelled_pairs_says_so() -> None:
    labels = read_labels(label_firms())
    clean = tune(resolve_firms(match_bits=30.0), labels)
    assert clean.doubts == ()
    same = clean.curve.filter(pl.col("match_bits") >= clean.match_bits)["match_bits"]
    moved = tune(resolve_firms(match_bits=same[1] + 0.1), labels)
    assert moved.match_bits <= same[0]
    assert ["labelled pairs weigh between" in doubt for doubt in moved.doubts] == [True]
