"""The versions of a hub in its folder: a version is true once `current` names it, and the one before stays beside it."""

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from hub.kept.archive import save_state
from hub.kept.outcome import Added
from hub.kept.state import State
from hub.model import IN_HUB
from hub.rules.model import Rules

#: what lies in a hub's folder
FILES = (
    *("current", "current.before", "current.new", "decisions.new", "decisions.parquet", "events", "lock", IN_HUB, "versions"),
    *("erased.new", "erased.txt", "erasure.key", "erasure.new"),
)


class StoreError(ValueError):
    """A hub's folder that cannot be used: what is wrong, what to do."""


@contextmanager
def blame_damage(path: Path) -> Iterator[None]:
    """What of a hub cannot be read is told of by its place. Raises StoreError."""
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError, pl.exceptions.PolarsError) as error:
        words = str(error).strip().partition("\n")[0]
        raise StoreError(f"{path}: damaged, or written by older code ({words}): resolve all records into a new hub") from error


def read_note(folder: Path) -> dict[str, Any]:
    """version (0: there is no hub yet), entity, rules (their version), at (of the newest addition), model (its folder).

    Raises StoreError."""
    current = folder / "current"
    if not current.exists():
        return {"version": 0}
    with blame_damage(current):
        note: dict[str, Any] = json.loads(current.read_text(encoding="utf-8"))
        return note | {"version": int(note["version"])}


def read_newest(folder: Path) -> datetime | None:
    """When the newest addition was; None where there is no hub yet."""
    note = read_note(folder)
    if "at" not in note:
        return None
    at = datetime.fromisoformat(note["at"])
    # older code let times without a zone in, and took them as UTC in the log
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def holds_hub(folder: Path) -> bool:
    """Whether a folder is a hub's; a file that is only called `current` makes none."""
    return (folder / "current").is_file() and (folder / "versions").is_dir()


def read_version(folder: Path) -> int:
    """The number of the newest addition; 0 where there is no hub yet."""
    version: int = read_note(folder)["version"]
    return version


def write_version(
    folder: Path,
    version: int,
    state: State,
    find: Callable[[], Added],
    rules: Rules,
    at: datetime,
    base: Path | None = None,
    *,
    model: str | None = None,
    keeps_before: bool = True,
) -> tuple[State, Added]:
    """Make a state the newest one; the caller holds the hub's lock. Returns the state as it was written (hub.kept.archive).

    find: what was found with it, which is asked for while it is written; base: the version that it was added to; model: the
    folder of its model, where that is a new one; keeps_before: whether the version before it stays.
    """
    target = folder / "versions" / str(version)
    shutil.rmtree(target, ignore_errors=True)  # what a killed addition left
    with ThreadPoolExecutor(1) as pool:
        saved = pool.submit(save_state, state, target, base)
        added = find()
        state = saved.result()
    (folder / "events").mkdir(exist_ok=True)
    added.events.write_parquet(folder / "events" / f"{version}.parquet")
    added.review.write_parquet(target / "review.parquet")
    added.decisions.write_parquet(target / "decisions.parquet")
    before = read_note(folder)
    note = {"version": version, "entity": rules.entity, "rules": rules.version, "at": at.isoformat()}
    note["model"] = model or before.get("model", IN_HUB)
    _keep_before(folder, before if keeps_before else None)
    _write_note(folder, "current", note)
    _clear(folder, [note, before] if keeps_before else [note])
    return state, added


def _keep_before(folder: Path, note: dict[str, Any] | None) -> None:
    if note is None:
        (folder / "current.before").unlink(missing_ok=True)
    elif note["version"]:
        _write_note(folder, "current.before", note)


def _write_note(folder: Path, name: str, note: dict[str, Any]) -> None:
    waiting = folder / "current.new"
    waiting.write_text(json.dumps(note), encoding="utf-8")
    waiting.replace(folder / name)


def _clear(folder: Path, notes: list[dict[str, Any]]) -> None:
    """Remove the versions and models that no note names."""
    kept = {str(note["version"]) for note in notes} | {note.get("model", IN_HUB) for note in notes}
    for old in (*(folder / "versions").iterdir(), *folder.glob(f"{IN_HUB}*")):
        if old.name not in kept:
            shutil.rmtree(old, ignore_errors=True)
