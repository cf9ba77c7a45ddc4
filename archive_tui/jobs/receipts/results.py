"""Writes down what a run has made, so that another process, on another day, can show it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import Enum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archive_tui.registry import load_by_dotted_path

if TYPE_CHECKING:
    from cattrs import Converter

_KINDS: Mapping[str, str] = {
    "publish": "archive_tui.archives.datasets.receipt.PublishReceipt",
    "fetch": "archive_tui.archives.datasets.fetching.FetchReceipt",
    "integrity": "archive_tui.integrity.report.IntegrityReport",
    "vault": "archive_tui.jobs.manifests.manifest_ends.VaultReport",
    "manifest": "archive_tui.operations.manifest_creation.CreatedManifest",
    "copy": "archive_tui.operations.copying.receipt.CopyReceipt",
    "move": "archive_tui.operations.moving.receipt.MoveReceipt",
    "rename": "archive_tui.operations.renaming.receipt.RenameReceipt",
    "delete": "archive_tui.operations.deleting.receipt.DeleteReceipt",
    "prune": "archive_tui.archives.vault.pruning.receipt.PruneReceipt",
    "deposit": "archive_tui.jobs.kinds.safe_deposits.DepositResult",
    "check-in": "archive_tui.archives.results_store.checking_in_many.CheckInReport",
    "check-out": "archive_tui.archives.results_store.checking_out_many.CheckOutReport",
    "retrieve": "archive_tui.archives.datasafe.retrieving.RetrievalReceipt",
}
"""The classes by name: whoever writes down one of them does not pay for the others."""

_NAMES = {kind: name for name, kind in _KINDS.items()}


def encode_result(value: Any) -> dict[str, Any] | None:
    """Returns what JSON can hold; None for what is of use to its own process only (a difference, nothing at all)."""
    name = _NAMES.get(f"{type(value).__module__}.{type(value).__qualname__}")
    return None if name is None else {"kind": name, "fields": _encode(value)}


def decode_result(document: Any) -> Any:
    """Returns an equal value; None when it is of a kind or a form that this release does not know."""
    if not isinstance(document, Mapping) or document.get("kind") not in _KINDS:
        return None
    from cattrs.errors import BaseValidationError

    try:
        return _converter().structure(document.get("fields"), load_by_dotted_path(_KINDS[document["kind"]]))
    except (BaseValidationError, ValueError, KeyError, TypeError):
        return None


def _encode(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value):
        return {field.name: _encode(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {_encode(key): _encode(each) for key, each in value.items()}
    return [_encode(each) for each in value] if isinstance(value, tuple | list) else value


@cache
def _converter() -> Converter:
    from cattrs import Converter  # here, because only those pay for it who look at a job of the past

    converter = Converter()
    converter.register_structure_hook(Path, lambda text, kind: Path(text))
    return converter
