"""The frozen outcome of training: weights, caps and frequencies under one version, and how they came about. Public door."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from hub.rules.model import Rules, RulesError
from hub.scoring.frequency import Frequencies

#: raise it when the code of normalisation or comparison changes, so that no model of older code is used
REVISION = 11
#: where a hub's folder has the model that founded it
IN_HUB = "model"
_CONTENT, _FREQUENCIES = "model.json", "frequencies.npz"
_ANEW = "resolve in full to train a new one, a kept hub with `goldthread resolve --hub DIR --rebuild --out DIR`"


@dataclass(frozen=True)
class Model:
    """weights: bits by name (hub.scoring.weights); caps: block cap by key name, as of `n_records`."""

    rules: str
    weights: Mapping[str, float]
    caps: Mapping[str, int]
    frequencies: Frequencies
    n_records: int
    report: Mapping[str, Any]

    @cached_property
    def version(self) -> str:
        """12 hex characters that change with anything a score or a candidate depends on."""
        text = json.dumps([REVISION, self.rules, sorted(self.weights.items()), sorted(self.caps.items())])
        digest = hashlib.sha256(text.encode())
        for part, (hashes, buckets) in sorted(self.frequencies.tables.items()):
            digest.update(part.encode() + hashes.tobytes() + buckets.tobytes())
        return digest.hexdigest()[:12]


def write_model(model: Model, folder: Path) -> None:
    """Write model.json and frequencies.npz into a folder."""
    content = {
        "version": model.version,
        "revision": REVISION,
        "rules": model.rules,
        "n_records": model.n_records,
        "caps": dict(model.caps),
        "weights": dict(model.weights),
        "report": dict(model.report),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _CONTENT).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    arrays: dict[str, Any] = {}
    for part, (hashes, buckets) in model.frequencies.tables.items():
        arrays[f"{part}|hashes"], arrays[f"{part}|buckets"] = hashes, buckets
    np.savez(folder / _FREQUENCIES, **arrays)


def find_model(folder: Path) -> Path:
    """Where a hub's folder has its model: `current` names it."""
    current = folder / "current"
    with _blame_damage(current):
        note = json.loads(current.read_text(encoding="utf-8")) if current.exists() else {}
        return folder / str(note.get("model", IN_HUB))


def read_model(folder: Path, rules: Rules) -> Model:
    """The model of a folder, or of a hub's. Raises RulesError where there is none that is whole, or where other rules or older
    code made it."""
    found = next((own for own in (folder, find_model(folder)) if (own / _CONTENT).exists()), None)
    if found is None:
        raise RulesError(f"{folder} holds no model: resolve in full first")
    path = found / _CONTENT
    with _blame_damage(path):
        content = json.loads(path.read_text(encoding="utf-8"))
        made_by = content["revision"], content["rules"]
    if made_by != (REVISION, rules.evidence_version):
        raise RulesError(f"{path}: made by other rules or another version of the hub: {_ANEW}")
    with _blame_damage(found / _FREQUENCIES), np.load(found / _FREQUENCIES) as arrays:
        parts = [name.removesuffix("|hashes") for name in arrays.files if name.endswith("|hashes")]
        tables = {part: (arrays[f"{part}|hashes"], arrays[f"{part}|buckets"]) for part in parts}
    return Model(
        content["rules"], content["weights"], content["caps"], Frequencies(tables), content["n_records"], content["report"]
    )


@contextmanager
def _blame_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError, AttributeError, EOFError, BadZipFile) as error:
        raise RulesError(f"{path}: damaged, or written by older code ({error}): {_ANEW}") from error
