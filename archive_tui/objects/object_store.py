"""The interface of an object store: bytes under keys. Everything the program keeps or reads lies in one.

A key is a relative path with `/` between its segments (see `names.object_keys`). The guarantees stand at the methods;
each is a test of the same name in tests/conformance/object_store_suite.py, which every store runs. Where a server
cannot keep one, `traits` says so, and the store does the next best thing and never claims more.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

from archive_tui.integrity.evidence import Evidence
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.unfinished import UnfinishedUpload, UnfinishedUploads
from archive_tui.progress import StopSignal, never


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """`size` in bytes (-1 in a listing: unknown until asked by `info`), `modified` in seconds since the epoch (None:
    the store does not say), `version` an opaque text that changes whenever the content does (entity tag; None: the
    store has none), `digest` the SHA-256 that the store attests or that was recorded at put (None: unknown; a listing
    rarely knows it), `attested` True only when the store itself computed that digest from the bytes it received."""

    key: str
    size: int
    modified: float | None = None
    version: str | None = None
    digest: str | None = None
    attested: bool = False


@dataclass(frozen=True, slots=True)
class Prefix:
    """A folder-like common prefix in a listing that is not recursive; `key` ends in `/`."""

    key: str
    modified: float | None = None


Listed = ObjectInfo | Prefix


class Support(StrEnum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Traits:
    """What a store can promise. UNKNOWN until `ObjectStore.probe` has asked the server.

    `create_only`: a second put of a key is refused by the store itself, atomically. `attests_digest`: the store
    refuses bytes of another SHA-256 and returns the digest later. `conditional_replace`: `if_match` is honoured.
    """

    create_only: Support = Support.UNKNOWN
    attests_digest: Support = Support.UNKNOWN
    conditional_replace: Support = Support.UNKNOWN
    server_side_copy: Support = Support.UNKNOWN
    atomic_rename: Support = Support.NO
    versioning: Support = Support.UNKNOWN
    lists_in_byte_order: Support = Support.UNKNOWN
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PutResult:
    """What lies under the key now, and how that was proven. `info.digest` is always the SHA-256 of what was put."""

    info: ObjectInfo
    evidence: Evidence


class ObjectReader(Protocol):
    """Content of an object, or of a range of it. Close it, or use it as a context manager."""

    def read(self, size: int = -1, /) -> bytes:
        """Returns at most `size` bytes; b"" only at the end. Fewer than `size` bytes are no sign of the end."""

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class ObjectStore(ABC):
    """Bytes under keys. Methods may be called from several threads at once.

    Every method raises the errors of `archive_tui.errors` and no other: InvalidName before anything is sent,
    AccessDenied, StorageUnavailable, StorageFull, StorageError for the rest, `from` the library's own error.
    """

    label: str
    """For people: what and where, without any secret. `folder /data/archive`, `s3 lab-archive/climate`."""

    identity: str
    """For records: the same place has the same identity in every process. `file:///data/archive`, `s3://…`."""

    unfinished: UnfinishedUploads | None = None
    """Set it to have uploads in parts continued by a later put of the same key, in whatever process."""

    @property
    @abstractmethod
    def traits(self) -> Traits:
        """What is known without asking the server."""

    def probe(self) -> Traits:
        """Asks the server for what cannot be known otherwise, once per endpoint; leaves nothing behind."""
        return self.traits

    @abstractmethod
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
        """Stores the stream under `key`.

        Guarantees: all or nothing, a source that fails, is stopped, is shorter or longer than `size`, or has another
        SHA-256 than `digest` leaves nothing visible, not even in a listing, and no temporary thing, but for parts that
        `unfinished` remembers. Without
        `overwrite` an existing object is never replaced, and of racing writers exactly one wins; a reply that was
        lost after the commit is recognised as our own write. Before it returns, what was put has been read back, or
        the store's own digest compared. Memory does not grow with the object.

        `chunks` that begin anew with each `iter` (as a list does, a generator does not), with `digest` and `size`, may
        be sent as they are read, and are read again when a request fails; the last bytes are not let go before the
        source has proven to have that digest and size. Any other source is read once.

        `size` None: known only at the end. `if_match`: replace only the version with this `ObjectInfo.version`
        (implies `overwrite`). `sent` receives the absolute count of bytes handed to the store; it may be called from
        other threads.

        Raises: ObjectExists (also when `if_match` does not match), HashError for a wrong `digest`, SourceChanged for
        a wrong `size`, OperationStopped, and whatever iterating `chunks` raises, unchanged.
        """

    @abstractmethod
    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        """Opens `length` bytes from `offset` (None: to the end; beyond the end: nothing).

        A connection that breaks in the middle is resumed by range or raises StorageUnavailable; it never looks like
        the end. An object that is replaced while it is read raises StorageError (code `object-changed`).

        Raises: ObjectNotFound.
        """

    @abstractmethod
    def info(self, key: str) -> ObjectInfo:
        """Asks for size, version, and the digest if the store attests or records one.

        Raises: ObjectNotFound.
        """

    @abstractmethod
    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        """Lists what begins with `prefix`, a plain string: `d` matches `d/x` and `dd/x`, `d/` only the first.

        Complete or an error: a listing that is cut short raises. Lazy, a page at a time; zero-byte objects are shown,
        folder markers (keys that end in `/`) and temporary things are not. The order is the store's own. Not recursive:
        what lies deeper than the next `/` after the prefix comes as one `Prefix` each.
        """

    @abstractmethod
    def delete(self, key: str) -> None:
        """Removes the object; an absent one is no error."""

    def copy(self, source_key: str, target_key: str) -> PutResult:
        """Copies within the store, never over an existing object. Here: read and put; a store may know better."""
        from archive_tui.integrity.streams import read_chunks

        with self.open(source_key) as reader:
            return self.put(target_key, read_chunks(reader))

    def list_unfinished(self, prefix: str = "") -> Iterator[UnfinishedUpload]:
        """Lists the uploads in parts below `prefix` that nobody has completed, of whoever; none where a store knows no
        parts, or removes them by itself."""
        return iter(())

    def discard_unfinished(self, upload: UnfinishedUpload) -> None:  # noqa: B027  (nothing to do where there are no parts)
        """Removes the parts of one; an absent one is no error. The caller knows that nobody works on it any more."""

    def close(self) -> None:  # noqa: B027  (a store without connections has nothing to close)
        """Releases connections and threads. The store is not used afterwards."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
