"""What a call of the program costs, in bare interpreters."""

from __future__ import annotations

import compileall
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROUNDS = 21
TARGET = 6.0

COMMANDS = {
    "bare interpreter": ["-c", "pass"],
    "import click": ["-c", "import click"],
    "archive-tui --help": ["-m", "archive_tui", "--help"],
    "archive-tui --version": ["-m", "archive_tui", "--version"],
    "archive-tui dataset publish --help": ["-m", "archive_tui", "dataset", "publish", "--help"],
    "archive-tui ls FOLDER": ["-m", "archive_tui", "ls", "."],
    "import archive_tui": ["-c", "import archive_tui"],
    "import archive_tui.core": ["-c", "import archive_tui.core"],
}


def measure(folder: Path) -> dict[str, float]:
    """Median seconds of each command, run in turn so that a busy moment hits all of them."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(folder)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for round_number in range(ROUNDS + 2):
        for name, words in COMMANDS.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, *words], cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
            if round_number >= 2:
                times[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    compileall.compile_dir(ROOT / "archive_tui", quiet=1)
    with tempfile.TemporaryDirectory() as folder:
        medians = measure(Path(folder))
    bare = medians["bare interpreter"]
    for name, seconds in medians.items():
        target = f"  target ≤ {TARGET:.0f}" if name == "archive-tui --help" else ""
        print(f"{name:<36} {seconds * 1000:7.1f} ms  {seconds / bare:5.1f} ×{target}")


if __name__ == "__main__":
    main()
