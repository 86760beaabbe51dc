"""A project: one `goldthread.yaml` that names the sources, and the home where the stores live.

The only module that reads the environment. `${NAME}` in a source's settings is replaced when the source is used,
so that a missing secret stops that source and not the loading of the graph. What reads files is imported when one is read:
commands without a project start 0.15 s sooner.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from hub.rules.model import Rules, RulesError

if TYPE_CHECKING:
    from orchestration.project_file import HubModel

PROJECT_FILE = "goldthread.yaml"
FAULTS_FOLDER = "faults"  # of the home: tracebacks of what nobody foresaw
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

TELEMETRY_OFF = {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "DAGSTER_DISABLE_TELEMETRY": "yes",
}


class ProjectError(Exception):
    """The user's project or environment is not usable; the message says what to change."""


@dataclass(frozen=True)
class SourceSettings:
    """One configured source: its connector kind and the settings as written, variables not yet replaced."""

    name: str
    kind: str
    settings: Mapping[str, str]


@dataclass(frozen=True)
class Project:
    """A loaded project.

    as_of: ISO 8601 or `${NAME}`; fixes the clock of every model. None: the time of the run.
    truth: a folder with parties.parquet (source, source_key, customer_id), where someone knows who is who; only measured with.
    own_rules: the hub's rules by entity where the project names a file of its own.
    """

    name: str
    folder: Path
    home: Path
    as_of: str | None
    env_file: Path | None
    truth: Path | None
    sources: tuple[SourceSettings, ...]
    own_rules: Mapping[str, Rules]

    @cached_property
    def rules(self) -> Mapping[str, Rules]:
        """The hub's rules by entity: the project's own, else those that come with the hub."""
        from hub.rules.read import load_rules
        from orchestration.project_file import HubModel

        return {entity: self.own_rules.get(entity) or load_rules(entity) for entity in HubModel.model_fields}

    @property
    def rule_version(self) -> str:
        """Both rule sets' versions; changes with any rule."""
        return "+".join(rules.version for rules in self.rules.values())

    def find_entity(self, subject: str) -> str | None:
        """The entity that an ID is of, by its first letters; None: it is no ID."""
        prefixed = (name for name, rules in self.rules.items() if ":" not in subject and subject.startswith(rules.id_prefix))
        return next(prefixed, None)

    def now(self) -> datetime:
        """The clock of this run, UTC."""
        if self.as_of is None:
            return datetime.now(UTC)
        from orchestration.project_file import read_time

        return read_time(self._fill(self.as_of, "as_of"))

    def resolve_settings(self, source: SourceSettings) -> dict[str, str]:
        """Replace `${NAME}` by the environment, then by `env_file`. Raises ProjectError naming what is missing."""
        return {key: self._fill(text, f"source {source.name}") for key, text in source.settings.items()}

    def _fill(self, text: str, place: str) -> str:
        from dotenv import dotenv_values

        files = [path for path in (self.folder / ".env", self.env_file) if path and path.exists()]
        values = {**{name: value for path in files for name, value in dotenv_values(path).items()}, **os.environ}

        def look_up(match: re.Match[str]) -> str:
            value = values.get(match[1])
            if not value:
                files = " or ".join(str(path) for path in (self.folder / ".env", self.env_file) if path)
                raise ProjectError(f"{place}: the variable {match[1]} is not set; set it in the environment or in {files}")
            return value

        return _VARIABLE.sub(look_up, text)


def find_home() -> Path:
    """`GOLDTHREAD_HOME`, by default `.goldthread` in the working directory."""
    return Path(os.environ.get("GOLDTHREAD_HOME") or ".goldthread").resolve()


def find_ledger_address() -> str:
    """`GOLDTHREAD_LEDGER`, an SQLAlchemy URL; empty: SQLite in the home."""
    return os.environ.get("GOLDTHREAD_LEDGER", "")


def find_erasure_key() -> str:
    """`GOLDTHREAD_ERASURE_KEY`, what the hashes of erased records are keyed with; empty: a file of the home."""
    return os.environ.get("GOLDTHREAD_ERASURE_KEY", "")


def find_project_file() -> Path:
    """`GOLDTHREAD_PROJECT` (a folder or file), by default `goldthread.yaml` in the working directory."""
    place = Path(os.environ.get("GOLDTHREAD_PROJECT") or ".").resolve()
    path = place / PROJECT_FILE if place.is_dir() else place
    if not path.is_file():
        raise ProjectError(
            f"no project at {path}: run in a folder with a {PROJECT_FILE}, or set GOLDTHREAD_PROJECT (or --project) to one"
        )
    return path


def load_project(path: Path, home: Path) -> Project:
    """Read and check a project file. Raises ProjectError naming the file and the place in it."""
    from orchestration.project_file import read_project_file

    model = read_project_file(path)
    sources = tuple(
        SourceSettings(name, source.connector, {key: _write_setting(value) for key, value in (source.model_extra or {}).items()})
        for name, source in model.sources.items()
    )
    if not sources:
        raise ProjectError(f"{path}: sources: at least one source is needed")
    as_of = model.as_of.isoformat() if isinstance(model.as_of, datetime) else model.as_of
    env_file, truth = (_place(written, path.parent, home) if written else None for written in (model.env_file, model.truth))
    own_rules = _read_own_rules(path, model.hub, home) if model.hub else {}
    return Project(model.name, path.parent, home, as_of, env_file, truth, sources, own_rules)


def _read_own_rules(path: Path, named: HubModel, home: Path) -> dict[str, Rules]:
    from orchestration.lib.own_rules import read_own_rules

    own = {}
    for entity, written in named.model_dump(exclude_none=True).items():
        try:
            own[entity] = read_own_rules(_place(written, path.parent, home), entity)
        except RulesError as error:
            raise ProjectError(f"{path}: hub.{entity}: {error}") from error
    return own


def _write_setting(value: object) -> str:
    """A setting as text; a key without a value is an empty one."""
    return "" if value is None else str(value)


def make_home(home: Path) -> None:
    """The folder of the stores, made if it is not there. Raises ProjectError where it cannot be, or not be written to."""
    try:
        home.mkdir(mode=0o755, parents=True, exist_ok=True)
        if not os.access(home, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise ProjectError(
            f"the home {home} cannot be made or written to ({error.strerror}): "
            "set GOLDTHREAD_HOME (--home) to a folder in which you may write"
        ) from None


def _place(written: str, folder: Path, home: Path) -> Path:
    """A path of the project file: `{home}` is the home, a relative one starts at the project's folder."""
    return folder / written.replace("{home}", str(home))


def silence_telemetry() -> None:
    """Tell every dependency not to report home, before it is imported."""
    os.environ.update(TELEMETRY_OFF)


@cache
def current_project() -> Project:
    """The project of this process."""
    silence_telemetry()
    return load_project(find_project_file(), find_home())
