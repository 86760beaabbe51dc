"""The frozen outcome of training: weights and caps under one version, with the report of how they came about. Public door."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.rules.model import Rules, RulesError

#: raise it when the code of normalisation or comparison changes, so that no model of older code is used
REVISION = 2


@dataclass(frozen=True)
class Model:
    """weights: bits by name (hub.weights); caps: block cap by key name, as of `n_records`; rules: version of the rules."""

    rules: str
    weights: Mapping[str, float]
    caps: Mapping[str, int]
    n_records: int
    report: Mapping[str, Any]

    @property
    def version(self) -> str:
        """12 hex characters that change with anything a score or a candidate depends on."""
        text = json.dumps([REVISION, self.rules, sorted(self.weights.items()), sorted(self.caps.items())])
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def write_model(model: Model, path: Path) -> None:
    """Write the model as JSON."""
    content = {
        "version": model.version,
        "revision": REVISION,
        "rules": model.rules,
        "n_records": model.n_records,
        "caps": dict(model.caps),
        "weights": dict(model.weights),
        "report": dict(model.report),
    }
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read_model(path: Path, rules: Rules) -> Model:
    """The model of a file. Raises RulesError where it was made by other rules or by older code."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if content["revision"] != REVISION or content["rules"] != rules.version:
        raise RulesError(f"{path}: made by other rules or another version of the hub: train a new one by a full resolve")
    return Model(content["rules"], content["weights"], content["caps"], content["n_records"], content["report"])
