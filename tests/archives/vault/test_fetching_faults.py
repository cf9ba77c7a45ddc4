"""Fetching onto disks that fail: nothing appears that is not whole and durable, and repeating does the rest."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from archive_tui.archives.vault.outcomes import Outcome
from archive_tui.errors import HashError
from archive_tui.names.content_address import content_key
from archive_tui.objects.folder.read_back import ReadBack
from archive_tui.objects.folder.store import FolderStore
from tests.archives.faults.commands import ROOT, program_environment
from tests.archives.test_disk_full import namespace  # noqa: F401  (a fixture)
from tests.archives.vault.conftest import MEMORY, VaultPlace, digest_of
from tests.archives.vault.test_fetching import fetch, files_below, lines_of, outcomes, put

in_memory = pytest.mark.parametrize("place", [MEMORY], indirect=True)


def test_a_full_disk(namespace: tuple[str, ...], tmp_path: Path) -> None:  # noqa: F811
    store, lines = FolderStore(tmp_path / "vault"), []
    for number in range(40):
        content = os.urandom(100_000)
        store.put(content_key(digest_of(content)), [content])
        lines.append(f"{digest_of(content)}  file-{number}\n")
    (tmp_path / "files.txt").write_text("".join(lines))
    (tmp_path / "small").mkdir()
    finished = subprocess.run(
        [*namespace, sys.executable, "-m", "tests.archives.vault.full_disk_fetch", str(tmp_path)],
        cwd=ROOT, env=program_environment(), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    full, again = json.loads(finished.stdout)
    assert full["error"][0] == "storage-full"
    assert 0 < len(full["files"]) < 40
    assert set(full["sizes"]) == {100_000}
    assert set(full["outcomes"]) <= {Outcome.FETCHED}
    assert again["error"] == []
    assert again["outcomes"] == {
        Outcome.ALREADY_THERE: len(full["files"]),
        Outcome.FETCHED: 40 - len(full["files"]),
    }


@in_memory
def test_a_content_that_cannot_be_synced_gets_no_name(
    place: VaultPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = put(place.vault, b"one", b"two", b"three")
    manifest = lines_of(*zip(("a", "b", "c"), digests, strict=True))
    calls = []

    def fail_once(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail_once)
    results = fetch(manifest, place.vault, tmp_path, threads=1)
    assert outcomes(results) == [Outcome.FETCHED, Outcome.FAILED, Outcome.FETCHED]
    assert files_below(tmp_path) == {"a": b"one", "c": b"three"}


@in_memory
def test_a_folder_that_cannot_be_synced_makes_no_claim(
    place: VaultPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (digest,) = put(place.vault, b"one")
    real = os.fsync

    def fail_for_folders(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").is_dir():
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fail_for_folders)
    assert outcomes(fetch(lines_of(("a", digest)), place.vault, tmp_path)) == [Outcome.FAILED]


@in_memory
def test_a_disk_that_returns_other_bytes(place: VaultPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (digest,) = put(place.vault, b"one")
    monkeypatch.setattr(ReadBack, "finish", lambda self: False)
    (result,) = fetch(lines_of(("a", digest)), place.vault, tmp_path)
    assert result.outcome is Outcome.FAILED  # and not DAMAGED: the vault is not to blame
    assert isinstance(result.error, HashError)
    assert result.error.code == "read-back-differs"
    assert list(tmp_path.iterdir()) == []


@in_memory
def test_a_folder_that_may_not_be_written_fails_for_its_own_lines(
    place: VaultPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (digest,) = put(place.vault, b"one")
    real = os.mkdir

    def refuse(path: str, *others: object, **options: object) -> None:
        if path == "closed":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        real(path, *others, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "mkdir", refuse)
    results = fetch(lines_of(("closed/a", digest), ("open/a", digest)), place.vault, tmp_path)
    assert outcomes(results) == [Outcome.FAILED, Outcome.FETCHED]
