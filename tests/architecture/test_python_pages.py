"""The pages on results stores and on brokers: what they say is typed, and the Python in them runs."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from archive_tui.brokers import load_workspace
from archive_tui.cli.entry import run_command_line
from tests.architecture.sources import ROOT


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f1.txt").write_text("hello\n")
    (tmp_path / "files").mkdir()
    return tmp_path


def test_the_page_on_results_stores_can_be_followed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "samples.dat").write_text("1 2 3\n")

    (script,) = blocks(page("results-store.md"), "sh")
    lines = [line.partition("#")[0] for line in script.splitlines() if line.startswith("archive-tui ")]
    assert len(lines) == 6
    for line in lines:
        assert run_command_line(shlex.split(line)[1:]) == 0, line
    said = capsys.readouterr().out
    assert "Verified: 2 of 2 files, all bytes" in said
    assert (here / "out" / "samples.dat").read_text() == "1 2 3\n"


def test_the_commands_of_the_page_on_brokers_can_be_typed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = {"broker": {"type": "host", "host_path": str(here / "files")}}
    (here / "workspace.json").write_text(json.dumps(document))
    (script,) = blocks(page("brokers.md"), "sh")
    for line in script.splitlines():
        assert run_command_line(shlex.split(line.partition("#")[0])[1:]) == 0, line
    assert (here / "out" / "f1.txt").read_text() == "hello\n"
    assert not list((here / "files").rglob("*.txt"))


@pytest.mark.parametrize("name", ["results-store.md", "brokers.md"])
def test_the_python_of_the_page_runs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks(page(name), "python")
    exec(compile(code, name, "exec"), {"__name__": "example"})
    said = capsys.readouterr().out
    expected = "Verified: 1 of 1 files" if name == "results-store.md" else "[('done/f1.txt', 6)]\nTrue 20"
    assert expected in said


def test_the_workspace_of_the_page_is_one() -> None:
    (document,) = blocks(page("brokers.md"), "json")
    assert load_workspace(json.loads(document)).broker.broker_type == "host"
