"""Mistakes in the project, its contracts, the environment or the home: one line that says what, where, and what to do."""

import json
import os
import tempfile
from pathlib import Path

import pytest

from orchestration.cli import app as command
from orchestration.lib.configuration import list_secrets
from orchestration.project import ProjectError, current_project, make_home
from warehouse.home import Home

PROJECT = "name: shop\nsources:\n  archive:\n    connector: files\n    folder: ${ARCHIVE}\n    contracts: contracts\n"
CONTRACT = """stream: orders
description: Orders.
files: "*.csv"
format: csv
key: [order_no]
columns:
  order_no: {required: true}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A sound project whose home is beside it."""
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "orders.yaml").write_text(CONTRACT, encoding="utf-8")
    (tmp_path / "goldthread.yaml").write_text(PROJECT, encoding="utf-8")
    for name, value in {"PROJECT": tmp_path, "HOME": tmp_path / "home", "LEDGER": "", "ERASURE_KEY": ""}.items():
        monkeypatch.setenv(f"GOLDTHREAD_{name}", str(value))
    monkeypatch.setenv("ARCHIVE", str(tmp_path))
    current_project.cache_clear()
    yield tmp_path
    current_project.cache_clear()


def fail(monkeypatch, capsys, *arguments):
    """What the command prints on stderr, which must be one line; its exit code is 1."""
    monkeypatch.setattr("sys.argv", ["goldthread", *arguments])
    with pytest.raises(SystemExit) as end:
        command.main()
    printed = capsys.readouterr()
    assert (end.value.code, printed.out) == (1, "")
    [line] = printed.err.splitlines()
    assert line.startswith("goldthread: ")
    return line


@pytest.mark.parametrize(
    ("file", "right", "wrong", "words"),
    [
        ("contracts/orders.yaml", "[order_no]", "[file.row_id]", ("orders.yaml", "key", "'file.row_id'", "there are order_no")),
        ("contracts/orders.yaml", "format: csv", "format: cvs", ("orders.yaml", "format", "'csv', 'excel'")),
        ("contracts/orders.yaml", "key:", "kye:", ("orders.yaml", "kye: no such setting; there are", "key")),
        ("contracts/orders.yaml", "stream: orders", "- [", ("orders.yaml", "is no YAML")),
        (
            "goldthread.yaml",
            ": files",
            ": filez",
            ("goldthread.yaml: sources.archive.connector", "filez", "hubspot, wecom, u8, files"),
        ),
        (
            "goldthread.yaml",
            "folder:",
            "foldr:",
            ("goldthread.yaml: sources.archive.foldr", "no such setting; it has folder, contracts"),
        ),
        (
            "goldthread.yaml",
            "    folder: ${ARCHIVE}\n",
            "",
            ("goldthread.yaml: sources.archive.folder", "is missing", "folder of the files"),
        ),
        ("goldthread.yaml", "folder: ${ARCHIVE}", "folder:", ("sources.archive.folder", "is missing or empty")),
        ("goldthread.yaml", "contracts: contracts", "contracts: cntrcts", ("cntrcts", "no such folder")),
        (
            "goldthread.yaml",
            "${ARCHIVE}",
            "${ARCHIV}",
            ("source archive", "ARCHIV is not set", "set it in the environment or in"),
        ),
        ("goldthread.yaml", "name: shop", "name: shop\nas_of: noon", ("as_of", "'noon' is no time with a zone")),
    ],
)
def test_a_mistake_in_the_project_is_one_line_with_the_place_and_what_may_stand_there(
    folder, monkeypatch, capsys, file, right, wrong, words
):
    path = folder / file
    path.write_text(path.read_text(encoding="utf-8").replace(right, wrong), encoding="utf-8")
    printed = fail(monkeypatch, capsys, "run")
    assert [word for word in words if word not in printed] == [], printed
    assert not (folder / "home" / "ledger.db").exists()


def test_a_source_that_is_not_read_needs_no_variable(folder, monkeypatch, capsys):
    text = PROJECT + "  other:\n    connector: files\n    folder: ${NOWHERE}\n    contracts: cntrcts\n"
    (folder / "goldthread.yaml").write_text(text, encoding="utf-8")
    # what it stumbles over is the next mistake
    assert "cntrcts" in fail(monkeypatch, capsys, "run", "--source", "archive")
    assert "NOWHERE is not set" in fail(monkeypatch, capsys, "run", "--source", "other")


@pytest.mark.parametrize("name", ["run", "demo"])
def test_a_home_that_cannot_be_made_is_named_with_the_setting(folder, monkeypatch, capsys, name):
    monkeypatch.setenv("GOLDTHREAD_HOME", "/proc/nowhere/home")
    printed = fail(monkeypatch, capsys, name)
    assert "/proc/nowhere/home cannot be made" in printed
    assert "set GOLDTHREAD_HOME (--home)" in printed


def test_a_home_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "home").write_text("", encoding="utf-8")
    with pytest.raises(ProjectError, match=r"home cannot be made or written to \(File exists\)"):
        make_home(tmp_path / "home")


@pytest.mark.parametrize("name", ["run", "demo"])
def test_a_home_that_a_run_holds_is_refused_before_anything_is_loaded(folder, monkeypatch, capsys, name):
    with Home(folder / "home").hold_run_lock("first"):
        printed = fail(monkeypatch, capsys, name)
    assert f"another run holds {folder / 'home'}: run first, process {os.getpid()}, since 20" in printed
    assert "Wait for it to end, or end that process" in printed


def test_a_program_is_told_of_a_mistake_in_json(folder, monkeypatch, capsys):
    monkeypatch.delenv("ARCHIVE")
    monkeypatch.setattr("sys.argv", ["goldthread", "run", "--json"])
    with pytest.raises(SystemExit) as end:
        command.main()
    [error] = json.loads(capsys.readouterr().out)["errors"]
    assert end.value.code == 1
    assert "ARCHIVE is not set" in error


def test_what_nobody_foresaw_is_one_line_and_a_file_without_secrets(folder, monkeypatch, capsys):
    secret = "pat-0123456789"
    (folder / "goldthread.yaml").write_text(
        PROJECT + "  crm:\n    connector: hubspot\n    base_url: http://x\n    token: ${CRM_TOKEN}\n", encoding="utf-8"
    )
    monkeypatch.setenv("CRM_TOKEN", secret)

    def break_down(*_arguments: object) -> None:
        raise RuntimeError(f"a bolt broke at {secret} of anna@example.com")

    monkeypatch.setattr("orchestration.lib.configuration.declare_project", break_down)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    (folder / "home").mkdir()
    for home, where in ((folder / "home", folder / "home"), (folder / "none", folder)):
        monkeypatch.setenv("GOLDTHREAD_HOME", str(home))
        current_project.cache_clear()
        printed = fail(monkeypatch, capsys, "run")
        assert "RuntimeError: a bolt broke at *** of ***" in printed
        file = Path(printed.partition("The traceback is in ")[2].partition(";")[0])
        text = file.read_text(encoding="utf-8")
        assert "in break_down" in text
        assert secret not in text
        assert file.stat().st_mode & 0o077 == 0
        assert file.parent.parent == where
    assert list_secrets(current_project()) == [secret]
