"""Large objects that come into a folder of this machine: what has arrived when a run ends is gone on with by the next.

The whole is hashed before it gets its name, what an earlier run has written included, and compared with the digest that
the source has beside the object; one of which no digest is known is begun anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Protocol

from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.checked_source import CheckedSource
from archive_tui.objects.folder.contained_write import ContainedFolder
from archive_tui.objects.folder.kept_parts import KEPT_FROM, KeptPart
from archive_tui.objects.folder.listing import describe_file
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectInfo, PutResult
from archive_tui.objects.unfinished import keeps_parts
from archive_tui.operations.copying.contents import SourceContent
from archive_tui.progress import StopSignal

_METHOD = "Hashed while it was written; read back from the folder, every byte equal."


class PartKeeper(Protocol):
    """Where the begun parts below one folder are remembered, by the path of their file. Safe to use from several
    threads."""

    def find(self, path: str) -> tuple[str, str | None] | None:
        """Returns the temporary name, and the version of the object that was being read."""

    def keep(self, path: str, name: str, version: str | None) -> None:
        """On the disk when it returns."""

    def forget(self, path: str) -> None: ...


class ContinuedFiles:
    """Writes objects as files below the root of a store, in the folder of a person."""

    def __init__(self, store: FolderStore, keeper: PartKeeper, stop: StopSignal) -> None:
        self._folder = ContainedFolder(store.root)
        self._identity = store.identity
        self._keeper = keeper
        self._stop = stop

    def takes(self, content: SourceContent) -> bool:
        """True for what is worth going on with, and can be proven to be whole then."""
        info = content.info
        return info.size >= 2 * KEPT_FROM and info.digest is not None and info.version is not None

    def put(self, content: SourceContent, key: str, sent: Callable[[int], None]) -> PutResult:
        """Writes the object as a new file; guarantees and errors as of `ContainedFolder.write`."""
        version = content.info.version
        known = self._keeper.find(key)
        if known is not None and known[1] != version:
            if self._folder.remove_part(key, known[0]):
                self._keeper.forget(key)
            known = None

        def note(name: str | None) -> None:
            if name is None:
                self._keeper.forget(key)
            else:
                self._keeper.keep(key, name, version)

        part = KeptPart(known[0] if known is not None else None, note=note, survives=keeps_parts)
        source = CheckedSource(
            self._chunks(content, part), content.size, content.info.digest, stop=self._stop, sent=sent, name=key
        )
        written = self._folder.write(key, source, part=part)
        lost = self._folder.make_durable(key.rpartition("/")[0], {key: written})
        if lost:
            raise lost[key]
        info = describe_file(key, written.status)
        info = ObjectInfo(key, written.size, info.modified, info.version, written.digest)
        evidence = Evidence(
            self._identity, key, EvidenceLevel.READ, written.digest, written.size, time.time(), _METHOD, info.version
        )
        return PutResult(info, evidence)

    def _chunks(self, content: SourceContent, part: KeptPart) -> Iterator[Chunk]:
        yield from part.chunks(stop=self._stop)
        yield from content.read_from(part.size)
