"""Wrappers around a store; each adds one thing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from archive_tui.errors import ObjectExists, ObjectNotFound
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.streams import Chunk
from archive_tui.names.object_keys import check_key
from archive_tui.objects.checked_source import CheckedSource
from archive_tui.objects.object_store import Listed, ObjectInfo, ObjectReader, ObjectStore, PutResult, Traits
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from archive_tui.progress import StopSignal, never


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """`operation` is the method's name, `key` its key or prefix, `detail` the rest as text, or empty."""

    operation: str
    key: str
    detail: str = ""


class RecordingStore(WrappedStore):
    """Notes every call in `calls`, in the order in which they begin, before it is handed on."""

    def __init__(self, inner: ObjectStore) -> None:
        super().__init__(inner)
        self.calls: list[RecordedCall] = []

    def count(self, operation: str) -> int:
        return sum(call.operation == operation for call in self.calls)

    def _note(self, operation: str, key: str, detail: str = "") -> None:
        self.calls.append(RecordedCall(operation, key, detail))

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
        self._note("put", key, "overwrite" if overwrite else "if_match" if if_match is not None else "")
        return super().put(
            key, chunks, size, overwrite=overwrite, digest=digest, if_match=if_match, stop=stop, sent=sent
        )

    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        whole = offset == 0 and length is None
        self._note("open", key, "" if whole else f"{offset}+{'' if length is None else length}")
        return super().open(key, offset, length)

    def info(self, key: str) -> ObjectInfo:
        self._note("info", key)
        return super().info(key)

    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        self._note("list", prefix, "recursive" if recursive else "")
        return super().list(prefix, recursive=recursive)

    def delete(self, key: str) -> None:
        self._note("delete", key)
        super().delete(key)

    def copy(self, source_key: str, target_key: str) -> PutResult:
        self._note("copy", source_key, target_key)
        return super().copy(source_key, target_key)

    def probe(self) -> Traits:
        self._note("probe", "")
        return super().probe()


class DryRunStore(WrappedStore):
    """Reads as `inner` does and writes nothing: a put takes its source and checks it, a delete is only noted.

    The result of a put describes what would have been stored; its evidence is LISTED only, for nothing was.
    `would_put` and `would_delete` hold the keys. What would have been put cannot be read.
    """

    def __init__(self, inner: ObjectStore) -> None:
        super().__init__(inner)
        self.would_put: list[str] = []
        self.would_delete: list[str] = []

    def probe(self) -> Traits:
        return self.inner.traits

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
        self._check_may_write(check_key(key), overwrite=overwrite, if_match=if_match)
        source = CheckedSource(chunks, size, digest, stop=stop, sent=sent, name=key)
        for _ in source:
            pass
        self.would_put.append(key)
        return self._would_be(key, source)

    def copy(self, source_key: str, target_key: str) -> PutResult:
        return ObjectStore.copy(self, source_key, target_key)

    def delete(self, key: str) -> None:
        check_key(key)
        self.would_delete.append(key)

    def _would_be(self, key: str, source: CheckedSource) -> PutResult:
        info = ObjectInfo(key, source.size, None, None, source.digest)
        evidence = Evidence(
            self.identity, key, EvidenceLevel.LISTED, None, source.size, time.time(), "A dry run: nothing was stored."
        )
        return PutResult(info, evidence)

    def _check_may_write(self, key: str, *, overwrite: bool, if_match: str | None) -> None:
        try:
            present: str | None = self.inner.info(key).version
            is_there = True
        except ObjectNotFound:
            present, is_there = None, False
        if if_match is not None:
            is_refused = not is_there or present != if_match
        else:
            is_refused = not overwrite and (is_there or key in self.would_put)
        if is_refused:
            raise ObjectExists(
                f"Would not be replaced in {self.label}: {key}", key=key, store=self.label, hint="Choose another name."
            )
