"""How a repeated publish knows a version as its own: by the manifest that an earlier run has sealed."""

from __future__ import annotations

import dataclasses

from archive_tui.archives.datasets.catalog import list_versions, read_version_manifest
from archive_tui.archives.datasets.conflicts import IdenticalContent
from archive_tui.archives.datasets.planning import PublishPlan
from archive_tui.continuation import Journal
from archive_tui.errors import IntegrityError
from archive_tui.integrity.digest import sha256_of_bytes
from archive_tui.manifests.dataset_manifest import DatasetManifest, format_dataset_manifest
from archive_tui.objects.object_store import ObjectStore

_NAME = "sealed"


class SealedManifests:
    """The digests of the manifests that earlier runs have sealed, as the journal knows them. Without one nothing is
    known as own."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._earlier = frozenset((journal.load(_NAME) or b"").decode().split())

    def add(self, manifest: bytes) -> None:
        """Writes down a manifest before anybody can see the version that it seals."""
        digest = sha256_of_bytes(manifest)
        if self._journal.is_kept and digest not in self._earlier:
            self._journal.save(_NAME, "\n".join(sorted({*self._earlier, digest})).encode(), durable=True)

    def is_own(self, manifest: DatasetManifest) -> bool:
        """True when an earlier run has sealed this very manifest, its time included."""
        if not self._earlier:
            return False
        return sha256_of_bytes(format_dataset_manifest(dataclasses.replace(manifest, archive=None))) in self._earlier

    def find_version(self, store: ObjectStore, plan: PublishPlan) -> IdenticalContent | None:
        """Returns the version that has the planned number when it is an own one, whatever the source holds by now.

        Raises: what the store raises.
        """
        if not self._earlier:
            return None
        for known in list_versions(store, plan.request.name):
            if known.version == plan.version:
                try:
                    is_own = self.is_own(read_version_manifest(store, known))
                except IntegrityError:
                    return None
                return IdenticalContent(known.version, known.key) if is_own else None
        return None
