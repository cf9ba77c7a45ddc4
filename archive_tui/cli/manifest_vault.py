"""`archive-tui manifest --vault`, `--archive` and `--fetch`: asking a vault, filling it, and getting files back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from archive_tui.archives.vault.outcomes import LineNews, Outcome, Tally
from archive_tui.archives.vault.vault import Vault, open_vault
from archive_tui.cli import diagnostics
from archive_tui.cli.diagnostics import ExitStatus
from archive_tui.cli.manifest_jobs import archive_request, ask_request, fetch_request, require_file, run_lines_as_job
from archive_tui.cli.manifest_vault_lines import (
    DocumentResults,
    LineResults,
    VaultResults,
    say_archived,
    say_asked,
    say_fetched,
)
from archive_tui.cli.progress_display import ProgressDisplay, choose_display, choose_line_display
from archive_tui.cli.running import run_operation
from archive_tui.cli.waiting_display import WaitingDisplay
from archive_tui.errors import ArchiveError, ManifestError, OperationStopped, SourceNotFound
from archive_tui.manifests.checksum_lines import open_manifest
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_count

if TYPE_CHECKING:
    from archive_tui.archives.vault.archive_target import ArchiveTarget
    from archive_tui.cli.invocation import Invocation
    from archive_tui.cli.job_options import JobOptions
    from archive_tui.cli.manifest_request import ManifestRequest
    from archive_tui.jobs.request import JobRequest
    from archive_tui.manifests.checksum_lines import ChecksumManifest
    from archive_tui.progress import Report, StopSignal
    from archive_tui.state.evidence_table import EvidenceTable

Work = Callable[["ChecksumManifest", "EvidenceTable", "Report", "StopSignal"], Iterator[LineNews]]
"""An operation on every line of a manifest that comes from standard input or a pipe, and so cannot be read again."""


@dataclass(frozen=True, slots=True)
class _Run:
    """One call: what to do, and the words for what came of it. `place` is where contents lie or go, for people. `job`
    makes the request for a manifest that is a file, `work` does it for any other."""

    action: str
    request: ManifestRequest
    options: JobOptions
    vault: Vault
    place: str
    say: Callable[[Tally, str], str]
    work: Work
    job: Callable[[], JobRequest]
    root: Path | None = None
    tally: Tally = field(default_factory=Tally)


def ask_vault(invocation: Invocation, request: ManifestRequest, options: JobOptions) -> int:
    """Says for every line whether the vault holds its content; returns the exit status.

    Raises: ConfigurationError, SourceError, ManifestError, StorageError, OperationStopped.
    """
    from archive_tui.archives.vault import asking

    invocation.is_judging = True
    vault = open_vault(invocation.load_settings(), request.storage)

    def work(manifest: ChecksumManifest, table: EvidenceTable, report: Report, stop: StopSignal) -> Iterator[LineNews]:
        return asking.ask_vault(manifest, vault, evidence_table=table, read=request.read, report=report, stop=stop)

    def job() -> JobRequest:
        return ask_request(invocation, request, options, vault)

    return _run(invocation, _Run("vault", request, options, vault, vault.title, say_asked, work, job))


def archive_files(invocation: Invocation, request: ManifestRequest, options: JobOptions) -> int:
    """Uploads what the vault, or the place of `--path`, lacks; returns the exit status.

    Raises: ConfigurationError, SourceError, ManifestError, StorageError, OperationStopped.
    """
    from archive_tui.archives.vault.archive_target import open_archive_target
    from archive_tui.archives.vault.archiving import archive_manifest

    settings = invocation.load_settings()
    vault = open_vault(settings, request.storage)
    target: ArchiveTarget | None = None if request.path is None else open_archive_target(settings, request.path)
    root = Path(request.root or "")
    if not root.is_dir():
        raise SourceNotFound(f"No such folder: {escape_for_display(str(root))}", path=str(root))

    def work(manifest: ChecksumManifest, table: EvidenceTable, report: Report, stop: StopSignal) -> Iterator[LineNews]:
        return archive_manifest(
            manifest, vault, root=root, target=target, upload_all=request.upload_all, evidence_table=table,
            report=report, stop=stop,
        )  # fmt: skip

    def job() -> JobRequest:
        return archive_request(invocation, request, options, vault, target)

    place = request.path.removesuffix(":") if request.path else f"the vault {vault.title}"
    return _run(invocation, _Run("archive", request, options, vault, place, say_archived, work, job, root))


def fetch_files(invocation: Invocation, request: ManifestRequest, options: JobOptions) -> int:
    """Writes every listed file at its path, verified before it takes its name; returns the exit status.

    Raises: ConfigurationError, SourceError, ManifestError, StorageError, TargetExists, OperationStopped.
    """
    from archive_tui.archives.vault.fetching import fetch_manifest

    vault = open_vault(invocation.load_settings(), request.storage)
    root = Path(request.root or "")

    def work(manifest: ChecksumManifest, table: EvidenceTable, report: Report, stop: StopSignal) -> Iterator[LineNews]:
        return fetch_manifest(
            manifest, vault, root=root, overwrite=request.overwrite, evidence_table=table, report=report, stop=stop
        )

    def job() -> JobRequest:
        return fetch_request(invocation, request, options, vault)

    place = str(root) if request.root else "the current folder"
    return _run(invocation, _Run("fetch", request, options, vault, place, say_fetched, work, job, root))


def _run(invocation: Invocation, run: _Run) -> int:
    request = run.request
    with open_manifest(request.manifest, dialect=request.dialect, root=run.root) as manifest, run.vault.store:
        if run.options.background:
            return _queue(invocation, run)
        results = _open_results(invocation, run, manifest)
        try:
            _work_through(invocation, run, manifest, results)
            _remember(invocation, run)
        except ArchiveError as error:
            status = diagnostics.status_of(error, verifying=invocation.is_judging)
            if not results.fail(error, status):
                raise
            return status
    status = _status_of(run)
    results.finish(run.say(run.tally, escape_for_display(run.place)), status)
    return status


def _queue(invocation: Invocation, run: _Run) -> int:
    from archive_tui.cli.job_running import queue_job

    require_file(run.request.manifest)
    return queue_job(invocation, run.job(), run.options)


def _remember(invocation: Invocation, run: _Run) -> None:
    from archive_tui.archives.vault.views.known_manifests import KnownManifests
    from archive_tui.state.database import open_state_database

    with closing(open_state_database()) as database:
        KnownManifests(database).remember(run.request.manifest, run.vault, run.tally.lines)
        for remark in database.remarks:
            invocation.note(remark)


def _open_results(invocation: Invocation, run: _Run, manifest: ChecksumManifest) -> VaultResults:
    name = run.request.manifest
    if not invocation.as_json:
        title = "standard input" if name == "-" else name
        return LineResults(title, quiet=invocation.quiet, warns_of_absent=run.action == "vault")
    head = {
        "manifest": escape_for_display(name),
        "format": str(manifest.dialect),
        "action": run.action,
        "place": escape_for_display(run.place),
    }
    return DocumentResults(head, run.tally, quiet=invocation.quiet)


def _work_through(invocation: Invocation, run: _Run, manifest: ChecksumManifest, results: VaultResults) -> None:
    def add(news: LineNews) -> None:
        run.tally.add(news)
        results.add(news)

    display = _choose_progress(invocation, run)
    try:
        if Path(run.request.manifest).is_file():
            run_lines_as_job(invocation, run.job(), manifest, add, display)
        else:
            _work_here(invocation, run, manifest, add, display)
    except OperationStopped as stopped:
        raise OperationStopped(f"Stopped after {_so_far(run)}. {_continued(run)}", hint=stopped.hint) from stopped
    except ArchiveError:
        if run.tally.lines:
            invocation.note(f"It broke off after {_so_far(run)}. {_continued(run)}")
        raise
    if not run.tally.lines:
        raise ManifestError(
            f"{escape_for_display(manifest.where)}: no properly formatted checksum lines found",
            hint=manifest.hint,
            code="manifest-no-lines",
        )


def _work_here(
    invocation: Invocation,
    run: _Run,
    manifest: ChecksumManifest,
    add: Callable[[LineNews], None],
    display: ProgressDisplay,
) -> None:
    """Without a record: what came through a pipe cannot be read a second time."""
    from archive_tui.state.database import open_state_database
    from archive_tui.state.evidence_table import EvidenceTable

    with closing(open_state_database()) as database:

        def work(report: Report, stop: StopSignal) -> None:
            for news in run.work(manifest, EvidenceTable(database), report, stop):
                add(news)

        try:
            run_operation(invocation, work, display=display)
        finally:
            for remark in database.remarks:
                invocation.note(remark)


def _so_far(run: _Run) -> str:
    done = format_count(run.tally.lines, "line")
    return f"{done}: {run.say(run.tally, escape_for_display(run.place)).rstrip('.')}" if run.tally.lines else done


def _continued(run: _Run) -> str:
    if run.action == "vault":
        return "Nothing is claimed for the rest."
    return "The same command again does the rest."


def _choose_progress(invocation: Invocation, run: _Run) -> ProgressDisplay:
    choose = choose_line_display if diagnostics.is_terminal() else choose_display
    tally = run.tally
    return WaitingDisplay(
        choose(quiet=invocation.quiet),
        has_begun=lambda: bool(tally.lines or tally.bad_lines),
        note=invocation.note,
        storage=run.vault.title,
    )


def _status_of(run: _Run) -> ExitStatus:
    """What is not in the vault is no failure of a question; what could not be asked is no answer. A line that cannot be
    read is a file that was not archived or fetched."""
    outcomes = run.tally.outcomes
    if run.action != "vault":
        return ExitStatus.FINDINGS if run.tally.failures or run.tally.bad_lines else ExitStatus.CLEAN
    if outcomes[Outcome.DAMAGED]:
        return ExitStatus.FINDINGS
    return ExitStatus.INCONCLUSIVE if outcomes[Outcome.FAILED] else ExitStatus.CLEAN
