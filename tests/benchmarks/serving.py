"""A datasafe over HTTP under load: heartbeats, descriptions, small and large datasets, with 50 clients of wrk."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from archive_tui.archives.datasafe.deposit_source import prepare_deposit
from archive_tui.archives.datasafe.remote_safe import RemoteSafe
from archive_tui.names.quantities import format_size
from archive_tui.progress import ignore, never
from tests.archives.datasafe.served_datasafe import PARENT, ServedDatasafe, make_served

CLIENTS, SECONDS = 50, 10
SMALL, LARGE = 20 << 10, 256 << 20


def deposit(safe: RemoteSafe, folder: Path, size: int) -> str:
    """Returns the LOI of a new dataset with one file of so many random bytes."""
    folder.mkdir()
    with (folder / "data").open("wb") as file:
        for start in range(0, size, 1 << 20):
            file.write(os.urandom(min(1 << 20, size - start)))
    loi = safe.reserve(PARENT)
    safe.deposit(loi, prepare_deposit(folder, loi=loi, report=ignore, stop=never).chunks())
    return loi


def load(served: ServedDatasafe, path: str, seconds: int, clients: int, *headers: str) -> None:
    """Prints what wrk has measured."""
    options = [word for header in headers for word in ("-H", header)]
    command = ["wrk", "-t2", f"-c{clients}", f"-d{seconds}s", "--latency", "--timeout", "60s", *options]
    out = subprocess.run([*command, f"{served.url}{path}"], capture_output=True, text=True, check=True).stdout
    found = [
        re.search(pattern, out) for pattern in (r"Requests/sec:\s+(\S+)", r"Transfer/sec:\s+(\S+)", r"99%\s+(\S+)")
    ]
    rate, transfer, late = (each[1] if each is not None else "?" for each in found)
    faults = "".join(f"  {line}" for line in re.findall(r"(?:Non-2xx|Socket errors).*", out))
    print(f"  {rate} requests/s, {transfer}/s, 99 % within {late}{faults}")


def measure(served: ServedDatasafe, folder: Path, scale: float) -> None:
    seconds = max(1, round(SECONDS * scale))
    with RemoteSafe(served.url) as safe:
        small = deposit(safe, folder / "small", SMALL)
        large = deposit(safe, folder / "large", max(SMALL, round(LARGE * scale)))
    for title, path, clients, headers in (
        ("heartbeat", "heartbeat", CLIENTS, ()),
        ("description of a dataset", f"api/{small}", CLIENTS, ("Accept: application/json",)),
        (f"dataset of {format_size(SMALL)}", f"api/{small}", CLIENTS, ()),
        (f"dataset of {format_size(round(LARGE * scale))}", f"api/{large}", 8, ()),
    ):
        print(f"{title}, {clients} clients, {seconds} s:")
        load(served, path, seconds, clients, *headers)
    print(f"most memory of the server: {format_size(most_memory(served))}")


def most_memory(served: ServedDatasafe) -> int:
    """Bytes of RSS that the server has had at most."""
    assert served.process is not None
    status = Path(f"/proc/{served.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+)", status)
    assert found is not None
    return int(found[1]) * 1024


def main() -> None:
    parser = argparse.ArgumentParser(prog="serving")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--scale", type=float, default=1.0, help="1: ten seconds each, a large dataset of 256 MiB")
    chosen = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: apt-get install wrk")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with make_served(folder).running() as served:
            measure(served, folder, chosen.scale)
