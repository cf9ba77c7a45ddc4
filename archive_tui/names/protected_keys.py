"""Keys whose objects are never replaced or deleted by ordinary means, judged by their names alone."""

from __future__ import annotations

from archive_tui.names.content_address import digest_of_key
from archive_tui.names.dataset_names import ARCHIVE_SUFFIX, MANIFEST_SUFFIX, parse_dataset_archive_name

_ADDRESS_PARTS = 5
"""Segments of the address of a content, whatever prefix stands before it."""

PLACE_MARKS = {
    ".datasafe.json": "a datasafe",
    ".manifest/manifest.yaml": "a results store",
}
"""The object at the top of a place that is kept by rules of its own, and what the place is: all below belongs to it."""

_PUBLISHED = "a published version"
_CONTENT = "a content of a vault"

_WAYS = {
    _PUBLISHED: "archive-tui dataset delete STORAGE NAME VERSION deletes it, after it has told what refers to it.",
    _CONTENT: "archive-tui vault prune deletes the contents to which no manifest refers any more.",
}
_MANIFEST = f"the manifest of {_PUBLISHED}"


def find_protection(key: str) -> str | None:
    """Says what of value lies under the key, in a few words: a published version of a dataset, the manifest beside
    one, a content of a vault, or the mark of a datasafe or results store. None: an object like any other."""
    if find_content_digest(key) is not None:
        return _CONTENT
    name = key.rpartition("/")[2]  # what stands before may be a path of this machine, with any characters
    if parse_dataset_archive_name(name) is not None:
        return _PUBLISHED
    if name.endswith(MANIFEST_SUFFIX):
        archive = name.removesuffix(MANIFEST_SUFFIX) + ARCHIVE_SUFFIX
        if parse_dataset_archive_name(archive) is not None:
            return _MANIFEST
    for mark, place in PLACE_MARKS.items():
        if key == mark or key.endswith(f"/{mark}"):
            return f"the mark of {place}"
    return None


def explain_way(protection: str) -> str:
    """By which explicit command the object may be deleted, if by any, as a sentence."""
    return _WAYS.get(_PUBLISHED if protection == _MANIFEST else protection, "No command deletes it: it is kept.")


def find_counterpart(key: str) -> str | None:
    """Returns the key of the manifest that belongs beside a published version, or of the version to which a manifest
    belongs; None for any other key."""
    if find_protection(key) == _PUBLISHED:
        return key.removesuffix(ARCHIVE_SUFFIX) + MANIFEST_SUFFIX
    return key.removesuffix(MANIFEST_SUFFIX) + ARCHIVE_SUFFIX if find_protection(key) == _MANIFEST else None


def find_content_digest(key: str) -> str | None:
    """Returns the digest that the end of the key is made of, as in a vault, wherever the vault lies."""
    if len(key) < 64 or key[-49:-48] != "/":
        return None
    return digest_of_key("/".join(key.split("/")[-_ADDRESS_PARTS:]), "")
