"""Jobs over manifests and vaults through the engine: paused, asked, cancelled, killed, and gone on with."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from archive_tui.archives.vault.vault import Vault
from archive_tui.conflicts import ConflictRule
from archive_tui.jobs.engine import JobEngine
from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.kinds.manifest_checks import check_manifest_job
from archive_tui.jobs.kinds.manifest_creation import ListedPart, create_manifest_job
from archive_tui.jobs.kinds.vault_contents import fetch_contents_job, verify_vault_job
from archive_tui.jobs.kinds.vault_lines import archive_manifest_job, ask_vault_job, fetch_manifest_job
from archive_tui.jobs.manifests.picked_manifest import PickedManifest
from archive_tui.jobs.places import folder_place
from archive_tui.jobs.queue.job_queue import open_job_queue
from archive_tui.jobs.request import JobPolicy
from archive_tui.jobs.states import JobState
from archive_tui.manifests.checksum_lines.line import Dialect, ManifestLine
from archive_tui.names.content_address import VAULT_PREFIX
from archive_tui.objects.folder import reader
from archive_tui.objects.folder.store import FolderStore

SECONDS = 60.0
MIB = 1 << 20


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@contextmanager
def engine_at(folder: Path) -> Iterator[JobEngine]:
    """An engine on the job database in that folder; as a new process would have it."""
    queue = open_job_queue(folder / "jobs.sqlite3")
    engine = JobEngine(queue)
    try:
        yield engine
    finally:
        engine.close()
        queue.close()


def ended(engine: JobEngine, job_id: int) -> JobSnapshot:
    assert engine.wait([job_id], SECONDS)
    snapshot = engine.get(job_id)
    assert snapshot is not None
    return snapshot


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(FolderStore(tmp_path / "vault"))


@pytest.fixture
def document(tmp_path: Path, vault: Vault) -> Path:
    contents = {f"file-{number}": b"content %d" % number for number in range(30)}
    (tmp_path / "data").mkdir()
    for name, content in contents.items():
        vault.store.put(vault.key(digest_of(content)), [content])
        (tmp_path / "data" / name).write_bytes(content)
    return write_list(tmp_path / "data" / "list", contents)


def write_list(path: Path, contents: dict[str, bytes]) -> Path:
    path.write_bytes(
        b"".join(f"{digest_of(content)}  ".encode() + os.fsencode(name) + b"\n" for name, content in contents.items())
    )
    return path


def test_every_kind_runs_in_an_engine_and_in_a_process_that_was_not_asked(
    tmp_path: Path, vault: Vault, document: Path
) -> None:
    place, picked = folder_place(tmp_path / "vault"), PickedManifest(document)
    some = PickedManifest(document, (3, 4))
    contents = [ManifestLine(1, "known", digest_of(b"content 3"), 9)]
    requests = [
        check_manifest_job(picked),
        check_manifest_job(some),
        ask_vault_job(picked, place, VAULT_PREFIX, read=True),
        archive_manifest_job(picked, place, VAULT_PREFIX),
        fetch_manifest_job(picked, place, VAULT_PREFIX, tmp_path / "back"),
        fetch_contents_job(place, VAULT_PREFIX, contents, tmp_path / "picked"),
        verify_vault_job(place, VAULT_PREFIX, None),
        create_manifest_job(ListedPart(tmp_path / "data"), "new.sha256", Dialect.SHA256SUM),
    ]
    queue = open_job_queue(tmp_path / "jobs.sqlite3")
    asking = JobEngine(queue, takes_queued=False)
    ids = [asking.submit(request) for request in requests]
    asking.close()
    queue.close()
    with engine_at(tmp_path) as engine:
        states = [ended(engine, job_id).state for job_id in ids]
    assert states == [JobState.VERIFIED] * 7 + [JobState.FINISHED]
    assert (tmp_path / "back" / "file-7").read_bytes() == b"content 7"
    assert (tmp_path / "picked" / "known").read_bytes() == b"content 3"


def test_questions_wait_while_the_rest_is_fetched_and_answers_do_the_rest(
    tmp_path: Path, vault: Vault, document: Path
) -> None:
    back = tmp_path / "back"
    back.mkdir()
    for number in (3, 4, 5):
        (back / f"file-{number}").write_bytes(b"mine")
    request = fetch_manifest_job(PickedManifest(document), folder_place(tmp_path / "vault"), VAULT_PREFIX, back)
    with engine_at(tmp_path) as engine:
        job_id = engine.submit(request)
        engine.wait([job_id], 5.0)
        asked = engine.get(job_id)
        assert asked is not None and asked.state is JobState.UNDECIDED
        assert {question.conflict.item for question in engine.questions(job_id)} == {"file-3", "file-4", "file-5"}
        assert len(list(back.iterdir())) == 30 and (back / "file-3").read_bytes() == b"mine"
    with engine_at(tmp_path) as engine:
        engine.answer(job_id, "file-3", ConflictRule.KEEP_BOTH)
        engine.answer(job_id, "file-4", ConflictRule.REPLACE)
        engine.answer(job_id, "file-5", ConflictRule.KEEP)
        snapshot = ended(engine, job_id)
        assert snapshot.state is JobState.FINDINGS and "1 kept, being different" in snapshot.message
        assert "27 of them were hashed earlier in this job" in snapshot.message
        assert "1 under another name" in snapshot.message
    assert (back / "file-3").read_bytes() == (back / "file-5").read_bytes() == b"mine"
    assert (back / "file-3 (2)").read_bytes() == b"content 3" and (back / "file-4").read_bytes() == b"content 4"


def test_names_that_are_no_text_are_remembered_like_others(tmp_path: Path, vault: Vault) -> None:
    names = [os.fsdecode(b"\xff\xfe"), "new\nline", "a\\b", "'\"", "\u202eabc"]
    for name in names:
        content = os.fsencode(name)
        vault.store.put(vault.key(digest_of(content)), [content])
    lines = [ManifestLine(number, name, digest_of(os.fsencode(name))) for number, name in enumerate(names, 1)]
    (tmp_path / "back").mkdir()
    (tmp_path / "back" / names[0]).write_bytes(b"mine")
    request = fetch_contents_job(folder_place(tmp_path / "vault"), VAULT_PREFIX, lines, tmp_path / "back")
    with engine_at(tmp_path) as engine:
        job_id = engine.submit(request)
        engine.wait([job_id], 5.0)
        assert [question.conflict.item for question in engine.questions(job_id)] == [names[0]]
        assert engine.answer(job_id, names[0], ConflictRule.REPLACE)
        snapshot = ended(engine, job_id)
        assert snapshot.state is JobState.VERIFIED and "4 of them were hashed earlier" in snapshot.message
        assert {mark.item for mark in engine.marks(job_id, phase="fetch")} == set(names)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Holds the reading of an object in the vault beyond its first 12 MiB, until it is set."""
    event = threading.Event()
    read = reader.FileRangeReader.read

    def read_held(self: reader.FileRangeReader, size: int = -1, /) -> bytes:
        if self._position >= 12 * MIB:
            event.wait(SECONDS)
        return read(self, size)

    monkeypatch.setattr(reader.FileRangeReader, "read", read_held)
    yield event
    event.set()


def begin_large_fetch(engine: JobEngine, tmp_path: Path, vault: Vault) -> tuple[int, bytes]:
    """Submits the fetch of 20 MiB, and returns when some of it has been written and kept."""
    content = os.urandom(20 * MIB)
    vault.store.put(vault.key(digest_of(content)), [content])
    document = write_list(tmp_path / "large list", {"large": content})
    place = folder_place(tmp_path / "vault")
    policy = JobPolicy(retries=0)
    job_id = engine.submit(
        fetch_manifest_job(PickedManifest(document), place, VAULT_PREFIX, tmp_path / "back", policy=policy)
    )
    while not any(part.stat().st_size >= 10 * MIB for part in (tmp_path / "back").glob(".archive-tui-kept-*")):
        snapshot = engine.get(job_id)
        assert snapshot is not None and not snapshot.state.is_end, snapshot
        threading.Event().wait(0.01)
    return job_id, content


def test_a_job_that_was_paused_in_a_large_content_goes_on_there(
    tmp_path: Path, vault: Vault, gate: threading.Event
) -> None:
    with engine_at(tmp_path) as engine:
        job_id, content = begin_large_fetch(engine, tmp_path, vault)
        assert engine.pause(job_id)
        gate.set()
        while (snapshot := engine.get(job_id)) is not None and snapshot.state.is_running:
            threading.Event().wait(0.01)
        assert snapshot is not None and snapshot.state is JobState.PAUSED
    (part,) = (tmp_path / "back").iterdir()
    inode = part.stat().st_ino
    with engine_at(tmp_path) as engine:
        assert engine.resume(job_id)
        assert ended(engine, job_id).state is JobState.VERIFIED
    (whole,) = (tmp_path / "back").iterdir()
    assert whole.read_bytes() == content and whole.stat().st_ino == inode


def test_a_job_that_was_cancelled_in_a_large_content_leaves_nothing(
    tmp_path: Path, vault: Vault, gate: threading.Event
) -> None:
    with engine_at(tmp_path) as engine:
        job_id, _ = begin_large_fetch(engine, tmp_path, vault)
        assert engine.cancel(job_id)
        gate.set()
        assert ended(engine, job_id).state is JobState.CANCELLED
    assert list((tmp_path / "back").iterdir()) == []


def test_what_an_earlier_run_of_the_job_has_uploaded_and_proven_makes_it_verified(tmp_path: Path, vault: Vault) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(name)
    document = tmp_path / "list.sha256"
    document.write_text("".join(f"{digest_of(name.encode())}  {name}\n" for name in ("a.txt", "b.txt", "c.txt")))
    request = archive_manifest_job(
        PickedManifest(document), folder_place(Path(vault.store.root)), VAULT_PREFIX, policy=JobPolicy(retries=0)
    )  # type: ignore[attr-defined]
    with engine_at(tmp_path) as engine:
        job_id = engine.submit(request)
        assert ended(engine, job_id).state is JobState.FINDINGS
        (tmp_path / "c.txt").write_text("c.txt")
        assert engine.retry(job_id)
        again = ended(engine, job_id)
    assert (again.state, again.result.tally.earlier_proven) == (JobState.VERIFIED, 2)
    assert "Uploaded 3 files" in again.message
