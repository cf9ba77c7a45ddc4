"""Transfers that are cut, crowded, large or without room: what the server keeps, holds and leaves."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import urllib3

from archive_tui.archives.datasafe.deposit_source import prepare_deposit
from archive_tui.archives.datasafe.remote_safe import RemoteSafe
from archive_tui.integrity.report import Verdict
from archive_tui.progress import ignore, never
from tests.archives.datasafe.served_datasafe import PARENT, ServedDatasafe, make_served, pack_dataset
from tests.http_api.raw_requests import ask, connect, read_answer, request

MIB = 1 << 20
LOI = f"{PARENT}/1"
NAMESPACES = (("unshare", "-Urm", "--map-root-user"), ("unshare", "-m"))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedDatasafe]:
    with make_served(tmp_path).running() as served:
        yield served


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def reserve(served: ServedDatasafe) -> str:
    return ask(served.port, request("POST", f"/api/{PARENT}")).body.decode()


def put(served: ServedDatasafe, loi: str, body: bytes, verb: str = "PUT") -> int:
    return ask(served.port, request(verb, f"/api/{loi}", f"Content-Length: {len(body)}") + body).status


def kept_files(served: ServedDatasafe) -> list[str]:
    """Everything in the safe but the record of its issuer."""
    files = (path.relative_to(served.root) for path in served.root.rglob("*") if not path.is_dir())
    return sorted(str(path) for path in files if path.name != ".datasafe.json")


def open_files(served: ServedDatasafe) -> list[str]:
    """What the server has open below its folder."""
    assert served.process is not None
    found = []
    for link in Path(f"/proc/{served.process.pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found.append(str(link.readlink()))
    return [path for path in found if path.startswith((str(served.root), str(served.temporary)))]


def test_clients_that_vanish_leave_nothing(served: ServedDatasafe) -> None:
    loi = reserve(served)
    packed = pack_dataset(loi, {"data": os.urandom(2 * MIB)})
    head = request("PUT", f"/api/{loi}", f"Content-Length: {len(packed)}")
    for length in (0, 1, 70_000, len(packed) - 1):
        with connect(served.port) as vanishing:
            vanishing.sendall(head + packed[:length])
            abort(vanishing)
    wait_until(lambda: not open_files(served))
    assert kept_files(served) == [] and list(served.temporary.iterdir()) == []
    assert put(served, loi, packed) == 200
    for length in (1, 70_000):
        with connect(served.port) as vanishing:
            vanishing.sendall(request("GET", f"/api/{loi}"))
            vanishing.recv(length, socket.MSG_WAITALL)
            abort(vanishing)
    wait_until(lambda: not open_files(served))
    assert "Traceback" not in (served.folder / "server.log").read_text()


def abort(connection: socket.socket) -> None:
    """Closes with a reset, as a machine that lost its power seems to."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def test_two_hundred_clients_at_once(served: ServedDatasafe) -> None:
    """Half of them reserve and deposit, half of them read."""
    first = reserve(served)
    packed = pack_dataset(first, {"data": os.urandom(20_000)})
    assert put(served, first, packed) == 200
    whole = ask(served.port, request("GET", f"/api/{first}")).body

    def work(number: int) -> str:
        if number % 2:
            assert ask(served.port, request("GET", f"/api/{first}")).body == whole
            return ""
        loi = reserve(served)
        assert put(served, loi, pack_dataset(loi, {"data": b"%d" % number})) == 200
        return loi

    with ThreadPoolExecutor(200) as clients:
        lois = {loi for loi in clients.map(work, range(200)) if loi}
    assert len(lois) == 100 and first not in lois
    answer = ask(served.port, request("GET", "/api/", "Accept: application/json"))
    assert {row["state"] for row in json.loads(answer.body)["datasets"]} == {"deposited"}
    assert list(served.temporary.iterdir()) == []


def test_a_deposit_that_runs_is_finished_on_sigterm(served: ServedDatasafe) -> None:
    assert served.process is not None
    loi = reserve(served)
    packed = pack_dataset(loi, {"data": os.urandom(MIB)})
    with connect(served.port) as sending:
        sending.sendall(request("PUT", f"/api/{loi}", f"Content-Length: {len(packed)}") + packed[:500_000])
        ask(served.port, request("GET", "/heartbeat"))
        served.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not takes_connections(served.port))
        sending.sendall(packed[500_000:])
        assert read_answer(sending).status == 200
    assert served.process.wait(20) == 0
    assert list(served.temporary.iterdir()) == []
    assert "note: Stopped.\n" in (served.folder / "server.log").read_text()


def takes_connections(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
def test_a_kill_leaves_the_old_or_the_new(tmp_path: Path, verb: str) -> None:
    check_kills(tmp_path, verb, [0.001, 0.012, 0.03])


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
def test_many_kills_leave_the_old_or_the_new(tmp_path: Path, verb: str) -> None:
    check_kills(tmp_path, verb, [number / 2500 for number in range(100)])


def check_kills(folder: Path, verb: str, delays: list[float]) -> None:
    """The server that comes back after a kill is the one that the next kill ends."""
    served = make_served(folder)
    waiting: tuple[str, bytes] | None = None
    for delay in delays:
        with served.running():
            if waiting is not None:
                check_old_or_new(served, verb, *waiting)
            loi = reserve(served)
            old, new = (pack_dataset(loi, {"data": os.urandom(MIB), "more": text}) for text in (b"old", b"new"))
            assert verb == "PUT" or put(served, loi, old) == 200
            with connect(served.port) as sending:
                sending.sendall(request(verb, f"/api/{loi}", f"Content-Length: {len(new)}") + new)
                time.sleep(delay)
                served.kill()
            waiting = loi, new
    assert waiting is not None
    with served.running():
        check_old_or_new(served, verb, *waiting)


def check_old_or_new(served: ServedDatasafe, verb: str, loi: str, new: bytes) -> None:
    status = ask(served.port, request("GET", f"/api/{loi}")).status
    with RemoteSafe(served.url) as safe:
        if status == 200:
            assert safe.verify(loi).verdict is Verdict.VERIFIED
        else:
            assert (status, verb) == (204, "PUT")
            assert put(served, loi, new) == 200, "a retry is not blocked"
        assert put(served, loi, new, "PATCH") == 200
        assert safe.verify(loi).verdict is Verdict.VERIFIED


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    """The safe lies on a file system of 40 MiB, in a mount namespace of the server's own."""
    check_namespaces()
    served = make_served(tmp_path)
    with served.running(within=mount_command(served.root, "40m")):
        loi = reserve(served)
        for _ in range(2):
            answer = ask(
                served.port,
                request("PUT", f"/api/{loi}", f"Content-Length: {50 * MIB}") + bytes(50 * MIB),
            )
            assert answer.status == 507, answer.body
        answer = ask(served.port, request("GET", f"/api/{loi}"))
        assert answer.status == 204
        assert put(served, loi, pack_dataset(loi, {"data": os.urandom(100_000)})) == 200, "there is room again"


def check_namespaces() -> tuple[str, ...]:
    for command in NAMESPACES:
        trial = [*command, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        with contextlib.suppress(FileNotFoundError):
            if subprocess.run(trial, capture_output=True, check=False).returncode == 0:
                return command
    return pytest.skip("no file system may be mounted here (neither as root nor in a user namespace)")


def mount_command(folder: Path, size: str) -> list[str]:
    script = f'mount -t tmpfs -o size={size} tmpfs "$0" && exec "$@"'
    return [*check_namespaces(), "sh", "-c", script, str(folder)]


def test_a_large_dataset_takes_little_memory(tmp_path: Path) -> None:
    check_memory(tmp_path, 300 * MIB)


@pytest.mark.slow
def test_a_very_large_dataset_takes_little_memory(tmp_path: Path) -> None:
    check_memory(tmp_path, 5 << 30)


def check_memory(folder: Path, size: int) -> None:
    source = folder / "source"
    source.mkdir()
    with (source / "data").open("wb") as file:
        file.truncate(size)
    with make_served(folder).running() as served, RemoteSafe(served.url) as safe:
        loi = safe.reserve(PARENT)
        prepared = prepare_deposit(source, loi=loi, report=ignore, stop=never)
        receipt = safe.deposit(loi, iter(prepared.chunks()))
        digest = hashlib.sha256()
        with urllib3.PoolManager() as pool:
            # A connection that is kept has a temporary file for what it was slow to take.
            headers = {"Connection": "close"}
            answer = pool.request("GET", f"{served.url}api/{loi}", headers=headers, preload_content=False)
            for chunk in answer.stream(MIB):
                digest.update(chunk)
        assert digest.hexdigest() == receipt.archive_digest
        assert largest_memory(served) < 200 * MIB
        wait_until(lambda: not open_files(served))
        assert list(served.temporary.iterdir()) == []


def largest_memory(served: ServedDatasafe) -> int:
    """Bytes of RSS that the server has had at most."""
    assert served.process is not None
    for line in Path(f"/proc/{served.process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmHWM")
