"""A results store, wherever it lies: what faces, jobs and programs ask of it."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import TracebackType
from typing import Self

from archive_tui.archives.results_store.manifest_file import ManifestFile
from archive_tui.archives.results_store.result_entry import CheckInReceipt, ResultEntry, content_keys, make_entry
from archive_tui.archives.results_store.with_md5 import WithMd5
from archive_tui.errors import (
    AccessDenied,
    AlreadyPresentException,
    ArchiveError,
    HashError,
    ObjectExists,
    ObjectNotFound,
    OperationStopped,
    StorageFull,
)
from archive_tui.integrity.streams import Chunk
from archive_tui.manifests.store_manifest import MANIFEST_KEY, Listed, StoreManifest, StoreRecord
from archive_tui.names.object_keys import check_key
from archive_tui.names.result_names import check_result_name, check_store_name
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectInfo, ObjectStore
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from archive_tui.progress import BytesDone, Ended, Planned, Report, StopSignal, ignore, never

PHASE = "check in"


class ResultsStore:
    """Files under event, production and name, written once. Methods may be called from several threads and processes
    at once: the manifest is replaced only by who has seen its newest version, so that no record is ever lost.

    `prefix` is empty or ends in `/`; the store is closed with it. Nobody is contacted before the first call.
    """

    def __init__(self, store: ObjectStore, prefix: str = "") -> None:
        self.store = store
        self.prefix = prefix
        self.label = f"{store.label}/{prefix}".rstrip("/")
        self.identity = f"{store.identity}/{prefix}".rstrip("/")
        self._manifest = _open_manifest(store, prefix)

    @property
    def name(self) -> str:
        """What its manifest calls it. Raises: as `manifest`."""
        return self.manifest().name

    def manifest(self) -> StoreManifest:
        """Returns the newest manifest. Raises: NotAStoreError, ManifestError; what the store raises."""
        return self._manifest.read()

    def create(self, name: str) -> None:
        """Makes an empty results store.

        Raises: InvalidName for a name that is no text; ObjectExists when there is one; what the store raises.
        """
        check_store_name(name)
        self._manifest.create(StoreManifest(name))

    def entries(self, event: str = "", production: str = "") -> Iterator[ResultEntry]:
        """Lists all files, or those of one event or production, sorted; the contents are not looked at."""
        return map(make_entry, self.manifest().records(event, production))

    def find(self, event: str, production: str, name: str) -> ResultEntry:
        """Raises: ObjectNotFound (a FileNotFoundError) for what the manifest does not list."""
        record = self.manifest().find(event, production, name)
        if record is None:
            raise self._not_there(f"{event}/{production}/{name}")
        return make_entry(Listed(event, production, name, record))

    def find_uuid(self, wanted: str) -> ResultEntry:
        """Raises: ObjectNotFound (a FileNotFoundError)."""
        for listed in self.manifest().records():
            if listed.record.uuid == wanted:
                return make_entry(listed)
        raise self._not_there(wanted)

    def locate(self, entry: ResultEntry) -> tuple[ResultEntry, ObjectInfo]:
        """Finds the content under its uuid, or under its name, as releases of the original have written it.

        Raises: ObjectNotFound.
        """
        for key in content_keys(entry):
            try:
                info = self.store.info(self.prefix + check_key(key))
            except (ObjectNotFound, ValueError):
                continue
            return replace(entry, key=key), info
        raise ObjectNotFound(
            f"Listed, but not there: {entry.path}",
            key=entry.key,
            store=self.label,
            hint="See what else is missing: archive-tui store verify",
        )

    def add(
        self,
        event: str,
        production: str,
        chunks: Iterable[Chunk],
        *,
        name: str,
        allow_duplicate: bool = False,
        size: int | None = None,
        digest: str | None = None,
        report: Report = ignore,
        stop: StopSignal = never,
    ) -> CheckInReceipt:
        """Checks a file in: the content first, under a new uuid, then its record, in one step.

        A run that ends between the two leaves a content that nobody lists, and `verify` names. `size` in bytes and
        `digest` (SHA-256), where they are known, are compared with the stream.

        Raises: ObjectExists (a FileExistsError) when the production has a file of this name; AlreadyPresentException
        when the same content is in the store, unless `allow_duplicate`; InvalidName; what putting and iterating raise.
        """
        for part, what in ((event, "an event"), (production, "a production"), (name, "a file")):
            check_result_name(part, what)
        self._check_name(self._manifest.read_to_change(), event, production, name)
        new = uuid.uuid4().hex
        key = f"{self.prefix}{event}/{production}/{new}"
        source = WithMd5(chunks)
        report(Planned(PHASE, 1, size))
        is_finished = False
        try:
            put = self.store.put(
                key, source, size, digest=digest, stop=stop, sent=lambda total: report(BytesDone(PHASE, total))
            )
            record = StoreRecord(source.md5, new, put.info.digest, put.info.size)
            self._list(event, production, name, record, key, allow_duplicate=allow_duplicate, stop=stop)
            is_finished = True
        finally:
            report(Ended(PHASE, is_finished))
        assert put.info.digest is not None
        return CheckInReceipt(event, production, name, new, record.md5, put.info.digest, put.info.size, put.evidence)

    def add_record(self, event: str, production: str, name: str, record: StoreRecord) -> None:
        """Lists a content that lies in the store already.

        Raises: ObjectExists, InvalidName; ManifestError for a record that no reader would take; as `add`.
        """
        for part, what in ((event, "an event"), (production, "a production"), (name, "a file")):
            check_result_name(part, what)

        def edit(manifest: StoreManifest) -> StoreManifest:
            self._check_name(manifest, event, production, name)
            return manifest.with_record(event, production, name, record)

        self._manifest.change(edit)

    def check_hash(self, entry: ResultEntry, supplied: str | None) -> None:
        """Compares a digest that somebody supplies, MD5 or SHA-256 by its length, with the manifest.

        Raises: HashError, also for any other length, and for a SHA-256 that the manifest does not have.
        """
        if supplied is None:
            return
        known = {32: entry.md5, 64: entry.sha256}.get(len(supplied))
        if known is None or known != supplied.lower():
            raise HashError(
                f"The hash that was supplied is not that of the manifest: {entry.path}",
                hint=f"The manifest says {entry.sha256 or entry.md5}.",
            )

    def close(self) -> None:
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _list(
        self,
        event: str,
        production: str,
        name: str,
        record: StoreRecord,
        key: str,
        *,
        allow_duplicate: bool,
        stop: StopSignal,
    ) -> None:
        def edit(manifest: StoreManifest) -> StoreManifest:
            if manifest.find(event, production, name) == record:
                return manifest  # written already, by an attempt whose answer was lost
            self._check_name(manifest, event, production, name)
            if not allow_duplicate:
                self._check_content(manifest, record)
            return manifest.with_record(event, production, name, record)

        try:
            self._manifest.change(edit, stop=stop)
        except (ObjectExists, AccessDenied, StorageFull, OperationStopped):
            self._discard_unlisted(record, key)
            raise

    def _discard_unlisted(self, record: StoreRecord, key: str) -> None:
        """Removes a content whose record was refused. It stays when the manifest cannot be read: an answer that was
        lost on the way may have been a yes."""
        with contextlib.suppress(ArchiveError):
            if all(listed.record.uuid != record.uuid for listed in self.manifest().records()):
                self.store.delete(key)

    def _check_name(self, manifest: StoreManifest, event: str, production: str, name: str) -> None:
        if manifest.find(event, production, name) is not None:
            raise ObjectExists(
                f"Exists already in {self.label}: {event}/{production}/{name}",
                key=f"{event}/{production}/{name}",
                store=self.label,
                hint="What is checked in is never replaced. Choose another name.",
            )

    def _check_content(self, manifest: StoreManifest, record: StoreRecord) -> None:
        for listed in manifest.records():
            if record.sha256 == listed.record.sha256 if listed.record.sha256 else record.md5 == listed.record.md5:
                place = f"{listed.event}/{listed.production}/{listed.name}"
                raise AlreadyPresentException(
                    f"The same content is in {self.label} already: {place}",
                    key=place,
                    store=self.label,
                    hint="Use that one, or allow a second copy.",
                )

    def _not_there(self, what: str) -> ObjectNotFound:
        return ObjectNotFound(
            f"Not in {self.label}: {what}",
            key=what,
            store=self.label,
            hint="List what there is: archive-tui store list",
        )


def _open_manifest(store: ObjectStore, prefix: str) -> ManifestFile:
    """Contents in a folder become read-only; its manifest is replaced by the original's programs in place."""
    key = f"{prefix}{MANIFEST_KEY}"
    bare = store
    while isinstance(bare, WrappedStore):
        bare = bare.inner
    if isinstance(bare, FolderStore):
        store = FolderStore(bare.root, read_only_objects=False, enters_symlinks=False)
    return ManifestFile(store, key)
