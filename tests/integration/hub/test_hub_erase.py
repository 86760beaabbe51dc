"""A kept hub forgets whom it is told to: nothing of them is in any of its files, and nobody else notices (I-10)."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from hub.columns.hashing import hash_texts
from hub.columns.prepare import RecordsError, align_records, derive_parts
from hub.decide import Book
from hub.erase import erase_records, forget_values
from hub.model import read_model
from hub.rebuild import rebuild
from hub.resolve import resolve
from hub.rules.read import RulesFile, load_rules
from hub.standalone import Beside, resolve_tables
from hub.store import Hub, read_decisions, read_events, read_state, resolve_into
from tests.unit.hub.conftest import DAY_ONE

pytestmark = pytest.mark.integration

RULES = load_rules("person")
CANARIES = ("金丝雀", "13911119876", "canary.erased@example.cn", "KEY-CANARY-1", "KEY-CANARY-2", "总工程师")


def make_records() -> pl.DataFrame:
    people = [("crm", "KEY-CANARY-1"), ("erp", "KEY-CANARY-2")]
    rows = [
        {
            "source": source,
            "source_key": key,
            "full_name": "金丝雀",
            "mobile": "13911119876",
            "email": "canary.erased@example.cn",
            "job_title": "总工程师",
        }
        for source, key in people
    ]
    for number in range(30):
        rows += [
            {
                "source": source,
                "source_key": f"{number:03d}",
                "full_name": f"王小{'明红刚丽军'[number % 5]}{'一二三四五六'[number // 5]}",
                "mobile": f"138{number:08d}",
                "email": f"p{number}@example{number % 3}.cn",
                "job_title": "采购经理",
            }
            for source in ("crm", "erp")
        ]
    return pl.DataFrame(
        rows, schema=dict.fromkeys(["source", "source_key", "full_name", "mobile", "email", "job_title"], pl.String)
    )


def find_canaries(folder: Path) -> list[tuple[str, str]]:
    """What any file of a hub tells, as bytes and as a table."""
    found = []
    for path in (path for path in folder.rglob("*") if path.is_file()):
        texts = [path.read_bytes()]
        if path.suffix == ".parquet":
            texts.append(str(pl.read_parquet(path).to_dicts()).encode())
        found += [(path.name, canary) for canary in CANARIES if any(canary.encode() in text for text in texts)]
    return found


def test_what_was_erased_is_in_no_file_of_the_hub_and_every_id_still_resolves(tmp_path: Path):
    folder = tmp_path / "hub"
    records = make_records()
    founded = resolve_into(folder, records, RULES, "run1", DAY_ONE)
    changed = records.head(1).with_columns(job_title=pl.lit("总工程师 (新)"))
    resolve_into(folder, changed, RULES, "run2", DAY_ONE + timedelta(days=1))
    book = Book("person")
    book.decide(
        "never", [("crm", "KEY-CANARY-1")], [("crm", "000")], actor="li", reason="金丝雀 told me", at=DAY_ONE + timedelta(days=1)
    )
    book.decide(
        "never", [("crm", "001")], [("crm", "002")], actor="li", reason="not canary.erased@example.cn", at=DAY_ONE + timedelta(1)
    )
    before = rebuild(folder, None, RULES, "run3", DAY_ONE + timedelta(days=2), decided=book.log)
    assert {canary for _, canary in find_canaries(folder)} == set(CANARIES)
    named = records.head(2).select("source", "source_key")

    outcome = erase_records(folder, named, RULES, "run4", DAY_ONE + timedelta(days=3))

    assert find_canaries(folder) == []
    [gid] = founded.crosswalk.join(named, on=["source", "source_key"])["gid"].unique()
    log = read_events(folder)
    assert "retired" in log.filter(pl.col("gid") == gid)["kind"].to_list()
    keys = log.filter((pl.col("gid") == gid) & (pl.col("kind") == "attached"))["source_key"]
    assert keys.len() == 2
    assert keys.str.starts_with("erased-").all()
    others = before.crosswalk.join(named, on=["source", "source_key"], how="anti")
    assert_frame_equal(outcome.crosswalk, others)
    assert_frame_equal(outcome.golden, before.golden.filter(pl.col("gid") != gid))
    assert read_decisions(folder)["reason"].to_list() == ["[erased]", "not [erased]"]
    again = resolve_into(folder, None, RULES, "run5", DAY_ONE + timedelta(days=4))
    assert_frame_equal(again.golden, outcome.golden)
    assert_frame_equal(again.edges, outcome.edges)


def test_what_was_erased_does_not_come_back_with_any_later_addition_or_rebuild(tmp_path: Path):
    folder, out = tmp_path / "hub", tmp_path / "out"
    records = make_records()
    opened = open_after_founding(folder, records)
    named = records.head(2).select("source", "source_key")
    erase_records(folder, named, RULES, "run2", DAY_ONE + timedelta(days=1))
    book = Book("person")
    book.decide("never", [("crm", "KEY-CANARY-1")], [("crm", "000")], actor="li", reason="金丝雀", at=DAY_ONE)
    rules, again = RulesFile(RULES, None, None), {"again": records.head(4)}

    report = resolve_tables(again, rules, out, Beside(hub=folder, decisions=book.log))
    assert (report["suppressed"], report["added"], report["changed"], report["records"]) == (2, 0, 0, 60)
    assert find_canaries(folder) == find_canaries(out) == []
    assert read_decisions(folder)["group_a"].to_list()[0][0]["source_key"].startswith("erased-")
    assert opened.add(records.head(1), "run3", DAY_ONE + timedelta(days=2)).report["suppressed"] == 1

    for tables, suppressed in ((again, 2), ({}, 0)):
        report = resolve_tables(tables, rules, out, Beside(hub=folder, rebuild=True))
        assert (report["suppressed"], report["records"]) == (suppressed, 60)
        assert find_canaries(folder) == find_canaries(out) == []
    assert (folder / "erasure.key").stat().st_mode & 0o777 == 0o600


def open_after_founding(folder: Path, records: pl.DataFrame) -> Hub:
    resolve_into(folder, records, RULES, "run1", DAY_ONE)
    return Hub.open(folder, RULES)


def test_without_the_key_of_its_hashes_a_hub_takes_nothing(tmp_path: Path):
    records = make_records()
    resolve_into(tmp_path, records, RULES, "run1", DAY_ONE)
    erase_records(tmp_path, records.head(1), RULES, "run2", DAY_ONE)
    (tmp_path / "erasure.key").unlink()
    with pytest.raises(RecordsError, match="put it back"):
        resolve_into(tmp_path, records, RULES, "run3", DAY_ONE)


def test_a_killed_erasure_is_completed_by_doing_it_again(tmp_path: Path, monkeypatch):
    folder = tmp_path / "hub"
    records = make_records()
    resolve_into(folder, records, RULES, "run1", DAY_ONE)
    named = records.head(2).select("source", "source_key")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("hub.erase.replace_model", die)
        try:
            erase_records(folder, named, RULES, "run2", DAY_ONE + timedelta(days=1))
        except KeyboardInterrupt:
            assert find_canaries(folder)
    erase_records(folder, named, RULES, "run3", DAY_ONE + timedelta(days=2))
    assert find_canaries(folder) == []
    assert read_state(folder).golden.height == 30


def test_a_model_forgets_only_the_values_that_nobody_else_has():
    records = make_records()
    model = resolve(records, rules=RULES, history=None, run_id="run1", at=DAY_ONE).model
    aligned, _ = align_records(records, RULES)
    gone, left = derive_parts(aligned.head(2), RULES), derive_parts(aligned.tail(-2), RULES)
    pruned = forget_values(model, gone, left)
    asked = [part for part in model.frequencies.tables if part.startswith("email")]
    assert asked
    for part in model.frequencies.tables:
        own = set(hash_texts(gone.list_values(part)).tolist()) - set(hash_texts(left.list_values(part)).tolist())
        assert not own & set(pruned.frequencies.tables[part][0].tolist())
        for old, new in zip(model.frequencies.look_up(left, part), pruned.frequencies.look_up(left, part), strict=True):
            assert old == new
    removed = [len(model.frequencies.tables[part][0]) - len(pruned.frequencies.tables[part][0]) for part in asked]
    assert np.sum(removed) > 0


def test_the_model_of_an_erased_hub_is_read_again(tmp_path: Path):
    folder = tmp_path / "hub"
    records = make_records()
    founded = resolve_into(folder, records, RULES, "run1", DAY_ONE)
    erase_records(folder, records.head(2), RULES, "run2", DAY_ONE + timedelta(days=1))
    assert read_model(folder / "model", RULES).version != founded.model.version
