"""A small WeCom in memory."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx

from connectors.http import Patience
from connectors.messaging.wecom import WeCom

NOW = datetime(2026, 6, 30, 10, tzinfo=UTC)
DAY = 86_400
SECRET = "app-secret-value"


def epoch(moment: datetime) -> int:
    return int(moment.timestamp())


class Refusal(Exception):
    def __init__(self, code: int) -> None:
        self.code = code


class FakeWeCom:
    """Windows, page sizes and tokens are enforced; every answer is HTTP 200."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.users = ["u1", "u2"]
        self.relations: list[tuple[str, str]] = []
        self.checkins: list[tuple[str, int]] = []
        self.approvals: dict[str, dict[str, Any]] = {}
        self.gone: set[str] = set()
        self.tokens = 0
        self.answers: dict[str, Any] = {}
        self.now = NOW

    def wecom(self, **arguments: Any) -> WeCom:
        arguments.setdefault("patience", Patience(attempts=2, sleep=lambda seconds: None))
        transport = httpx.MockTransport(self)
        return WeCom("wecom", "https://w.test", "corp", SECRET, transport=transport, now=lambda: self.now, **arguments)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/cgi-bin/")
        arguments = json.loads(request.content) if request.content else dict(request.url.params)
        self.calls.append((path, arguments))
        try:
            if path == "gettoken":
                assert arguments == {"corpid": "corp", "corpsecret": SECRET}
                self.tokens += 1
                return self.ok(access_token=f"token-{self.tokens}", expires_in=7200)
            if request.url.params.get("access_token") != f"token-{self.tokens}":
                raise Refusal(42001)
            if path in self.answers:
                return httpx.Response(200, json=self.answers[path])
            return self.ok(**getattr(self, "on_" + path.replace("/", "_"))(arguments))
        except Refusal as refusal:
            return httpx.Response(200, json={"errcode": refusal.code, "errmsg": "no"})

    def ok(self, **body: Any) -> httpx.Response:
        return httpx.Response(200, json={"errcode": 0, "errmsg": "ok", **body})

    def on_department_list(self, _: Any) -> dict[str, Any]:
        return {"department": [{"id": 1, "name": "总部", "parentid": 0}, {"id": 2, "name": "华东", "parentid": 1}]}

    def on_user_list(self, arguments: Any) -> dict[str, Any]:
        if arguments["department_id"] == "1":
            return {"userlist": [{"userid": "u1", "name": "王", "department": [1, 2]}]}
        return {"userlist": [{"userid": user, "name": "李", "department": [2]} for user in self.users]}

    def on_externalcontact_get_follow_user_list(self, _: Any) -> dict[str, Any]:
        return {"follow_user": self.users}

    def on_externalcontact_get_corp_tag_list(self, _: Any) -> dict[str, Any]:
        tags = [{"id": "t1", "name": "重点", "create_time": 1}]
        return {"tag_group": [{"group_id": "g", "group_name": "等级", "create_time": 0, "tag": tags}]}

    def on_externalcontact_batch_get_by_user(self, arguments: Any) -> dict[str, Any]:
        assert len(arguments["userid_list"]) <= 100
        assert arguments["limit"] <= 100
        offset = int(arguments["cursor"] or 0)
        rows = [pair for pair in self.relations if pair[1] in arguments["userid_list"]]
        page = [
            {
                "external_contact": {"external_userid": external, "name": "客户", "type": 1},
                "follow_info": {"userid": user, "remark": "备注", "tag_id": ["t1"], "remark_mobiles": ["13800138000"]},
            }
            for external, user in rows[offset : offset + 100]
        ]
        return {"external_contact_list": page, "next_cursor": str(offset + 100) if offset + 100 < len(rows) else ""}

    def on_checkin_getcheckindata(self, arguments: Any) -> dict[str, Any]:
        start, end = arguments["starttime"], arguments["endtime"]
        assert 0 <= end - start <= 30 * DAY
        assert 1 <= len(arguments["useridlist"]) <= 100
        found = [(user, at) for user, at in self.checkins if start <= at <= end and user in arguments["useridlist"]]
        rows = [{"userid": user, "checkin_time": at, "checkin_type": "外出打卡", "lat": 30547645} for user, at in found]
        return {"checkindata": rows}

    def on_oa_getapprovalinfo(self, arguments: Any) -> dict[str, Any]:
        start, end = int(arguments["starttime"]), int(arguments["endtime"])
        assert 0 <= end - start <= 31 * DAY
        found = sorted(number for number, one in self.approvals.items() if start <= one["apply_time"] <= end)
        offset = int(arguments["new_cursor"] or 0)
        answer: dict[str, Any] = {"sp_no_list": found[offset : offset + 3]}  # pages are shorter than asked for
        if offset + 3 < len(found):
            answer["new_next_cursor"] = str(offset + 3)
        return answer

    def on_oa_getapprovaldetail(self, arguments: Any) -> dict[str, Any]:
        if arguments["sp_no"] in self.gone:
            raise Refusal(84061)
        return {"info": self.approvals[arguments["sp_no"]]}

    def submit(self, number: str, at: datetime, status: int = 2) -> None:
        self.approvals[number] = {
            "sp_no": number,
            "sp_name": "报价审批",
            "sp_status": status,
            "apply_time": epoch(at),
            "applyer": {"userid": "u1", "partyid": "2"},
            "apply_data": {"contents": [{"control": "Text"}]},
            "sp_record": [],
        }

    def count(self, path: str) -> int:
        return sum(called == path for called, _ in self.calls)
