"""Parents measured against a truth."""

import polars as pl
import pytest

from orchestration.lib.parents import measure_parents

PARTIES = pl.DataFrame(
    [("u8", "1", "P"), ("u8", "2", "A"), ("crm", "2", "A"), ("u8", "3", "B"), ("u8", "4", "Q")],
    schema=["source", "source_key", "customer_id"],
    orient="row",
)
CUSTOMERS = pl.DataFrame({"customer_id": ["P", "A", "B", "Q", "C"], "parent_customer_id": [None, "P", "P", None, "P"]})


def measure(gids, parents):
    """gids: of the records of PARTIES; parents: by gid."""
    crosswalk = PARTIES.select("source", "source_key", gid=pl.Series(gids), is_current=True)
    golden = pl.DataFrame({"gid": sorted(set(gids))}).with_columns(
        parent_gid=pl.col("gid").replace_strict(parents, default=None, return_dtype=pl.String)
    )
    return measure_parents(golden, crosswalk, PARTIES, CUSTOMERS)


def test_a_parent_of_whom_no_record_is_known_is_not_asked_for():
    found = measure(["p", "a", "a", "b", "q"], {"a": "p", "b": "p"})
    assert found == {"parent_precision": 1.0, "parent_recall": 1.0, "true_parents": 2.0, "found_parents": 2.0}


@pytest.mark.parametrize(
    ("gids", "parents", "precision", "recall"),
    [
        (["p", "a", "a", "b", "q"], {"a": "p"}, 1.0, 0.5),
        (["p", "a", "a", "b", "q"], {"a": "p", "b": "q"}, 0.5, 0.5),
        (["p", "a", "a", "b", "q"], {"p": "a"}, 0.0, 0.0),
        # a company in two customers: both say who the parent is, one counts for recall
        (["p", "a", "a2", "b", "q"], {"a": "p", "a2": "p"}, 1.0, 0.5),
        # a customer that is made of child and parent is the one of which it has more
        (["p", "p", "p", "b", "q"], {"b": "p"}, 0.0, 0.5),
    ],
)
def test_wrong_and_missing_parents_count(gids, parents, precision, recall):
    found = measure(gids, parents)
    assert (found["parent_precision"], found["parent_recall"]) == (precision, recall)
