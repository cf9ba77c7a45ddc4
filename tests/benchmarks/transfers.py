"""Many small objects and one of 1 GiB, up and down, beside boto3, rclone and s5cmd."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from archive_tui.integrity.streams import read_chunks
from archive_tui.objects.s3 import S3Store
from tests.benchmarks.local_s3 import (
    BUCKET,
    Taken,
    best,
    boto_client,
    find_rclone,
    measure,
    print_table,
    run_rclone,
    running_s3,
)
from tests.servers.s3_server import S3Server

SMALL_OBJECTS, SMALL_BYTES = 5_000, 16 << 10
LARGE_BYTES = 1 << 30
THREADS = 8
ROUNDS = 2

Ways = dict[str, Callable[[], object]]


def small_ways(server: S3Server, folder: Path, count: int) -> tuple[Ways, Ways]:
    """Returns the ways up and the ways down; every way up has a prefix of its own, and overwrites."""
    store, client = S3Store(BUCKET, **server.settings()), boto_client(server)
    names = [f"{number:05}" for number in range(count)]

    def put(name: str) -> None:
        store.put(f"ours/{name}", [(folder / name).read_bytes()], SMALL_BYTES, overwrite=True)

    def get(name: str) -> None:
        with store.open(f"ours/{name}") as reader:
            assert len(reader.read()) == SMALL_BYTES

    def boto_put(name: str) -> None:
        client.put_object(Bucket=BUCKET, Key=f"boto3/{name}", Body=(folder / name).read_bytes())

    def boto_get(name: str) -> None:
        assert len(client.get_object(Bucket=BUCKET, Key=f"ours/{name}")["Body"].read()) == SMALL_BYTES

    def threaded(action: Callable[[str], None]) -> Callable[[], object]:
        def run() -> None:
            with ThreadPoolExecutor(THREADS) as pool:
                list(pool.map(action, names))

        return run

    up: Ways = {
        "archive-tui": threaded(put),
        "boto3, one after the other": lambda: [boto_put(name) for name in names],
        f"boto3, {THREADS} threads": threaded(boto_put),
    }
    down: Ways = {
        "archive-tui": threaded(get),
        "boto3, one after the other": lambda: [boto_get(name) for name in names],
        f"boto3, {THREADS} threads": threaded(boto_get),
    }
    add_programs(server, folder, up, down)
    return up, down


def add_programs(server: S3Server, folder: Path, up: Ways, down: Ways) -> None:
    fetched = folder.parent / "fetched"
    fast = ("--transfers=32", "--checkers=32", "--ignore-times")
    if find_rclone():
        up["rclone copy"] = lambda: run_rclone(server, "copy", *fast, str(folder), f"bench:{BUCKET}/rclone")
        down["rclone copy"] = lambda: run_rclone(server, "copy", *fast, f"bench:{BUCKET}/ours", str(fetched))
    if shutil.which("s5cmd"):
        secrets = {"AWS_ACCESS_KEY_ID": server.access_key, "AWS_SECRET_ACCESS_KEY": server.secret_key}

        def run(*words: str) -> None:
            command = ["s5cmd", "--endpoint-url", server.endpoint_url, "cp", *words]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **secrets})

        up["s5cmd cp"] = lambda: run(f"{folder}/*", f"s3://{BUCKET}/s5cmd/")
        down["s5cmd cp"] = lambda: run(f"s3://{BUCKET}/ours/*", f"{fetched}/")


def measure_small(server: S3Server, scratch: Path, count: int) -> None:
    folder = scratch / "small"
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:05}").write_bytes(os.urandom(SMALL_BYTES))
    for direction, ways in zip(("up", "down"), small_ways(server, folder, count), strict=True):
        runs: dict[str, list[Taken]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                runs[name].append(measure(way))
        rows = {name: best(taken) for name, taken in runs.items()}
        print_table(f"{count:,} objects of 16 KiB, {direction}", rows, "archive-tui")


def put_large(server: S3Server, file: Path, is_ours: bool) -> None:
    if is_ours:
        with file.open("rb", buffering=0) as opened:
            S3Store(BUCKET, **server.settings()).put("large", read_chunks(opened), overwrite=True)  # type: ignore[arg-type]
    else:
        boto_client(server).upload_file(str(file), BUCKET, "large-boto3")


def get_large(server: S3Server, target: Path, is_ours: bool) -> None:
    if is_ours:
        with S3Store(BUCKET, **server.settings()).open("large") as reader, target.open("wb", buffering=0) as opened:
            for chunk in read_chunks(reader):
                opened.write(chunk)
    else:
        boto_client(server).download_file(BUCKET, "large-boto3", str(target))
    target.unlink()


def run_alone(
    action: Callable[[S3Server, Path, bool], None], server: S3Server, file: Path, is_ours: bool
) -> tuple[Taken, int]:
    """Measures in a process of its own; returns the time and the most memory, in MiB."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (action, server, file, is_ours))


def _measured(
    action: Callable[[S3Server, Path, bool], None], server: S3Server, file: Path, is_ours: bool
) -> tuple[Taken, int]:
    taken = measure(lambda: action(server, file, is_ours))
    return taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def measure_large(server: S3Server, scratch: Path, size: int) -> None:
    file = scratch / "large"
    with file.open("wb") as opened:
        for _ in range(size >> 20):
            opened.write(os.urandom(1 << 20))
    for direction, action, path in (("up", put_large, file), ("down", get_large, scratch / "fetched-large")):
        runs: dict[bool, list[tuple[Taken, int]]] = {True: [], False: []}
        for _ in range(ROUNDS):
            for is_ours, measured in runs.items():
                measured.append(run_alone(action, server, path, is_ours))
        rows = {
            name: best([taken for taken, _ in runs[ours]]) for name, ours in (("archive-tui", True), ("boto3", False))
        }
        print_table(f"one object of {size >> 20:,} MiB, {direction}", rows, "archive-tui")
        memory = {ours: max(peak for _, peak in measured) for ours, measured in runs.items()}
        print(f"memory: archive-tui {memory[True]} MiB, boto3 {memory[False]} MiB")


def main() -> None:
    """`--scale` multiplies the number of small objects and the size of the large one."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=float(os.environ.get("ARCHIVE_TUI_BENCHMARK_SCALE", "1")))
    scale = parser.parse_known_args()[0].scale
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with running_s3() as server, tempfile.TemporaryDirectory(dir=memory) as scratch:
        measure_small(server, Path(scratch), max(8, int(SMALL_OBJECTS * scale)))
        measure_large(server, Path(scratch), int(LARGE_BYTES * scale))


if __name__ == "__main__":
    main()
