"""Zero-config: rules suggested from the table itself, then a resolve with them, unread.

`python -m bench.identity.suggested FILE ENTITY OUT` runs `goldthread rules suggest FILE`, keeps what it prints as
OUT/rules.toml, and resolves with that. The time of both counts.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.identity.runs import OURS


def main(arguments: list[str]) -> None:
    """Suggest, then resolve."""
    path, entity, folder = arguments
    rules = Path(folder) / "rules.toml"
    suggested = subprocess.run((*OURS, "rules", "suggest", path), check=True, stdout=subprocess.PIPE)
    rules.write_bytes(suggested.stdout)
    subprocess.run((*OURS, "resolve", path, "--entity", entity, "--rules", str(rules), "--out", folder), check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
