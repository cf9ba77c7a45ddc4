"""The manifest of a results store where it lies: read whole, and changed so that no change of another is ever lost."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from archive_tui.errors import ArchiveError, NotAStoreError, ObjectExists, ObjectNotFound, StorageError
from archive_tui.integrity.digest import sha256_of_bytes
from archive_tui.integrity.streams import read_chunks
from archive_tui.manifests.store_manifest import LARGEST, StoreManifest, format_store_manifest, parse_store_manifest
from archive_tui.objects.object_store import ObjectStore, Support
from archive_tui.progress import StopSignal, check_stop, never

ATTEMPTS = 200
"""Changes of others that may come between, one after the other, before this one is given up."""

LONGEST_PAUSE = 0.5


class ManifestFile:
    """`store` is where it may be written (a folder's manifest stays writable for its owner, contents do not). Reading
    asks for its version first, and the text again only when that is another one.

    Nobody takes turns: who has written last writes on without reading, and several writers in strict alternation would
    each read all of it every time (30,000 records, two writers of 20 files: 59 s instead of 8)."""

    def __init__(self, store: ObjectStore, key: str) -> None:
        self._store = store
        self._key = key
        self._known: tuple[str, StoreManifest] | None = None

    def read(self) -> StoreManifest:
        """Raises: NotAStoreError when there is none; ManifestError; what the store raises."""
        return self._read()[1]

    def read_to_change(self) -> StoreManifest:
        """Raises: as `read`; StorageError (results-no-conditions) where `change` could lose what others write."""
        version, manifest = self._read()
        self._check_conditions(version)
        return manifest

    def create(self, manifest: StoreManifest) -> None:
        """Raises: ObjectExists when there is one."""
        content = format_store_manifest(manifest)
        self._store.put(self._key, [content], len(content), digest=sha256_of_bytes(content))

    def change(self, edit: Callable[[StoreManifest], StoreManifest], *, stop: StopSignal = never) -> StoreManifest:
        """Replaces the manifest by what `edit` makes of it, and returns that. When somebody else has changed it
        meanwhile, `edit` is called again with the newer one. The change is durable when this returns.

        Raises: what `edit` raises; StorageError (results-no-conditions) where the store cannot tell whether somebody
        was faster, (results-busy) when somebody always was; what the store raises; OperationStopped.
        """
        for attempt in range(ATTEMPTS):
            check_stop(stop)
            changed = self._try(edit)
            if changed is not None:
                return changed
            time.sleep(random.uniform(0, min(LONGEST_PAUSE, 0.002 * 2 ** min(attempt, 10))))
        raise StorageError(
            f"{self._store.label}: the manifest was changed by somebody else each time it was to be written.",
            key=self._key,
            store=self._store.label,
            hint="Many write at once. Do it again.",
            code="results-busy",
        )

    def _try(self, edit: Callable[[StoreManifest], StoreManifest]) -> StoreManifest | None:
        """Returns the manifest as it is now; None: somebody was faster."""
        version, manifest = self._read()
        self._check_conditions(version)
        changed = edit(manifest)
        if changed is manifest:
            return manifest
        content = format_store_manifest(changed)
        try:
            put = self._store.put(self._key, [content], len(content), if_match=version, digest=sha256_of_bytes(content))
        except ObjectExists:
            return None
        self._known = (put.info.version, changed) if put.info.version else None
        return changed

    def _read(self) -> tuple[str, StoreManifest]:
        """The version is asked for before the text: a text that is newer than its version is never replaced."""
        try:
            version = self._store.info(self._key).version or ""
            known = self._known
            if known is not None and known[0] == version and version:
                return known
            with self._store.open(self._key, 0, LARGEST + 1) as reader:
                content = b"".join(read_chunks(reader))
        except ObjectNotFound as error:
            raise not_a_store(self._store, error) from error
        read = version, parse_store_manifest(content, f"{self._store.label}: {self._key}")
        self._known = read
        return read

    def _check_conditions(self, version: str) -> None:
        traits = self._store.traits
        if traits.conditional_replace is Support.UNKNOWN:
            traits = self._store.probe()
        if version and traits.conditional_replace is Support.YES:
            return
        raise StorageError(
            f"{self._store.label} cannot replace an object only if nobody else has: two writers could lose each "
            "other's records.",
            key=self._key,
            store=self._store.label,
            hint="Keep the results store in a folder, or in a store that takes If-Match.",
            code="results-no-conditions",
        )


def not_a_store(store: ObjectStore, cause: ArchiveError | None = None) -> NotAStoreError:
    return NotAStoreError(
        f"No results store lies here: {store.label}",
        store=store.label,
        hint="Make one: archive-tui store init --name NAME",
    )
