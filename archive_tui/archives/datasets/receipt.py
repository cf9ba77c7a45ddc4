"""What a publish leaves in the hands of a person: where the data lies, and how that was proven."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from archive_tui.integrity.evidence import Evidence


@dataclass(frozen=True, slots=True)
class PublishReceipt:
    """What lies in the store now. `outcome` is `published`, or `identical` when that content was there already (then
    `version` names the version that holds it). Sizes in bytes, digests SHA-256; `evidence` says how the archive was
    proven (None for `identical`: nothing was looked at); `manifest_digest` None when no manifest was written beside
    it."""

    outcome: str
    name: str
    version: str
    key: str
    files: int
    source_bytes: int
    archive_size: int
    archive_digest: str | None
    manifest_digest: str | None
    evidence: Evidence | None
    store_label: str
    seconds: float
    remarks: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        values = dataclasses.asdict(self)
        if self.evidence is not None:
            values["evidence"]["level"] = self.evidence.level.name.lower()
        return values
