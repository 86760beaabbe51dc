"""The sandbox as a whole: real sockets, a real PostgreSQL, time that passes, and a clean end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import connectorx
import httpx
import polars as pl
import psycopg
import pytest

from orchestration.lib.sandbox import SandboxOptions, start_sandbox
from sandbox.company import Company
from sandbox.schema import SCHEMAS, TRUTH, VERSION
from sandbox.serve import STAGES, ServeOptions, start

pytestmark = pytest.mark.integration

AS_OF = datetime(2026, 6, 30, 10, tzinfo=UTC)
LATER = AS_OF + timedelta(days=3)


def a_company(**rows: list[dict[str, Any]]) -> Company:
    tables = {}
    for name, columns in SCHEMAS.items():
        given = [{"_valid_from": AS_OF, "_op": "upsert"} | row for row in rows.get(name.replace(".", "_"), [])]
        tables[name] = pl.DataFrame(given, schema=columns | VERSION)
    truth = {name: pl.DataFrame(schema=columns) for name, columns in TRUTH.items()}
    return Company(AS_OF, AS_OF + timedelta(days=31), tables, truth)


def an_order(number: int, **more: Any) -> dict[str, Any]:
    return {
        "ID": number,
        "cSOCode": f"SO{number}",
        "cCusCode": "C1",
        "dDate": AS_OF.date(),
        "dcreatesystime": AS_OF,
        "iStatus": 1,
    } | more


COMPANY = {
    "u8_orders": [
        an_order(1),
        an_order(2),
        an_order(1, cCloser="李四", _valid_from=LATER),
        an_order(2, _op="delete", _valid_from=LATER),
        an_order(3, _valid_from=LATER),
    ],
    "u8_customers": [{"cCusCode": "C1", "cCusName": '东海机械，有限"公司"', "dModifyDate": AS_OF}],
    "hubspot_companies": [
        {"id": str(n), "name": f"公司{n}", "createdate": at, "hs_lastmodifieddate": at, "_valid_from": at}
        for n, at in ((1, AS_OF), (2, LATER))
    ],
    "wecom_events": [
        {"event_id": f"e{n}", "event": "change_external_contact", "create_time": at, "_valid_from": at}
        for n, at in ((1, AS_OF), (2, LATER))
    ],
}


def processes_in(folder: Path) -> list[int]:
    """Process ids whose command line names `folder`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(folder).encode() in command and b"postgres" in command:
                found.append(int(entry.name))
    return found


def wait_until(holds, seconds: float = 240) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    directory = tmp_path_factory.mktemp("company")
    with start(directory, options=ServeOptions(error_rate=0), company=a_company(**COMPANY)) as sandbox:
        yield sandbox, directory


def test_endpoints_tell_a_pipeline_everything(served):
    sandbox, directory = served
    endpoints = json.loads((directory / "endpoints.json").read_text(encoding="utf-8"))
    assert endpoints["env"] == sandbox.env
    assert set(endpoints["env"]) == {
        "HUBSPOT_URL",
        "HUBSPOT_TOKEN",
        "U8_DATABASE_URL",
        "WECOM_URL",
        "WECOM_CORP_ID",
        "WECOM_SECRET",
        "WECOM_CALLBACK_TOKEN",
        "WECOM_CALLBACK_AES_KEY",
        "WECOM_INBOX",
        "FORMS_FOLDER",
        "SANDBOX_CONTROL_URL",
    }
    assert (Path(endpoints["truth"]) / "parties.parquet").exists()


def test_the_erp_is_read_by_psycopg_and_connectorx_but_not_written(served):
    sandbox, _ = served
    url = sandbox.env["U8_DATABASE_URL"]
    frame = connectorx.read_sql(url, 'select * from "Customer"', return_type="polars")
    assert frame["cCusName"].to_list() == ['东海机械，有限"公司"']
    # China's wall clock, without a zone
    assert frame["dModifyDate"].to_list() == [datetime(2026, 6, 30, 18)]  # noqa: DTZ001
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute('delete from "Customer"')
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute('delete from "Customer"')


def test_time_passes_in_every_system(served):
    sandbox, directory = served
    with psycopg.connect(sandbox.env["U8_DATABASE_URL"]) as connection:
        before = dict(connection.execute('select "ID", ufts from "SO_SOMain"').fetchall())
    assert set(before) == {1, 2}
    headers = {"Authorization": f"Bearer {sandbox.env['HUBSPOT_TOKEN']}"}
    companies = f"{sandbox.env['HUBSPOT_URL']}/crm/v3/objects/companies"
    assert len(httpx.get(companies, headers=headers).json()["results"]) == 1

    answer = httpx.post(f"{sandbox.env['SANDBOX_CONTROL_URL']}/advance", json={"days": 7}, timeout=60)
    assert answer.json()["as_of"] == (AS_OF + timedelta(days=7)).isoformat()

    with psycopg.connect(sandbox.env["U8_DATABASE_URL"]) as connection:
        after = {key: (closer, ufts) for key, closer, ufts in connection.execute('select "ID", "cCloser", ufts from "SO_SOMain"')}
    assert set(after) == {1, 3}
    assert after[1][0] == "李四"
    assert min(ufts for _, ufts in after.values()) > max(before.values())
    assert len(httpx.get(companies, headers=headers).json()["results"]) == 2
    assert len(list((directory / "wecom-inbox").glob("*.json"))) == 2
    state = httpx.get(f"{sandbox.env['SANDBOX_CONTROL_URL']}/state").json()
    assert state["counts"]["u8"]["orders"] == 2
    assert state["requests"]["hubspot"]["requests"] == 2


@pytest.mark.parametrize("body", [b"", b"{}", b'{"days": -1}', b"[]"])
def test_a_senseless_advance_is_refused(served, body):
    sandbox, _ = served
    assert httpx.post(f"{sandbox.env['SANDBOX_CONTROL_URL']}/advance", content=body).status_code == 400


def test_the_same_directory_can_be_served_again_from_the_beginning(tmp_path):
    for _ in range(2):
        with start(tmp_path, options=ServeOptions(error_rate=0), company=a_company(**COMPANY)) as sandbox:
            assert sandbox.describe_state()["counts"]["u8"]["orders"] == 2
            assert len(list((tmp_path / "wecom-inbox").iterdir())) == 1
            sandbox.advance(7)
    assert not processes_in(tmp_path)
    assert not (tmp_path / "endpoints.json").exists()


def test_who_waits_for_the_systems_is_told_every_stage(tmp_path):
    told = [(0, [])]
    with start_sandbox(tmp_path, SandboxOptions(0.01)) as wait_until_ready:
        wait_until_ready(lambda count, done: told.append((count, list(done))))
    counts = [len(done) for _, done in told]
    assert counts == sorted(counts)
    assert len(set(counts)) > 2
    assert told[-1][0] == len(STAGES)
    assert "".join((tmp_path / "sandbox" / "serve.log").read_text().splitlines()).count("done: ") == len(STAGES)


def test_a_directory_with_someone_elses_folders_is_left_alone(tmp_path):
    mine = tmp_path / "forms" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("keep", encoding="utf-8")
    with pytest.raises(FileExistsError, match="not made by the sandbox"):
        start(tmp_path, company=a_company())
    assert mine.exists()


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGTERM, 0), (signal.SIGKILL, -9)], ids=["SIGTERM", "SIGKILL"])
def test_no_postgres_is_left_behind(tmp_path, number, exit_code):
    command = [sys.executable, "-m", "sandbox", "serve", "--dir", str(tmp_path), "--scale", "0.01", "--error-rate", "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            assert wait_until((tmp_path / "endpoints.json").exists)
            assert processes_in(tmp_path)
        finally:
            process.send_signal(number)
        assert process.wait(240) == exit_code
    assert wait_until(lambda: not processes_in(tmp_path))
