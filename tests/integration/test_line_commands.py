"""The command line over a published home: answers for people and machines, one clear line for a mistake."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from orchestration.cli.app import app, main
from orchestration.lib.runs import RunOutcome
from tests.integration.line_harness import MARKS, Line, parse_json
from warehouse.ledger import CheckResult

pytestmark = MARKS

CURRENT = "where is_current"
OF_NO_CUSTOMER = "(source, source_key) not in (select (source, source_key) from crosswalk where is_current)"


def ask(*arguments: str) -> dict | list:
    answer = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return parse_json(answer.stdout)


def explain(*subjects: str) -> dict:
    answer = CliRunner().invoke(app, ["explain", *subjects, "--json"], catch_exceptions=False)
    assert answer.exit_code == 0
    return json.loads(answer.stdout)


def fail(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a mistake prints: one line on stderr, no traceback, exit code 1."""
    monkeypatch.setattr("sys.argv", ["goldthread", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    printed = capsys.readouterr()
    assert end.value.code == 1
    assert "Traceback" not in printed.err + printed.out
    assert printed.err.startswith("goldthread: ")
    return " ".join(printed.err.split())


def test_status_for_people_names_streams_verdict_and_publication(look):
    answer = CliRunner().invoke(app, ["status"], catch_exceptions=False)
    assert "hubspot.deals" in answer.stdout
    assert "verdict pass" in answer.stdout
    assert look.newest_run in answer.stdout


def test_quarantine_can_be_listed_for_one_stream(look):
    rows = ask("quarantine", "list", "--source", "forms", "--stream", "web_leads")
    assert rows
    assert {(row["source"], row["stream"]) for row in rows} == {("forms", "web_leads")}
    assert {"key", "reason", "payload", "batch_id", "row_no"} <= set(rows[0])


def test_explain_follows_a_customer_to_its_records_and_back(look):
    [[gid]] = look.read("select customer_gid from golden_customers order by n_records desc, customer_gid limit 1")
    answer = explain(gid)
    assert answer["customer_gid"] == gid
    assert len([row for row in answer["records"] if row["is_current"]]) == answer["golden"][0]["n_records"] > 1
    record = answer["records"][0]
    assert explain(f"{record['source']}:{record['source_key']}")["customer_gid"] == gid
    winners = {row["attribute"]: row for row in answer["lineage"] if row["is_winner"]}
    assert winners["company_name"]["value"] == answer["golden"][0]["company_name"]


def test_explain_weighs_the_evidence_of_a_pair(look, tmp_path):
    [[a, b, weight]] = look.read(
        "select source_a || ':' || source_key_a, source_b || ':' || source_key_b, weight from edges order by all limit 1"
    )
    answer = explain(a, b, "--picture", str(tmp_path / "pair.png"))
    assert answer["weight"] == pytest.approx(weight)
    assert len(answer["customers"]) == 2
    assert (tmp_path / "pair.png").read_bytes().startswith(b"\x89PNG")


def test_explain_says_what_joined_two_records_that_do_not_match_and_what_keeps_two_that_match_apart(look):
    joined = """
        select a.source || ':' || a.source_key, b.source || ':' || b.source_key
        from crosswalk as a join crosswalk as b using (customer_gid)
        where a.is_current and b.is_current and (a.source, a.source_key) < (b.source, b.source_key) and not exists (
            from edges
            where (source_a, source_key_a, source_b, source_key_b) = (a.source, a.source_key, b.source, b.source_key)
        ) order by all limit 1
    """
    [[a, b]] = look.read(joined)
    answer = explain(a, b)
    assert answer["verdict"] in {"grey", "no match"}
    assert (answer["are_one_customer"], answer["held_back"]) == (True, [])
    steps = [(":".join(step["a"]), ":".join(step["b"])) for step in answer["path"]]
    assert len(steps) > 1
    assert {a, b} < {end for step in steps for end in step}
    printed = CliRunner().invoke(app, ["explain", a, b], catch_exceptions=False).stdout
    assert f"joined: {steps[0][0]} and {steps[0][1]}: match, " in printed
    tree = explain(answer["customers"][0])["tree"]
    assert {a, b} <= {":".join(step["b"]) for step in tree}
    assert [step["depth"] for step in tree if step["a"] is None] == [0]
    [[a, b]] = look.read(
        "select source_a || ':' || source_key_a, source_b || ':' || source_key_b from edges "
        "join crosswalk as a on (a.source, a.source_key, a.is_current) = (source_a, source_key_a, true) "
        "join crosswalk as b on (b.source, b.source_key, b.is_current) = (source_b, source_key_b, true) "
        "where a.customer_gid <> b.customer_gid and weight >= 0 order by weight desc, source_key_a, source_key_b limit 1"
    )
    answer = explain(a, b)
    assert (answer["verdict"], answer["are_one_customer"], answer["path"]) == ("match", False, [])
    assert {held["kind"] for held in answer["held_back"]} <= {"guard", "veto", "outweighed"}
    assert answer["held_back"]


def test_explain_a_customer_in_words(look):
    [[gid, name]] = look.read(
        "select customer_gid, company_name from golden_customers order by n_records desc, customer_gid limit 1"
    )
    printed = CliRunner().invoke(app, ["explain", gid], catch_exceptions=False).stdout
    answer = explain(gid)
    assert name in printed
    lost = [row for row in answer["lineage"] if row["attribute"] == "company_name" and not row["is_winner"]]
    assert f"{lost[0]['source']}:{lost[0]['source_key']}" in printed
    assert "── " in printed
    assert f"{gid} issued" in printed


def test_explain_knows_persons_by_their_id_and_by_a_record_that_is_no_customers(look):
    [[gid]] = look.read("select person_gid from golden_persons order by n_records desc, person_gid limit 1")
    answer = explain(gid)
    assert (answer["entity"], answer["person_gid"], answer["also"]) == ("person", gid, [])
    assert len([row for row in answer["records"] if row["is_current"]]) == answer["golden"][0]["n_records"] > 1
    assert {row["attribute"] for row in answer["lineage"]} >= {"full_name"}
    assert answer["edges"]
    [[only]] = look.read(
        f"select source || ':' || source_key from person_crosswalk {CURRENT} and {OF_NO_CUSTOMER} order by all limit 1"
    )
    assert explain(only)["entity"] == "person"
    [[both]] = look.read(
        f"select source || ':' || source_key from person_crosswalk {CURRENT} and not {OF_NO_CUSTOMER} order by all limit 1"
    )
    told = explain(both)
    assert (told["entity"], told["also"]) == ("organisation", ["person"])
    person = explain(both, "--entity", "person")
    assert (person["entity"], person["also"]) == ("person", ["organisation"])
    assert person["person_gid"].startswith("per_")


def test_explain_weighs_two_records_of_persons_as_the_hub_did(look):
    [[a, b, weight]] = look.read(
        "select source_a || ':' || source_key_a, source_b || ':' || source_key_b, weight from person_edges "
        "where source_a = 'hubspot' and source_b = 'hubspot' and weight is not null order by all limit 1"
    )
    answer = explain(a, b)
    assert (answer["entity"], answer["weight"]) == ("person", pytest.approx(weight))
    assert {owner[:4] for owner in answer["customers"]} == {"per_"}
    printed = " ".join(CliRunner().invoke(app, ["explain", a, b], catch_exceptions=False).stdout.split())
    assert ("one person" if answer["are_one_customer"] else "two persons") in printed


def test_explain_shows_what_landed_for_a_record(look):
    [[reference]] = look.read("select record_ref from fct_invoice order by all limit 1")
    answer = explain(reference)
    assert json.dumps(answer["key"]) == reference.split("/", 2)[2]
    assert len(answer["accepted"]) == len(answer["verbatim"]) == 1
    assert str(answer["verbatim"][0]["SBVID"]) == answer["key"][0]


def test_explain_opens_a_score_to_the_records_that_it_counts(look):
    [[reference, numerator, n]] = look.read(
        "select evidence_ref, numerator, n_evidence from fct_score_item where n_evidence > 1 order by all limit 1"
    )
    answer = explain(reference)
    [evidence] = answer["evidence"]
    assert answer["figure"]["evidence_ref"] == reference
    assert len(evidence["rows"]) == evidence["counted"]["n_evidence"] == n
    assert sum(float(row["numerator_value"]) for row in evidence["rows"]) == pytest.approx(float(numerator))
    references = [row["record_ref"] for row in evidence["rows"][:2]]
    assert [explain(record)["record_ref"] for record in references] == references


def test_explain_opens_a_figure_that_counts_rows_of_several_tables(look):
    [[reference]] = look.read(
        "select evidence_ref from fct_payment_attainment where n_due > 0 and n_stage_exits > 0 order by all limit 1"
    )
    answer = explain(reference)
    assert [part["table"] for part in answer["evidence"]] == ["fct_receipt", "fct_receipt_plan", "fct_stage_visit"]
    for part in answer["evidence"]:
        for figure, value in part["counted"].items():
            assert float(answer["figure"][figure]) == pytest.approx(float(value)), figure


@pytest.mark.parametrize("table", ["dim_customer", "dim_team", "fct_opportunity", "fct_stage_visit", "fct_receipt_plan"])
def test_explain_opens_the_counts_of_a_table_without_evidence_ref_by_the_key_of_the_row(look, table):
    [[figure]] = look.read(f"select figure from ref_evidence where figure_table = '{table}' order by all limit 1")
    [[key, *_]] = look.read(f'select * from {table} order by "{figure}" desc nulls last, 1 limit 1')
    answer = explain(f"marts/{table}/{key}")
    [evidence] = [found for found in answer["evidence"] if figure in found["counted"]]
    assert evidence["rows"]
    assert float(evidence["counted"][figure]) == float(answer["figure"][figure]) > 0


def test_the_list_of_pairs_says_of_how_many_it_shows_the_first(look):
    wait = len(ask("review", "list", "--limit", "1000"))
    assert wait > 2
    assert f"2 of {wait} pairs to decide" in CliRunner().invoke(app, ["review", "list", "--limit", "2"]).stdout
    assert f"\n{wait} pairs to decide" in "\n" + CliRunner().invoke(app, ["review", "list", "--limit", "1000"]).stdout


@pytest.mark.parametrize(
    ("check", "shown"), [("hub_invariants", "would not publish that: 23.6% of"), ("golden_values", "golden_values: 23.6% of")]
)
def test_resolve_shows_what_a_run_would_change_though_it_were_held_back_and_why(line, monkeypatch, capsys, check, shown):
    def break_a_check(job, instance, *_, **__):
        line.stores.ledger.start_run("another")
        line.stores.ledger.record_checks("another", [CheckResult(check, False, "23.6% of known records change their id")])
        return RunOutcome("another", False, ("1 blocking asset check failed",))

    monkeypatch.setattr("orchestration.lib.runs.run_job", break_a_check)
    assert shown in fail(monkeypatch, capsys, "resolve")
    answer = CliRunner().invoke(app, ["resolve"])
    assert ("records are" in answer.stdout) == (check == "hub_invariants")


def test_a_rollback_serves_the_older_data_and_publish_brings_the_newer_back(line):
    first, newer = line.newest_run, "newer"
    ledger = line.stores.ledger
    ledger.start_run(newer)
    ledger.record_checks(newer, [CheckResult("a", True)])
    ledger.decide(newer)
    assert ask("publish")["run_id"] == newer
    served = line.hash_served()
    back = ask("rollback", "--reason", "数字不对", "--by", "reviewer")
    assert (back["run_id"], back["seq"]) == (first, 3)
    assert line.read("select run_id, restored_seq, restored_by, restored_reason from _publication") == [
        (first, 1, "reviewer", "数字不对")
    ]
    assert ask("status")["publication"]["restored_at"]
    again = ask("publish")
    assert (again["run_id"], again["seq"]) == (newer, 4)
    assert line.read("select run_id, restored_seq from _publication") == [(newer, None)]
    assert line.hash_served() != served


def test_publishing_after_a_run_without_news_says_that_nothing_is_newer(line):
    ledger, before = line.stores.ledger, line.hash_served()
    ledger.start_run("no-news")
    ledger.finish_run("no-news", "succeeded")
    answer = CliRunner().invoke(app, ["publish"], catch_exceptions=False)
    assert answer.exit_code == 0
    assert "nothing is newer than that" in answer.stdout
    assert ask("publish")["seq"] == 1
    assert line.hash_served() == before


def test_publishing_what_is_served_already_changes_nothing(line):
    before = line.hash_served()
    assert ask("publish")["seq"] == 1
    assert line.hash_served() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--source", "sap"], ("sap", "not in this project", "hubspot, u8, wecom, forms")),
        (["run", "--rebuild", "--full"], ("--rebuild reads no source",)),
        (["explain", "cus_nobody"], ("cus_nobody is no live customer",)),
        (["explain", "per_nobody"], ("per_nobody is no live person",)),
        (["explain", "cus_nobody", "--entity", "person"], ("the ID is of organisation and not of person",)),
        (["explain", "u8:1", "--entity", "firm"], ("no entity firm: organisation, person",)),
        (["explain", "nobody"], ("write an ID, or SOURCE:KEY",)),
        (["explain", "hubspot:0", "u8:0"], ("hubspot",)),
        (["explain", "a/b"], ("no record_ref",)),
        (["explain", "u8:1", "--picture", "x.png"], ("two records",)),
        (["explain", "nothing/here/1"], ("nothing has landed for nothing.here",)),
        (["explain", 'marts/fct_score_item/["1999-01-01","nobody","B","nps"]'], ("no such figure",)),
        (["explain", 'marts/nothing/["1"]'], ("no such figure",)),
        (["rollback", "--reason", "x"], ("no publication earlier",)),
        (["--project", "/nowhere", "status"], ("no project at /nowhere",)),
    ],
)
def test_a_mistake_ends_in_one_line_that_says_what_to_do(look, monkeypatch, capsys, arguments, words):
    printed = fail(monkeypatch, capsys, *arguments)
    assert [word for word in words if word not in printed] == [], printed


def test_a_clock_that_is_no_time_is_named_and_nothing_is_read(line: Line, monkeypatch):
    line = line.enter(monkeypatch, SANDBOX_AS_OF="last Tuesday")
    before = line.hash_served()
    answer = CliRunner().invoke(app, ["run", "--source", "forms", "--json"], catch_exceptions=False)
    assert answer.exit_code == 1
    assert "'last Tuesday' is no time with a zone" in " ".join(parse_json(answer.stdout)["errors"])
    assert line.hash_served() == before


def test_a_home_that_another_run_holds_is_left_alone_and_its_holder_is_named(line: Line):
    with line.stores.home.hold_run_lock("the-other-run"):
        answer = CliRunner().invoke(app, ["run", "--source", "forms", "--json"], catch_exceptions=False)
    assert answer.exit_code == 1
    assert "the-other-run" in " ".join(parse_json(answer.stdout)["errors"])
    assert line.newest_run != "the-other-run"


def test_a_missing_variable_stops_its_source_and_is_named(line: Line, monkeypatch):
    line = line.enter(monkeypatch, HUBSPOT_TOKEN="")
    outcome = line.sync_streams("hubspot")
    details = {(severity, detail) for _, severity, detail in line.check(outcome.run_id, "synced").values()}
    assert not outcome.success
    [(severity, detail)] = details
    assert severity == "error"
    assert "not read: source hubspot: the variable HUBSPOT_TOKEN is not set" in detail
