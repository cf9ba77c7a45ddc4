"""Hashing and verifying beside openssl, sha256sum, rhash and the limit of the processor, all on two cores."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from archive_tui.integrity.inventory import Entry, Inventory
from archive_tui.manifests.dataset_manifest import DatasetManifest, format_dataset_manifest, manifest_time
from archive_tui.operations.hashing.files import hash_file, hash_files
from archive_tui.operations.verifying import verify_folder

CORES = 2
ROUNDS = 7
HUGE_BYTES = 512 << 20
SMALL_FILES, SMALL_BYTES = 100_000, 4096
C_SOURCE = r"""
#include <fcntl.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
static char *root;
static void *work(void *first) {
  unsigned char content[16384], digest[32];
  char path[4096];
  for (long folder = (long)first; folder < 100; folder += 2)
    for (int file = 0; file < 1000; file++) {
      snprintf(path, sizeof path, "%s/d%02ld/f%03d", root, folder, file);
      int descriptor = open(path, O_RDONLY);
      SHA256(content, read(descriptor, content, sizeof content), digest);
      close(descriptor);
    }
  return 0;
}
int main(int count, char **words) {
  pthread_t one, two;
  root = words[1];
  pthread_create(&one, 0, work, (void *)0);
  pthread_create(&two, 0, work, (void *)1);
  pthread_join(one, 0);
  pthread_join(two, 0);
  return 0;
}
"""

Run = Callable[[], object]


def run_shell(command: str) -> Run:
    return lambda: subprocess.run(["bash", "-c", command], stdout=subprocess.DEVNULL, check=True)


def hash_in_memory(total: int, threads: int) -> Run:
    """The limit: the same number of bytes, already in the cache, on so many cores."""

    def work() -> None:
        digest, block = hashlib.sha256(), bytes(1 << 20)
        for _ in range((total // threads) >> 20):
            digest.update(block)

    def run() -> None:
        workers = [threading.Thread(target=work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    return run


def print_ratios(title: str, runs: dict[str, Run], ours: str) -> None:
    """Runs all in turn and prints medians; the ratio of each round is taken by itself, for machines are not steady."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for round_number in range(ROUNDS + 1):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            if round_number:
                times[name].append(time.perf_counter() - started)
    print(f"\n{title}\n{'':<34}{'seconds':>9}{'ours is × as fast':>20}")
    for name, seconds in times.items():
        ratio = statistics.median(other / own for other, own in zip(seconds, times[ours], strict=True))
        print(f"{name:<34}{statistics.median(seconds):>9.3f}{'' if name == ours else f'{ratio:.2f}':>20}")


def write_huge(folder: Path) -> list[str]:
    folder.mkdir()
    block = os.urandom(16 << 20)
    for name in ("one", "two"):
        with (folder / name).open("wb") as file:
            for _ in range(HUGE_BYTES // len(block)):
                file.write(block)
    return ["one", "two"]


def write_small(folder: Path) -> list[str]:
    paths = [f"d{number // 1000:02}/f{number % 1000:03}" for number in range(SMALL_FILES)]
    for path in paths:
        (folder / path).parent.mkdir(exist_ok=True, parents=True)
        (folder / path).write_bytes(os.urandom(SMALL_BYTES))
    return paths


def consume(folder: Path, paths: list[str]) -> Run:
    return lambda: [found for found in hash_files(folder, paths) if found.digest is None]


def compile_limit(folder: Path) -> Path | None:
    """The same work in C with two threads, where there are a compiler and the headers of OpenSSL."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    (folder / "limit.c").write_text(C_SOURCE)
    command = [compiler, "-O2", "-o", str(folder / "limit"), str(folder / "limit.c"), "-lcrypto", "-lpthread"]
    done = subprocess.run(command, stderr=subprocess.DEVNULL)
    return folder / "limit" if done.returncode == 0 else None


def measure_huge(folder: Path) -> None:
    names = write_huge(folder)
    place = shlex.quote(str(folder))
    print_ratios(
        "one file of 512 MiB",
        {"archive-tui": lambda: hash_file(folder / "one"), "limit of one core": hash_in_memory(HUGE_BYTES, 1)},
        "archive-tui",
    )
    print_ratios(
        "two files of 512 MiB",
        {
            "archive-tui": consume(folder, names),
            "limit of two cores": hash_in_memory(2 * HUGE_BYTES, 2),
            "xargs -P2 openssl dgst -r": run_shell(f"ls {place}/* | xargs -P2 -n1 openssl dgst -sha256 -r"),
        },
        "archive-tui",
    )


def measure_small(folder: Path, scratch: Path) -> None:
    paths = write_small(folder)
    place = shlex.quote(str(folder))
    find = f"find {place} -name 'f*' -print0"
    runs: dict[str, Run] = {
        "archive-tui": consume(folder, paths),
        "xargs -P2 sha256sum": run_shell(f"{find} | xargs -0 -P2 -n 500 sha256sum"),
        "xargs -P2 openssl dgst -r": run_shell(f"{find} | xargs -0 -P2 -n 500 openssl dgst -sha256 -r"),
    }
    limit = compile_limit(scratch)
    if limit is not None:
        runs["limit: C, two threads"] = lambda: subprocess.run([limit, folder], check=True)
    if shutil.which("rhash"):
        runs["rhash --sha256"] = run_shell(f"rhash --sha256 -r {place}")
    print_ratios(f"{SMALL_FILES:,} files of 4 KiB", runs, "archive-tui")
    measure_verify(folder, paths, scratch)


def measure_verify(folder: Path, paths: list[str], scratch: Path) -> None:
    inventory = Inventory(Entry(found.path, found.size, found.digest) for found in hash_files(folder, paths))
    (folder / "manifest.json").write_bytes(format_dataset_manifest(DatasetManifest(manifest_time(), inventory)))
    lines = [f"{entry.digest}  {entry.path}\n" for entry in inventory]
    for name, part in (("a", lines[::2]), ("b", lines[1::2]), ("all", lines)):
        (scratch / name).write_text("".join(part))
    place, lists = shlex.quote(str(folder)), shlex.quote(str(scratch))
    check = f"sha256sum --quiet -c {lists}"
    runs: dict[str, Run] = {
        "archive-tui": lambda: verify_folder(folder),
        "two parallel sha256sum -c": run_shell(f"cd {place} && {check}/a & cd {place} && {check}/b; wait"),
    }
    if shutil.which("rhash"):
        runs["rhash -c"] = run_shell(f"cd {place} && rhash --sha256 -c {lists}/all")
    print_ratios(f"verify {SMALL_FILES:,} files of 4 KiB", runs, "archive-tui")


def main() -> None:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    place = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as scratch:
        measure_huge(Path(scratch) / "huge")
        measure_small(Path(scratch) / "small", Path(scratch))


if __name__ == "__main__":
    main()
