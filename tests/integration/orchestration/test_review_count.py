import dagster as dg
import pytest

from orchestration.lib.review_count import count_doubtful_pairs, describe_doubtful_pairs

pytestmark = pytest.mark.integration


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def resolve(instance, found):
    @dg.multi_asset(specs=[dg.AssetSpec(["hub", "events"]), dg.AssetSpec(["hub", "crosswalk"])])
    def resolved():
        yield dg.MaterializeResult(asset_key=["hub", "events"], metadata={"review_found": 1})
        yield dg.MaterializeResult(asset_key=["hub", "crosswalk"], metadata={"review_found": found})

    return dg.materialize([resolved], instance=instance).run_id


def test_a_run_knows_how_many_doubtful_pairs_it_found_whatever_came_after_it(instance):
    run_id = resolve(instance, 266)
    resolve(instance, 9)
    assert count_doubtful_pairs(instance, run_id) == 266


def test_a_run_without_events_knows_no_count(instance):
    resolve(instance, 266)
    assert count_doubtful_pairs(instance, "gone") is None


def test_the_cut_of_the_queue_is_never_told_as_the_count():
    assert describe_doubtful_pairs(200, 1266) == "200 of 1,266 doubtful pairs wait for a person"
    assert describe_doubtful_pairs(200, None) == "at least 200 doubtful pairs wait for a person"
