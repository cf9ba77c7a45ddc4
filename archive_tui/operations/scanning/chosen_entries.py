"""A part of a source: only some of its entries are meant."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from archive_tui.operations.scanning.source_scan import ScanRemark, SourceScan


def narrow_scan(scan: SourceScan, chosen: Iterable[str]) -> SourceScan:
    """Returns the scan of those entries only; a chosen folder stands for all that lies below it. None chosen: all."""
    names = tuple(name.rstrip("/") for name in chosen)
    if not names:
        return scan

    def is_chosen(path: str) -> bool:
        return any(path == name or path.startswith(f"{name}/") for name in names)

    def keep(remarks: tuple[ScanRemark, ...]) -> tuple[ScanRemark, ...]:
        return tuple(remark for remark in remarks if is_chosen(remark.path))

    return dataclasses.replace(
        scan,
        files=tuple(file for file in scan.files if is_chosen(file.path)),
        warnings=keep(scan.warnings),
        refusals=keep(scan.refusals),
        skipped=keep(scan.skipped),
    )
