"""What the hub's pages in Dagster say."""

from datetime import UTC, datetime
from types import SimpleNamespace

import polars as pl
import pytest

from hub.kept.outcome import sum_up
from hub.resolve import resolve
from hub.rules.read import load_rules
from orchestration.lib.identity_metadata import describe_golden, describe_queue, describe_run, name_kinds
from tests.unit.hub.conftest import make_parties

NAMES = ["上海云帆科技有限公司", "上海云帆科技有限公司", "武汉天汇食品有限公司", "武汉天汇食品有限公司汉口分公司"]


@pytest.fixture
def found():
    records = make_parties(*({"company_name": name} for name in NAMES))
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return sum_up(resolve(records, rules=load_rules("organisation"), history=None, run_id="r", at=at))


@pytest.fixture
def truth(tmp_path, monkeypatch, found):
    """Who is who: the first two are one, and so is a record that is not there any more."""
    present = found.crosswalk.select("source", "source_key").sort("source_key")
    gone = pl.DataFrame({"source": ["crm"], "source_key": ["gone"]})
    parties = pl.concat([present, gone]).with_columns(customer_id=pl.Series(["X", "X", "H", "B", "X"]))
    parties.write_parquet(tmp_path / "parties.parquet")
    customers = pl.DataFrame({"customer_id": ["X", "H", "B"], "parent_customer_id": [None, None, "H"]})
    customers.write_parquet(tmp_path / "customers.parquet")
    project = SimpleNamespace(truth=tmp_path, rule_version="rules")
    monkeypatch.setattr("orchestration.lib.identity_metadata.current_project", lambda: project)


@pytest.mark.usefixtures("truth")
def test_candidates_are_measured_among_the_records_that_there_are(found):
    told = describe_run(found, "parties")
    measured = ("recall", "candidate_recall", "candidate_reach", "true_pairs", "records_left_out")
    assert [told[f"truth_{name}"] for name in measured] == [1.0, 1.0, 1.0, 1, 1]
    assert (told["clusters"], told["largest_cluster"]) == (3, 2)


@pytest.mark.usefixtures("truth")
def test_golden_records_tell_sources_and_parents(found):
    told = describe_golden(found, "parties")
    assert told["by_sources"].value == {"1": 3}
    names = ("branches", "with_parent", "branches_without_parent", "truth_parent_precision", "truth_parent_recall")
    assert [told[name] for name in names] == [1, 1, 0, 1.0, 1.0]
    assert not any(name.startswith("truth") for name in describe_golden(found, "persons"))


def test_a_queue_tells_what_it_is_worth_and_why_it_asks(found):
    asked = pl.DataFrame({"value_at_stake": [5.0, 2.5], "reason": ["grey band", "grey band"]})
    told = describe_queue(type(found)(**{**vars(found), "review": asked, "report": {"review_found": 7, "review_kept": 2}}))
    assert (told["review_found"], told["review_kept"], told["value_at_stake"]) == (7, 2, 7.5)
    assert told["reasons"].value == {"grey band": 2}


def test_bars_are_of_the_kind_of_the_pairs_in_them():
    kinds = name_kinds([-8, -4, 0, 4], match_bits=2.0, review_bits=-4.0)
    assert kinds == ["no match", "a person may be asked", "a person may be asked", "match, unless rules keep the two apart"]
