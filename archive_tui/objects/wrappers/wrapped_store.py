"""What all wrappers share: a store that hands every call on to another one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from archive_tui.integrity.streams import Chunk
from archive_tui.objects.object_store import Listed, ObjectInfo, ObjectReader, ObjectStore, PutResult, Traits
from archive_tui.objects.unfinished import UnfinishedUpload, UnfinishedUploads
from archive_tui.progress import StopSignal, never


class WrappedStore(ObjectStore):
    """Hands every call on to `inner`, with its label and identity. A wrapper overrides what it adds one thing to."""

    def __init__(self, inner: ObjectStore) -> None:
        self.inner = inner
        self.label = inner.label
        self.identity = inner.identity

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.inner!r})"

    @property
    def unfinished(self) -> UnfinishedUploads | None:  # it is the inner store that remembers
        return self.inner.unfinished

    @unfinished.setter
    def unfinished(self, uploads: UnfinishedUploads | None) -> None:
        self.inner.unfinished = uploads

    def list_unfinished(self, prefix: str = "") -> Iterator[UnfinishedUpload]:
        return self.inner.list_unfinished(prefix)

    def discard_unfinished(self, upload: UnfinishedUpload) -> None:
        self.inner.discard_unfinished(upload)

    @property
    def traits(self) -> Traits:
        return self.inner.traits

    def probe(self) -> Traits:
        return self.inner.probe()

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
        return self.inner.put(
            key, chunks, size, overwrite=overwrite, digest=digest, if_match=if_match, stop=stop, sent=sent
        )

    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        return self.inner.open(key, offset, length)

    def info(self, key: str) -> ObjectInfo:
        return self.inner.info(key)

    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        return self.inner.list(prefix, recursive=recursive)

    def delete(self, key: str) -> None:
        self.inner.delete(key)

    def copy(self, source_key: str, target_key: str) -> PutResult:
        return self.inner.copy(source_key, target_key)

    def close(self) -> None:
        self.inner.close()
