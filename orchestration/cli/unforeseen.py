"""What nobody foresaw: the traceback goes into a file, the user gets one line."""

from __future__ import annotations

import os
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path

from orchestration.project import FAULTS_FOLDER, ProjectError, current_project, find_home


def keep_traceback(error: Exception) -> str:
    """Write the traceback where only its owner reads it, without secrets; returns the line that says so."""
    from connectors.redact import redact

    secrets = _list_secrets()
    text = redact("".join(traceback.format_exception(error)), secrets)
    words = f"something unforeseen went wrong: {type(error).__name__}: {' '.join(redact(str(error), secrets).split())[:300]}."
    try:
        path = _choose_file()
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
    except OSError as full:
        return f"{words} The traceback could not be kept: {full.strerror or full}."
    return f"{words} The traceback is in {path}; please report it."


def _choose_file() -> Path:
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.log"
    home = find_home()
    if home.is_dir() and os.access(home, os.W_OK):
        folder = home / FAULTS_FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder / name
    return Path(tempfile.mkdtemp(prefix="goldthread-")) / name


def _list_secrets() -> list[str]:
    from orchestration.lib.configuration import list_secrets

    try:
        return list_secrets(current_project())
    except ProjectError:
        return []
