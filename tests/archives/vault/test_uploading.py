"""How many files are uploaded at once: many small ones, fewer that a store may hold whole, two large ones."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from archive_tui.archives.vault import archiving, uploading
from archive_tui.archives.vault.archiving import LOCAL_UPLOADERS, UPLOADERS, archive_manifest
from archive_tui.archives.vault.outcomes import LineResult, Outcome
from archive_tui.archives.vault.uploading import LARGE_AT_ONCE, MIDDLE_AT_ONCE
from archive_tui.archives.vault.vault import Vault
from archive_tui.errors import OperationStopped
from archive_tui.integrity.streams import Chunk
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import PutResult

PATIENCE = 20.0
SMALL_SIZE, MIDDLE_SIZE, LARGE_SIZE = 10, 100, 1000
FILES = UPLOADERS + 8


class Crowd(MemoryStore):
    """A put waits until `expected` are under way at once, or until `stays` says that more will not come."""

    def __init__(self, expected: int) -> None:
        super().__init__("crowd")
        self._expected = expected
        self._lock = threading.Condition()
        self._now = 0
        self.most = 0

    def put(self, key: str, chunks: Iterable[Chunk], size: int | None = None, **rest: Any) -> PutResult:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            self._lock.notify_all()
            self._lock.wait_for(lambda: self.most >= self._expected, PATIENCE)
        try:
            return super().put(key, chunks, size, **rest)
        finally:
            with self._lock:
                self._now -= 1


class Lines:
    def __init__(self, lines: list[ManifestLine]) -> None:
        self._lines = lines

    def lines(self) -> Any:
        return iter(self._lines)

    def count_lines(self) -> int:
        return len(self._lines)


@pytest.fixture
def make_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Lines]:
    monkeypatch.setattr(uploading, "MIDDLE", MIDDLE_SIZE)
    monkeypatch.setattr(uploading, "LARGE", LARGE_SIZE)

    def make(size: int) -> Lines:
        lines = []
        for number in range(FILES):
            content = f"{number:<{size}}".encode()
            (tmp_path / str(number)).write_bytes(content)
            lines.append(ManifestLine(number + 1, str(number), hashlib.sha256(content).hexdigest()))
        return Lines(lines)

    return make


@pytest.mark.parametrize(
    ("size", "at_once"),
    [
        (SMALL_SIZE, UPLOADERS),
        (MIDDLE_SIZE - 1, UPLOADERS),
        (MIDDLE_SIZE, MIDDLE_AT_ONCE),
        (LARGE_SIZE - 1, MIDDLE_AT_ONCE),
        (LARGE_SIZE, LARGE_AT_ONCE),
    ],
)
def test_so_many_at_once_and_no_more(
    make_lines: Callable[[int], Lines], tmp_path: Path, size: int, at_once: int
) -> None:
    store = Crowd(at_once)
    news = list(archive_manifest(make_lines(size), Vault(store), root=tmp_path))
    assert {each.outcome for each in news if isinstance(each, LineResult)} == {Outcome.UPLOADED}
    assert len(news) == FILES
    assert store.most == at_once


def test_stop_reaches_those_that_wait_for_their_turn(make_lines: Callable[[int], Lines], tmp_path: Path) -> None:
    stop = threading.Event()

    class Stopping(Crowd):
        def put(self, key: str, chunks: Iterable[Chunk], size: int | None = None, **rest: Any) -> PutResult:
            stop.set()
            return super().put(key, chunks, size, **rest)

    with pytest.raises(OperationStopped):
        list(archive_manifest(make_lines(LARGE_SIZE), Vault(Stopping(1)), root=tmp_path, stop=stop))


def test_a_folder_takes_fewer_threads(
    make_lines: Callable[[int], Lines], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    run_lines = archiving.run_lines

    def note_threads(*arguments: Any, threads: int, **rest: Any) -> Any:
        seen.append(threads)
        return run_lines(*arguments, threads=threads, **rest)

    monkeypatch.setattr(archiving, "run_lines", note_threads)
    lines = make_lines(SMALL_SIZE)
    for store, threads in ((FolderStore(tmp_path / "vault"), None), (Crowd(1), None), (Crowd(1), 3)):
        list(archive_manifest(lines, Vault(store), root=tmp_path, threads=threads))
    assert seen == [LOCAL_UPLOADERS, UPLOADERS, 3]
