"""Several writers in one folder, threads and processes, with and without hard links."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from archive_tui.errors import (
    SourceChanged,
)
from archive_tui.names.object_keys import TEMPORARY_PREFIX
from archive_tui.objects.folder.store import NO_HARD_LINKS, FolderStore
from tests.conformance.object_store_suite import listed_keys, put_bytes, read_all


@pytest.fixture
def archive(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "archive")


def test_folder_without_hard_links_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    probed, written = FolderStore(tmp_path), FolderStore(tmp_path)
    assert probed.probe().remarks == ()
    monkeypatch.setattr(os, "link", refuse)
    probed = FolderStore(tmp_path)
    assert probed.probe().remarks == (NO_HARD_LINKS,)
    put_bytes(written, "key")
    assert written.traits.remarks == (NO_HARD_LINKS,)
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_writer_that_fails_takes_its_folders_back_and_disturbs_nobody(archive: FolderStore) -> None:
    """Writers that fail remove the folders they made, in the same moment in which others make and use them."""

    def write(number: int) -> None:
        for attempt in range(30):
            if number % 2:
                with pytest.raises(SourceChanged):
                    archive.put(f"deep/er/bad-{number}-{attempt}", [b"x"], 2)
            else:
                put_bytes(archive, f"deep/er/good-{number}-{attempt}")
                archive.delete(f"deep/er/good-{number}-{attempt}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert listed_keys(archive) == []


_RACER = """
import sys
from pathlib import Path
from archive_tui.errors import ObjectExists
from archive_tui.objects.folder.store import FolderStore
store, me, rounds = FolderStore(Path(sys.argv[1])), sys.argv[2].encode(), int(sys.argv[3])
if sys.argv[4] == "no-links":
    import os
    def refuse(*args, **kwargs):
        raise OSError(1, "Operation not permitted")
    os.link = refuse
print("ready", flush=True)
for number in range(rounds):
    sys.stdin.readline()
    try:
        store.put(f"round/{number}", [me] * 50, len(me) * 50)
        print("won", flush=True)
    except ObjectExists:
        print("lost", flush=True)
"""


def race(root: Path, processes: int, rounds: int, links: str) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", _RACER, str(root), f"{number:03d}", str(rounds), links],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(processes)
    ]
    with ExitStack() as stack:
        for racer in racers:
            stack.enter_context(racer)
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"
        for round_number in range(rounds):
            for racer in racers:
                assert racer.stdin is not None
                racer.stdin.write("go\n")
                racer.stdin.flush()
            outcomes = [racer.stdout.readline().strip() for racer in racers if racer.stdout is not None]
            assert sorted(outcomes) == ["lost"] * (processes - 1) + ["won"]
            winner = f"{outcomes.index('won'):03d}".encode()
            assert read_all(FolderStore(root), f"round/{round_number}") == winner * 50
    assert list(root.rglob(f"{TEMPORARY_PREFIX}*")) == []


@pytest.mark.parametrize("links", ["links", "no-links"])
def test_one_of_racing_processes_wins_each_round(tmp_path: Path, links: str) -> None:
    race(tmp_path / "root", processes=8, rounds=20, links=links)


@pytest.mark.slow
@pytest.mark.parametrize("links", ["links", "no-links"])
def test_one_of_64_racing_processes_wins_each_round(tmp_path: Path, links: str) -> None:
    race(tmp_path / "root", processes=64, rounds=50, links=links)
