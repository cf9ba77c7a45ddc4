"""Many small objects and one of 1 GiB, up and down, beside boto3, rclone and s5cmd."""

from __future__ import annotations

import argparse
import hashlib
import itertools
import multiprocessing
import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from archive_tui.archives.vault.archiving import UPLOADERS
from archive_tui.archives.vault.fetching import FETCH_THREADS
from archive_tui.archives.vault.local_content import LocalContent
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
"""Of boto3, which is slower with more; archive-tui takes as many as its commands do."""

ROUNDS = 2

Ways = dict[str, Callable[[], object]]


def small_ways(server: S3Server, folder: Path, count: int) -> tuple[Ways, Ways]:
    """Returns the ways up and the ways down. Ours puts as an archive does: new objects only, digests known; each round
    of it and of boto3 has a prefix of its own."""
    store, client = S3Store(BUCKET, **server.settings()), boto_client(server)
    store.probe()
    names = [f"{number:05}" for number in range(count)]
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    rounds = itertools.count()

    def put(name: str, prefix: str) -> None:
        store.put(f"ours{prefix}/{name}", [(folder / name).read_bytes()], SMALL_BYTES, digest=digests[name])

    def get(name: str, prefix: str) -> None:
        with store.open(f"ours0/{name}") as reader:
            assert len(reader.read()) == SMALL_BYTES

    def boto_put(name: str, prefix: str) -> None:
        client.put_object(Bucket=BUCKET, Key=f"boto3-{prefix}/{name}", Body=(folder / name).read_bytes())

    def boto_get(name: str, prefix: str) -> None:
        assert len(client.get_object(Bucket=BUCKET, Key=f"ours0/{name}")["Body"].read()) == SMALL_BYTES

    def run_in(threads: int, action: Callable[[str, str], None]) -> Callable[[], object]:
        def run() -> None:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(action, names, itertools.repeat(str(next(rounds)))))

        return run

    up: Ways = {
        "archive-tui": run_in(UPLOADERS, put),
        "boto3, one after the other": run_in(1, boto_put),
        f"boto3, {THREADS} threads": run_in(THREADS, boto_put),
    }
    down: Ways = {
        "archive-tui": run_in(FETCH_THREADS, get),
        "boto3, one after the other": run_in(1, boto_get),
        f"boto3, {THREADS} threads": run_in(THREADS, boto_get),
    }
    add_programs(server, folder, up, down)
    return up, down


def add_programs(server: S3Server, folder: Path, up: Ways, down: Ways) -> None:
    fetched = folder.parent / "fetched"
    fast = ("--transfers=32", "--checkers=32", "--ignore-times")
    if find_rclone():
        up["rclone copy"] = lambda: run_rclone(server, "copy", *fast, str(folder), f"bench:{BUCKET}/rclone")
        down["rclone copy"] = lambda: run_rclone(server, "copy", *fast, f"bench:{BUCKET}/ours0", str(fetched))
    if shutil.which("s5cmd"):
        secrets = {"AWS_ACCESS_KEY_ID": server.access_key, "AWS_SECRET_ACCESS_KEY": server.secret_key}

        def run(*words: str) -> None:
            command = ["s5cmd", "--endpoint-url", server.endpoint_url, "cp", *words]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **secrets})

        up["s5cmd cp"] = lambda: run(f"{folder}/*", f"s3://{BUCKET}/s5cmd/")
        down["s5cmd cp"] = lambda: run(f"s3://{BUCKET}/ours0/*", f"{fetched}/")


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


def put_known(server: S3Server, file: Path, digest: str) -> None:
    """As the file of a manifest is archived."""
    content = LocalContent(file.parent, file.name)
    S3Store(BUCKET, **server.settings()).put("large", content, content.size, digest=digest, overwrite=True)  # type: ignore[arg-type]


def put_unknown(server: S3Server, file: Path, digest: str) -> None:
    """As a dataset is published, whose digest is known when its last byte has been made."""
    with file.open("rb", buffering=0) as opened:
        S3Store(BUCKET, **server.settings()).put("large-stream", read_chunks(opened), overwrite=True)  # type: ignore[arg-type]


def boto_put_large(server: S3Server, file: Path, digest: str) -> None:
    boto_client(server).upload_file(str(file), BUCKET, "large-boto3")


def get_large(server: S3Server, file: Path, digest: str) -> None:
    target = file.with_suffix(".fetched")
    with S3Store(BUCKET, **server.settings()).open("large") as reader, target.open("wb", buffering=0) as opened:  # type: ignore[arg-type]
        for chunk in read_chunks(reader):
            opened.write(chunk)
    target.unlink()


def boto_get_large(server: S3Server, file: Path, digest: str) -> None:
    target = file.with_suffix(".fetched")
    boto_client(server).download_file(BUCKET, "large-boto3", str(target))
    target.unlink()


LargeWay = Callable[[S3Server, Path, str], None]
LARGE_UP: dict[str, LargeWay] = {
    "archive-tui": put_known,
    "archive-tui, digest unknown": put_unknown,
    "boto3": boto_put_large,
}
LARGE_DOWN: dict[str, LargeWay] = {"archive-tui": get_large, "boto3": boto_get_large}


def run_alone(way: LargeWay, server: S3Server, file: Path, digest: str) -> tuple[Taken, int]:
    """Measures in a process of its own; returns the time and the most memory, in MiB."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (way, server, file, digest))


def _measured(way: LargeWay, server: S3Server, file: Path, digest: str) -> tuple[Taken, int]:
    taken = measure(lambda: way(server, file, digest))
    return taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def measure_large(server: S3Server, scratch: Path, size: int) -> None:
    file = scratch / "large"
    hashed = hashlib.sha256()
    with file.open("wb") as opened:
        for _ in range(size >> 20):
            hashed.update(block := os.urandom(1 << 20))
            opened.write(block)
    for direction, ways in (("up", LARGE_UP), ("down", LARGE_DOWN)):
        runs: dict[str, list[tuple[Taken, int]]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                runs[name].append(run_alone(way, server, file, hashed.hexdigest()))
        rows = {name: best([taken for taken, _ in measured]) for name, measured in runs.items()}
        print_table(f"one object of {size >> 20:,} MiB, {direction}", rows, "archive-tui")
        memory = [f"{name} {max(peak for _, peak in measured)} MiB" for name, measured in runs.items()]
        print(f"memory: {'; '.join(memory)}")


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
