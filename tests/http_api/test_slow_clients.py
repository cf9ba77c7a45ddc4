"""Clients that are slow, stop in the middle or vanish hold nothing: no thread, no connection, no temporary file."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from archive_tui.http_api import serving
from tests.http_api.raw_requests import ask, connect, read_answer, request

LARGE = 64 << 20
THREADS = 2


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEADER_SECONDS", "LINGER_SECONDS"):
        monkeypatch.setattr(serving, name, 0.3)
    monkeypatch.setattr(serving, "IDLE_SECONDS", 1000)


class Served:
    """An application that counts, served in a thread. `/large` is more than any buffer takes."""

    def __init__(self) -> None:
        self.port = 0
        self.lines: list[str] = []
        self.stop = threading.Event()
        self.finished: bool | None = None
        self.holding = threading.Event()
        self._ready = threading.Event()

    def __call__(self, environ: dict[str, object], start: Callable[..., object]) -> Iterator[bytes]:
        size = LARGE + 4 if environ["PATH_INFO"] == "/large" else 4
        start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(size))])
        if environ["PATH_INFO"] == "/large":
            for _ in range(LARGE >> 16):
                yield bytes(1 << 16)
        elif environ["PATH_INFO"] == "/hold":
            self.holding.wait(20)
        yield b"done"

    def run(self) -> None:
        self.finished = serving.serve(
            self,
            host="127.0.0.1",
            port=0,
            token=None,
            most=1 << 20,
            threads=THREADS,
            stop=self.stop,
            write_log=self.lines.append,
            tell_address=self._tell,
        )

    def _tell(self, host: str, port: int) -> None:
        self.port = port
        self._ready.set()

    def wait(self) -> None:
        assert self._ready.wait(20)


@contextlib.contextmanager
def running() -> Iterator[Served]:
    served = Served()
    thread = threading.Thread(target=served.run)
    thread.start()
    try:
        served.wait()
        yield served
    finally:
        served.stop.set()
        served.holding.set()
        thread.join(60)
        assert not thread.is_alive()


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_clients_that_stop_reading_hold_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "IDLE_SECONDS", 1)
    with running() as served, contextlib.ExitStack() as stack:
        for _ in range(THREADS * 2):
            lazy = stack.enter_context(connect(served.port))
            lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            lazy.sendall(request("GET", "/large"))
        assert ask(served.port, request("GET", "/")).body == b"done"


def test_an_answer_that_took_long_to_find_is_not_late() -> None:
    channel = serving._Channel.__new__(serving._Channel)
    channel.request, channel.last_activity, channel.total_outbufs_len = None, 0.0, 0
    assert not channel.is_overdue(5000.0), "the application works on it"
    channel.total_outbufs_len = 7
    assert not channel.is_overdue(5000.2)
    assert channel.is_overdue(6001.0)


def test_a_header_that_drips_is_cut_off() -> None:
    with running() as served, connect(served.port) as dripping:
        deadline = time.monotonic() + 20
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for letter in b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 10_000:
                dripping.sendall(bytes([letter]))
                time.sleep(0.01)
                assert time.monotonic() < deadline, "still taken"


def test_a_refused_client_that_never_ends_is_cut_off() -> None:
    with running() as served, connect(served.port) as endless:
        deadline = time.monotonic() + 20
        endless.sendall(request("PUT", "/", "Content-Length: 99999999"))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while True:
                endless.sendall(b"x")
                time.sleep(0.01)
                assert time.monotonic() < deadline, "still taken"
        assert json.loads(served.lines[0])["status"] == 413


def test_what_runs_is_finished_before_the_end() -> None:
    with running() as served:
        with connect(served.port) as held, connect(served.port) as sending, connect(served.port):
            held.sendall(request("GET", "/hold"))
            sending.sendall(request("PUT", "/", "Content-Length: 200000") + bytes(100_000))
            ask(served.port, request("GET", "/"))  # by now the others have arrived
            served.stop.set()
            wait_until(lambda: not _takes_connections(served.port))
            served.holding.set()
            sending.sendall(bytes(100_000))
            assert read_answer(held).body == b"done"
            assert read_answer(sending).status == 200
        wait_until(lambda: served.finished is not None)
        assert served.finished is True


def test_what_does_not_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "FINISH_SECONDS", 0.2)
    with running() as served, connect(served.port) as sending:
        sending.sendall(request("PUT", "/", "Content-Length: 200000") + bytes(100_000))
        ask(served.port, request("GET", "/"))
        served.stop.set()
        assert read_answer(sending).status == 0
        wait_until(lambda: served.finished is not None)
        assert served.finished is False


def _takes_connections(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
