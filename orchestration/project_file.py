"""What a project file may say, and how it is read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import yaml
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from orchestration.project import ProjectError


class SourceModel(BaseModel):
    model_config = ConfigDict(extra="allow")
    connector: str


class HubModel(BaseModel):
    model_config = ConfigDict(extra="forbid")
    organisation: str | None = None
    person: str | None = None


class ProjectModel(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    as_of: AwareDatetime | str | None = None
    env_file: str | None = None
    truth: str | None = None
    hub: HubModel | None = None
    sources: dict[str, SourceModel]


def read_project_file(path: Path) -> ProjectModel:
    """What a file says. Raises ProjectError naming the file and the place in it."""
    try:
        return ProjectModel.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except yaml.YAMLError as error:
        raise ProjectError(f"{path} is not valid YAML: {error}") from error
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ProjectError(f"{path}: {places}") from error


def read_time(text: str) -> datetime:
    """A time with a zone, in UTC. Raises ProjectError."""
    try:
        return TypeAdapter(AwareDatetime).validate_python(text).astimezone(UTC)
    except ValidationError as error:
        raise ProjectError(f"as_of: {text!r} is no time with a zone, such as 2026-06-30T18:00:00+08:00") from error
