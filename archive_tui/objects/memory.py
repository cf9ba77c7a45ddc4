"""A store in the memory of this process: for tests, previews and dry runs."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from archive_tui.errors import ObjectExists, ObjectNotFound
from archive_tui.integrity.digest import sha256_of_bytes
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.streams import Chunk
from archive_tui.names.object_keys import check_key
from archive_tui.objects.checked_source import CheckedSource
from archive_tui.objects.object_store import (
    Listed,
    ObjectInfo,
    ObjectReader,
    ObjectStore,
    Prefix,
    PutResult,
    Support,
    Traits,
)
from archive_tui.progress import StopSignal, never


@dataclass(frozen=True, slots=True)
class _StoredObject:
    content: bytes
    info: ObjectInfo


class MemoryStore(ObjectStore):
    """Keeps the guarantees of `ObjectStore` for as long as the process lives; memory grows with what is stored."""

    def __init__(self, label: str = "memory") -> None:
        self.label = label
        self.identity = f"memory://{label}"
        self._objects: dict[str, _StoredObject] = {}
        self._lock = threading.Lock()
        self._versions = 0

    def __repr__(self) -> str:
        return f"MemoryStore(label={self.label!r})"

    @property
    def traits(self) -> Traits:
        return Traits(
            create_only=Support.YES,
            attests_digest=Support.YES,
            conditional_replace=Support.YES,
            server_side_copy=Support.YES,
            atomic_rename=Support.NO,
            versioning=Support.NO,
            lists_in_byte_order=Support.YES,
        )

    def put(
        self,
        key: str,
        chunks: Iterable[Chunk],
        size: int | None = None,
        *,
        overwrite: bool = False,
        digest: str | None = None,
        if_match: str | None = None,
        stop: StopSignal = never,
        sent: Callable[[int], None] | None = None,
    ) -> PutResult:
        check_key(key)
        with self._lock:
            self._check_may_write(key, overwrite=overwrite, if_match=if_match)
        content = b"".join(CheckedSource(chunks, size, digest, stop=stop, sent=sent, name=key))
        return self._commit(key, content, overwrite=overwrite, if_match=if_match)

    def _commit(self, key: str, content: bytes, *, overwrite: bool, if_match: str | None) -> PutResult:
        found = sha256_of_bytes(content)
        now = time.time()
        with self._lock:
            self._check_may_write(key, overwrite=overwrite, if_match=if_match)
            self._versions += 1
            info = ObjectInfo(key, len(content), now, str(self._versions), found, attested=True)
            self._objects[key] = _StoredObject(content, info)
        evidence = Evidence(
            self.identity,
            key,
            EvidenceLevel.READ,
            found,
            len(content),
            now,
            "Hashed as it lies in memory.",
            info.version,
        )
        return PutResult(info, evidence)

    def _check_may_write(self, key: str, *, overwrite: bool, if_match: str | None) -> None:
        present = self._objects.get(key)
        if if_match is not None:
            if present is None or present.info.version != if_match:
                raise ObjectExists(
                    f"Not the version that was to be replaced: {key}",
                    key=key,
                    store=self.label,
                    hint="Somebody else has changed it. Look at it again.",
                )
        elif present is not None and not overwrite:
            raise ObjectExists(
                f"Exists already: {key}", key=key, store=self.label, hint="Choose another name or version."
            )

    def _stored(self, key: str) -> _StoredObject:
        check_key(key)
        with self._lock:
            stored = self._objects.get(key)
        if stored is None:
            raise ObjectNotFound(
                f"No such object: {key}", key=key, store=self.label, hint="List the store to see what it holds."
            )
        return stored

    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        content = self._stored(key).content
        end = len(content) if length is None else offset + length
        return io.BytesIO(content[offset:end])

    def info(self, key: str) -> ObjectInfo:
        return self._stored(key).info

    def delete(self, key: str) -> None:
        check_key(key)
        with self._lock:
            self._objects.pop(key, None)

    def copy(self, source_key: str, target_key: str) -> PutResult:
        check_key(target_key)
        return self._commit(target_key, self._stored(source_key).content, overwrite=False, if_match=None)

    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        with self._lock:
            found = sorted(
                (stored.info for key, stored in self._objects.items() if key.startswith(prefix)),
                key=lambda info: info.key.encode(),
            )
        shown: str | None = None
        for info in found:
            head, slash, _ = info.key[len(prefix) :].partition("/")
            if recursive or not slash:
                yield info
            elif (folder := f"{prefix}{head}/") != shown:
                shown = folder
                yield Prefix(folder)
