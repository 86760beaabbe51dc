"""The hub's trained models in a home: those in force, and one that was trained anew, which is in force with its publication.

HOME/models/ENTITY-EVIDENCE-REVISION is in force; HOME/models/retrained/RUN_ID/... is what a run trained anew. A run that is not
published leaves the models as they were.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from hub.model import REVISION, Model, read_model, write_model
from hub.rules.model import Rules
from warehouse.home import Home
from warehouse.ledger import Ledger
from warehouse.publication import list_publications

_RETRAINED = "retrained"


def read_kept_model(folder: Path, rules: Rules) -> Model | None:
    """The model that was kept for these rules, or None."""
    return read_model(find_model_folder(folder, rules), rules) if find_model_folder(folder, rules).exists() else None


def find_model_folder(folder: Path, rules: Rules) -> Path:
    """Where the model for these rules is kept."""
    return folder / f"{rules.entity}-{rules.evidence_version}-{REVISION}"


def keep_retrained(home: Home, run_id: str, model: Model, rules: Rules) -> None:
    """Keep a model that a run trained anew until the run is published or not."""
    write_model(model, find_model_folder(home.models / _RETRAINED / run_id, rules))


def settle_retrained(home: Home, ledger: Ledger) -> None:
    """Put the retrained models of published runs in force and forget the others; killed anywhere, it can be done again.

    No run goes on that may still be published.
    """
    waiting = home.models / _RETRAINED
    if not waiting.exists():
        return
    published = {publication.run_id for publication in list_publications(ledger)}
    for run in sorted(folder for folder in waiting.iterdir() if folder.name in published):
        for model in sorted(run.iterdir()):
            shutil.rmtree(home.models / model.name, ignore_errors=True)
            model.rename(home.models / model.name)
    shutil.rmtree(waiting)
