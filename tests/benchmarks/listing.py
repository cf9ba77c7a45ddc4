"""Listing a bucket of many keys, beside the paginator of boto3, rclone and s5cmd."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

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

KEYS = 100_000
ROUNDS = 3


def fill_bucket(server: S3Server, keys: int) -> None:
    """Puts `keys` tiny objects, by the library that does it fastest."""
    import obstore
    from obstore.store import S3Store as Filler

    address = {"endpoint": server.endpoint_url, "region": "us-east-1", "virtual_hosted_style_request": False}
    secrets = {"access_key_id": server.access_key, "secret_access_key": server.secret_key}
    target = Filler(BUCKET, config={**address, **secrets}, client_options={"allow_http": True})  # type: ignore[typeddict-item]

    def put(number: int) -> None:
        obstore.put(target, f"d{number // 1000:03}/{number:06}.dat", b"x", use_multipart=False)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(put, range(keys)))


def list_with_boto3(server: S3Server) -> int:
    pages = boto_client(server).get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    return sum(len(page.get("Contents", ())) for page in pages)


def list_with_s5cmd(server: S3Server) -> None:
    secrets = {"AWS_ACCESS_KEY_ID": server.access_key, "AWS_SECRET_ACCESS_KEY": server.secret_key}
    words = ["s5cmd", "--endpoint-url", server.endpoint_url, "ls", f"s3://{BUCKET}/*"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **secrets})


def find_ways(server: S3Server, keys: int) -> dict[str, Callable[[], object]]:
    store = S3Store(BUCKET, **server.settings())

    def list_ours() -> None:
        assert sum(1 for _ in store.list()) == keys

    ways: dict[str, Callable[[], object]] = {
        "archive-tui": list_ours,
        "archive-tui, first page": lambda: next(store.list()),
        "boto3 paginator": lambda: list_with_boto3(server),
    }
    if find_rclone():
        ways["rclone lsf"] = lambda: run_rclone(server, "lsf", "-R", "--files-only", "--fast-list", f"bench:{BUCKET}")
    if shutil.which("s5cmd"):
        ways["s5cmd ls"] = lambda: list_with_s5cmd(server)
    return ways


def main() -> None:
    """`--scale` multiplies the number of keys."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=float(os.environ.get("ARCHIVE_TUI_BENCHMARK_SCALE", "1")))
    keys = int(KEYS * parser.parse_known_args()[0].scale)
    with running_s3() as server:
        fill_bucket(server, keys)
        ways = find_ways(server, keys)
        runs: dict[str, list[Taken]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                runs[name].append(measure(way))
    print_table(f"list {keys:,} keys", {name: best(taken) for name, taken in runs.items()}, "archive-tui")


if __name__ == "__main__":
    main()
