"""A run without news skips its checks on purpose; every other absent check is still told."""

import logging

import pytest

from orchestration.lib.dagster_log import PLAN_LOGGER, hush_absent_checks

ABSENT = "Blocking asset check 'a:b' emitted no result in step 'c'"


@pytest.mark.parametrize(("is_meant", "told"), [(True, ["another"]), (False, [ABSENT, "another"])])
def test_only_what_is_meant_is_hushed(caplog, is_meant, told):
    logger = logging.getLogger(PLAN_LOGGER)
    with hush_absent_checks(lambda: is_meant):
        logger.warning(ABSENT)
        logger.warning("another")
    assert caplog.messages == told


def test_nothing_is_hushed_after_the_run(caplog):
    with hush_absent_checks(lambda: True):
        pass
    logging.getLogger(PLAN_LOGGER).warning(ABSENT)
    assert caplog.messages == [ABSENT]
