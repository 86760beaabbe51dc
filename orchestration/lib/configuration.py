"""What the project's file, its contracts and the environment say, looked at before anything is loaded or read."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from connectors.base import Stream
from connectors.catalog import KINDS, declare_streams
from orchestration.project import (
    Project,
    ProjectError,
    SourceSettings,
    find_erasure_key,
    find_ledger_address,
    find_project_file,
)


def declare_project(project: Project) -> list[tuple[str, Stream]]:
    """(source, stream) of all that the project reads; asks nobody.

    Raises ProjectError or ConfigurationError that names the file, the place in it, and what may stand there.
    """
    for source in project.sources:
        _check_source(source)
    return [
        (source.name, stream)
        for source in project.sources
        for stream in declare_streams(source.kind, source.settings, project.folder)
    ]


def check_environment(project: Project, read: Collection[str]) -> None:
    """Raise ProjectError where the clock, or a variable that the sources named in `read` need, is not set."""
    project.now()
    for source in project.sources:
        if source.name in read:
            project.resolve_settings(source)


def list_secrets(project: Project) -> list[str]:
    """Every secret value that this process may have seen."""
    found = [find_erasure_key()]
    if find_ledger_address():
        found.append(sa.make_url(find_ledger_address()).password or "")
    for source in project.sources:
        known = KINDS[source.kind].settings if source.kind in KINDS else {}
        for name in source.settings:
            if name in known and known[name].is_secret:
                try:
                    found.append(
                        project.resolve_settings(SourceSettings(source.name, source.kind, {name: source.settings[name]}))[name]
                    )
                except ProjectError:
                    continue
    return [secret for secret in found if secret]


def _check_source(source: SourceSettings) -> None:
    place = f"{find_project_file()}: sources.{source.name}"
    if source.kind not in KINDS:
        raise ProjectError(f"{place}.connector: no connector '{source.kind}'; there are {', '.join(KINDS)}")
    settings = KINDS[source.kind].settings
    for name in source.settings:
        if name not in settings:
            raise ProjectError(f"{place}.{name}: connector '{source.kind}' has no such setting; it has {', '.join(settings)}")
    for name, setting in settings.items():
        if setting.required and not source.settings.get(name):
            raise ProjectError(f"{place}.{name}: is missing or empty ({setting.description})")
