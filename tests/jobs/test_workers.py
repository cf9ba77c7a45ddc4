"""A worker is alive while its process is, and nobody's clock has a say in it."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_tui.jobs.queue import host, workers
from archive_tui.jobs.queue.workers import (
    FOLDER,
    SILENT_SECONDS,
    LockState,
    Worker,
    WorkerRow,
    WorkerWatch,
    look_at_lock,
)

REPOSITORY = Path(__file__).parents[2]
HOLDER = """
import sys
from pathlib import Path
from archive_tui.jobs.queue.workers import Worker
worker = Worker(Path(sys.argv[1]))
print(worker.id, worker.row.is_locked, flush=True)
sys.stdin.read()
"""


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(tmp_path: Path, clock: Clock) -> WorkerWatch:
    return WorkerWatch(tmp_path, clock=clock)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A worker of another process, and its name."""
    words = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(words, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        worker_id, is_locked = process.stdout.readline().split()
        assert is_locked == "True"
        yield process, worker_id
        process.kill()


def row_of(worker_id: str, *, beat: int = 0, **changes: object) -> WorkerRow:
    row = WorkerRow(worker_id, host.this_host(), host.this_boot(), True, "pid 1 on lab", beat)
    return dataclasses.replace(row, **changes)  # type: ignore[arg-type]


def test_a_living_process_is_never_taken_for_dead(
    watch: WorkerWatch, clock: Clock, other: tuple[subprocess.Popen[str], str]
) -> None:
    for _ in range(3):
        assert not watch.is_dead(other[1], row_of(other[1]))
        assert not watch.is_dead(other[1], None)
        clock.now += 10 * SILENT_SECONDS


def test_a_killed_process_is_dead_at_once(watch: WorkerWatch, other: tuple[subprocess.Popen[str], str]) -> None:
    process, worker_id = other
    process.kill()
    process.wait()
    assert watch.is_dead(worker_id, row_of(worker_id))
    assert watch.is_dead(worker_id, None)


def test_what_other_computers_say_is_not_judged_by_a_lock_that_is_free(
    watch: WorkerWatch, clock: Clock, other: tuple[subprocess.Popen[str], str]
) -> None:
    process, worker_id = other
    process.kill()
    process.wait()
    row = row_of(worker_id, host="elsewhere", boot="other")
    assert not watch.is_dead(worker_id, row)
    clock.now += SILENT_SECONDS - 1
    assert not watch.is_dead(worker_id, dataclasses.replace(row, beat=1)), "it has moved"
    clock.now += SILENT_SECONDS - 1
    assert not watch.is_dead(worker_id, dataclasses.replace(row, beat=1))
    clock.now += 1
    assert watch.is_dead(worker_id, dataclasses.replace(row, beat=1))


def test_a_worker_of_before_the_restart_is_dead(watch: WorkerWatch) -> None:
    assert watch.is_dead("gone", row_of("gone", boot="the boot before"))


def test_a_worker_of_before_the_restart_whose_lock_is_held_is_alive(
    watch: WorkerWatch, other: tuple[subprocess.Popen[str], str]
) -> None:
    assert not watch.is_dead(other[1], row_of(other[1], boot="the boot before"))


@pytest.mark.parametrize("is_locked", [True, False])
def test_without_a_lock_file_the_counter_decides(watch: WorkerWatch, clock: Clock, is_locked: bool) -> None:
    row = row_of("lost", is_locked=is_locked)
    assert not watch.is_dead("lost", row)
    clock.now += SILENT_SECONDS
    assert watch.is_dead("lost", row)


def test_where_there_are_no_locks_a_worker_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(workers.fcntl, "flock", refuse)
    worker = Worker(tmp_path)
    assert not worker.row.is_locked
    assert list((tmp_path / FOLDER).iterdir()) == []
    worker.close()


def test_a_worker_does_not_let_go_of_its_own_lock_by_looking_at_it(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    assert look_at_lock(tmp_path, worker.id) is LockState.HELD
    worker.close()
    worker.close()
    assert look_at_lock(tmp_path, worker.id) is LockState.UNKNOWN
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_two_observers_do_not_take_each_other_for_the_worker(
    tmp_path: Path, other: tuple[subprocess.Popen[str], str]
) -> None:
    import fcntl

    process, worker_id = other
    process.kill()
    process.wait()
    with (tmp_path / FOLDER / f"{worker_id}.lock").open() as observed:
        fcntl.flock(observed, fcntl.LOCK_SH | fcntl.LOCK_NB)
        assert look_at_lock(tmp_path, worker_id) is LockState.FREE


def test_a_computer_has_one_name_before_and_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    for boot in ("one", "two"):
        (tmp_path / "boot").write_text(boot)
        monkeypatch.setattr(host, "_BOOT", tmp_path / "boot")
        host.this_boot.cache_clear()
        host.this_host.cache_clear()
        names.append((host.this_host(), host.this_boot()))
    monkeypatch.undo()
    host.this_boot.cache_clear()
    assert names[0][0] == names[1][0] and names[0][1] != names[1][1]
