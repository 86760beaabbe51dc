"""`python -m bench [name ...]`: the named benchmarks, or all that need no data of yours and no hour: SHORT.

`python -m bench NAME --help` shows one's options.
"""

from __future__ import annotations

import sys
from importlib import import_module

BENCHMARKS = {
    "extraction": "bench.extraction",
    "identity": "bench.identity.sandbox",
    "identity-speed": "bench.identity.speed",
    "identity-incremental": "bench.identity.incremental",
    "identity-accuracy": "bench.identity.accuracy",
    "demo": "bench.demo",
    "pipeline": "bench.pipeline",
}
SHORT = ("extraction", "identity", "demo", "pipeline")


def main() -> None:
    """Options after one name go to that benchmark."""
    arguments = sys.argv[1:]
    names = [name for name in arguments if name in BENCHMARKS]
    options = [argument for argument in arguments if argument not in BENCHMARKS]
    if options and len(names) != 1:
        raise SystemExit(f"usage: python -m bench [{' | '.join(BENCHMARKS)}] [options of that one]")
    for name in names or SHORT:
        import_module(BENCHMARKS[name]).main(options)


if __name__ == "__main__":
    main()
