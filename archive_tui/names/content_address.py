"""Where a content lies in a vault: under a key made of its SHA-256, so that equal contents lie there once."""

from __future__ import annotations

from itertools import pairwise

from archive_tui.integrity.digest import is_sha256_hex

VAULT_PREFIX = "object/"
"""Where the contents lie in a store, unless the settings say otherwise."""

_CUTS = (0, 2, 4, 8, 16, 64)


def content_key(digest: str, prefix: str = VAULT_PREFIX) -> str:
    """Returns the key of the content with this SHA-256, cut into `2/2/4/8/48` hexadecimal digits below `prefix`.

    Raises: ValueError when `digest` is no SHA-256 in hexadecimal digits.
    """
    if not is_sha256_hex(digest):
        raise ValueError(f"not a SHA-256: {digest!r}")
    digest = digest.lower()
    return prefix + "/".join(digest[start:end] for start, end in pairwise(_CUTS))


def digest_of_key(key: str, prefix: str = VAULT_PREFIX) -> str | None:
    """Returns the digest that `key` is made of, or None when it is no key of a content below `prefix`."""
    if not key.startswith(prefix):
        return None
    digest = key[len(prefix) :].replace("/", "")
    return digest if is_sha256_hex(digest) and content_key(digest, prefix) == key else None
