"""WeCom sync against a small WeCom in memory."""

import json
from collections.abc import Iterable
from datetime import timedelta

import httpx
import polars as pl
import pytest

from connectors.base import Batch
from connectors.errors import (
    AuthExpired,
    BadRequest,
    ConfigurationError,
    ConnectorError,
    ContractBroken,
    Gone,
    PermissionDenied,
    RateLimited,
    Transient,
)
from connectors.http import Reply
from connectors.messaging.wecom import WeCom, connect
from connectors.messaging.wecom_api import judge_wecom
from tests.unit.connectors.fake_wecom import NOW, SECRET, FakeWeCom, epoch


@pytest.fixture
def fake() -> FakeWeCom:
    return FakeWeCom()


def column(batches: Iterable[Batch], name: str) -> list[str]:
    return [value for batch in batches for value in batch.rows[name]]


def test_members_of_several_departments_come_once(fake: FakeWeCom) -> None:
    (batch,) = fake.wecom().read("users", None)
    assert batch.rows["userid"].to_list() == ["u1", "u2"]
    assert batch.live_keys is not None
    assert batch.live_keys.rows() == [("u1",), ("u2",)]


def test_departments_and_tags_are_flattened(fake: FakeWeCom) -> None:
    (departments,) = fake.wecom().read("departments", None)
    assert departments.rows.select("id", "name", "parentid").rows() == [("1", "总部", "0"), ("2", "华东", "1")]
    (tags,) = fake.wecom().read("tags", None)
    assert tags.rows.select("id", "name", "group_id", "group_name").rows() == [("t1", "重点", "g", "等级")]


def test_external_contacts_are_walked_by_member_and_end_with_all_live_keys(fake: FakeWeCom) -> None:
    fake.users = [f"u{n}" for n in range(150)]
    fake.relations = [(f"wm{n}", f"u{n % 150}") for n in range(450)]
    batches = list(fake.wecom(batch_rows=120).read("external_contacts", None))
    assert sum(batch.rows.height for batch in batches) == 450
    assert all(batch.live_keys is None for batch in batches[:-1])
    live = batches[-1].live_keys
    assert live is not None
    assert set(live.rows()) == set(fake.relations)
    row = batches[0].rows.row(0, named=True)
    assert (row["userid"], row["remark_mobiles"], row["tag_id"]) == ("u0", '["13800138000"]', '["t1"]')
    assert {str(dtype) for dtype in batches[0].rows.dtypes} == {"String"}
    assert not [name for name in row if name.startswith("_")]


def test_one_contact_of_two_members_is_two_relations(fake: FakeWeCom) -> None:
    fake.relations = [("wm1", "u1"), ("wm1", "u2")]
    (batch,) = fake.wecom().read("external_contacts", None)
    assert batch.live_keys is not None
    assert batch.live_keys.rows() == [("wm1", "u1"), ("wm1", "u2")]


def test_check_ins_are_read_in_windows_and_again_with_an_overlap(fake: FakeWeCom) -> None:
    moments = [NOW - timedelta(days=days) for days in (390, 200, 31, 2)]
    fake.checkins = [("u1", epoch(moment)) for moment in moments]
    source = fake.wecom()
    batches = list(source.read("checkins", None))
    assert column(batches, "checkin_time") == [str(epoch(moment)) for moment in moments]
    assert fake.count("checkin/getcheckindata") == 14
    assert batches[-1].cursor == {"kind": "window", "to": epoch(NOW)}
    fake.now = NOW + timedelta(days=1)
    fake.checkins.append(("u2", epoch(NOW - timedelta(hours=20))))  # sent late by a phone without a network
    (again,) = source.read("checkins", batches[-1].cursor)
    assert again.rows["userid"].to_list() == ["u1", "u2"]
    assert again.rereads


def test_a_killed_window_walk_goes_on_where_it_was(fake: FakeWeCom) -> None:
    fake.checkins = [("u1", epoch(NOW - timedelta(days=days))) for days in range(399, 0, -1)]
    source = fake.wecom(checkin_overlap=timedelta(0))
    first = next(iter(source.read("checkins", None)))
    rest = list(source.read("checkins", first.cursor))
    assert set(column([first, *rest], "checkin_time")) == {str(at) for _, at in fake.checkins}


def test_a_window_without_check_ins_still_moves_the_cursor(fake: FakeWeCom) -> None:
    (batch,) = fake.wecom().read("checkins", None)
    assert batch.rows.height == 0
    assert batch.cursor["to"] == epoch(NOW)


def test_approvals_are_paged_until_the_cursor_is_empty(fake: FakeWeCom) -> None:
    for n in range(8):
        fake.submit(f"2026{n}", NOW - timedelta(days=2, minutes=n))
    batches = list(fake.wecom().read("approvals", None))
    assert len(column(batches, "sp_no")) == 8
    row = batches[-1].rows.row(0, named=True)
    assert (row["applyer_userid"], row["applyer_partyid"], row["sp_status"]) == ("u1", "2", "2")
    assert json.loads(row["apply_data"])["contents"]
    assert "applyer" not in row


def test_a_pending_approval_is_read_again_however_old_it_is(fake: FakeWeCom) -> None:
    fake.submit("old", NOW - timedelta(days=300), status=1)
    fake.submit("recent", NOW - timedelta(days=2))
    source = fake.wecom()
    cursor = list(source.read("approvals", None))[-1].cursor
    assert cursor["open"] == ["old"]
    fake.approvals["old"]["sp_status"] = 2
    fake.now = NOW + timedelta(days=1)
    (batch,) = source.read("approvals", cursor)
    assert dict(batch.rows.select("sp_no", "sp_status").rows()) == {"recent": "2", "old": "2"}
    assert batch.cursor["open"] == []


def test_pending_approvals_survive_a_kill_between_windows(fake: FakeWeCom) -> None:
    for days in (390, 300, 20):
        fake.submit(f"a{days}", NOW - timedelta(days=days), status=1)
    source = fake.wecom()
    first = next(iter(source.read("approvals", None)))
    assert first.cursor["open"] == ["a390"]
    rest = list(source.read("approvals", first.cursor))
    assert rest[-1].cursor["open"] == ["a300", "a20", "a390"]


def test_an_approval_that_is_gone_is_a_delete(fake: FakeWeCom) -> None:
    fake.submit("x", NOW - timedelta(days=1), status=1)
    fake.gone.add("x")
    (batch,) = fake.wecom().read("approvals", None)
    assert batch.deleted is not None
    assert batch.deleted.rows() == [("x",)]
    assert batch.cursor["open"] == []


def test_a_dead_token_is_renewed_and_the_call_replayed(fake: FakeWeCom) -> None:
    source = fake.wecom()
    list(source.read("departments", None))
    fake.tokens = 7  # whoever holds token-1 is refused from now on
    list(source.read("departments", None))
    assert fake.count("gettoken") == 2
    assert fake.count("department/list") == 3


def test_one_token_serves_many_calls(fake: FakeWeCom) -> None:
    source = fake.wecom()
    for stream in ("departments", "users", "tags", "external_contacts"):
        list(source.read(stream, None))
    assert fake.count("gettoken") == 1


@pytest.mark.parametrize(
    ("path", "stream"),
    [
        ("department/list", "departments"),
        ("externalcontact/batch/get_by_user", "external_contacts"),
        ("checkin/getcheckindata", "checkins"),
        ("oa/getapprovalinfo", "approvals"),
    ],
)
def test_a_page_without_its_list_is_an_error_and_not_empty(fake: FakeWeCom, path: str, stream: str) -> None:
    fake.answers[path] = {"errcode": 0, "errmsg": "ok"}
    with pytest.raises(ContractBroken, match="has no list"):
        list(fake.wecom().read(stream, None))


def test_a_record_of_another_shape_fails_its_stream_in_our_words(fake: FakeWeCom) -> None:
    fake.answers["externalcontact/batch/get_by_user"] = {"errcode": 0, "external_contact_list": [{"x": 1}], "next_cursor": ""}
    with pytest.raises(ContractBroken, match="WeCom external_contacts: a record is not shaped as documented"):
        list(fake.wecom().read("external_contacts", None))


def test_a_cursor_that_repeats_is_an_error(fake: FakeWeCom) -> None:
    fake.answers["externalcontact/batch/get_by_user"] = {"errcode": 0, "external_contact_list": [], "next_cursor": "same"}
    with pytest.raises(ContractBroken, match="'same' came twice"):
        list(fake.wecom().read("external_contacts", None))


@pytest.mark.parametrize(
    ("code", "kind", "advice"),
    [
        (42001, AuthExpired, "expired"),
        (40014, AuthExpired, "not valid"),
        (41001, AuthExpired, "missing"),
        (45009, RateLimited, "too many"),
        (45033, RateLimited, "at once"),
        (48002, PermissionDenied, "可调用接口的应用"),
        (60011, PermissionDenied, "可见范围"),
        (60020, PermissionDenied, "企业可信IP"),
        (84061, Gone, "not an external contact"),
        (40001, ConfigurationError, "'secret'"),
        (40013, ConfigurationError, "'corp_id'"),
        (-1, Transient, "busy"),
        (301025, BadRequest, "the message"),
    ],
)
def test_error_codes_are_classified_with_advice(code: int, kind: type[ConnectorError], advice: str) -> None:
    error = judge_wecom(Reply("POST /x", 200, {}, {"errcode": code, "errmsg": "the message"}))
    assert type(error) is kind
    assert advice in str(error)


def test_an_answer_without_errcode_is_no_success() -> None:
    assert isinstance(judge_wecom(Reply("GET /x", 200, {}, {"punish": "deny"})), ContractBroken)
    assert isinstance(judge_wecom(Reply("GET /x", 200, {}, [])), ContractBroken)
    assert isinstance(judge_wecom(Reply("GET /x", 502, {}, {"message": "bad gateway"})), Transient)


def test_a_wrong_secret_does_not_show_it(fake: FakeWeCom) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"errcode": 40001, "errmsg": f"invalid credential {SECRET}"})

    source = WeCom("wecom", "https://w.test", "corp", SECRET, transport=httpx.MockTransport(answer))
    with pytest.raises(ConfigurationError, match="setting 'secret'") as caught:
        list(source.read("departments", None))
    assert SECRET not in str(caught.value)


def test_settings_build_a_connector() -> None:
    source = connect("wx", {"corp_id": "c", "secret": "s", "history_days": "30", "now": "2026-06-30T18:00:00+08:00"})
    assert source.source == "wx"
    with pytest.raises(ConfigurationError, match="'corp_id' is missing"):
        connect("wx", {"secret": "s"})
    with pytest.raises(ConfigurationError, match="'history_days' must be a positive number"):
        connect("wx", {"corp_id": "c", "secret": "s", "history_days": "many"})


def test_other_streams_cannot_be_retried(fake: FakeWeCom) -> None:
    assert fake.wecom().retry("users", pl.DataFrame()) is None


def test_times_stay_in_the_vendors_unit_and_say_which() -> None:
    units = {field.name: field.kind for stream in FakeWeCom().wecom().streams() for field in stream.fields}
    assert {units[name] for name in ("createtime", "create_time", "checkin_time", "apply_time")} == {"epoch_s"}
