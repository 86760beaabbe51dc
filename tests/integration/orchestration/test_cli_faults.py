"""What goes wrong about a hub in a folder ends in one clear line: a full disk, a hub in use, files damaged or missing."""

import errno
import shutil
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from hub.store import hold_lock
from orchestration.cli.app import app
from orchestration.cli.unforeseen import keep_traceback
from orchestration.project import ProjectError

pytestmark = pytest.mark.integration
_ROWS = (
    "source,source_key,company_name,mobile",
    "crm,1,苏州精卓机械设备有限公司,13900001111",
    "crm,2,苏州精卓机械设备,13900001111",
    "erp,8,苏州精卓机械,13900001112",
)
_DECIDE = (
    ["merge", "crm:1", "erp:8"],
    ["never", "crm:1", "erp:8"],
    ["split", "crm:1", "--records", "crm:1"],
    ["undo", "dec_0"],
    ["review", "import", "TABLE"],
)
_ADD = ["resolve", "CRM", "--out", "OUT"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with crm.csv, a hub about which somebody decided, and an exported queue."""
    folder = tmp_path_factory.mktemp("faults")
    crm, hub = folder / "crm.csv", folder / "hub"
    crm.write_text("\n".join(_ROWS), encoding="utf-8")
    for arguments in (
        ["resolve", crm, "--entity", "organisation", "--hub", hub, "--out", folder / "out"],
        ["never", "crm:1", "erp:8", "--hub", hub],
        ["review", "export", folder / "table.csv", "--hub", hub],
    ):
        answer = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
        assert answer.exit_code == 0, answer.output
    return folder


def _fail(folder: Path, hub: Path, arguments: list[str]) -> str:
    places = {"TABLE": folder / "table.csv", "CRM": folder / "crm.csv", "OUT": folder / "out"}
    answer = CliRunner().invoke(app, [*(str(places.get(one, one)) for one in arguments), "--hub", str(hub)])
    assert isinstance(answer.exception, ProjectError), answer.output
    return str(answer.exception)


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_full_disk_is_told_of_though_the_library_names_no_file(made: Path, tmp_path: Path, ending: str) -> None:
    (tmp_path / f"full.{ending}").symlink_to("/dev/full")
    assert "No space left on device" in _fail(made, made / "hub", ["review", "export", str(tmp_path / f"full.{ending}")])


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError("No space left on device (os error 28)"),
        pl.exceptions.ComputeError("parquet: underlying IO error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_is_told_with_the_folders_that_are_written_to(made: Path, monkeypatch, error: Exception) -> None:
    def fill(*_) -> None:
        raise error

    monkeypatch.setattr("hub.results.writing._write_parquet", fill)
    told = _fail(made, made / "hub", _ADD)
    assert told.startswith(f"no space is left for {made / 'hub'} or {made / 'out'}: free some")


def test_the_one_line_comes_though_no_traceback_can_be_kept(monkeypatch) -> None:
    monkeypatch.setattr("orchestration.cli.unforeseen._choose_file", lambda: Path("/dev/full"))
    monkeypatch.setattr(Path, "touch", lambda *_, **__: None)
    told = keep_traceback(ValueError("disk"))
    assert told.endswith("ValueError: disk. The traceback could not be kept: No space left on device.")


@pytest.mark.parametrize("arguments", _DECIDE)
def test_nobody_decides_about_a_hub_while_an_addition_runs(made: Path, arguments: list[str]) -> None:
    with hold_lock(made / "hub"):
        assert "another addition is under way: wait for it to end" in _fail(made, made / "hub", arguments)


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_queue_cannot_be_written_into_a_folder_that_is_not_there_nor_read_from_one(made: Path, ending: str) -> None:
    assert f"nowhere/q.{ending}" in _fail(made, made / "hub", ["review", "export", f"nowhere/q.{ending}"])
    for place in ("out", f"nowhere.{ending}"):
        assert place in _fail(made, made / "hub", ["review", "import", str(made / place)])


@pytest.mark.parametrize(
    ("file", "commands"),
    [
        ("current", [_ADD, ["merge", "crm:1", "crm:2"], ["explain", "crm:1"], ["erase", "crm:1", "--yes"], ["review", "list"]]),
        ("decisions.parquet", [_ADD, *_DECIDE, ["decisions"], ["explain", "crm:1"]]),
        ("events/1.parquet", [["erase", "crm:1", "--yes"], ["explain", "crm:1"]]),
        ("model/model.json", [_ADD, ["merge", "crm:1", "crm:2"], ["explain", "crm:1"]]),
        ("model/frequencies.npz", [_ADD, ["explain", "crm:1"]]),
        ("versions/1/state.json", [_ADD, ["merge", "crm:1", "crm:2"]]),
        ("versions/1/review.parquet", [["review", "list"]]),
        ("versions/1/decisions.parquet", [["decisions"]]),
    ],
)
def test_a_file_of_a_hub_that_is_damaged_is_named_with_what_to_do(
    made: Path, tmp_path: Path, file: str, commands: list[list[str]]
) -> None:
    hub = tmp_path / "hub"
    shutil.copytree(made / "hub", hub)
    for content in (b"", b"PAR1 or [] and no more"):
        (hub / file).write_bytes(content)
        for command in commands:
            said = _fail(made, hub, command)
            assert str(hub / file.removesuffix("/state.json")) in said
            assert "damaged, or written by older code (" in said
            assert "into a new hub" in said or "--rebuild" in said


def test_a_rebuild_mends_a_damaged_model(made: Path, tmp_path: Path) -> None:
    hub, out = tmp_path / "hub", tmp_path / "out"
    shutil.copytree(made / "hub", hub)
    (hub / "model" / "model.json").write_bytes(b"")
    answer = CliRunner().invoke(app, ["resolve", "--hub", str(hub), "--rebuild", "--out", str(out)], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    assert pl.read_parquet(out / "crosswalk.parquet").height == len(_ROWS) - 1
