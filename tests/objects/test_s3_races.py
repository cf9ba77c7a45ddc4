"""Many writers of one key: exactly one wins, in threads and in processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archive_tui.errors import ObjectExists
from archive_tui.objects.s3 import S3Store
from tests.conformance.object_store_suite import put_bytes, read_all
from tests.servers.s3_server import S3Server

WRITER = """
import json, sys
from archive_tui.errors import ObjectExists
from archive_tui.objects.s3 import S3Store

settings = json.loads(sys.argv[1])
store = S3Store(**settings)
store.probe()
print("ready", flush=True)
for line in sys.stdin:
    try:
        store.put(line.strip(), [sys.argv[2].encode()])
    except ObjectExists:
        print("lost", flush=True)
    else:
        print("won", flush=True)
"""


def race_threads(store: S3Store, key: str, writers: int) -> None:
    barrier = threading.Barrier(writers)

    def write(number: int) -> int | None:
        barrier.wait(30)
        try:
            put_bytes(store, key, f"writer {number}".encode())
        except ObjectExists:
            return None
        return number

    with ThreadPoolExecutor(writers) as pool:
        winners = [number for number in pool.map(write, range(writers)) if number is not None]
    assert len(winners) == 1
    assert read_all(store, key) == f"writer {winners[0]}".encode()


def test_one_of_64_threads_wins(seaweedfs_server: S3Server) -> None:
    with S3Store(seaweedfs_server.new_bucket(), **seaweedfs_server.settings()) as store:
        store.probe()
        race_threads(store, "race", 64)


def race_processes(server: S3Server, writers: int, rounds: int) -> None:
    import json

    settings = json.dumps({"bucket": server.new_bucket(), **server.settings()})
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, settings, str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for number in range(writers)
    ]
    try:
        assert [process.stdout.readline() for process in processes if process.stdout] == ["ready\n"] * writers
        for turn in range(rounds):
            for process in processes:
                assert process.stdin is not None
                process.stdin.write(f"race/{turn}\n")
                process.stdin.flush()
            said = [process.stdout.readline().strip() for process in processes if process.stdout]
            assert sorted(said) == ["lost"] * (writers - 1) + ["won"]
    finally:
        for process in processes:
            process.communicate()


def test_one_of_6_processes_wins(seaweedfs_server: S3Server) -> None:
    race_processes(seaweedfs_server, 6, 3)


@pytest.mark.slow
def test_one_of_64_processes_wins(seaweedfs_server: S3Server) -> None:
    race_processes(seaweedfs_server, 64, 10)
