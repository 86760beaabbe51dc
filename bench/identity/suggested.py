"""Zero-config: rules suggested from the table itself, then a resolve with them, unread.

`python -m bench.identity.suggested FILE ENTITY OUT` runs `goldthread rules suggest FILE --out OUT/rules.toml`, then becomes the
`goldthread resolve` that reads them. The time of both counts.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bench.identity.runs import OURS


def main(arguments: list[str]) -> None:
    """Suggest, then resolve."""
    path, entity, folder = arguments
    rules = str(Path(folder) / "rules.toml")
    subprocess.run((*OURS, "rules", "suggest", path, "--entity", entity, "--out", rules), check=True)
    os.execv(OURS[0], (*OURS, "resolve", path, "--entity", entity, "--rules", rules, "--out", folder))


if __name__ == "__main__":
    main(sys.argv[1:])
