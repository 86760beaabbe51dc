"""HubSpot sync against a small HubSpot in memory."""

import json
from datetime import timedelta
from typing import Any

import httpx
import polars as pl
import pytest

from connectors.crm.hubspot import HubSpot, connect
from connectors.crm.hubspot_api import judge_hubspot
from connectors.errors import AuthExpired, BadRequest, ConfigurationError, ContractBroken, Gone, PermissionDenied, RateLimited
from connectors.http import Reply
from tests.unit.connectors.fake_hubspot import START, FakeHubSpot, cursor_at, fill, ids_of, iso


@pytest.fixture
def fake() -> FakeHubSpot:
    return FakeHubSpot()


def test_rows_are_flat_text_with_the_declared_columns_only(fake: FakeHubSpot) -> None:
    fake.put(1, START, name="甲公司", phone="00123", tax_no=None)
    (batch,) = fake.hubspot().read("companies", None)
    assert {str(dtype) for dtype in batch.rows.dtypes} == {"String"}
    assert not [name for name in batch.rows.columns if name.startswith("_")]
    row = batch.rows.row(0, named=True)
    assert row == {
        "id": "1",
        "name": "甲公司",
        "phone": "00123",
        "tax_no": None,
        "hs_lastmodifieddate": "2026-01-01T00:00:00.000Z",
        "createdAt": "2026-01-01T00:00:00.000Z",
        "updatedAt": "2026-01-01T00:00:00.000Z",
        "archived": "false",
    }
    assert "domain" not in batch.rows.columns, "a property that the portal does not have is a missing column"


def test_a_first_read_brings_every_record_and_the_cursor_of_the_newest_change(fake: FakeHubSpot) -> None:
    fill(fake, 25)
    batches = list(fake.hubspot(page_size=10, batch_rows=10).read("companies", None))
    assert ids_of(batches) == [str(n) for n in range(1, 26)]
    assert batches[-1].cursor == {"kind": "watermark", "modified_at": "2026-01-01T00:25:00.000Z", "archived_at": None}


def test_a_killed_first_read_goes_on_at_the_page_it_reached(fake: FakeHubSpot) -> None:
    fill(fake, 25)
    hubspot = fake.hubspot(page_size=10, batch_rows=10)
    first = next(iter(hubspot.read("companies", None)))
    rest = list(hubspot.read("companies", first.cursor))
    assert ids_of([first, *rest]) == [str(n) for n in range(1, 26)]
    assert rest[-1].cursor["modified_at"] == "2026-01-01T00:25:00.000Z"
    assert all(batch.rereads for batch in rest)
    assert not any(batch.live_keys is not None for batch in rest), "half a walk is not the complete list"


def test_a_change_during_the_first_read_is_not_lost(fake: FakeHubSpot) -> None:
    fill(fake, 20)
    changed = START + timedelta(hours=5)

    def change(path: str, number: int) -> None:
        if number == 3:  # the probe and page one are read; record 1 changes, then record 15 later still
            fake.put(1, changed, name="changed")
            fake.put(15, changed + timedelta(hours=2))

    fake.before_call = change
    hubspot = fake.hubspot(page_size=10)
    cursor = list(hubspot.read("companies", None))[-1].cursor
    assert "1" in ids_of(hubspot.read("companies", cursor))


def test_a_full_read_ends_with_the_complete_list_of_ids(fake: FakeHubSpot) -> None:
    fill(fake, 25)
    fake.archived["companies"][3] = START
    batches = list(fake.hubspot(page_size=10, batch_rows=10).read("companies", {"any": "cursor"}, full=True))
    live = batches[-1].live_keys
    assert live is not None
    assert set(live["id"]) == {str(n) for n in range(1, 26)} - {"3"}
    assert all(batch.live_keys is None for batch in batches[:-1])
    assert all(batch.rereads for batch in batches)


def test_records_archived_since_the_last_read_become_deletes(fake: FakeHubSpot) -> None:
    fill(fake, 5)
    hubspot = fake.hubspot(overlap=timedelta(minutes=1))
    fake.archived["companies"] = {1: START, 2: START + timedelta(days=1)}
    (batch,) = hubspot.read("companies", cursor_at(START + timedelta(days=1), iso(START + timedelta(hours=1))))
    assert batch.deleted is not None
    assert batch.deleted["id"].to_list() == ["2"]
    assert batch.cursor["archived_at"] == iso(START + timedelta(days=1))
    fake.archived["companies"][4] = START + timedelta(days=2)
    (later,) = hubspot.read("companies", batch.cursor)
    assert later.deleted is not None
    assert later.deleted["id"].to_list() == ["2", "4"], "the seam comes again; landing drops repeated deletes"


def test_merged_away_ids_become_deletes_and_leave_the_rows(fake: FakeHubSpot) -> None:
    fill(fake, 5)
    fake.put(6, START + timedelta(hours=1), hs_merged_object_ids="2;999")
    (batch,) = fake.hubspot().read("companies", None)
    assert batch.deleted is not None
    assert batch.deleted["id"].to_list() == ["2", "999"]
    assert "2" not in ids_of([batch])


def test_associations_become_json_lists_of_ids(fake: FakeHubSpot) -> None:
    fill(fake, 3, "deals")
    fake.links["deals", "companies"] = {"1": [11], "3": [31, 32, 33, 34, 35]}
    (batch,) = fake.hubspot().read("deals", None)
    assert batch.rows["company_ids"].to_list() == ['["11"]', "[]", '["31", "32", "33", "34", "35"]']
    assert batch.rows["contact_ids"].to_list() == ["[]"] * 3


def test_companies_cost_no_association_calls(fake: FakeHubSpot) -> None:
    fill(fake, 3)
    list(fake.hubspot().read("companies", None))
    assert not [path for path, _ in fake.calls if "associations" in path]


def test_stage_history_is_read_fifty_deals_at_a_time(fake: FakeHubSpot) -> None:
    fill(fake, 120, "deals")
    fake.history = {
        "7": [
            {"value": "mf_need", "timestamp": "2026-02-01T00:00:00.000Z", "sourceType": "CRM_UI", "updatedByUserId": 5},
            {"value": "mf_lead", "timestamp": "2026-01-01T00:00:00.000Z", "sourceType": "IMPORT"},
        ]
    }
    (batch,) = fake.hubspot().read("deal_stage_history", None)
    assert batch.rows.rows() == [
        ("7", "mf_need", "2026-02-01T00:00:00.000Z", "CRM_UI", "5"),
        ("7", "mf_lead", "2026-01-01T00:00:00.000Z", "IMPORT", None),
    ]
    reads = [len(body["inputs"]) for path, body in fake.calls if path.endswith("batch/read")]
    assert reads == [50, 50, 20]
    fake.put(7, START + timedelta(days=2), "deals")
    (change,) = fake.hubspot().read("deal_stage_history", batch.cursor)
    assert change.rows.height == 2
    assert change.cursor["modified_at"] == iso(START + timedelta(days=2))


def test_owners_are_read_active_and_archived(fake: FakeHubSpot) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        archived = request.url.params["archived"] == "true"
        teams = [{"id": "9", "name": "华东一队"}]
        owner = {"id": "2" if archived else "1", "email": "a@b.cn", "userId": 7, "teams": teams, "archived": archived}
        return httpx.Response(200, json={"results": [owner]})

    hubspot = HubSpot("crm", "https://hub.test", "t", transport=httpx.MockTransport(answer))
    (batch,) = hubspot.read("owners", None)
    assert batch.rows.select("id", "archived", "userId").rows() == [("1", "false", "7"), ("2", "true", "7")]
    assert json.loads(batch.rows["teams"][0])[0]["name"] == "华东一队"
    assert batch.live_keys is not None
    assert batch.live_keys["id"].to_list() == ["1", "2"]
    assert batch.cursor["kind"] == "full"


def test_an_answer_without_results_is_an_error(fake: FakeHubSpot) -> None:
    fake.broken = {"total": 0}
    with pytest.raises(ContractBroken, match="has no list 'results'"):
        list(fake.hubspot().read("companies", cursor_at(START)))


def test_a_search_that_reports_more_than_it_gives_is_an_error(fake: FakeHubSpot) -> None:
    fake.put(1, START)
    fake.broken = {"total": 3, "results": [fake.render("companies", 1)]}
    with pytest.raises(ContractBroken, match="1 results on a page of 200, but it reports 3"):
        list(fake.hubspot().read("companies", cursor_at(START)))


def test_a_search_that_does_not_sort_is_an_error(fake: FakeHubSpot) -> None:
    fill(fake, 2)
    fake.broken = {"total": 2, "results": [fake.render("companies", 2), fake.render("companies", 1)]}
    with pytest.raises(ContractBroken, match="not sorted"):
        list(fake.hubspot().read("companies", cursor_at(START)))


def test_a_record_of_another_shape_fails_its_stream_in_our_words(fake: FakeHubSpot) -> None:
    fake.broken = {"results": [{"id": "1"}]}
    with pytest.raises(ContractBroken, match="HubSpot companies: a record is not shaped as documented: KeyError"):
        list(fake.hubspot().read("companies", {"kind": "watermark", "modified_at": iso(START), "after": "5"}))


def test_an_unknown_stream_is_named(fake: FakeHubSpot) -> None:
    with pytest.raises(BadRequest, match="no stream 'invoices'; it has owners"):
        list(fake.hubspot().read("invoices", None))


def refusal(status: int, headers: dict[str, str] | None = None, **body: Any) -> Exception | None:
    return judge_hubspot(Reply("GET /x", status, headers or {}, {"status": "error", "message": "m", **body}))


def test_refusals_are_classified() -> None:
    assert isinstance(refusal(401, category="INVALID_AUTHENTICATION"), AuthExpired)
    assert isinstance(refusal(404, category="OBJECT_NOT_FOUND"), Gone)
    scopes = [{"context": {"requiredGranularScopes": ["crm.objects.deals.read"]}}]
    denied = refusal(403, category="MISSING_SCOPES", errors=scopes)
    assert isinstance(denied, PermissionDenied)
    assert "crm.objects.deals.read" in str(denied)
    limited = refusal(429, {"retry-after": "3"}, errorType="RATE_LIMIT", policyName="SECONDLY")
    assert isinstance(limited, RateLimited)
    assert limited.wait_seconds == 3
    daily = refusal(429, errorType="RATE_LIMIT", policyName="DAILY")
    assert isinstance(daily, RateLimited)
    assert daily.wait_seconds == 86_400, "waiting for a daily quota is not done inside a run"
    assert isinstance(refusal(200), Exception), "the body counts, not the status"


def test_a_refused_token_says_which_setting_to_change() -> None:
    answers = httpx.MockTransport(lambda request: httpx.Response(401, json={"status": "error", "message": "no"}))
    with pytest.raises(AuthExpired, match="setting 'token'"):
        list(HubSpot("crm", "https://hub.test", "t", transport=answers).read("owners", None))


def test_the_dated_api_version_changes_the_path(fake: FakeHubSpot) -> None:
    fake.broken = {"results": [], "total": 0}
    list(fake.hubspot(api_version="2026-09").read("companies", cursor_at(START)))
    assert fake.calls[0][0] == "/crm/objects/2026-09/companies/search"


def test_a_connection_needs_a_token() -> None:
    with pytest.raises(ConfigurationError, match="'token' is missing"):
        connect("crm", {"url": "https://x"})
    assert connect("crm", {"token": "t"}).source == "crm"


def test_rejects_cannot_be_retried(fake: FakeHubSpot) -> None:
    assert fake.hubspot().retry("companies", pl.DataFrame()) is None
