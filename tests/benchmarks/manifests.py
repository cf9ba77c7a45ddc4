"""Creating and checking checksum manifests beside sha256sum, rhash, hashdeep, rclone and openssl, on two cores."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from archive_tui.integrity.report import Verdict
from archive_tui.manifests.checksum_lines.line import Dialect
from archive_tui.manifests.checksum_lines.reading import open_manifest
from archive_tui.operations.manifest_checking import check_manifest
from archive_tui.operations.manifest_creation import create_manifest
from tests.benchmarks.hashing import (
    CORES,
    Run,
    compile_limit,
    hash_in_memory,
    print_ratios,
    run_shell,
    write_small,
)

HUGE_BYTES = 2 << 30
MANY_LINES = 1_000_000
OURS = "archive-tui"
COMMAND = f"{shlex.quote(sys.executable)} -m archive_tui manifest"
PROJECT = Path(__file__).resolve().parents[2]


def find_rclone() -> str | None:
    beside = Path(sys.executable).parent / "rclone"
    return str(beside) if beside.exists() else shutil.which("rclone")


def write_huge(folder: Path, size: int) -> list[str]:
    folder.mkdir()
    block = os.urandom(16 << 20)
    for name in ("one", "two"):
        with (folder / name).open("wb") as file:
            for start in range(0, size, len(block)):
                file.write(block[: size - start])
    return ["one", "two"]


def create(folder: Path, names: list[str], out: Path) -> Run:
    def run() -> None:
        out.unlink(missing_ok=True)
        create_manifest(names, out, Dialect.SHA256SUM, root=folder)

    return run


def check(folder: Path, manifest: Path) -> Run:
    def run() -> None:
        with open_manifest(manifest, root=folder) as opened:
            assert check_manifest(opened, root=folder).verdict is Verdict.VERIFIED

    return run


def command(folder: Path, words: str) -> Run:
    """The whole program, with its start."""
    return run_shell(f"cd {shlex.quote(str(folder))} && PYTHONPATH={shlex.quote(str(PROJECT))} {COMMAND} {words}")


def creating_peers(folder: Path, find: str, many: int) -> dict[str, Run]:
    place = shlex.quote(str(folder))
    runs = {
        "xargs -P2 openssl dgst -r": run_shell(f"{find} | xargs -0 -P2 -n {many} openssl dgst -sha256 -r"),
        "xargs -P2 sha256sum": run_shell(f"{find} | xargs -0 -P2 -n {many} sha256sum"),
    }
    if shutil.which("rhash"):
        runs["rhash --sha256"] = run_shell(f"rhash --sha256 -r {place}")
    if shutil.which("hashdeep"):
        runs["hashdeep -c sha256 -j2"] = run_shell(f"hashdeep -c sha256 -j2 -r {place}")
    if rclone := find_rclone():
        runs["rclone hashsum sha256"] = run_shell(
            f"{shlex.quote(rclone)} hashsum sha256 --checkers 2 {place} 2>/dev/null"
        )
    return runs


def checking_peers(folder: Path, manifest: Path) -> dict[str, Run]:
    place, whole = shlex.quote(str(folder)), shlex.quote(str(manifest))
    lines = manifest.read_bytes().splitlines(keepends=True)
    halves = []
    for name, part in (("half-a", lines[::2]), ("half-b", lines[1::2])):
        (manifest.parent / name).write_bytes(b"".join(part))
        halves.append(shlex.quote(str(manifest.parent / name)))
    half = "sha256sum --quiet -c"
    runs = {
        "two parallel sha256sum -c": run_shell(f"cd {place} && {{ {half} {halves[0]} & {half} {halves[1]}; wait; }}")
    }
    if shutil.which("rhash"):
        runs["rhash -c"] = run_shell(f"cd {place} && rhash --sha256 -c {whole}")
    if shutil.which("hashdeep"):
        known = shlex.quote(str(manifest.parent / "known"))
        subprocess.run(["bash", "-c", f"cd {place} && hashdeep -c sha256 -rl . > {known}"], check=True)
        runs["hashdeep -a -k -j2"] = run_shell(f"cd {place} && hashdeep -c sha256 -j2 -rl -a -k {known} .")
    if rclone := find_rclone():
        runs["rclone checksum sha256"] = run_shell(
            f"{shlex.quote(rclone)} checksum sha256 {whole} {place} --checkers 2 2>/dev/null"
        )
    return runs


def measure_creating_and_checking(
    folder: Path, names: list[str], scratch: Path, limit: dict[str, Run], many: int
) -> None:
    out, made = scratch / "made", scratch / "made-by-command"
    find = f"find {shlex.quote(str(folder))} -type f -print0"
    recursive = f"--create --format sha256sum --dir . --recursive > {shlex.quote(str(made))}"
    runs: dict[str, Run] = {
        OURS: create(folder, names, out),
        "archive-tui, the whole command": command(folder, recursive),
    }
    title = f"{len(names):,} files"
    print_ratios(f"create: {title}", {**runs, **limit, **creating_peers(folder, find, many)}, OURS)
    words = f"--check --quiet --manifest {shlex.quote(str(out))}"
    runs = {OURS: check(folder, out), "archive-tui, the whole command": command(folder, words)}
    print_ratios(f"check: {title}", {**runs, **limit, **checking_peers(folder, out)}, OURS)


def measure_many_lines(folder: Path, scratch: Path) -> None:
    lines = (scratch / "made").read_bytes()
    path = scratch / "many"
    with path.open("wb") as file:
        for _ in range(max(1, MANY_LINES // lines.count(b"\n"))):
            file.write(lines)
    begun = time.perf_counter()
    with open_manifest(path, root=folder) as manifest:
        count = sum(len(batch) for batch in manifest.batches())
    print(f"\nparse a manifest of {count:,} lines: {time.perf_counter() - begun:.2f} s")
    begun = time.perf_counter()
    words = [
        sys.executable,
        "-m",
        "archive_tui",
        "manifest",
        "--check",
        "--status",
        "--root",
        folder,
        "--manifest",
        path,
    ]
    process = subprocess.Popen(words, cwd=PROJECT)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    seconds = time.perf_counter() - begun
    print(f"check it: {seconds:.2f} s, at most {usage.ru_maxrss / 1024:.0f} MiB, exit status {status}")


def main() -> None:
    """`--scale` multiplies the size of the two huge files."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=float(os.environ.get("ARCHIVE_TUI_BENCHMARK_SCALE", "1")))
    huge = int(HUGE_BYTES * parser.parse_known_args()[0].scale)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    place = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as name:
        scratch = Path(name)
        limit = {"limit of two cores": hash_in_memory(2 * huge, 2)}
        names = write_huge(scratch / "huge", huge)
        measure_creating_and_checking(scratch / "huge", names, scratch, limit, 1)
        shutil.rmtree(scratch / "huge")
        small = scratch / "small"
        names = write_small(small)
        program = compile_limit(scratch)
        limit = {} if program is None else {"limit: C, two threads": run_shell(f"{program} {shlex.quote(str(small))}")}
        measure_creating_and_checking(small, names, scratch, limit, 500)
        measure_many_lines(small, scratch)


if __name__ == "__main__":
    main()
