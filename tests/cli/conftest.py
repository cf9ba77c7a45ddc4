"""Calls the program inside this process: the same code as a shell would run, without the cost of a start."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from archive_tui.cli.entry import run_command_line


@dataclass(frozen=True)
class Call:
    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What `--json` printed; fails when it is not one document."""
        return json.loads(self.out)


Run = Callable[..., Call]


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: settings with a storage `lab` in `archive/`, and a small dataset in `work/winds`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "settings.ini").write_text(
        "[lab]\nstorage_client = archive_tui.core.LocalStorageClient\nstorage_area = archive\nlocal_path = work\n"
    )
    source = tmp_path / "work" / "winds"
    (source / "raw").mkdir(parents=True)
    (source / "table.csv").write_text("hour,speed\n1,3.5\n")
    (source / "raw" / "log.dat").write_bytes(bytes(range(256)) * 40)
    return tmp_path


@pytest.fixture
def run(workplace: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line in the workplace."""

    def call(*words: str) -> Call:
        capsys.readouterr()
        status = run_command_line(words)
        captured = capsys.readouterr()
        return Call(status, captured.out, captured.err)

    return call
