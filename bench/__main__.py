"""`python -m bench [name ...]`: every benchmark, or the named ones; `python -m bench NAME --help` shows one's options."""

from __future__ import annotations

import sys
from importlib import import_module

BENCHMARKS = {
    "extraction": "bench.extraction",
    "identity": "bench.identity_sandbox",
    "demo": "bench.demo",
    "pipeline": "bench.pipeline",
}


def main() -> None:
    """Options after one name go to that benchmark."""
    arguments = sys.argv[1:]
    names = [name for name in arguments if name in BENCHMARKS]
    options = [argument for argument in arguments if argument not in BENCHMARKS]
    if options and len(names) != 1:
        raise SystemExit(f"usage: python -m bench [{' | '.join(BENCHMARKS)}] [options of that one]")
    for name in names or BENCHMARKS:
        import_module(BENCHMARKS[name]).main(options)


if __name__ == "__main__":
    main()
