"""Packing and unpacking, beside shutil.make_archive and zipfile."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from archive_tui.integrity.inventory import Inventory
from archive_tui.objects.folder.store import FolderStore
from archive_tui.operations.packing.archive import pack_archive
from archive_tui.operations.scanning.scan import scan_source
from archive_tui.operations.unpacking.archive import unpack_archive

ROUNDS = 3
CORES = 2
MIB = 1 << 20


@dataclass(frozen=True)
class Row:
    """Seconds are medians of rounds in turn; `size_ratio` is our archive to the peer's (None: not compared)."""

    what: str
    peer: str
    megabytes: float
    peer_seconds: float
    our_seconds: float
    target: str
    size_ratio: float | None = None

    @property
    def speed_ratio(self) -> float:
        return self.peer_seconds / self.our_seconds


def make_text(length: int, seed: int = 1) -> bytes:
    """Half prose of 20,000 words, half tables of numbers; zlib's level 6 takes it to about 0.45."""
    source = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(source.choices(letters, k=source.randint(2, 10))) for _ in range(20_000)]
    parts: list[str] = []
    size = 0
    while size < length:
        prose = " ".join(source.choices(words, k=300)) + "\n"
        table = "".join(f"{n},station-{n % 40},{source.gauss(10, 3):.2f},ok\n" for n in range(70))
        parts += [prose, table]
        size += len(prose) + len(table)
    return "".join(parts).encode()[:length]


def make_manifest(inventory: Inventory) -> bytes:
    return "\n".join(f"{entry.digest}  {entry.path}" for entry in inventory).encode()


def pack_ours(source: Path, target: Path) -> None:
    """Packs, and hashes the archive as a store does."""
    digest = hashlib.sha256()
    with target.open("wb") as file:
        for chunk in pack_archive(scan_source(source), make_manifest=make_manifest):
            digest.update(chunk)
            file.write(chunk)


def pack_with_shutil(source: Path, target: Path) -> None:
    shutil.make_archive(str(target.with_suffix("")), "zip", source)


def pack_with_zipfile(source: Path, target: Path) -> None:
    """Level 6, each file hashed in the same pass."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(source.rglob("*")):
            if path.is_file():
                content = path.read_bytes()
                hashlib.sha256(content)
                archive.writestr(str(path.relative_to(source)), content)


def hash_all(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            hashlib.sha256(path.read_bytes())


def unpack_like_the_original(archive: Path, target: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(target)
    hash_all(target)


def unpack_ours(archive: Path, target: Path) -> None:
    target.mkdir()
    unpacked = unpack_archive(FolderStore(archive.parent), archive.name, target)
    assert not unpacked.damaged


def write_trees(root: Path, factor: float) -> dict[str, Path]:
    def count(number: int) -> int:
        return max(2, int(number * factor))

    text = make_text(32 * MIB)
    noise = os.urandom(32 * MIB)

    def cut(content: bytes, number: int, length: int) -> bytes:
        start = number * 7919 * 64 % (len(content) - length)
        return content[start : start + length]

    trees: dict[str, dict[str, bytes]] = {
        "text": {f"{n:03}.txt": cut(text, n, MIB) for n in range(count(256))},
        "noise": {f"{n:03}.bin": cut(noise, n, 4 * MIB) for n in range(count(64))},
        "large": {"one.txt": text * count(8)},
        "small": {f"d{n // 500:03}/{n:05}.csv": cut(text, n, 4096) for n in range(count(15_000))},
    }
    for name, files in trees.items():
        for path, content in files.items():
            target = root / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    return {name: root / name for name in trees}


def tree_megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def time_in_turn(*actions: Callable[[], None]) -> list[float]:
    times: list[list[float]] = [[] for _ in actions]
    for _ in range(ROUNDS):
        for seconds, action in zip(times, actions, strict=True):
            started = time.perf_counter()
            action()
            seconds.append(time.perf_counter() - started)
    return [statistics.median(seconds) for seconds in times]


def compare_packing(
    what: str, peer_name: str, peer: Callable[[Path, Path], None], source: Path, work: Path, target: str
) -> Row:
    ours, theirs = work / "ours.zip", work / "theirs.zip"
    peer_seconds, our_seconds = time_in_turn(lambda: peer(source, theirs), lambda: pack_ours(source, ours))
    size_ratio = ours.stat().st_size / theirs.stat().st_size
    return Row(what, peer_name, tree_megabytes(source), peer_seconds, our_seconds, target, size_ratio)


def compare_unpacking(source: Path, work: Path) -> Row:
    archive, target = work / "fetched.zip", work / "unpacked"
    pack_with_shutil(source, archive)

    def timed(unpack: Callable[[Path, Path], None]) -> float:
        started = time.perf_counter()
        unpack(archive, target)
        seconds = time.perf_counter() - started
        shutil.rmtree(target)
        return seconds

    rounds = [(timed(unpack_like_the_original), timed(unpack_ours)) for _ in range(ROUNDS)]
    peer_seconds, our_seconds = (statistics.median(column) for column in zip(*rounds, strict=True))
    name = f"unpack + verify {source.name}"
    return Row(name, "extractall, hash", tree_megabytes(source), peer_seconds, our_seconds, "≥ 2.5")


def run(size_factor: float = 1.0) -> list[Row]:
    """Measures on the first two cores; a `size_factor` of 1 takes some GB in memory or below the temporary folder."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        work = Path(folder) / "work"
        work.mkdir()
        trees = write_trees(Path(folder) / "trees", size_factor)
        make = ("shutil.make_archive", pack_with_shutil)
        rows = [
            compare_packing("text, 1 MiB each", *make, trees["text"], work, "≥ 10, size ≤ 1.06"),
            compare_packing("text, one large file", *make, trees["large"], work, "≥ 10, size ≤ 1.06"),
            compare_packing("incompressible", *make, trees["noise"], work, "≥ 8"),
            compare_packing("4 KiB files", "zipfile, hashed", pack_with_zipfile, trees["small"], work, ""),
        ]
        rows += [compare_unpacking(trees[name], work) for name in ("text", "large", "noise", "small")]
    return rows


def main() -> None:
    """Prints the table; `ARCHIVE_TUI_BENCHMARK_SCALE` scales the trees (default 0.25)."""
    print(f"{'what':<26} {'peer':<24} {'MB':>6} {'peer s':>7} {'ours s':>7} {'ratio':>6} {'size':>6}  target")
    for row in run(float(os.environ.get("ARCHIVE_TUI_BENCHMARK_SCALE", "0.25"))):
        size = "" if row.size_ratio is None else f"{row.size_ratio:.3f}"
        print(
            f"{row.what:<26} {row.peer:<24} {row.megabytes:>6.0f} {row.peer_seconds:>7.2f} {row.our_seconds:>7.2f}"
            f" {row.speed_ratio:>5.1f}× {size:>6}  {row.target}"
        )


if __name__ == "__main__":
    sys.exit(main())
