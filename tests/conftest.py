"""What every test gets: a home of its own, no settings or credentials of the machine, and no network but loopback."""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.servers.loopback_guard import refuse_distant_addresses

pytest_plugins = [
    f"tests.servers.{name}"
    for name in ("moto", "seaweedfs", "rclone", "azurite", "sshd")
    if (Path(__file__).parent / "servers" / f"{name}.py").exists()
]

# How long an example takes says how busy the machine is, not whether the program is right.
hypothesis.settings.register_profile(
    "archive-tui", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("archive-tui")

_LEAKING_PREFIXES = ("AWS_", "AZURE_", "ARCHIVE_TUI_", "BOTO_", "GOOGLE_", "RCLONE_")
_KEPT = frozenset({"ARCHIVE_TUI_REQUIRED_SERVERS"})
_LEAKING_NAMES = frozenset(
    {"ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SOURCE_DATE_EPOCH", "REQUESTS_CA_BUNDLE"}
)
_CLOSED_PORT = "http://127.0.0.1:9"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the long proofs too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow"):
        return
    skip = pytest.mark.skip(reason="a long proof: run with --slow")
    for item in items:
        if item.get_closest_marker("slow") is not None:
            item.add_marker(skip)


def _isolated_environment(home: Path) -> dict[str, str]:
    """Programs that are not Python (and Rust inside it) do not see the guard below: a closed proxy stops those."""
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "XDG_STATE_HOME": str(home / ".local" / "state"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SHARED_CREDENTIALS_FILE": str(home / ".aws" / "credentials"),
        "AWS_CONFIG_FILE": str(home / ".aws" / "config"),
        "http_proxy": _CLOSED_PORT,
        "https_proxy": _CLOSED_PORT,
        "no_proxy": "127.0.0.1,localhost,::1",
    }


def _leaking_variables() -> list[str]:
    return [
        name
        for name in os.environ
        if name not in _KEPT and (name.startswith(_LEAKING_PREFIXES) or name.upper() in _LEAKING_NAMES)
    ]


def _isolate(patch: pytest.MonkeyPatch, home: Path) -> None:
    for name in _leaking_variables():
        patch.delenv(name)
    for name, value in _isolated_environment(home).items():
        patch.setenv(name, value)


@pytest.fixture(scope="session", autouse=True)
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Fixtures of the session (servers) live in isolation too, in a home that they share."""
    base = tmp_path_factory.mktemp("homes")
    (base / "session").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        _isolate(patch, base / "session")
        yield base


_home_numbers = itertools.count()


@pytest.fixture(autouse=True)
def isolated_home(_homes: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh, empty home folder; the test may fill it."""
    home = _homes / str(next(_home_numbers))
    home.mkdir()
    _isolate(monkeypatch, home)
    return home


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        refuse_distant_addresses(patch, socket)
        yield
