"""The simulated WeCom enforces what WeCom enforces: in errcode, never in the HTTP status."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from sandbox.servers.wecom import WeComOptions, WeComServer

CORP, SECRET = "ww1", "s3cret"
DAY = 86_400


class Client:
    """Calls with a token; every answer must be HTTP 200."""

    def __init__(self, http: Any) -> None:
        self._http = http
        self.token = ""
        self.fetch_token()

    def fetch_token(self) -> None:
        """Ask until the answer is JSON: faults may be on."""
        while (text := self.text(f"gettoken?corpid={CORP}&corpsecret={SECRET}")).startswith("<"):
            pass
        self.token = json.loads(text)["access_token"]

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        return self._read(self._http.get(f"/cgi-bin/{path}", params={"access_token": self.token, **params}))

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        return self._read(self._http.post(f"/cgi-bin/{path}", params={"access_token": self.token}, json=body))

    def debug(self, path: str, **body: Any) -> dict[str, Any]:
        return self._read(self._http.post(f"/cgi-bin/{path}&debug=1", json=body))

    def text(self, path: str) -> str:
        return self._http.get(f"/cgi-bin/{path}").text

    def _read(self, answer: Any) -> dict[str, Any]:
        assert answer.status_code == 200
        return answer.json()


@pytest.fixture
def serve(moment, hand_clock, make_tables, make_client):
    def start(options: dict[str, Any] | None = None, **rows: list[dict[str, Any]]) -> Client:
        server = WeComServer(make_tables(**rows), moment, WeComOptions(CORP, SECRET, **(options or {})), now=hand_clock)
        return Client(make_client(server.app))

    return start


def a_user(userid: str, department: str = "1", **more: Any) -> dict[str, Any]:
    return {"userid": userid, "name": userid, "department": [department], "is_leader_in_dept": ["0"], "status": 1} | more


def a_relation(userid: str, number: int, moment) -> dict[str, Any]:
    return {
        "external_userid": f"wm{number:04d}",
        "userid": userid,
        "name": "王五",
        "type": 1,
        "tag_id": ["t1"],
        "createtime": moment,
    }


def an_approval(number: int, apply_time) -> dict[str, Any]:
    return {
        "sp_no": f"2026{number:04d}",
        "sp_status": 1,
        "apply_time": apply_time,
        "apply_data": '{"contents": []}',
        "applyer_userid": "a",
    }


def test_a_token_is_repeated_while_valid_and_expires(serve, hand_clock):
    client = serve({"token_seconds": 100})
    assert client.get("gettoken", corpid=CORP, corpsecret=SECRET)["access_token"] == client.token
    hand_clock.seconds += 100
    assert client.get("department/list")["errcode"] == 42001
    fresh = client.get("gettoken", corpid=CORP, corpsecret=SECRET)
    assert fresh["access_token"] != client.token
    assert fresh["expires_in"] == 100
    assert client.get("department/list")["errcode"] == 42001


@pytest.mark.parametrize(("token", "errcode"), [("", 41001), ("made-up", 40014)])
def test_a_missing_or_unknown_token_is_refused(serve, token, errcode):
    assert serve().get("department/list", access_token=token)["errcode"] == errcode


@pytest.mark.parametrize(("identity", "errcode"), [({"corpid": "x"}, 40013), ({"corpid": CORP, "corpsecret": "x"}, 40001)])
def test_a_wrong_identity_gets_no_token(serve, identity, errcode):
    assert serve().get("gettoken", **identity)["errcode"] == errcode


def test_the_wrong_method_and_a_broken_body_are_refused(serve):
    client = serve()
    assert client.get("oa/getapprovalinfo")["errcode"] == 43002
    assert client.post("department/list")["errcode"] == 43001
    broken = client._http.post("/cgi-bin/oa/getapprovaldetail", params={"access_token": client.token}, content=b"{")
    assert broken.json()["errcode"] == 47001


def test_users_of_a_department_come_with_its_children_when_asked(serve):
    departments = [
        {"id": 1, "name": "总部"},
        {"id": 2, "name": "华东", "parentid": 1},
        {"id": 3, "name": "华东一组", "parentid": 2},
    ]
    client = serve(wecom_departments=departments, wecom_users=[a_user("a", "2"), a_user("b", "3")])
    assert [u["userid"] for u in client.get("user/list", department_id=2)["userlist"]] == ["a"]
    both = client.get("user/list", department_id=1, fetch_child=1)["userlist"]
    assert [(u["userid"], u["department"]) for u in both] == [("a", [2]), ("b", [3])]
    assert client.get("user/list", department_id=9)["errcode"] == 60003
    assert client.get("department/list")["department"][0]["parentid"] == 0


def test_contacts_page_by_a_cursor_that_serves_only_its_own_request(serve, moment):
    client = serve(
        wecom_users=[a_user("a"), a_user("b")], wecom_external_contacts=[a_relation("a", n, moment) for n in range(130)]
    )
    path, users = "externalcontact/batch/get_by_user", ["a"]
    first = client.post(path, userid_list=users, limit=100)
    assert len(first["external_contact_list"]) == 100
    rest = client.post(path, userid_list=users, limit=100, cursor=first["next_cursor"])
    assert (len(rest["external_contact_list"]), rest["next_cursor"]) == (30, "")
    relation = rest["external_contact_list"][0]
    assert relation["follow_info"]["tag_id"] == ["t1"]
    assert relation["follow_info"]["createtime"] == int(moment.timestamp())
    assert client.post(path, userid_list=["b"], limit=100, cursor=first["next_cursor"])["errcode"] == 40058
    assert len(client.post(path, userid_list=users)["external_contact_list"]) == 50
    assert client.get("externalcontact/get_follow_user_list")["follow_user"] == ["a"]


@pytest.mark.parametrize(
    "body",
    [
        {"userid_list": ["a"] * 101},
        {"userid_list": ["a"], "limit": 101},
        {"userid_list": []},
        {"userid_list": ["a"], "cursor": "x"},
    ],
)
def test_contacts_refuse_what_is_over_the_limit(serve, body):
    client = serve(wecom_users=[a_user("a")])
    assert client.post("externalcontact/batch/get_by_user", **body)["errcode"] == 40058


def test_a_contact_that_is_gone_is_84061_and_a_present_one_lists_its_followers(serve, moment):
    client = serve(
        wecom_users=[a_user("a"), a_user("b")],
        wecom_external_contacts=[
            a_relation("a", 1, moment),
            a_relation("b", 1, moment),
            a_relation("a", 2, moment),
            {**a_relation("a", 2, moment), "_op": "delete"},
        ],
    )
    found = client.get("externalcontact/get", external_userid="wm0001")
    assert [(f["userid"], f["tags"]) for f in found["follow_user"]] == [("a", [{"tag_id": "t1"}]), ("b", [{"tag_id": "t1"}])]
    assert client.get("externalcontact/get", external_userid="wm0002")["errcode"] == 84061


def test_tags_come_in_groups(serve, moment):
    tags = [{"id": f"t{n}", "name": f"标签{n}", "group_id": "g1", "group_name": "等级", "create_time": moment} for n in (1, 2)]
    (group,) = serve(wecom_tags=tags).post("externalcontact/get_corp_tag_list")["tag_group"]
    assert (group["group_name"], [tag["id"] for tag in group["tag"]]) == ("等级", ["t1", "t2"])


def test_checkins_span_at_most_30_days_and_100_users(serve, moment):
    start = int(moment.timestamp()) - DAY
    checkin = {"userid": "a", "checkin_type": "外出打卡", "checkin_time": moment, "lat": 30547645, "mediaids": ["m"]}
    client = serve(wecom_checkins=[checkin, {**checkin, "userid": "b"}, {**checkin, "checkin_time": moment - timedelta(days=9)}])
    body = {"opencheckindatatype": 3, "starttime": start, "endtime": start + 30 * DAY, "useridlist": ["a"]}
    (found,) = client.post("checkin/getcheckindata", **body)["checkindata"]
    assert (found["checkin_time"], found["lat"]) == (int(moment.timestamp()), 30547645)
    assert client.post("checkin/getcheckindata", **{**body, "opencheckindatatype": 1})["checkindata"] == []
    assert client.post("checkin/getcheckindata", **{**body, "endtime": body["endtime"] + 1})["errcode"] == 40058
    assert client.post("checkin/getcheckindata", **{**body, "useridlist": ["a"] * 101})["errcode"] == 40058


def test_approval_pages_may_be_short_but_end_only_with_the_cursor(serve, moment):
    client = serve(wecom_approvals=[an_approval(n, moment - timedelta(minutes=n)) for n in range(60)])
    end = int(moment.timestamp())
    body: dict[str, Any] = {"starttime": str(end - 31 * DAY), "endtime": str(end), "size": 10}
    pages, cursor = [], ""
    while not pages or cursor:
        page = client.post("oa/getapprovalinfo", **body, new_cursor=cursor)
        pages.append(page["sp_no_list"])
        cursor = page.get("new_next_cursor", "")
    assert len({number for page in pages for number in page}) == 60
    assert min(map(len, pages[:-1])) == 5
    detail = client.post("oa/getapprovaldetail", sp_no=pages[0][0])["info"]
    assert detail["applyer"]["userid"] == "a"
    assert detail["apply_data"] == {"contents": []}


@pytest.mark.parametrize(
    "change", [{"size": 101}, {"endtime": 31 * DAY + 1}, {"filters": [{"key": "x", "value": "1"}]}, {"new_cursor": 0}]
)
def test_approvals_refuse_a_wide_window_a_big_page_an_unknown_filter_and_a_cursor_that_is_a_number(serve, change):
    body = {"starttime": 0, "endtime": 31 * DAY, "size": 100} | change
    assert serve().post("oa/getapprovalinfo", **body)["errcode"] == 301025


def test_call_601_in_a_minute_blocks_that_call_for_60_seconds(serve, hand_clock, moment):
    client = serve(wecom_approvals=[an_approval(1, moment)])
    assert {client.post("oa/getapprovaldetail", sp_no="20260001")["errcode"] for _ in range(600)} == {0}
    hand_clock.seconds += 30
    assert client.post("oa/getapprovaldetail", sp_no="20260001")["errcode"] == 45009
    # the minute of the 600 calls is over, the block is not
    hand_clock.seconds += 59
    assert client.post("oa/getapprovaldetail", sp_no="20260001")["errcode"] == 45009
    assert client.get("department/list")["errcode"] == 0
    hand_clock.seconds += 1
    assert client.post("oa/getapprovaldetail", sp_no="20260001")["errcode"] == 0


def test_a_call_with_debug_is_allowed_five_times_a_minute(serve, hand_clock, moment):
    client = serve(wecom_approvals=[an_approval(1, moment)])
    path = f"oa/getapprovaldetail?access_token={client.token}"
    assert [client.debug(path, sp_no="20260001")["errcode"] for _ in range(6)] == [0] * 5 + [45009]
    assert client.post("oa/getapprovaldetail", sp_no="20260001")["errcode"] == 0
    hand_clock.seconds += 60
    assert client.debug(path, sp_no="20260001")["errcode"] == 0


def test_faults_are_html_pages_and_tokens_that_die_early(serve):
    client = serve({"error_rate": 0.4})
    texts = []
    for _ in range(60):
        texts.append(client.text(f"department/list?access_token={client.token}"))
        client.fetch_token()
    assert any(text.startswith("<!DOCTYPE html>") for text in texts)
    assert any('"errcode":42001' in text for text in texts)
    assert any('"errcode":0' in text for text in texts)
