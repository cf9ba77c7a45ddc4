"""`python -m tests.benchmarks [NAME … | all] [--scale N]`: measures archive-tui beside its peers and prints ratios."""

from __future__ import annotations

import importlib
import itertools
import pkgutil
import sys
from pathlib import Path


def find_benchmarks() -> dict[str, str]:
    """Every module beside this one that has a `main`, with the first line of its docstring."""
    found = {}
    for entry in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if entry.name.startswith("_"):
            continue
        module = importlib.import_module(f"tests.benchmarks.{entry.name}")
        if callable(getattr(module, "main", None)):
            found[entry.name] = (module.__doc__ or "").strip().splitlines()[0]
    return found


def main(arguments: list[str]) -> int:
    benchmarks = find_benchmarks()
    if not arguments:
        for name, summary in benchmarks.items():
            print(f"{name:<12} {summary}")
        return 0
    names = list(itertools.takewhile(lambda word: not word.startswith("-"), arguments))  # options are read by each
    wanted = list(benchmarks) if names == ["all"] else names
    unknown = [name for name in wanted if name not in benchmarks]
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are: {', '.join(benchmarks)}", file=sys.stderr)
        return 2
    for name in wanted:
        print(f"\n{name}: {benchmarks[name]}")
        importlib.import_module(f"tests.benchmarks.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
