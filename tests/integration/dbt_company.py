"""A company of five customers that fits on a page: its vendors' rows by landing table."""

import json
from typing import Any

# HubSpot's own ids of call outcomes
CONNECTED, NO_ANSWER = "f240bbac-87c9-4f6e-bf70-924b57d47db7", "73a0d17f-1163-4015-bdd5-ec830791da20"


def _approval(number: str, template: str, status: int, **fields: str) -> dict[str, Any]:
    contents = [
        {"control": "Text", "title": [{"text": title, "lang": "zh_CN"}], "value": {"text": value}}
        for title, value in fields.items()
    ]
    record = [{"sp_status": status, "details": [{"approver": {"userid": "boss"}, "sp_status": status, "sptime": 1781000000}]}]
    return {
        "sp_no": number,
        "sp_name": template,
        "applyer_userid": "li",
        "sp_status": status,
        "apply_time": "2026-06-01T02:00:00Z",
        "apply_data": json.dumps({"contents": contents}, ensure_ascii=False),
        "sp_record": json.dumps(record),
    }


def _engagement(number: str, at: str, **values: Any) -> dict[str, Any]:
    return {"id": number, "hs_timestamp": at, "hs_createdate": at, "hs_lastmodifieddate": at, "hubspot_owner_id": "7", **values}


def _call(number: str, at: str, disposition: str, **values: Any) -> dict[str, Any]:
    links = {"company_ids": '["10"]', "hs_call_direction": "OUTBOUND", "hs_call_disposition": disposition}
    return _engagement(number, at, **{**links, **values})


def _deal(number: str, stage: str, created: str, **values: Any) -> dict[str, Any]:
    links = {"company_ids": '["10"]', "contact_ids": "[]", "hubspot_owner_id": "7", "pipeline": "manufacturing"}
    return {"id": number, "dealstage": stage, "createdate": created, "hs_lastmodifieddate": created, **links, **values}


ROWS: dict[str, list[dict[str, Any]]] = {
    "landing.wecom__departments": [
        {"id": "1", "name": "公司", "parentid": "0"},
        {"id": "2", "name": "华东", "parentid": "1"},
        {"id": "3", "name": "华东一部", "parentid": "2"},
    ],
    "landing.wecom__users": [
        {
            "userid": "li",
            "name": "李雷",
            "email": "Li@x.cn",
            "main_department": "3",
            "department": '["3"]',
            "is_leader_in_dept": '["0"]',
        },
        {
            "userid": "boss",
            "name": "韩梅",
            "email": "h@x.cn",
            "main_department": "3",
            "department": '["2","3"]',
            "is_leader_in_dept": '["0","1"]',
        },
    ],
    "landing.hubspot__owners": [{"id": "7", "email": "li@x.cn", "firstName": "雷", "lastName": "李", "archived": False}],
    "landing.u8__persons": [{"cPersonCode": "P1", "cPersonName": "李雷", "cPersonEmail": "li@x.cn", "ufts": 1}],
    "landing.hubspot__companies": [
        {
            "id": "10",
            "name": "云帆科技",
            "hs_merged_object_ids": "11",
            "hubspot_owner_id": "7",
            "createdate": "2026-01-01T00:00:00Z",
            "hs_lastmodifieddate": "2026-06-10T00:00:00Z",
        }
    ],
    "landing.hubspot__leads": [
        {
            "id": "50",
            "submission_id": "W1",
            "lead_status": "QUALIFIED",
            "converted_deal_id": "100",
            "primary_company_id": "10",
            "hubspot_owner_id": "7",
            "hubspot_owner_assigneddate": "2026-05-01T00:20:00Z",
            "createdate": "2026-05-01T00:10:00Z",
            "hs_lastmodifieddate": "2026-05-02T00:00:00Z",
        }
    ],
    "files.leads": [
        {"stream": "web_leads", "lead_id": "W1", "party_id": "W1", "lead_source": "website", "created_at": "2026-05-01T00:00:00Z"}
    ],
    "files.parties": [{"stream": "web_leads", "party_id": "W1", "company_name": "云帆科技"}],
    "landing.hubspot__calls": [
        # before the lead, the customer's own, an attempt that reached nobody, then the response: it names the merged-away company
        _call("1", "2026-04-30T00:00:00Z", CONNECTED),
        _call("3", "2026-05-01T00:20:00Z", CONNECTED, hs_call_direction="INBOUND"),
        _call("4", "2026-05-01T00:30:00Z", NO_ANSWER),
        _call("2", "2026-05-01T00:45:00Z", CONNECTED, company_ids='["11"]'),
    ],
    "landing.hubspot__emails": [
        _engagement("1", "2026-05-01T00:05:00Z", company_ids='["10"]', hs_email_direction="INCOMING_EMAIL")
    ],
    "landing.hubspot__meetings": [
        _engagement("1", "2026-05-10T02:00:00Z", company_ids='["10"]', deal_ids='["100"]', visit_type="onsite"),
        _engagement("2", "2026-05-11T02:00:00Z", company_ids='["10"]', deal_ids='["100"]', visit_type="onsite"),
    ],
    "landing.wecom__checkins": [
        {
            "userid": "li",
            "checkin_time": "2026-05-10T03:30:00Z",
            "checkin_type": "外出打卡",
            "mediaids": '["m"]',
            "lat": 31230000,
            "lng": 121470000,
        }
    ],
    "landing.hubspot__notes": [
        _engagement("1", "2026-05-02T00:00:00Z", deal_ids='["100"]', evidence_kind="lead_profile"),
    ],
    "landing.hubspot__tasks": [
        _engagement("1", "2026-06-20T00:00:00Z", deal_ids='["100"]', request_department="legal"),
        _engagement("2", "2026-06-20T00:00:00Z", deal_ids='["100"]'),
    ],
    "landing.wecom__approvals": [
        _approval("A1", "障碍解决核实", 2, 商机编号="100", 障碍类型="样品测试", 处理说明="已寄样"),
        _approval("A2", "障碍解决核实", 4, 商机编号="100", 障碍类型="价格审批"),
        _approval("A3", "合同法务审核", 2, 商机编号="100", 合同编号="HT-1"),
    ],
    "landing.hubspot__deals": [
        _deal("100", "closedwon", "2026-05-02T00:00:00Z", closedate="2026-06-15T00:00:00Z", amount=500000),
        _deal("101", "mf_quote", "2026-06-01T00:00:00Z", closedate="2026-08-01T00:00:00Z", amount=1000, deal_currency_code="USD"),
    ],
    "landing.hubspot__deal_stage_history": [
        {"deal_id": "100", "stage": "mf_lead", "entered_at": "2026-05-02T00:00:00Z"},
        {"deal_id": "100", "stage": "mf_negotiation", "entered_at": "2026-05-20T00:00:00Z"},
        {"deal_id": "100", "stage": "closedwon", "entered_at": "2026-06-15T00:00:00Z"},
    ],
    "files.opportunities": [
        {
            "source": "maven",
            "opportunity_id": "L",
            "owner_ref": "Anna",
            "stage": "lost",
            "created_at": "2026-05-01T00:00:00Z",
            "closed_at": "2026-05-11T00:00:00Z",
        },
        {
            "source": "maven",
            "opportunity_id": "O",
            "owner_ref": "Anna",
            "stage": "demo",
            "created_at": "2026-06-01T00:00:00Z",
            "stage_entered_at": "2026-06-03T00:00:00Z",
        },
    ],
    "landing.u8__orders": [
        {
            "ID": "1",
            "cSOCode": "SO1",
            "cCusCode": "C1",
            "cPersonCode": "P1",
            "cDefine1": "100",
            "cexch_name": "美元",
            "iExchRate": 7.1,
            "dDate": "2026-06-16",
            "ufts": 1,
        }
    ],
    "landing.u8__order_lines": [
        {"iSOsID": "1", "ID": "1", "cInvCode": "X", "iQuantity": 1, "iSum": 100, "ufts": 1},
        {"iSOsID": "2", "ID": "1", "cInvCode": "X", "iQuantity": 1, "iSum": 50, "ufts": 1},
    ],
    "landing.u8__invoices": [
        {
            "SBVID": "9",
            "cSBVCode": "F9",
            "cCusCode": "C1",
            "cSOCode": "SO1",
            "cexch_name": "美元",
            "dDate": "2026-06-20",
            "iSum": 100,
            "ufts": 1,
        }
    ],
    "landing.u8__receipts": [
        {
            "iID": "5",
            "cVouchType": "48",
            "cDwCode": "C1",
            "cSBVCode": "F9",
            "cexch_name": "美元",
            "dVouchDate": "2026-06-25",
            "iAmount": 40,
            "ufts": 1,
        },
        {"iID": "6", "cVouchType": "49", "cDwCode": "C1", "dVouchDate": "2026-06-25", "iAmount": 40, "ufts": 1},
    ],
    "hub.crosswalk": [
        {"source": "hubspot", "source_key": "10", "customer_gid": "cus_1", "is_current": True},
        {"source": "forms", "source_key": "W1", "customer_gid": "cus_1", "is_current": True},
        {"source": "u8", "source_key": "C1", "customer_gid": "cus_1", "is_current": True},
        {"source": "hubspot", "source_key": "10", "customer_gid": "cus_0", "is_current": False},
    ],
    "hub.golden_customers": [{"customer_gid": "cus_1", "company_name": "云帆科技", "n_records": 3, "n_sources": 3}],
}
