"""Runs `sha256sum` and this program side by side, as processes in the same folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
MEASURE = "sha256sum (GNU coreutils) 9.1"


class Answer(NamedTuple):
    status: int
    out: bytes
    err: bytes


def _version() -> str:
    program = shutil.which("sha256sum")
    if program is None:
        return "none"
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]


needs_coreutils = pytest.mark.skipif(
    _version() != MEASURE, reason=f"the measure is {MEASURE}, here is: {_version()} (Debian 12: apt install coreutils)"
)


def run_program(folder: Path, *words: str | bytes, stdin: bytes = b"", without_privileges: bool = False) -> Answer:
    """Runs `archive-tui manifest` in `folder`."""
    command: list[str | bytes] = [sys.executable, "-m", "archive_tui", "manifest", *words]
    return _run(command, folder, stdin, without_privileges)


def run_sha256sum(folder: Path, *words: str | bytes, stdin: bytes = b"", without_privileges: bool = False) -> Answer:
    """Runs the measure; in its messages the name of the program is ours."""
    answer = _run(["sha256sum", *words], folder, stdin, without_privileges)
    return answer._replace(err=re.sub(rb"^sha256sum: ", b"archive-tui: ", answer.err, flags=re.MULTILINE))


def compare_check(
    folder: Path,
    options: Sequence[str],
    manifest: str = "m",
    stdin: bytes = b"",
    *,
    without_privileges: bool = False,
) -> Answer:
    """Checks `manifest` with both, asserts that they say the same, and returns it."""
    expected = run_sha256sum(
        folder, "--check", *options, "--", manifest, stdin=stdin, without_privileges=without_privileges
    )
    answer = run_program(
        folder, "--check", *options, "--manifest", manifest, stdin=stdin, without_privileges=without_privileges
    )
    assert_same(answer, expected)
    return answer


def assert_same(answer: Answer, expected: Answer) -> None:
    assert answer.out.split(b"\n") == expected.out.split(b"\n")
    assert answer.err.split(b"\n") == expected.err.split(b"\n")
    assert answer.status == expected.status


def _run(words: list[str | bytes], folder: Path, stdin: bytes, without_privileges: bool) -> Answer:
    """`without_privileges`: permissions count for root, too."""
    if without_privileges and os.geteuid() == 0:
        words = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *words]
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        words, cwd=folder, env=environment, input=stdin, capture_output=True, timeout=120, check=False
    )
    return Answer(done.returncode, done.stdout, done.stderr)
