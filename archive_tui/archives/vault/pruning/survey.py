"""What a vault holds to which no manifest refers, found by one listing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from archive_tui.archives.vault.pruning.references import ManifestReferences
from archive_tui.archives.vault.vault import Vault
from archive_tui.names.content_address import digest_of_key
from archive_tui.objects.object_store import ObjectInfo
from archive_tui.operations.hashing.paced_report import PacedReport
from archive_tui.progress import Ended, Planned, Report, StopSignal, check_stop, ignore, never

LIST_PHASE = "list"

_LISTED_BETWEEN_STOPS = 1000


class Unreferenced(NamedTuple):
    """`size` in bytes, -1: not known. `modified` by the store's clock, None: the listing does not say."""

    size: int
    modified: float | None


@dataclass(frozen=True, slots=True)
class Survey:
    """`contents` of the vault, of which `referenced` are named by the manifests; `others` are no contents and are never
    touched."""

    unreferenced: dict[str, Unreferenced]
    contents: int
    referenced: int
    others: int


def survey_vault(
    vault: Vault, references: ManifestReferences, *, report: Report = ignore, stop: StopSignal = never
) -> Survey:
    """Lists the vault; memory grows with what nobody refers to, about 250 bytes for each.

    Raises: what listing raises, OperationStopped.
    """
    unreferenced: dict[str, Unreferenced] = {}
    contents = referenced = others = 0
    paced = PacedReport(report, LIST_PHASE)
    report(Planned(LIST_PHASE))
    is_finished = False
    try:
        for number, entry in enumerate(vault.store.list(vault.prefix)):
            if number % _LISTED_BETWEEN_STOPS == 0:
                check_stop(stop)
            digest = digest_of_key(entry.key, vault.prefix) if isinstance(entry, ObjectInfo) else None
            if digest is None or not isinstance(entry, ObjectInfo):
                others += 1
                continue
            contents += 1
            paced.add(0, 1, digest)
            if digest in references:
                referenced += 1
            else:
                unreferenced[digest] = Unreferenced(entry.size, entry.modified)
        is_finished = True
    finally:
        paced.flush()
        report(Ended(LIST_PHASE, is_finished))
    return Survey(unreferenced, contents, referenced, others)
