"""Servers that are no storage, or do not answer: nothing is concluded about contents, and nobody has to wait."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archive_tui.archives.vault.archiving import archive_manifest
from archive_tui.archives.vault.asking import ask_vault
from archive_tui.archives.vault.fetching import fetch_manifest
from archive_tui.archives.vault.outcomes import LineResult, Outcome
from archive_tui.archives.vault.vault import Vault
from archive_tui.errors import ObjectNotFound, OperationStopped, StorageError
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import Listed, Support, Traits
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from tests.archives.vault.conftest import write_files


class _Server(WrappedStore):
    """A server that has not been probed yet."""

    @property
    def traits(self) -> Traits:
        return replace(self.inner.traits, attests_digest=Support.UNKNOWN, atomic_rename=Support.NO)


class _Elsewhere(_Server):
    """It has never heard of anything."""

    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        raise ObjectNotFound("404")


@pytest.mark.parametrize("work", ["ask", "archive", "fetch"])
def test_who_has_not_heard_of_anything_is_not_believed(tmp_path: Path, work: str) -> None:
    """A web server that is no storage says 404 to every question: that is no answer about a content."""
    manifest = write_files(tmp_path, {"a": b"content"})
    vault = Vault(_Elsewhere(MemoryStore()))
    runs = {
        "ask": lambda: ask_vault(manifest, vault),
        "archive": lambda: archive_manifest(manifest, vault, root=tmp_path),
        "fetch": lambda: fetch_manifest(manifest, vault, root=tmp_path / "out"),
    }
    with pytest.raises(StorageError) as caught:
        list(runs[work]())
    assert caught.value.code == "no-such-bucket" and caught.value.hint
    assert not (tmp_path / "out").exists()


def test_files_that_are_there_already_need_no_server(tmp_path: Path) -> None:
    manifest = write_files(tmp_path, {"a": b"content"})
    news = list(fetch_manifest(manifest, Vault(_Elsewhere(MemoryStore())), root=tmp_path))
    assert [each.outcome for each in news if isinstance(each, LineResult)] == [Outcome.ALREADY_THERE]


class _Silent(_Server):
    """It takes the question and never answers."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__(MemoryStore())
        self._stop = stop
        self.may_answer = threading.Event()

    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        self._stop.set()
        assert self.may_answer.wait(60)
        return super().list(prefix, recursive=recursive)


@pytest.mark.parametrize("work", ["ask", "fetch"])
def test_a_stop_is_obeyed_while_a_silent_server_is_waited_for(tmp_path: Path, work: str) -> None:
    manifest = write_files(tmp_path, {"a": b"content"})
    stop = threading.Event()
    store = _Silent(stop)
    runs = {
        "ask": lambda: ask_vault(manifest, Vault(store), stop=stop),
        "fetch": lambda: fetch_manifest(manifest, Vault(store), root=tmp_path / "out", stop=stop),
    }
    with pytest.raises(OperationStopped):
        list(runs[work]())
    assert not store.may_answer.is_set()
    store.may_answer.set()
