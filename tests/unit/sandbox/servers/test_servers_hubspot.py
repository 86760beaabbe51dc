"""The simulated HubSpot enforces what HubSpot enforces."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sandbox.servers.hubspot import HubSpotOptions, HubSpotServer

TOKEN = "pat-1"
COMPANIES = "/crm/v3/objects/companies"


@pytest.fixture
def serve(moment, hand_clock, make_tables, make_client):
    """serve(options, at=..., hubspot_companies=[...]) -> (client with the token, server)."""

    def start(options: dict[str, Any] | None = None, at=moment, **rows: list[dict[str, Any]]):
        server = HubSpotServer(make_tables(**rows), at, HubSpotOptions(TOKEN, **(options or {})), now=hand_clock)
        return make_client(server.app, {"Authorization": f"Bearer {TOKEN}"}), server

    return start


def search(client, kind: str = "companies", **body: Any):
    return client.post(f"/crm/v3/objects/{kind}/search", json=body)


def at_least(name: str, value: Any) -> list[dict[str, Any]]:
    return [{"filters": [{"propertyName": name, "operator": "GTE", "value": value}]}]


def test_a_call_without_the_token_is_401(serve):
    client, _ = serve()
    answer = client.get(COMPANIES, headers={"Authorization": "Bearer other"})
    assert answer.status_code == 401
    assert answer.json()["category"] == "INVALID_AUTHENTICATION"


def test_listing_pages_through_every_record_once(serve, make_companies):
    client, _ = serve(hubspot_companies=make_companies(7))
    seen, after = [], "0"
    while after:
        page = client.get(COMPANIES, params={"limit": 3, "after": after}).json()
        seen += [record["id"] for record in page["results"]]
        after = page.get("paging", {}).get("next", {}).get("after")
    assert seen == [str(number) for number in range(1, 8)]


@pytest.mark.parametrize(
    ("params", "status"), [({"limit": 100}, 200), ({"limit": 101}, 400), ({"limit": 0}, 400), ({"after": "x"}, 400)]
)
def test_listing_is_capped_at_100(serve, params, status):
    client, _ = serve()
    assert client.get(COMPANIES, params=params).status_code == status


@pytest.mark.parametrize(("limit", "status"), [(50, 200), (51, 400)])
def test_listing_with_history_is_capped_at_50(serve, limit, status):
    client, _ = serve()
    params = {"limit": limit, "propertiesWithHistory": "dealstage"}
    assert client.get("/crm/v3/objects/deals", params=params).status_code == status


def test_only_asked_for_properties_come_and_all_are_strings(serve):
    call = {"id": "5", "hs_call_duration": 61000, "hs_call_title": "回访", "hs_call_direction": "OUTBOUND"}
    client, _ = serve(hubspot_calls=[call])
    (record,) = client.get(
        "/crm/v3/objects/calls", params={"properties": "hs_call_duration,hs_call_disposition,nonsense"}
    ).json()["results"]
    assert record["properties"] == {
        "hs_call_duration": "61000",
        "hs_call_disposition": None,
        "hs_createdate": "2026-06-01T08:30:15.250Z",
        "hs_lastmodifieddate": "2026-06-01T08:30:15.250Z",
        "hs_object_id": "5",
    }
    assert record["updatedAt"] == "2026-06-01T08:30:15.250Z"
    assert record["archived"] is False


def test_an_archived_record_is_only_in_the_archived_listing(serve, moment):
    client, _ = serve(hubspot_companies=[{"id": "1"}, {"id": "2"}, {"id": "2", "_op": "archive"}])
    assert [r["id"] for r in client.get(COMPANIES).json()["results"]] == ["1"]
    (gone,) = client.get(COMPANIES, params={"archived": "true"}).json()["results"]
    assert (gone["id"], gone["archived"], gone["archivedAt"]) == ("2", True, "2026-06-01T08:30:15.250Z")
    assert [r["id"] for r in search(client).json()["results"]] == ["1"]
    assert client.get(f"{COMPANIES}/2").status_code == 404


def test_a_merged_record_leads_to_its_survivor(serve):
    client, _ = serve(
        hubspot_companies=[{"id": "1", "hs_merged_object_ids": "2"}, {"id": "2"}, {"id": "2", "_op": "merge"}],
    )
    listed = client.get(COMPANIES, params={"properties": "hs_merged_object_ids"}).json()["results"]
    assert [(r["id"], r["properties"]["hs_merged_object_ids"]) for r in listed] == [("1", "2")]
    assert client.get(f"{COMPANIES}/2").json()["id"] == "1"
    assert search(client).json()["total"] == 1


def test_a_parent_is_the_survivor_of_a_merge_and_nobody_that_is_archived(serve):
    client, _ = serve(
        hubspot_companies=[
            {"id": "1"},
            {"id": "1", "_op": "merge"},
            {"id": "2", "hs_merged_object_ids": "1"},
            {"id": "3", "_op": "archive"},
            {"id": "4", "hs_parent_company_id": "1"},
            {"id": "5", "hs_parent_company_id": "3"},
        ],
    )
    listed = client.get(COMPANIES, params={"properties": "hs_parent_company_id"}).json()["results"]
    assert {r["id"]: r["properties"]["hs_parent_company_id"] for r in listed} == {"2": None, "4": "2", "5": None}
    found = search(client, filterGroups=[{"filters": [{"propertyName": "hs_parent_company_id", "operator": "EQ", "value": "2"}]}])
    assert [r["id"] for r in found.json()["results"]] == ["4"]


def test_search_filters_by_time_and_by_id(serve, make_companies, moment):
    client, _ = serve(hubspot_companies=make_companies(10))
    since = str(int((moment + timedelta(seconds=8)).timestamp() * 1000))
    sorts = [{"propertyName": "hs_lastmodifieddate", "direction": "DESCENDING"}]
    found = search(client, filterGroups=at_least("hs_lastmodifieddate", since), sorts=sorts).json()
    assert [r["id"] for r in found["results"]] == ["10", "9", "8"]
    # compared as numbers: as text "10" would come before "9"
    assert search(client, filterGroups=at_least("hs_object_id", "9")).json()["total"] == 2


def test_a_time_that_was_sent_finds_its_record_again(serve, moment):
    client, _ = serve(hubspot_companies=[{"id": "1", "hs_lastmodifieddate": moment + timedelta(microseconds=789)}])
    sent = search(client).json()["results"][0]["properties"]["hs_lastmodifieddate"]
    same = [{"filters": [{"propertyName": "hs_lastmodifieddate", "operator": "EQ", "value": sent}]}]
    assert search(client, filterGroups=same).json()["total"] == 1


def test_search_groups_are_or_and_filters_are_and(serve, make_companies):
    client, _ = serve(hubspot_companies=make_companies(6))
    between = [{"propertyName": "hs_object_id", "operator": op, "value": value} for op, value in (("GT", "1"), ("LT", "4"))]
    groups = [{"filters": between}, {"filters": [{"propertyName": "name", "operator": "EQ", "value": "公司6"}]}]
    assert [r["id"] for r in search(client, filterGroups=groups).json()["results"]] == ["2", "3", "6"]


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"after": "9900", "limit": 101},
        {"filterGroups": at_least("no_such_property", "1")},
        {"filterGroups": at_least("hs_lastmodifieddate", "yesterday")},
        {"sorts": ["createdate", "name"]},
        {"sorts": ["no_such_property"]},
        {"filterGroups": [{"filters": []}] * 6},
    ],
    ids=["page over 200", "past 10,000", "unknown property", "no time", "two sorts", "unknown sort", "six groups"],
)
def test_search_refuses(serve, body):
    client, _ = serve()
    answer = search(client, **body)
    assert answer.status_code == 400
    assert answer.json()["category"] == "VALIDATION_ERROR"


def test_search_reports_the_total_but_stops_at_10_000(serve, make_companies):
    client, _ = serve(hubspot_companies=make_companies(10_050))
    last = search(client, limit=200, after="9800").json()
    assert (last["total"], len(last["results"]), last["paging"]["next"]["after"]) == (10_050, 200, "10000")
    assert search(client, limit=200, after=last["paging"]["next"]["after"]).status_code == 400


def test_batch_read_names_missing_ids_and_is_capped(serve, make_companies):
    client, _ = serve(hubspot_companies=make_companies(2))
    answer = client.post(f"{COMPANIES}/batch/read", json={"inputs": [{"id": "2"}, {"id": "9"}], "properties": ["name"]})
    assert answer.status_code == 207
    assert [r["properties"]["name"] for r in answer.json()["results"]] == ["公司2"]
    assert answer.json()["errors"][0]["context"] == {"ids": ["9"]}
    many = [{"id": str(n)} for n in range(101)]
    assert client.post(f"{COMPANIES}/batch/read", json={"inputs": many}).status_code == 400
    history = {"inputs": many[:51], "propertiesWithHistory": ["name"]}
    assert client.post(f"{COMPANIES}/batch/read", json=history).status_code == 400


def test_stage_history_comes_newest_first_and_never_from_the_future(serve, moment):
    stages = [
        {
            "deal_id": "7",
            "stage": stage,
            "entered_at": moment + timedelta(days=day),
            "updated_by_user_id": "31",
            "source_type": "CRM_UI",
        }
        for stage, day in (("mf_lead", -9), ("mf_need", -2), ("mf_tech", 3))
    ]
    client, _ = serve(hubspot_deals=[{"id": "7", "dealstage": "mf_need"}], hubspot_deal_stage_history=stages)
    body = {"inputs": [{"id": "7"}], "properties": [], "propertiesWithHistory": ["dealstage"]}
    (deal,) = client.post("/crm/v3/objects/deals/batch/read", json=body).json()["results"]
    history = deal["propertiesWithHistory"]["dealstage"]
    assert [entry["value"] for entry in history] == ["mf_need", "mf_lead"]
    assert history[0]["updatedByUserId"] == 31


def test_associations_work_in_both_directions_and_name_what_is_missing(serve):
    client, _ = serve(
        hubspot_companies=[{"id": "1"}, {"id": "2"}],
        hubspot_deals=[{"id": "7", "company_ids": ["1"]}, {"id": "8", "company_ids": []}],
    )
    forward = client.post("/crm/v4/associations/deals/companies/batch/read", json={"inputs": [{"id": "7"}, {"id": "8"}]})
    assert forward.status_code == 207
    assert [(r["from"]["id"], [t["toObjectId"] for t in r["to"]]) for r in forward.json()["results"]] == [("7", [1])]
    assert forward.json()["errors"][0]["context"] == {"fromObjectId": ["8"]}
    backward = client.post("/crm/v4/associations/companies/deals/batch/read", json={"inputs": [{"id": "1"}]})
    assert backward.json()["results"][0]["to"][0]["toObjectId"] == 7
    many = {"inputs": [{"id": str(n)} for n in range(1001)]}
    assert client.post("/crm/v4/associations/deals/companies/batch/read", json=many).status_code == 400


def test_owners_page_by_id_and_keep_archived_ones_apart(serve):
    owners = [
        {"id": str(n), "email": f"o{n}@x.cn", "userId": str(n), "teams": '[{"id": "1", "name": "华东一组", "primary": true}]'}
        for n in (1, 2, 3)
    ]
    client, _ = serve(hubspot_owners=[*owners, {**owners[2], "_op": "archive"}])
    page = client.get("/crm/v3/owners/", params={"limit": 1}).json()
    assert page["paging"]["next"]["after"] == "1"
    assert page["results"][0]["teams"][0]["name"] == "华东一组"
    assert [o["id"] for o in client.get("/crm/v3/owners/", params={"archived": "true"}).json()["results"]] == ["3"]
    assert client.get("/crm/v3/owners/", params={"limit": 501}).status_code == 400


def test_the_191st_call_in_ten_seconds_is_429(serve, hand_clock):
    client, _ = serve()
    assert {client.get(COMPANIES).status_code for _ in range(190)} == {200}
    refused = client.get(COMPANIES)
    assert (refused.status_code, refused.json()["policyName"]) == (429, "TEN_SECONDLY_ROLLING")
    assert int(refused.headers["Retry-After"]) == 10
    hand_clock.seconds += 10
    assert client.get(COMPANIES).status_code == 200


def test_the_sixth_search_in_a_second_is_429_and_rate_scale_widens_it(serve, hand_clock):
    client, server = serve()
    assert [search(client).status_code for _ in range(6)] == [200] * 5 + [429]
    assert search(client).json()["policyName"] == "SECONDLY"
    assert server.counters["rate_limited"] == 2
    hand_clock.seconds += 1
    assert search(client).status_code == 200
    wide, _ = serve({"rate_scale": 2})
    assert [search(wide).status_code for _ in range(11)] == [200] * 10 + [429]


def test_faults_come_at_the_rate_that_is_set_and_repeat_with_the_seed(serve):
    def statuses() -> list[int]:
        client, _ = serve({"error_rate": 0.3, "rate_scale": 10})
        return [client.get(COMPANIES).status_code for _ in range(60)]

    first = statuses()
    assert set(first) == {200, 500, 502}
    assert first == statuses()


def test_search_lags_behind_an_advance_but_the_listing_does_not(serve, hand_clock, moment):
    later = moment + timedelta(days=1)
    client, server = serve({"search_lag_s": 5}, hubspot_companies=[{"id": "1"}, {"id": "2", "_valid_from": later}])
    server.advance(later)
    assert len(client.get(COMPANIES).json()["results"]) == 2
    assert search(client).json()["total"] == 1
    hand_clock.seconds += 5
    assert search(client).json()["total"] == 2
