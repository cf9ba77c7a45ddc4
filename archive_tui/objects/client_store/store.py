"""An object store over a stranger's storage client, which knows only `ls`, `download`, `upload` and `config`.

It is slow and honest: an object is read by downloading it whole, and proven by downloading it again after the upload.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from archive_tui.errors import (
    AccessDenied,
    ArchiveError,
    ConfigurationError,
    HashError,
    ObjectExists,
    ObjectNotFound,
    StorageError,
    StorageFull,
    StorageUnavailable,
)
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.streams import Chunk, hash_stream, read_chunks
from archive_tui.names.object_keys import check_key, is_temporary_name
from archive_tui.objects.client_store.copies import LocalPlace
from archive_tui.objects.folder.atomic_file import write_atomically
from archive_tui.objects.folder.errors import translate_os_errors
from archive_tui.objects.folder.reader import FileRangeReader
from archive_tui.objects.folder.temporary_entries import create_locked_folder, remove_abandoned
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
from archive_tui.progress import StopSignal, check_stop, never

UNKNOWN_SIZE = -1
"""In listings: the client tells names only, and the object has been neither put nor read by this store."""

COPY_SECONDS = 60.0
"""A downloaded copy serves further reads for so long: an archive is read in several ranges."""

COPIES = 2

_SECRET_WORDS = ("secret", "password", "token", "credential", "key", "conn_str", "sas")
_REMARKS = (
    "This storage is used through a client class of its own: whether it never replaces an object is that class's word.",
    "Objects are downloaded whole to be read, and once more after each upload to prove it; the client cannot delete.",
)


class StorageClient(Protocol):
    config: dict[str, Any]

    def ls(self, what: str = ..., name_starts_with: str | None = ...) -> list[str]: ...

    def download(self, filename: str) -> Any: ...

    def upload(self, filename: str, overwrite: bool = ...) -> Any: ...


class ClientStore(ObjectStore):
    """Guarantees what the client lets it: create-only is asked of the client (`overwrite=False`) and checked before;
    what was put is downloaded again and hashed. `delete` and `if_match` raise StorageError (code `unsupported`).
    Listings tell sizes only of what this store has put or read, else UNKNOWN_SIZE. Content passes through files in
    `local_path` (see `client_copies`), never through memory; a read keeps its copy on the disk until it is closed.
    """

    def __init__(self, client: StorageClient) -> None:
        local_path = client.config.get("local_path")
        if not local_path:
            raise ConfigurationError("The storage has no local_path", hint="Set it to a folder with room for archives.")
        self._client = client
        self._place = LocalPlace(Path(str(local_path)))
        kind = type(client)
        self.label = f"client {kind.__name__} {_name_place(client.config)}".rstrip()
        self.identity = f"client://{kind.__module__}.{kind.__qualname__}/{_fingerprint(client.config)}"
        self._lock = threading.Lock()
        self._copies: dict[str, tuple[int, float]] = {}
        self._sizes: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"ClientStore({self.identity!r})"

    @property
    def traits(self) -> Traits:
        return Traits(
            attests_digest=Support.NO, conditional_replace=Support.NO, server_side_copy=Support.NO, remarks=_REMARKS
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
        if if_match is not None:
            raise self._unsupported("replace one version only", key)
        check_stop(stop)
        if not overwrite and self._is_listed(key):
            raise self._exists(key)
        with self._staging_folder() as folder:
            staged = folder / "content"
            written = write_atomically(staged, chunks, size, digest=digest, stop=stop, sent=sent)
            check_stop(stop)
            with self._translating(key, uploads=True), self._place.borrowed_name(key) as path:
                staged.rename(path)
                self._client.upload(key, overwrite=overwrite)
        return self._prove(key, written.digest, written.size)

    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        return FileRangeReader(self._open_copy(key), offset, length, key, self.label)

    def info(self, key: str) -> ObjectInfo:
        """Asks for the size, for which the object has to be downloaded if this store has not seen it yet."""
        if not self._is_listed(key):
            raise self._not_found(key)
        if key not in self._sizes:
            os.close(self._open_copy(key))
        return ObjectInfo(key, self._sizes[key])

    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        seen: set[str] = set()
        for key in self._list_keys(prefix):
            head, slash, _ = key[len(prefix) :].partition("/")
            if recursive or not slash:
                yield ObjectInfo(key, self._sizes.get(key, UNKNOWN_SIZE))
            elif head not in seen:
                seen.add(head)
                yield Prefix(f"{prefix}{head}/")

    def delete(self, key: str) -> None:
        """Raises: StorageError (code `unsupported`), unless the object is absent anyway."""
        if self._is_listed(key):
            raise self._unsupported("delete", key)

    def close(self) -> None:
        with self._lock:
            copies, self._copies = self._copies, {}
        for descriptor, _ in copies.values():
            os.close(descriptor)

    def _list_keys(self, prefix: str) -> tuple[str, ...]:
        with self._translating(""):
            found = self._client.ls(what="storage_area", name_starts_with=prefix or None)
        return tuple(sorted({key for key in map(str, found) if key.startswith(prefix) and _is_object(key)}))

    def _is_listed(self, key: str) -> bool:
        return bool(key) and key in self._list_keys(key)

    def _open_copy(self, key: str) -> int:
        """Returns a descriptor, the caller's to close, of a copy that is at most COPY_SECONDS old."""
        with self._lock:
            descriptor, taken_at = self._copies.get(key, (-1, 0.0))
            if descriptor >= 0 and time.monotonic() - taken_at < COPY_SECONDS:
                return os.dup(descriptor)
        if not self._is_listed(key):
            raise self._not_found(key)
        descriptor = self._download(key)
        try:
            return os.dup(descriptor)
        finally:
            self._keep_copy(key, descriptor)

    def _download(self, key: str) -> int:
        """Returns the descriptor of a fresh copy that has no name any more."""
        check_key(key)
        with self._translating(key), self._place.borrowed_name(key) as path:
            self._client.download(key)
            if not path.is_file():
                raise self._not_found(key)
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        self._sizes[key] = os.fstat(descriptor).st_size
        return descriptor

    def _keep_copy(self, key: str, descriptor: int | None) -> None:
        with self._lock:
            dropped = [self._copies.pop(key)] if key in self._copies else []
            if descriptor is not None:
                self._copies[key] = (descriptor, time.monotonic())
            while len(self._copies) > COPIES:
                dropped.append(self._copies.pop(next(iter(self._copies))))
        for old, _ in dropped:
            os.close(old)

    def _prove(self, key: str, digest: str, size: int) -> PutResult:
        self._keep_copy(key, None)
        with FileRangeReader(self._download(key), 0, None, key, self.label) as reader:
            found = hash_stream(read_chunks(reader))
        if found != (digest, size):
            raise HashError(
                f"Other bytes came back than were uploaded: {key}",
                hint="Remove the object with the storage's own tools and publish again.",
                code="read-back-differs",
            )
        method = "downloaded again in full after the upload and hashed by us"
        evidence = Evidence(self.identity, key, EvidenceLevel.READ, digest, size, time.time(), method)
        return PutResult(ObjectInfo(key, size, digest=digest), evidence)

    @contextmanager
    def _staging_folder(self) -> Iterator[Path]:
        root = self._place.folder
        with translate_os_errors(str(root), "the local file system"):
            root.mkdir(parents=True, exist_ok=True)
            remove_abandoned(root)
            folder, descriptor = create_locked_folder(root)
        try:
            yield folder
        finally:
            os.close(descriptor)
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _translating(self, key: str, *, uploads: bool = False) -> Iterator[None]:
        try:
            yield
        except ArchiveError:
            raise
        except FileExistsError as error:
            raise self._exists(key) from error
        except FileNotFoundError as error:
            if not uploads:
                raise self._not_found(key) from error
            what = f"{self.label} misses a file or folder of its own and stored nothing: {key}"
            hint = "It may not know names with `/`: choose one without, or ask those who made that class."
            raise StorageError(what, key=key, store=self.label, hint=hint) from error
        except PermissionError as error:
            raise AccessDenied(f"{self.label} refuses access: {key}", key=key, store=self.label) from error
        except (ConnectionError, TimeoutError) as error:
            raise StorageUnavailable(f"{self.label} cannot be reached: {key}", key=key, store=self.label) from error
        except Exception as error:  # what a stranger's class raises is not known beforehand
            kind = StorageFull if _is_full(error) else StorageError
            what = f"{self.label} failed with {type(error).__name__}: {key}"
            hint = "The message of that class is kept as the cause; ask those who made it."
            raise kind(what, key=key, store=self.label, hint=hint) from error

    def _exists(self, key: str) -> ObjectExists:
        return ObjectExists(f"An object of that name exists: {key}", key=key, store=self.label)

    def _not_found(self, key: str) -> ObjectNotFound:
        return ObjectNotFound(f"There is no such object: {key}", key=key, store=self.label)

    def _unsupported(self, what: str, key: str) -> StorageError:
        return StorageError(
            f"{self.label} cannot {what}: {key}",
            key=key,
            store=self.label,
            hint="Its class has no such call; use the storage's own tools.",
            code="unsupported",
        )


def _is_object(key: str) -> bool:
    return bool(key) and not key.endswith("/") and not is_temporary_name(key.rpartition("/")[2])


def _is_full(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def _name_place(config: Mapping[str, Any]) -> str:
    names = (str(config[name]) for name in ("storage_area", "bucket", "container") if config.get(name))
    return next(names, "")


def _fingerprint(config: Mapping[str, Any]) -> str:
    """The same for the same place, whatever the credentials and the local folder."""
    telling = {
        name: str(value)
        for name, value in config.items()
        if name not in ("local_path", "compression_level") and not any(word in name.lower() for word in _SECRET_WORDS)
    }
    return hashlib.sha256(json.dumps(telling, sort_keys=True).encode()).hexdigest()[:16]
