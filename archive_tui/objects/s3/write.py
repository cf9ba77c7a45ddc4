"""One put, as its ways through one request or through parts know it, and what came of it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from archive_tui.progress import StopSignal

NONCE_HEADER = "x-amz-meta-archive-tui-nonce"
DIGEST_HEADER = "x-amz-meta-archive-tui-sha256"

ATTESTED = "sent with its SHA-256, which the server checked against what it received"
ATTESTED_PARTS = "sent in parts, each with its SHA-256; the server's digest over these is the one computed here"
ATTESTED_WHOLE = (
    "sent in parts, each checked by the server against its SHA-256; the server's CRC-32 over the whole is the one "
    "computed here; the SHA-256 was computed here and recorded beside the object"
)
READ_BACK = "read back in full after it was put, and hashed here"
NOT_EXCLUDED = "; the server cannot refuse to overwrite, so another writer at the same moment is not excluded"

Sent = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Write:
    """One put: `key` is relative to the store's prefix, `full_key` is what the server is told. `nonce` marks the
    object as written by this very call, so that a lost reply can be told from a rival. `digest` is the SHA-256 that
    the caller has promised, None if nobody knows it before the end."""

    key: str
    full_key: str
    overwrite: bool
    if_match: str | None
    stop: StopSignal
    sent: Sent | None
    digest: str | None = None
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def creates_only(self) -> bool:
        return not self.overwrite and self.if_match is None

    @property
    def conditions(self) -> dict[str, str]:
        if self.if_match is not None:
            return {"If-Match": f'"{self.if_match}"'}
        return {} if self.overwrite else {"If-None-Match": "*"}


@dataclass(frozen=True, slots=True)
class Committed:
    """What the server said it has. `attested` None: it has not been asked for its digest. `is_surely_ours` False: the
    object may be that of another process with the same nonce, so that it is not ours to remove."""

    digest: str
    size: int
    version: str | None
    attested: bool | None
    method: str = ATTESTED
    is_surely_ours: bool = True
