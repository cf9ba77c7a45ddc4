"""Deletes one published version on purpose: first what refers to it, then the archive, then the manifest beside it."""

from __future__ import annotations

from dataclasses import dataclass

from archive_tui.archives.datasets.catalog import list_versions
from archive_tui.errors import ObjectNotFound, StorageError
from archive_tui.names.dataset_names import ARCHIVE_SUFFIX, MANIFEST_SUFFIX, version_number
from archive_tui.objects.object_store import ObjectInfo, ObjectStore


@dataclass(frozen=True, slots=True)
class VersionRemoval:
    """What deleting a version means. `archive` None: it is gone already, and only the manifest beside it is left;
    `manifest` None: there is none. `others` are the versions that stay, by ascending number; `is_latest`: whoever asks
    for `latest` gets another one afterwards, the last of `others`, or none."""

    name: str
    version: str
    archive: ObjectInfo | None
    manifest: ObjectInfo | None
    others: tuple[str, ...]
    is_latest: bool

    @property
    def size(self) -> int:
        """In bytes, of what is deleted, as far as it is known."""
        return sum(max(0, info.size) for info in (self.archive, self.manifest) if info is not None)

    @property
    def references(self) -> tuple[str, ...]:
        """What refers to the version, each as a sentence."""
        told = []
        if self.manifest is not None:
            told.append(f"The manifest beside it is deleted with it: {self.manifest.key}")
        if self.is_latest:
            then = f"version {self.others[-1]}" if self.others else "nothing at all"
            told.append(f"It is the latest version: whoever asks for `latest` gets {then} afterwards.")
        told.append(f"{self.name} {self.version} can no longer be fetched where its name and number are written down.")
        told.append("Its number becomes free. Publish under another one: copies of this version may be about.")
        return tuple(told)


def plan_removal(store: ObjectStore, name: str, version: str) -> VersionRemoval:
    """Finds the version, by its full number, and what refers to it; nothing is touched.

    Raises: InvalidName; ObjectNotFound (version-not-found) when neither archive nor manifest of it lie there.
    """
    version_number(version)
    stem = f"{name}.{version}"
    archive, manifest = _find(store, stem + ARCHIVE_SUFFIX), _find(store, stem + MANIFEST_SUFFIX)
    others = tuple(each.version for each in list_versions(store, name) if each.version != version)
    if archive is None and manifest is None:
        raise ObjectNotFound(
            f"No version {version} of {name} in {store.label}.",
            key=stem,
            store=store.label,
            hint=f"There are: {', '.join(others[-10:])}" if others else "See: archive-tui dataset versions STORAGE",
            code="version-not-found",
        )
    is_latest = all(version_number(each) < version_number(version) for each in others)
    return VersionRemoval(name, version, archive, manifest, others, is_latest)


def remove_version(store: ObjectStore, removal: VersionRemoval) -> None:
    """Deletes what was planned, and only that: archive first, so that a deletion that breaks off is seen, and the same
    again completes it.

    Raises: StorageError (delete-changed) when something else lies there by now; what the store raises.
    """
    for info in (removal.archive, removal.manifest):
        if info is None:
            continue
        found = _find(store, info.key)
        if found is None:
            continue  # somebody else was faster, or its answer was lost
        if (found.version, found.size) != (info.version, info.size):
            raise StorageError(
                f"It has changed since it was shown: {info.key}",
                key=info.key,
                store=store.label,
                hint="Look at it again.",
                code="delete-changed",
            )
        store.delete(info.key)


def _find(store: ObjectStore, key: str) -> ObjectInfo | None:
    try:
        return store.info(key)
    except ObjectNotFound:
        return None
