"""Which documents in a folder are manifests: each kind is one line of a table; a new kind only adds its line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from archive_tui.errors import ManifestError
from archive_tui.integrity.inventory import Inventory
from archive_tui.manifests.dataset_manifest import MANIFEST_NAME, parse_dataset_manifest
from archive_tui.manifests.manifest_document import read_manifest_document


@dataclass(frozen=True, slots=True)
class ManifestKind:
    """`name` is for people, `file_name` lies at the top of a folder, `parse` gets its bytes and a word for messages."""

    name: str
    file_name: str
    parse: Callable[[bytes, str], Inventory]


@dataclass(frozen=True, slots=True)
class FoundManifest:
    """`path` is the document itself; `inventory` what it lists."""

    kind: str
    path: Path
    inventory: Inventory


def _parse_dataset(document: bytes, where: str) -> Inventory:
    return parse_dataset_manifest(document, where=where).inventory


MANIFEST_KINDS: tuple[ManifestKind, ...] = (ManifestKind("dataset manifest", MANIFEST_NAME, _parse_dataset),)


def find_manifest(folder: Path) -> FoundManifest:
    """Returns the manifest at the top of `folder`, the first kind of `MANIFEST_KINDS` that is there.

    Raises: ManifestError with code `manifest-missing` when there is none, `manifest-unreadable` when it cannot be
    read, and the codes of its parser.
    """
    for kind in MANIFEST_KINDS:
        document = read_manifest_document(folder / kind.file_name)
        if document is not None:
            return FoundManifest(kind.name, folder / kind.file_name, kind.parse(document, kind.file_name))
    known = ", ".join(kind.file_name for kind in MANIFEST_KINDS)
    raise ManifestError(
        f"No manifest in the folder: {folder}",
        hint=f"A folder can be verified when {known} or SHA256SUMS lies at its top. A fetched dataset has the first, "
        "archive-tui manifest --create makes the second.",
        code="manifest-missing",
    )
