"""Names that checksum manifests have, and hardly anything else."""

from __future__ import annotations

import re

_NAMES = re.compile(r"(sha256sums?(\.txt)?|.*\.sha256(sums?)?)", re.IGNORECASE)


def has_manifest_name(name: str) -> bool:
    """True for names like `SHA256SUMS` and `photos.sha256`."""
    return _NAMES.fullmatch(name) is not None
