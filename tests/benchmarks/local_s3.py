"""A SeaweedFS server for measurements, on other cores than the client where there are enough."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.servers.required_servers import find_program
from tests.servers.s3_server import S3Server
from tests.servers.seaweedfs import INSTALL, _running_seaweedfs

CORES = 2
BUCKET = "benchmark"


class Taken(NamedTuple):
    """Seconds on the clock, and of processor time of the client with its child processes."""

    wall: float
    cpu: float


@contextlib.contextmanager
def running_s3() -> Iterator[S3Server]:
    """Starts the server with an empty bucket; the caller then runs on the first two cores, the server on the others."""
    cores = sorted(os.sched_getaffinity(0))
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as folder, contextlib.ExitStack() as stack:
        os.sched_setaffinity(0, cores[CORES:] or cores)
        try:
            server = stack.enter_context(_running_seaweedfs(find_program("weed", INSTALL), Path(folder) / "server"))
        finally:
            os.sched_setaffinity(0, cores[:CORES])
        server.client().create_bucket(Bucket=BUCKET)
        yield server


def boto_client(server: S3Server) -> Any:
    """A client of boto3 as it comes, with its own defaults."""
    import boto3

    return boto3.client("s3", **server.settings())


def measure(action: Callable[[], object]) -> Taken:
    started, before = time.perf_counter(), _processor_seconds()
    action()
    return Taken(time.perf_counter() - started, _processor_seconds() - before)


def _processor_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def best(runs: list[Taken]) -> Taken:
    """The least of both figures: what disturbs a measurement only ever adds."""
    return Taken(min(run.wall for run in runs), min(run.cpu for run in runs))


def find_rclone() -> str | None:
    """rclone beside the interpreter or on the path, None when it is not installed."""
    return shutil.which("rclone", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")


def run_rclone(server: S3Server, *words: str) -> None:
    """Runs rclone with a remote `bench:` that is the server."""
    remote = {
        "TYPE": "s3", "PROVIDER": "SeaweedFS", "ENDPOINT": server.endpoint_url, "ACCESS_KEY_ID": server.access_key,
        "SECRET_ACCESS_KEY": server.secret_key,
    }  # fmt: skip
    settings = {f"RCLONE_CONFIG_BENCH_{name}": value for name, value in remote.items()}
    program = find_rclone()
    assert program is not None
    environment = {**os.environ, **settings, "RCLONE_CONFIG": os.devnull}
    subprocess.run([program, *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)


def print_table(title: str, rows: dict[str, Taken], ours: str) -> None:
    """Prints how many times as long, and how many times the processor time, everybody else took."""
    print(f"\n{title}\n{'':<30}{'s':>8}{'CPU s':>8}{'ours × as fast':>16}{'ours × less CPU':>17}")
    mine = rows[ours]
    for name, row in rows.items():
        ratios = "" if name == ours else f"{row.wall / mine.wall:>16.1f}{row.cpu / mine.cpu:>17.1f}"
        print(f"{name:<30}{row.wall:>8.2f}{row.cpu:>8.2f}{ratios}")
