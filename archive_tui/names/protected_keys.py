"""Keys whose objects are never replaced or deleted by ordinary means, judged by their names alone."""

from __future__ import annotations

from archive_tui.names.content_address import digest_of_key
from archive_tui.names.dataset_names import ARCHIVE_SUFFIX, MANIFEST_SUFFIX, parse_dataset_archive_name

_ADDRESS_PARTS = 5
"""Segments of the address of a content, whatever prefix stands before it."""


def find_protection(key: str) -> str | None:
    """Says what of value lies under the key, in a few words: a published version of a dataset, the manifest beside
    one, or a content of a vault. None: an object like any other."""
    if find_content_digest(key) is not None:
        return "a content of a vault"
    name = key.rpartition("/")[2]  # what stands before may be a path of this machine, with any characters
    if parse_dataset_archive_name(name) is not None:
        return "a published version"
    if name.endswith(MANIFEST_SUFFIX):
        archive = name.removesuffix(MANIFEST_SUFFIX) + ARCHIVE_SUFFIX
        if parse_dataset_archive_name(archive) is not None:
            return "the manifest of a published version"
    return None


def find_content_digest(key: str) -> str | None:
    """Returns the digest that the end of the key is made of, as in a vault, wherever the vault lies."""
    if len(key) < 64 or key[-49:-48] != "/":
        return None
    return digest_of_key("/".join(key.split("/")[-_ADDRESS_PARTS:]), "")
