"""Every operation of a store failing in every way, at the first, a middle and the last call of a job: it ends in proven
success, or in a typed failure or findings without a visible effect, and the same job taken up again completes."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from archive_tui.archives.datasets.planning import PublishRequest, plan_publish
from archive_tui.archives.datasets.publishing import publish
from archive_tui.conflicts import ConflictRule
from archive_tui.jobs.engine import JobEngine
from archive_tui.jobs.kinds.copying import copy_job
from archive_tui.jobs.kinds.fetching import fetch_job
from archive_tui.jobs.kinds.publishing import publish_job
from archive_tui.jobs.kinds.vault_lines import archive_manifest_job, fetch_manifest_job
from archive_tui.jobs.kinds.verifying import verify_version_job
from archive_tui.jobs.manifests.picked_manifest import PickedManifest
from archive_tui.jobs.places import OpenedPlace, Place, folder_place
from archive_tui.jobs.queue import JobQueue, open_job_queue
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.states import JobState
from archive_tui.names.content_address import VAULT_PREFIX, content_key, digest_of_key
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import ObjectInfo, ObjectStore
from archive_tui.objects.wrappers.faulty_store import FaultKind, FaultyStore
from archive_tui.progress import StopSignal
from tests.archives.faults.places import check_only_whole_versions, tree_of, visible_keys, write_source
from tests.archives.test_store_faults import CountedStore, faults_for

NAME = "winds"
OPERATIONS = ("put", "open", "info", "list")
POLICY = JobPolicy(ConflictRule.KEEP, retries=0)
GOOD = {JobState.VERIFIED, JobState.FINISHED}
BAD = {JobState.FAILED, JobState.FINDINGS}


class OneStore:
    """Limits of an engine that opens one store whatever a job asks for; folders are opened as always."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store

    def for_job(self, policy: JobPolicy, *, stop: StopSignal) -> Callable[[Place], OpenedPlace]:
        from archive_tui.jobs.places import open_place

        return lambda place: OpenedPlace("lab", self.store) if "storage" in place else open_place(place)

    def has_room(self, parameters: Mapping[str, Any], running: Iterable[Mapping[str, Any]]) -> bool:
        return True


class Work(ABC):
    """One job over a store that holds what an earlier, acknowledged one has left."""

    name: ClassVar[str]

    def __init__(self, base: Path) -> None:
        self.base = base
        self.old = write_source(base / "old", "old", size=50_000)
        self.new = write_source(base / "new", "new", size=50_000)

    def make_store(self) -> MemoryStore:
        store = MemoryStore()
        publish(store, plan_publish(store, PublishRequest(NAME, self.old)))
        return store

    @abstractmethod
    def request(self, store: MemoryStore, number: int) -> JobRequest: ...

    @abstractmethod
    def check_whole(self, store: MemoryStore, number: int) -> None:
        """Nothing half-done shows."""

    @abstractmethod
    def check_complete(self, store: MemoryStore, number: int) -> None: ...

    def place(self, store: MemoryStore) -> Place:
        return {"storage": "lab", "settings": None, "identity": store.identity}


class Publishing(Work):
    name = "publish"

    def request(self, store: MemoryStore, number: int) -> JobRequest:
        return publish_job(self.place(store), plan_publish(store, PublishRequest(NAME, self.new)), policy=POLICY)

    def check_whole(self, store: MemoryStore, number: int) -> None:
        assert check_only_whole_versions(store, NAME) in (["0.0.1"], ["0.0.1", "0.0.2"])

    def check_complete(self, store: MemoryStore, number: int) -> None:
        assert check_only_whole_versions(store, NAME) == ["0.0.1", "0.0.2"]


class Fetching(Work):
    name = "fetch"

    def request(self, store: MemoryStore, number: int) -> JobRequest:
        return fetch_job(self.place(store), NAME, "0.0.1", self._into(number), policy=POLICY)

    def check_whole(self, store: MemoryStore, number: int) -> None:
        folder = self._into(number) / f"{NAME}.0.0.1"
        assert not folder.exists() or tree_of(folder) == tree_of(self.old)

    def check_complete(self, store: MemoryStore, number: int) -> None:
        assert tree_of(self._into(number) / f"{NAME}.0.0.1") == tree_of(self.old)
        assert len(list(self._into(number).iterdir())) == 1

    def _into(self, number: int) -> Path:
        return self.base / "into" / str(number)


class Verifying(Work):
    name = "verify"

    def request(self, store: MemoryStore, number: int) -> JobRequest:
        return verify_version_job(self.place(store), NAME, "0.0.1", policy=POLICY)

    def check_whole(self, store: MemoryStore, number: int) -> None:
        assert check_only_whole_versions(store, NAME) == ["0.0.1"]

    def check_complete(self, store: MemoryStore, number: int) -> None:
        self.check_whole(store, number)


class Copying(Work):
    name = "copy"

    def request(self, store: MemoryStore, number: int) -> JobRequest:
        return copy_job(folder_place(self.new.parent), ["new/"], self.place(store), into="there", policy=POLICY)

    def check_whole(self, store: MemoryStore, number: int) -> None:
        found = {key.removeprefix("there/new/"): key for key in visible_keys(store) if key.startswith("there/")}
        assert {path: digest_of(store, key) for path, key in found.items()}.items() <= tree_of(self.new).items()

    def check_complete(self, store: MemoryStore, number: int) -> None:
        self.check_whole(store, number)
        assert {f"there/new/{path}" for path in tree_of(self.new)} <= set(visible_keys(store))


class Archiving(Work):
    name = "archive"

    def request(self, store: MemoryStore, number: int) -> JobRequest:
        return archive_manifest_job(self._picked(), self.place(store), VAULT_PREFIX, policy=POLICY)

    def check_whole(self, store: MemoryStore, number: int) -> None:
        contents = [info.key for info in store.list(VAULT_PREFIX) if isinstance(info, ObjectInfo)]
        assert all(digest_of(store, key) == digest_of_key(key, VAULT_PREFIX) for key in contents)

    def check_complete(self, store: MemoryStore, number: int) -> None:
        self.check_whole(store, number)
        wanted = {content_key(digest, VAULT_PREFIX) for digest in self.listed.values()}
        assert wanted <= set(visible_keys(store))

    @property
    def listed(self) -> dict[str, str]:
        return {path: digest for path, digest in tree_of(self.new).items() if path != "list.sha256"}

    def _picked(self) -> PickedManifest:
        document = self.new / "list.sha256"
        if not document.exists():
            document.write_text("".join(f"{digest}  {path}\n" for path, digest in self.listed.items()))
        return PickedManifest(document)


class FetchingLines(Archiving):
    name = "fetch-lines"

    def make_store(self) -> MemoryStore:
        store = super().make_store()
        for path, digest in tree_of(self.new).items():
            key = content_key(digest, VAULT_PREFIX)
            store.put(key, [(self.new / path).read_bytes()], overwrite=True)
        return store

    def request(self, store: MemoryStore, number: int) -> JobRequest:
        root = self._root(number)
        root.mkdir(parents=True, exist_ok=True)
        return fetch_manifest_job(self._picked(), self.place(store), VAULT_PREFIX, root, policy=POLICY)

    def check_whole(self, store: MemoryStore, number: int) -> None:
        found = {path: digest for path, digest in tree_of(self._root(number)).items() if ".archive-tui" not in path}
        assert found.items() <= tree_of(self.new).items()

    def check_complete(self, store: MemoryStore, number: int) -> None:
        assert tree_of(self._root(number)) == self.listed

    def _root(self, number: int) -> Path:
        return self.base / "root" / str(number)


WORKS: tuple[type[Work], ...] = (Publishing, Fetching, Verifying, Copying, Archiving, FetchingLines)


def digest_of(store: ObjectStore, key: str) -> str:
    with store.open(key) as reader:
        return hashlib.sha256(reader.read()).hexdigest()


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[JobQueue]:
    queue = open_job_queue(tmp_path / "jobs.sqlite3")
    yield queue
    assert queue.remarks == ()
    queue.close()


def run(queue: JobQueue, store: ObjectStore, request: JobRequest) -> Any:
    engine = JobEngine(queue, takes_queued=False, limits=OneStore(store))
    try:
        ended = engine.run_here(request)
        assert engine.get(ended.snapshot.id) is not None
        return ended.snapshot
    finally:
        engine.close()


def count_calls(queue: JobQueue, work: Work) -> Counter[str]:
    inner = work.make_store()
    store = CountedStore(inner)
    assert run(queue, store, work.request(inner, -1)).state in GOOD
    work.check_complete(inner, -1)
    return store.counts


@pytest.mark.parametrize("work_type", WORKS, ids=lambda each: each.name)
def test_a_fault_ends_in_success_or_in_a_failure_that_a_repeat_mends(
    work_type: type[Work], queue: JobQueue, tmp_path: Path
) -> None:
    work = work_type(tmp_path)
    counts = count_calls(queue, work)
    faults = [fault for operation in OPERATIONS for fault in faults_for(operation, counts[operation])]
    assert len(faults) >= 20
    for number, fault in enumerate(faults):
        inner = work.make_store()
        request = work.request(inner, number)
        ended = run(queue, FaultyStore(inner, fault), request)
        where = (number, fault, ended.state, ended.message)
        assert ended.state in GOOD | BAD, where
        assert ended.state in GOOD or ended.code or ended.findings, where
        work.check_whole(inner, number)
        if ended.state in GOOD and fault.kind not in (FaultKind.FLIPPED, FaultKind.TRUNCATED):
            work.check_complete(inner, number)
        again = run(queue, inner, request)
        assert again.state in GOOD, (where, again.state, again.message)
        work.check_complete(inner, number)
