"""The picture of a pair's evidence: its steps add up, and it needs no Chinese font."""

import warnings
from pathlib import Path
from typing import Any

import pytest

from hub.explain import explain_pair
from hub.rules.read import load_rules
from orchestration.lib.waterfall import draw_waterfall, list_steps, tell_outcome
from tests.unit.hub.conftest import make_parties


def explain(key: str = "k0000") -> dict[str, Any]:
    records = make_parties(
        {"source_key": key, "company_name": "上海云帆科技有限公司", "mobile": "13907712346", "city": "上海"},
        {"source_key": "9", "company_name": "上海云帆贸易", "mobile": "13907712346", "city": "深圳"},
    )
    return explain_pair(records, ("crm", key), ("crm", "9"), load_rules("organisation"))


def test_the_steps_of_the_picture_add_up_to_the_weight_and_all_of_them_speak() -> None:
    steps = list_steps(answer := explain())
    assert steps[0] == ("prior", answer["prior"])
    assert sum(bits for _name, bits in steps) == pytest.approx(answer["weight"])
    assert any(name.startswith("mobile: same") for name, _bits in steps)
    assert all(bits for _name, bits in steps[1:])


def test_a_picture_is_drawn_without_a_letter_that_a_plain_font_lacks(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of a glyph that it draws as a box
        draw_waterfall(explain("甲"), tmp_path / "pair.png")
    assert (tmp_path / "pair.png").read_bytes().startswith(b"\x89PNG")


def test_the_picture_says_that_a_path_joins_the_two_or_what_kind_of_thing_keeps_them_apart() -> None:
    step: dict[str, Any] = {"a": ("crm", "1"), "b": ("crm", "2"), "weight": 3.0, "decision": None}
    assert tell_outcome({"verdict": "no match", "path": [step, step], "held_back": []}) == ["one by a path of 2"]
    held = [{"kind": "guard", "text": "甲"}, {"kind": "veto", "text": "乙"}, {"kind": "veto", "text": "丙"}]
    assert tell_outcome({"verdict": "match", "path": [], "held_back": held}) == ["kept two by: guard, veto"]
    assert tell_outcome({"verdict": "no match", "path": [], "held_back": [{"kind": "no match", "text": "x"}]}) == []
