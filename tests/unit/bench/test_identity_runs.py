"""What the identity benchmark concludes from crosswalk files."""

from pathlib import Path

import polars as pl
import pytest

from bench.identity.datasets import find_dataset, read_dataset
from bench.identity.runs import find_best, judge
from bench.processes import watch

TRUTH = pl.DataFrame({"source": ["s"] * 4, "source_key": ["a", "b", "c", "d"], "true_id": [1, 1, 2, 2]})


def write(path: Path, gids: list[int]) -> None:
    """A crosswalk file for the records of TRUTH."""
    TRUTH.select("source", "source_key", customer_gid=pl.Series(gids)).write_parquet(path)


def test_the_threshold_with_the_highest_pairwise_f1_is_found(tmp_path: Path) -> None:
    write(tmp_path / "crosswalk--2.parquet", [1, 1, 1, 1])
    write(tmp_path / "crosswalk-0.5.parquet", [1, 1, 2, 2])
    write(tmp_path / "crosswalk-9.parquet", [1, 2, 3, 4])
    best, figures = find_best(tmp_path, TRUTH)
    assert best == 0.5
    assert figures["f1"] == 1.0


def test_a_system_that_loses_labelled_records_is_not_judged(tmp_path: Path) -> None:
    write(tmp_path / "crosswalk.parquet", [1, 1, 2, 2])
    pl.read_parquet(tmp_path / "crosswalk.parquet").head(3).write_parquet(tmp_path / "short.parquet")
    assert judge(tmp_path / "crosswalk.parquet", TRUTH)["f1"] == 1.0
    with pytest.raises(RuntimeError, match="1 labelled records are missing"):
        judge(tmp_path / "short.parquet", TRUTH)


def test_a_set_is_read_with_empty_text_as_null_and_unlabelled_records_outside_the_truth(tmp_path: Path) -> None:
    folder = tmp_path / "chicago_early_childhood"
    folder.mkdir()
    folder.joinpath("records.csv").write_text(
        'cluster_id,id,Site name,Address,Zip,Phone\n7,1,"Two\nlines",1 Elm St,,555\nx,2,Other,,60612,\n', encoding="utf-8"
    )
    records, truth = read_dataset(find_dataset("chicago"), tmp_path)
    assert records["company_name"].to_list() == ["Two lines", "Other"]
    assert records["postcode"].to_list() == [None, "60612"]
    assert truth.rows() == [("chicago", "1", "7")]


def test_a_process_that_takes_too_long_is_stopped() -> None:
    with pytest.raises(RuntimeError, match=r"stopped after 0\.3 s"):
        watch(("sleep", "30"), {}, limit=0.3)
