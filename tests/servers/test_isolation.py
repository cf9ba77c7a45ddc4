"""The fences around the tests hold."""

from __future__ import annotations

import os
import socket
import urllib.request
from pathlib import Path

import pytest

from tests.servers.loopback_guard import DistantAddressError
from tests.servers.required_servers import find_program, skip_missing_server


def test_connecting_to_another_machine_fails_the_test() -> None:
    with socket.socket() as sock:
        for connect in (sock.connect, sock.connect_ex):
            with pytest.raises(DistantAddressError):
                connect(("192.0.2.1", 80))


def test_resolving_a_name_fails_the_test() -> None:
    with pytest.raises(DistantAddressError):
        socket.getaddrinfo("example.org", 80)
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("nowhere.invalid", 80)


def test_libraries_below_python_meet_a_closed_proxy() -> None:
    assert urllib.request.getproxies()["https"] == "http://127.0.0.1:9"
    assert urllib.request.proxy_bypass("127.0.0.1")


def test_home_is_fresh_and_credentials_are_gone(isolated_home: Path) -> None:
    assert Path.home() == isolated_home
    assert list(isolated_home.iterdir()) == []
    leaked = [name for name in os.environ if name.startswith("AZURE_") or "ACCESS_KEY" in name]
    assert leaked == []


def test_missing_server_skips_with_its_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARCHIVE_TUI_REQUIRED_SERVERS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="pip install x-server"):
        find_program("no-such-program", "pip install x-server")


def test_missing_server_that_is_required_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHIVE_TUI_REQUIRED_SERVERS", "moto, x")
    with pytest.raises(pytest.fail.Exception, match="x is not installed"):
        skip_missing_server("x", "pip install x")
