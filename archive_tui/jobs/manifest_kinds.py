"""The kinds of jobs over manifests and vaults: check, ask, archive, fetch, and verify what a vault holds.

Each opens its manifest when it runs, tells whoever shows the lines what became of each, keeps the evidence, and ends
with a sentence that says no more than that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from archive_tui.archives.vault.archiving import archive_manifest
from archive_tui.archives.vault.asking import ask_vault
from archive_tui.archives.vault.evidence_book import EvidenceKeeper
from archive_tui.archives.vault.fetching import fetch_manifest
from archive_tui.archives.vault.line_windows import LineSource
from archive_tui.archives.vault.outcomes import LineNews, LineResult
from archive_tui.archives.vault.vault import Vault
from archive_tui.archives.vault.views.manifest_states import ManifestStates
from archive_tui.jobs.job import JobResult, JobSpec
from archive_tui.jobs.manifest_commands import (
    archive_manifest_command,
    ask_vault_command,
    check_manifest_command,
    fetch_manifest_command,
)
from archive_tui.jobs.manifest_ends import judge_archive, judge_ask, judge_contents, judge_fetch
from archive_tui.jobs.manifest_runs import CheckRun, TellLine, VaultRun
from archive_tui.jobs.picked_manifest import PickedManifest
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.manifests.checksum_lines.picked import ListedLines
from archive_tui.names.content_address import digest_of_key
from archive_tui.names.quantities import format_count
from archive_tui.objects.object_store import ObjectInfo
from archive_tui.operations.manifest_checking import LineState, check_lines
from archive_tui.progress import Report, StopSignal, check_stop

CHECK, ASK, ARCHIVE, FETCH = "check", "ask", "archive", "fetch"
"""The phases in which the operations count their lines."""

VERIFY = "verify"

LISTED_BETWEEN_STOPS = 1000


def check_manifest_job(picked: PickedManifest) -> JobSpec:
    """Hashes the listed files; the result's value is an IntegrityReport."""

    def tell(index: int, state: LineState) -> None:
        if picked.states is not None:
            picked.states.record_disk(picked.position(index), state)

    def run(report: Report, stop: StopSignal) -> JobResult:
        with picked.open() as manifest:
            return CheckRun(picked.path, tell).run(
                manifest.count_lines(),
                lambda relay: check_lines(manifest, root=picked.root, report=relay, stop=stop, phase=CHECK),
                report,
                stop,
            )

    command = check_manifest_command(picked.path) if picked.positions is None else ""
    return JobSpec("check", f"check {picked.what}", str(picked.path), "", command, run)


def ask_vault_job(picked: PickedManifest, vault: Vault, keeper: EvidenceKeeper | None) -> JobSpec:
    """Asks the vault for the contents of the lines; the result's value is a VaultReport."""

    def run(report: Report, stop: StopSignal) -> JobResult:
        tell = _begin_telling(picked, vault, lambda states, position, result: states.record_asked(position, result))
        with picked.open() as manifest:
            return VaultRun(ASK, str(picked.path), vault.title, judge_ask, tell=tell).run(
                manifest.count_lines(),
                lambda relay: ask_vault(manifest, vault, evidence_table=keeper, report=relay, stop=stop),
                report,
                stop,
            )

    return JobSpec(
        kind="vault",
        title=f"ask for {picked.what}",
        source=str(picked.path),
        destination=vault.title,
        command=_command(picked, vault, ask_vault_command),
        run=run,
    )


def archive_manifest_job(picked: PickedManifest, vault: Vault, keeper: EvidenceKeeper | None) -> JobSpec:
    """Uploads what the vault lacks of the lines; the result's value is a VaultReport."""

    def run(report: Report, stop: StopSignal) -> JobResult:
        tell = _begin_telling(picked, vault, lambda states, position, result: states.record_archived(position, result))
        with picked.open() as manifest:
            return VaultRun(ARCHIVE, str(picked.path), vault.title, judge_archive, tell=tell).run(
                manifest.count_lines(),
                lambda relay: archive_manifest(
                    manifest, vault, root=picked.root, evidence_table=keeper, report=relay, stop=stop
                ),
                report,
                stop,
            )

    return JobSpec(
        kind="archive",
        title=f"archive {picked.what}",
        source=str(picked.path),
        destination=f"{vault.title}:{vault.prefix}",
        command=_command(picked, vault, archive_manifest_command),
        run=run,
    )


def fetch_manifest_job(
    picked: PickedManifest, vault: Vault, root: Path, keeper: EvidenceKeeper | None, *, overwrite: bool = False
) -> JobSpec:
    """Writes the listed files below `root`, each verified before it takes its name; the result's value is a
    VaultReport."""

    def run(report: Report, stop: StopSignal) -> JobResult:
        is_in_root = root.resolve() == picked.root.resolve()
        tell = _begin_telling(
            picked,
            vault,
            lambda states, position, result: states.record_fetched(position, result, is_in_root=is_in_root),
        )
        with picked.open() as manifest:
            return VaultRun(FETCH, str(picked.path), vault.title, judge_fetch, tell=tell).run(
                manifest.count_lines(), _fetching(manifest, vault, root, keeper, stop, overwrite), report, stop
            )

    return JobSpec(
        kind="fetch",
        title=f"fetch {picked.what}",
        source=f"{vault.title}:{vault.prefix}",
        destination=str(root),
        command=_command(
            picked, vault, lambda path, name: fetch_manifest_command(path, name, root, overwrite=overwrite)
        ),
        run=run,
    )


def fetch_contents_job(
    vault: Vault, contents: Sequence[ManifestLine], folder: Path, keeper: EvidenceKeeper | None
) -> JobSpec:
    """Writes contents of the vault into `folder` under the names of these lines; nothing there is replaced. The
    result's value is a VaultReport. No command line does the same."""

    def run(report: Report, stop: StopSignal) -> JobResult:
        lines = ListedLines(contents)
        return VaultRun(FETCH, vault.title, vault.title, judge_fetch).run(
            len(contents), _fetching(lines, vault, folder, keeper, stop, overwrite=False), report, stop
        )

    what = contents[0].name if len(contents) == 1 else format_count(len(contents), "content")
    return JobSpec("fetch", f"fetch {what}", f"{vault.title}:{vault.prefix}", str(folder), "", run)


def verify_vault_job(vault: Vault, contents: Sequence[ManifestLine] | None, keeper: EvidenceKeeper | None) -> JobSpec:
    """Reads contents of the vault whole and hashes them; None: all that the vault lists. The result's value is a
    VaultReport. No command line does the same."""

    def run(report: Report, stop: StopSignal) -> JobResult:
        lines = StoredLines(vault, stop) if contents is None else ListedLines(contents)
        size = lines.size if isinstance(lines, StoredLines) else sum(line.size or 0 for line in contents or ())
        return VaultRun(VERIFY, vault.title, vault.title, judge_contents, bytes_total=size, replaces=ASK).run(
            lines.count_lines(),
            lambda relay: ask_vault(lines, vault, evidence_table=keeper, read=True, report=relay, stop=stop),
            report,
            stop,
        )

    what = "all contents" if contents is None else format_count(len(contents), "content")
    return JobSpec("check", f"verify {what} of {vault.title}", f"{vault.title}:{vault.prefix}", "", "", run)


class StoredLines:
    """All contents that a vault lists, as lines named after their digests; listed anew by each call."""

    def __init__(self, vault: Vault, stop: StopSignal) -> None:
        """Lists the vault once for the totals. Raises: what the store raises, OperationStopped."""
        self._vault = vault
        self._stop = stop
        self.size = self._count = 0
        for line in self.lines():
            self._count += 1
            self.size += line.size or 0

    def lines(self) -> Iterator[ManifestLine]:
        """Raises: what the store raises, OperationStopped."""
        number = 0
        for entry in self._vault.store.list(self._vault.prefix):
            if number % LISTED_BETWEEN_STOPS == 0:
                check_stop(self._stop)
            digest = digest_of_key(entry.key, self._vault.prefix) if isinstance(entry, ObjectInfo) else None
            if digest is not None and isinstance(entry, ObjectInfo):
                number += 1
                yield ManifestLine(number, digest, digest, max(0, entry.size))

    def count_lines(self) -> int:
        return self._count


def _begin_telling(
    picked: PickedManifest, vault: Vault, record: Callable[[ManifestStates, int, LineResult], None]
) -> TellLine | None:
    """What passes the results on to whoever shows the lines; None: nobody does."""
    states = picked.states
    if states is None:
        return None
    states.begin_vault(vault.store.identity, vault.prefix, vault.title)
    return lambda index, result: record(states, picked.position(index), result)


def _fetching(
    lines: LineSource, vault: Vault, root: Path, keeper: EvidenceKeeper | None, stop: StopSignal, overwrite: bool
) -> Callable[[Report], Iterator[LineNews]]:
    return lambda relay: fetch_manifest(
        lines, vault, root=root, overwrite=overwrite, evidence_table=keeper, report=relay, stop=stop
    )


def _command(picked: PickedManifest, vault: Vault, write: Callable[[Path, str | None], str]) -> str:
    """Empty when only some lines are picked, or when no settings name the store: no command does the same."""
    is_all = picked.positions is None
    return write(picked.path, vault.storage.name) if is_all and vault.storage is not None else ""
