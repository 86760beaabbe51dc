"""dbt inside the Dagster process: one warm dbtRunner, native events, subset selection.

dagster-dbt's own resource starts a second dbt process per step: measured 12 s a step against 0.8-1.0 s this way.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from threading import Event
from typing import Any

from warehouse.working import MEMORY_LIMIT

DBT_PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
PARSED_FROM = "parsed_from.txt"
RESULT_EVENTS = {"LogSeedResult", "LogModelResult", "LogSnapshotResult", "LogTestResult"}
START_EVENT, END_EVENT = "LogStartLine", "NodeFinished"
# without these a one-model run spends most of its time on artefacts nobody reads
LEAN_FLAGS = ["--quiet", "--no-write-json", "--no-populate-cache", "--log-level-file", "none", "--no-print", "--no-version-check"]


class DbtFailed(Exception):
    """A model, seed or test did not run; the message holds dbt's own words for each."""


@dataclass(frozen=True)
class NodeResult:
    """One dbt node that ran: `event` is dbt's raw event, `failures` the rows that a test found."""

    unique_id: str
    name: str
    status: str
    message: str
    failures: int
    event: dict[str, Any]

    @property
    def is_test(self) -> bool:
        return self.unique_id.startswith("test.")

    @property
    def is_ok(self) -> bool:
        return self.status in {"success", "pass", "warn"}


@contextmanager
def _profile(working: Path) -> Iterator[None]:
    """Tell dbt's profile the working file, and let go of the file at the end.

    The environment is the only way that a profile can be told. One connection for all nodes instead of one each
    takes 28 s instead of 150 s for a build of 560 nodes.
    """
    told = {"GOLDTHREAD_WORKING": str(working), "GOLDTHREAD_KEEP_OPEN": "True", "GOLDTHREAD_MEMORY": MEMORY_LIMIT}
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    try:
        yield
    finally:
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager

        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _place_arguments(target: Path) -> list[str]:
    folder = str(DBT_PROJECT)
    return ["--project-dir", folder, "--profiles-dir", folder, "--target-path", str(target), "--log-path", str(target / "logs")]


def write_manifest(target: Path, working: Path) -> Path:
    """Make `manifest.json` below `target` unless it is this checkout's and newer than every file of it; return its path."""
    path = target / "manifest.json"
    if not path.exists() or path.stat().st_mtime < _project_changed_at() or not _is_of_this_checkout(target):
        _parse(target, working, _project_changed_at())
        path.touch()
    return path


def _project_changed_at() -> float:
    return max(path.stat().st_mtime for path in DBT_PROJECT.rglob("*") if path.is_file())


@cache
def _parse(target: Path, working: Path, changed_at: float) -> Any:
    from dbt.cli.main import dbtRunner

    target.mkdir(parents=True, exist_ok=True)
    if not _is_of_this_checkout(target):
        # dbt keeps the nodes of unchanged files from its last parse, and a seed's node names the folder it was read from
        (target / "partial_parse.msgpack").unlink(missing_ok=True)
    with _profile(working):
        result = dbtRunner().invoke(["--quiet", "--no-version-check", "parse", *_place_arguments(target)])
    if not result.success:
        raise DbtFailed(f"dbt could not parse {DBT_PROJECT}: {result.exception}")
    (target / PARSED_FROM).write_text(str(DBT_PROJECT), encoding="utf-8")
    return result.result


def _is_of_this_checkout(target: Path) -> bool:
    told = target / PARSED_FROM
    return told.exists() and told.read_text(encoding="utf-8") == str(DBT_PROJECT)


@cache
def read_manifest(path: Path) -> Mapping[str, Any]:
    """The manifest as plain data."""
    manifest: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest


def read_compiled(target: Path, manifest: Mapping[str, Any], unique_id: str) -> str:
    """The query of a test that has run. Those of a YAML file lie in a folder of that file's name."""
    node = manifest["nodes"][unique_id]
    place = target / "compiled" / str(node["package_name"]) / str(node["original_file_path"])
    return (place / str(node["path"]) if "test_metadata" in node else place).read_text(encoding="utf-8")


def build(
    names: Iterable[str], *, target: Path, working: Path, variables: Mapping[str, str]
) -> Generator[NodeResult, None, None]:
    """Run `dbt build` on exactly these nodes (by fully qualified name), in dependency order; yield each when it has ended.

    Raises DbtFailed when dbt could not even start; a failing node is a NodeResult. dbt tells what it does by calls, so it
    has a thread to itself; when the caller listens no longer, it ends the node that it is at and begins no other.
    """
    from google.protobuf.json_format import MessageToDict

    results: SimpleQueue[NodeResult | None] = SimpleQueue()
    broken: dict[str, NodeResult] = {}
    unheard = Event()

    def hear(event: Any) -> None:
        if event.info.name == START_EVENT and unheard.is_set():
            raise DbtFailed("not begun: the step was ended")
        if event.info.name in RESULT_EVENTS:
            result = _read_event(MessageToDict(event, preserving_proto_field_name=True))
            if result.is_ok or result.status == "fail":
                results.put(result)
            else:
                broken[result.unique_id] = result
        elif event.info.name == END_EVENT and event.data.node_info.unique_id in broken:
            # the line of a node that broke says that it did, and only this event why
            result = broken.pop(event.data.node_info.unique_id)
            results.put(replace(result, message=" ".join(event.data.run_result.message.split()) or result.message))

    arguments = [
        *LEAN_FLAGS,
        "build",
        "--select",
        *names,
        "--indirect-selection",
        "empty",
        "--exclude-resource-type",
        "unit_test",
        "--vars",
        json.dumps(dict(variables)),
        *_place_arguments(target),
    ]
    last = "the first node"
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="dbt") as threads:
        running = threads.submit(_invoke, arguments, target, working, hear)
        running.add_done_callback(lambda _: results.put(None))
        try:
            for result in iter(results.get, None):
                last = result.name
                yield result
            yield from broken.values()
        finally:
            unheard.set()
    exception = running.result().exception
    if exception is not None:
        raise DbtFailed(f"dbt stopped after {last}: {exception!r}") from exception


def _invoke(arguments: list[str], target: Path, working: Path, hear: Callable[[Any], None]) -> Any:
    from dbt.cli.main import dbtRunner

    with _profile(working):
        manifest = _parse(target, working, _project_changed_at())
        return dbtRunner(manifest=manifest, callbacks=[hear]).invoke(arguments)


def _read_event(event: dict[str, Any]) -> NodeResult:
    data = event["data"]
    info = data["node_info"]
    return NodeResult(
        unique_id=info["unique_id"],
        name=info["node_name"],
        status=str(info["node_status"]).lower(),
        message=event["info"].get("msg", ""),
        failures=int(data.get("num_failures", 0)),
        event=event,
    )
