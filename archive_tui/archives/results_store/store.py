"""Results stores under the names of the original: a `Store` in a folder, and its `Manifest`."""

from __future__ import annotations

import uuid as uuids
from pathlib import Path
from typing import Any, Self

from archive_tui.archives.results_store.checking_out import verify_entry
from archive_tui.archives.results_store.opening import create_results_folder, open_results_folder
from archive_tui.archives.results_store.result_entry import ResultEntry
from archive_tui.archives.results_store.results_store import ResultsStore
from archive_tui.archives.results_store.verifying import verify_results
from archive_tui.errors import ObjectNotFound, SourceNotFound
from archive_tui.integrity.report import IntegrityReport
from archive_tui.integrity.streams import read_chunks
from archive_tui.manifests.store_manifest import StoreRecord
from archive_tui.progress import Report, StopSignal, ignore, never


class Store:
    """The results store in the folder `root`. Several of them, in whatever processes, may add files at once."""

    def __init__(self, root: str | Path) -> None:
        """Raises: NotAStoreError when the folder is none."""
        self.root = Path(root).expanduser().absolute()
        self.results = open_results_folder(self.root)
        self.manifest = Manifest(self)

    @classmethod
    def create(cls, root: str | Path, name: str) -> Self:
        """Makes an empty store; the folder and its parents are made.

        Raises: TargetExists (a FileExistsError) for a folder that is not empty.
        """
        create_results_folder(Path(root), name).close()
        return cls(root)

    @property
    def name(self) -> str:
        return self.results.name

    def add_file(
        self,
        event: str,
        production: str,
        file: str | Path,
        new_name: str | None = None,
        *,
        allow_duplicate_content: bool = False,
    ) -> dict[str, str]:
        """Checks a file in under its own name or `new_name`, and returns its record: `file`, `hash` (MD5), `uuid`,
        `sha256`, in hexadecimal digits.

        Raises: AlreadyPresentException when the same content is in the store; FileExistsError when the production has a
        file of this name; FileNotFoundError; InvalidName.
        """
        source = Path(file)
        if not source.is_file():
            raise SourceNotFound(f"No such file: {source}", path=str(source), hint="Check the name.")
        with source.open("rb", buffering=0) as content:
            receipt = self.results.add(
                event,
                production,
                read_chunks(content),
                name=source.name if new_name is None else new_name,
                size=source.stat().st_size,
                allow_duplicate=allow_duplicate_content,
            )
        return {"file": receipt.name, "hash": receipt.md5, "uuid": receipt.uuid, "sha256": receipt.sha256}

    def fetch_file(self, event: str, production: str, file: str, hash: str | None = None) -> Path:  # noqa: A002
        """Returns where the file lies, after it was read whole and compared with the manifest, and `hash` (MD5 or
        SHA-256) with the manifest, too.

        Raises: FileNotFoundError (ObjectNotFound); HashError.
        """
        return self._verified(self.results.find(event, production, file), hash)

    def fetch_uuid(self, uuid: str | uuids.UUID) -> Path:
        """Returns where the file with this uuid lies, verified as by `fetch_file`. Raises: as `fetch_file`."""
        return self._verified(self.results.find_uuid(_hex_of(uuid)), None)

    def verify(self, *, report: Report = ignore, stop: StopSignal = never) -> IntegrityReport:
        """Reads every file; see `verify_results`."""
        return verify_results(self.results, report=report, stop=stop)

    def _verified(self, entry: ResultEntry, supplied: str | None) -> Path:
        found, _ = verify_entry(self.results, entry, hash=supplied)
        return self.root / found.key


class Manifest:
    """The manifest of a store, read anew whenever somebody has changed it."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @property
    def _results(self) -> ResultsStore:
        return self.store.results

    @classmethod
    def create(cls, store: Store) -> Self:
        """Returns the manifest of a store, which has one since it was made."""
        return cls(store)

    @property
    def data(self) -> dict[str, Any]:
        """All of it, as plain dictionaries."""
        events: dict[str, Any] = {}
        for listed in self._results.manifest().records():
            files = events.setdefault(listed.event, {}).setdefault(listed.production, {})
            files[listed.name] = _fields(listed.record)
        return {"name": self._results.name, "events": events}

    def get_hash(self, uuid: str | uuids.UUID) -> str:
        """Returns the MD5 of the file with this uuid. Raises: FileNotFoundError (ObjectNotFound)."""
        return self._results.find_uuid(_hex_of(uuid)).md5

    def get_uuid(self, event: str, production: str, name: str) -> str:
        """Returns the uuid, 32 hexadecimal digits. Raises: FileNotFoundError (ObjectNotFound)."""
        return self._results.find(event, production, name).uuid

    def list_resources(self, event: str, production: str) -> dict[str, dict[str, Any]]:
        """Returns the records of a production by file name. Raises: FileNotFoundError (ObjectNotFound)."""
        found = self._results.manifest().events.get(event, {}).get(production)
        if found is None:
            raise ObjectNotFound(
                f"Not in {self._results.label}: {event}/{production}",
                key=f"{event}/{production}",
                store=self._results.label,
                hint="The names of events and productions stand in its manifest.",
            )
        return {name: _fields(record) for name, record in sorted(found.items())}

    def add_record(
        self,
        event: str,
        production: str,
        resource: str,
        hash: str,  # noqa: A002
        uuid: str | uuids.UUID,
    ) -> None:
        """Writes down a file that lies in the store already.

        Raises: FileExistsError (ObjectExists) when the production has a file of this name; InvalidName; ManifestError
        for a hash or uuid that is not 32 hexadecimal digits.
        """
        self._results.add_record(event, production, resource, StoreRecord(hash.lower(), _hex_of(uuid)))

    def update(self) -> None:
        """Nothing is left to be done: each change is on the disk when it returns."""


def _fields(record: StoreRecord) -> dict[str, Any]:
    fields: dict[str, Any] = {"hash": record.md5, "uuid": record.uuid}
    if record.sha256 is not None:
        fields["sha256"] = record.sha256
    if record.size is not None:
        fields["size"] = record.size
    return fields


def _hex_of(uuid: str | uuids.UUID) -> str:
    return uuid.hex if isinstance(uuid, uuids.UUID) else uuid.replace("-", "").lower()
