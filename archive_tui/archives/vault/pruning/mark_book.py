"""Keeps the marks of a vault in its own store, beside the contents, where everybody who archives there sees them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from archive_tui.archives.vault.pruning.mark_document import LARGEST, PruneMarks, format_marks, parse_marks
from archive_tui.archives.vault.vault import Vault
from archive_tui.errors import ConfigurationError, ObjectExists, ObjectNotFound, StorageError
from archive_tui.integrity.digest import sha256_of_bytes
from archive_tui.objects.object_store import Support
from archive_tui.progress import StopSignal, check_stop, never

MOST_TRIES = 40
"""Writers that come in between before somebody gives up."""


@dataclass(frozen=True, slots=True)
class StoredMarks:
    """`version` None: there is no document. `taken`: when the store took it, in seconds since the epoch by the store's
    clock; None: the store does not say."""

    marks: PruneMarks
    version: str | None = None
    taken: float | None = None


Edit = Callable[[PruneMarks], PruneMarks]


class MarkBook:
    """The document of one vault. It is only ever replaced in the version that was read."""

    def __init__(self, vault: Vault) -> None:
        self._store = vault.store
        self.key = f"{vault.prefix.rstrip('/')}.prune-marks.json" if vault.prefix else "prune-marks.json"

    def find_version(self) -> str | None:
        """Returns the version of the document that lies there, None: there is none. Raises: what the store raises."""
        try:
            return self._store.info(self.key).version or "unknown"
        except ObjectNotFound:
            return None

    def load(self) -> StoredMarks:
        """Raises: ManifestError (prune-marks) for a document that cannot be used; what the store raises."""
        try:
            info = self._store.info(self.key)
            # Asked before it is read: what is read is of this version, or nobody can write over what was newer.
            with self._store.open(self.key) as reader:
                content = self._read_all(reader.read)
        except ObjectNotFound:
            return StoredMarks(PruneMarks())
        where = f"{self.key} in {self._store.label}"
        return StoredMarks(parse_marks(content, where).dated(info.modified), info.version or "unknown", info.modified)

    def _read_all(self, read: Callable[[int], bytes]) -> bytes:
        pieces, length = [], 0
        while length <= LARGEST and (piece := read(1 << 20)):
            pieces.append(piece)
            length += len(piece)
        return b"".join(pieces) if length <= LARGEST else b""

    def change(self, edit: Edit, *, stop: StopSignal = never, always: bool = False) -> StoredMarks:
        """Replaces the marks by what `edit` makes of those that lie there; it is called again when somebody else was
        faster. What stays the same is not written, unless `always`.

        Raises: as `load`; StorageError (prune-busy); what `edit` raises; OperationStopped before anything is written.
        """
        for attempt in range(MOST_TRIES):
            check_stop(stop)
            found = self.load()
            wanted = edit(found.marks)
            if wanted == found.marks and not always:
                return found
            if self._replace(found, wanted):
                written = self._store.info(self.key)
                return StoredMarks(wanted.dated(written.modified), written.version, written.modified)
            time.sleep(random.uniform(0.0, min(2.0, 0.02 * 2**attempt)))
        raise StorageError(
            f"The marks of the vault change all the time: {self.key}",
            key=self.key,
            store=self._store.label,
            hint="Others archive or prune there. Run the same again later.",
            code="prune-busy",
        )

    def _replace(self, found: StoredMarks, wanted: PruneMarks) -> bool:
        content = format_marks(wanted)
        try:
            self._store.put(self.key, [content], len(content), digest=sha256_of_bytes(content), if_match=found.version)
        except (ObjectExists, ObjectNotFound):
            return False
        return True

    def require_promises(self) -> None:
        """Returns where of two writers of the marks one is refused; the server is asked when it is not known yet.

        Raises: ConfigurationError (prune-unsafe); what the store raises.
        """
        traits = self._store.traits
        if Support.UNKNOWN in (traits.create_only, traits.conditional_replace):
            traits = self._store.probe()
        if not traits.create_only is traits.conditional_replace is Support.YES:
            raise ConfigurationError(
                f"{self._store.label} cannot refuse to overwrite, so a vault there is not pruned.",
                hint="An archiving that begins meanwhile could not be seen, and its contents would be lost.",
                code="prune-unsafe",
            )
