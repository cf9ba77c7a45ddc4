"""Processes that check files in at once, or are killed on the way: what was acknowledged is there, whole and listed."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from archive_tui.archives.results_store.opening import create_results_folder, create_results_store, open_results_folder
from archive_tui.archives.results_store.results_store import ResultsStore
from archive_tui.archives.results_store.verifying import verify_results
from archive_tui.integrity.report import FindingKind, Verdict
from tests.archives.faults.commands import ROOT, program_environment
from tests.archives.faults.places import CREATE_ONLY, Place, make_place
from tests.objects.dying_child import every_death

PREFIX = "lab/results/"
WRITERS = 2
MANY = 1000
KILLS = 4
SLOW = [pytest.param(kind, MANY, marks=[pytest.mark.slow, pytest.mark.timeout(1800)]) for kind in CREATE_ONLY[:2]]


def start(place: Place, writer: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.archives.results_store.writing_program"]
    arguments = [str(place.settings), PREFIX, writer, str(count)]
    return subprocess.Popen(
        [*command, *arguments], cwd=ROOT, env=program_environment(), stdout=subprocess.PIPE, text=True
    )


def listed(results: ResultsStore) -> list[str]:
    return sorted(entry.name for entry in results.entries())


@pytest.mark.parametrize(("kind", "each"), [("folder", 60), *((kind, 12) for kind in CREATE_ONLY[1:]), *SLOW])
def test_processes_at_once_lose_nothing(kind: str, each: int, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    place = make_place(kind, tmp_path / "place", request)
    with create_results_store(place.open_store(), PREFIX, "n") as results:
        writers = [start(place, str(writer), each) for writer in range(WRITERS)]
        said = [writer.communicate()[0].split() for writer in writers]
        assert [writer.returncode for writer in writers] == [0] * WRITERS
        assert listed(results) == sorted(name for names in said for name in names)
        assert len(listed(results)) == WRITERS * each
        assert verify_results(results).verdict is Verdict.VERIFIED
    assert not place.temporary_entries()


def test_what_was_acknowledged_before_a_kill_is_there(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    place = make_place("folder", tmp_path / "place", request)
    with create_results_store(place.open_store(), PREFIX, "n") as results:
        said: list[str] = []
        for number in range(KILLS):
            writer = start(place, str(number), 100_000)
            assert writer.stdout is not None
            said.append(writer.stdout.readline().strip())
            time.sleep(random.uniform(0, 0.1))
            writer.kill()
            said += whole_lines(writer.communicate()[0])
        assert set(said) <= set(listed(results))
        findings = verify_results(results).findings
        assert all(finding.kind is FindingKind.EXTRA for finding in findings), findings
        assert len(findings) <= KILLS, "a killed run leaves one content that nobody lists, at most"


def whole_lines(text: str) -> Iterable[str]:
    return [line.strip() for line in text.splitlines(keepends=True) if line.endswith("\n")]


def test_a_death_at_any_step_keeps_the_manifest_and_a_repeat_completes(tmp_path: Path) -> None:
    root = tmp_path / "results"

    def prepare() -> None:
        if root.exists():
            shutil.rmtree(root)
        with create_results_folder(root, "n") as results:
            results.add("e", "p", [b"acknowledged"], name="old")

    def act() -> None:
        with open_results_folder(root) as results:
            results.add("e", "q", [b"content"], name="new")

    for _ in every_death(act, prepare, least=10):
        with open_results_folder(root) as results:
            assert listed(results) in (["old"], ["new", "old"])
            findings = verify_results(results).findings
            assert {finding.kind for finding in findings} <= {FindingKind.EXTRA}
            if "new" not in listed(results):
                act()
            assert listed(results) == ["new", "old"]
            assert not list(root.rglob(".archive-tui-*")), "what the dead have left is removed"
