"""A server that a test needs and that is not installed: skipped for a person, a failure where it is required."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

import pytest


def is_required(name: str) -> bool:
    return name in os.environ.get("ARCHIVE_TUI_REQUIRED_SERVERS", "").replace(" ", "").split(",")


def skip_missing_server(name: str, install_line: str) -> NoReturn:
    """Skips the test with the line that installs the server, or fails it when the server is required."""
    reason = f"{name} is not installed: {install_line}"
    if is_required(name):
        pytest.fail(f"{reason} (ARCHIVE_TUI_REQUIRED_SERVERS names it)", pytrace=False)
    pytest.skip(reason)


def find_program(name: str, install_line: str, *, server: str = "", beside_interpreter: bool = True) -> Path:
    """Returns the path of a program; the one beside the interpreter first, for Debian's may be another program."""
    beside = Path(sys.executable).parent / name
    if beside_interpreter and beside.exists():
        return beside
    found = None if beside_interpreter else shutil.which(name)
    if found is None:
        skip_missing_server(server or name, install_line)
    return Path(found)
