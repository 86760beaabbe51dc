"""The hub's state that the line keeps per entity, so that a run resolves only what changed (decision 0014).

HOME/hub/ENTITY/RUN_ID holds the state after a run. It may be built on if the identity log is just the one that it led to: the log
grows with a publication alone, so what a run left that failed or was killed is never built on.
"""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from hub.kept.archive import load_state, save_state
from hub.kept.state import State
from hub.model import Model
from hub.rules.model import Rules
from orchestration.lib.inputs import fingerprint_package

_NOTE = "note.json"


@dataclass(frozen=True)
class KeptHub:
    """The states of one entity in a folder. rules, model: those that a state must have been made with."""

    folder: Path
    rules: Rules

    def find(self, model: Model, log: pl.DataFrame) -> State | None:
        """The state that an addition builds on; None where none is of this log, model, rules and code, or it is damaged."""
        for folder in self._list_states(self._describe(model, log)):
            with suppress(OSError, ValueError, pl.exceptions.PolarsError):
                return load_state(folder)
        return None

    def keep(self, run_id: str, state: State, model: Model, before: pl.DataFrame, after: pl.DataFrame) -> None:
        """Keep a run's state beside the one that it was built on; before, after: the identity log without and with its events."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        waiting = self.folder / f".{run_id}"
        shutil.rmtree(waiting, ignore_errors=True)
        save_state(state, waiting)
        note = self._describe(model, after)
        (waiting / _NOTE).write_text(json.dumps(note), encoding="utf-8")
        bases = [folder for folder in self._list_states(self._describe(model, before)) if folder.name != run_id]
        for folder in self.folder.iterdir():
            if folder not in (waiting, *bases[:1]):
                shutil.rmtree(folder)
        waiting.rename(self.folder / run_id)

    def _list_states(self, note: dict[str, str]) -> list[Path]:
        """Those with a note, newest first; runs without identity events leave several."""
        states = [folder for folder in self.folder.glob("[!.]*") if _read_note(folder) == note]
        return sorted(states, key=lambda folder: (folder / _NOTE).stat().st_mtime_ns, reverse=True)

    def _describe(self, model: Model, log: pl.DataFrame) -> dict[str, str]:
        return {
            "log": f"{log.height} {int(log.hash_rows(seed=20).sum() or 0)}",
            "model": model.version,
            "rules": self.rules.version,
            "code": fingerprint_package("hub"),
        }


def _read_note(folder: Path) -> dict[str, str] | None:
    try:
        note: dict[str, str] = json.loads((folder / _NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return note
