"""`archive-tui serve`: what it refuses before it listens, what it says, where it logs."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_tui.cli.serve import parse_bytes
from archive_tui.errors import ConfigurationError
from tests.archives.faults.commands import run_program
from tests.cli.conftest import Run
from tests.http_api.raw_requests import ask, request
from tests.servers.server_process import running_server

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "safe.example.org"])
def test_others_are_served_with_a_token_only(run: Run, workplace: Path, host: str) -> None:
    call = run("serve", "--host", host, "--port", "0")
    assert call.status == 2
    assert "no token is asked for" in call.err and "--token-file" in call.err
    assert not (workplace / "datasafe_root").exists()


@pytest.mark.parametrize("size", ["", "many", "-1", "0", "1 GB/s", "1e400 GB"])
def test_a_size_that_is_none_is_refused(run: Run, workplace: Path, size: str) -> None:
    call = run("serve", "--max-size", size, "--port", "0")
    assert call.status == 2 and "No size" in call.err
    assert not (workplace / "datasafe_root").exists()


def test_sizes_are_read_as_people_write_them() -> None:
    assert [parse_bytes(text) for text in ("64 GiB", "500MB", " 20 kB ")] == [64 << 30, 500_000_000, 20_000]
    with pytest.raises(ConfigurationError):
        parse_bytes("64 GiX")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--root", "a", "--storage", "lab"), "One datasafe at a time"),
        (("--port", "70000"), "--port"),
        (("--threads", "0"), "--threads"),
        (("--frobnicate",), "--frobnicate"),
    ],
)
def test_a_wrong_use_is_said(run: Run, words: tuple[str, ...], said: str) -> None:
    call = run("serve", *words)
    assert call.status == 2 and said in call.err


def test_files_that_cannot_be_used(run: Run, workplace: Path) -> None:
    (workplace / "empty").write_text("\n")
    for words in (
        ("--token-file", "absent"),
        ("--token-file", "empty"),
        ("--access-log", "absent/log"),
        ("--storage", "unheard"),
    ):
        call = run("serve", "--port", "0", *words)
        assert call.status == 2, words
        assert "hint: " in call.err and "Traceback" not in call.err


@contextlib.contextmanager
def serving(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Runs it at a port of its own choice, which it tells."""
    log = folder / "server.log"
    environment = ["env", f"PYTHONPATH={REPOSITORY}"]
    command = [*environment, sys.executable, "-m", "archive_tui", "serve", "--port", "0", *words]
    with running_server(command, lambda: find_port(log) is not None, folder) as process:
        port = find_port(log)
        assert port is not None
        yield process, port


def find_port(log: Path) -> int | None:
    found = re.search(r"is served at http://\S+?:([0-9]+)/\n", log.read_text())
    return int(found[1]) if found else None


def test_any_free_port_and_a_log_of_requests(tmp_path: Path) -> None:
    log = tmp_path / "access"
    log.write_text("{}\n")
    with serving(tmp_path, "--access-log", "access") as (process, port):
        assert ask(port, request("GET", "/heartbeat?secret=1", "Cookie: secret")).status == 200
        wait_for_lines(log, 2)
        assert ask(port, request("POST", "/api/42.1001/ds/exp/sa/1/cwepr")).status == 201
        wait_for_lines(log, 3)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    kept, line, _ = log.read_text("ascii").splitlines()
    assert kept == "{}", "it is appended"
    found = json.loads(line)
    assert set(found) == {"time", "client", "method", "path", "status", "received", "sent", "seconds"}
    assert (found["method"], found["path"], found["status"], found["sent"]) == ("GET", "/heartbeat", 200, 5)
    assert (tmp_path / "datasafe_root" / "exp").is_dir()


def wait_for_lines(log: Path, count: int) -> None:
    deadline = time.monotonic() + 20
    while len(log.read_text().splitlines()) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_token_opens_it_to_others(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("sesame\n")
    with serving(tmp_path, "--host", "0.0.0.0", "--token-file", "token", "--root", "safe") as (_, port):
        assert ask(port, request("GET", "/api/")).status == 401
        assert ask(port, request("GET", "/api/", token="sesame")).status == 200
    assert "sesame" not in (tmp_path / "server.log").read_text()


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, port):
        finished = run_program(tmp_path, "serve", "--port", str(port), "--root", "other")
    finished.check_refusal(f"Cannot listen at 127.0.0.1:{port}", status=2)
