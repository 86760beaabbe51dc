"""Files that appear whole or not at all."""

from __future__ import annotations

from pathlib import Path


def write_atomically(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write beside `path`, then rename; an unchanged file keeps its modification time."""
    if path.exists() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.touch(mode=mode)
    part.write_bytes(content)
    part.replace(path)
