"""Files that survive a power cut: content first, then name, then directory."""

import os
from pathlib import Path


def sync_file(path: Path) -> None:
    """Force a file's content to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(path: Path) -> None:
    """Force a directory's entries (renames, links, removals) to disk."""
    sync_file(path)


def replace_durably(temporary: Path, target: Path) -> None:
    """Sync `temporary`, give it its final name in one step, sync the directory."""
    sync_file(temporary)
    temporary.replace(target)
    sync_directory(target.parent)
