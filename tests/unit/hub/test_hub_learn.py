"""What the candidates of a resolution teach: labels of certain keys, and of those that sure matches lend."""

import numpy as np
import pytest

from hub.training.learn import lend_codes
from tests.unit.hub.conftest import make_credit_code

_CONTACT = {"contact_name": "王建国", "mobile": "13867549021"}


def test_a_record_without_a_code_has_that_of_its_matches_if_they_have_but_one():
    codes = np.array([7, 8, -1, -1, -1, -1, 7], dtype=np.int32)
    # 2 is paired with 0 and 6, 3 with 0 and 1, 5 with 3 alone, 4 with nobody
    left, right = np.array([0, 0, 1, 3, 2, 0], dtype=np.int32), np.array([2, 3, 3, 5, 6, 1], dtype=np.int32)
    assert lend_codes(codes, left, right).tolist() == [7, 8, 7, -1, -1, -1, 7]


@pytest.mark.parametrize(
    ("contact", "other_code", "agreeing", "labels"),
    [
        # the short name's contact says whose it is: the pair with the other record that has a code teaches too
        (_CONTACT, 1, 2, 2),
        (_CONTACT, 2, 0, 2),
        # nobody lends
        ({}, 1, 1, 1),
    ],
)
def test_pairs_of_records_without_codes_teach_what_sure_matches_say_they_are(
    monkeypatch, new_hub, parties, contact, other_code, agreeing, labels
):
    for name in ("LEAST_LABELS", "LEAST_OF_EACH"):
        monkeypatch.setattr(f"hub.training.train.{name}", 0)
    found = new_hub().run(
        parties(
            {"company_name": "上海云帆科技有限公司", "tax_no": make_credit_code(71000001), **_CONTACT},
            {"company_name": "云帆科技", "tax_no": make_credit_code(71000000 + other_code)},
            {"company_name": "云帆", **contact},
        )
    )
    training = found.report["training"]
    assert (training["agreeing_pairs"], training["labelled_pairs"]) == (agreeing, labels)
