"""`archive-tui manifest --check`: as `sha256sum --check`, with the same words and the same exit status."""

from __future__ import annotations

import contextlib
import errno
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archive_tui.cli import diagnostics
from archive_tui.cli.check_results import CheckResults
from archive_tui.cli.diagnostics import ExitStatus
from archive_tui.cli.output import write_json
from archive_tui.cli.progress_display import choose_line_display
from archive_tui.cli.running import run_operation
from archive_tui.errors import OperationStopped, SourceError, SourceNotFound
from archive_tui.manifests.checksum_lines import open_manifest
from archive_tui.names.display import escape_for_display
from archive_tui.names.shell_quoting import quote_name
from archive_tui.operations.line_checking import check_batches
from archive_tui.operations.uncovered_files import find_uncovered
from archive_tui.progress import Ended, Planned, Report, StopSignal

if TYPE_CHECKING:
    from archive_tui.cli.invocation import Invocation
    from archive_tui.cli.job_options import JobOptions
    from archive_tui.manifests.checksum_lines import ChecksumManifest, Dialect

PHASE = "check"


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """`dialect` None: found out. `root` None: the current folder. `loudness` is `quiet` (no lines with OK), `status`
    (neither lines nor counts), `warn` (bad lines by number) or None. `folders`: where `extra` looks; none: where the
    listed files lie."""

    manifest: str
    dialect: Dialect | None = None
    root: str | None = None
    loudness: str | None = None
    strict: bool = False
    ignore_missing: bool = False
    extra: bool = False
    folders: tuple[str, ...] = ()


def check(invocation: Invocation, request: CheckRequest, options: JobOptions) -> int:
    """Checks the files that a manifest lists, and returns the exit status. Without `--background` it is no job: what it
    prints is compared with sha256sum line by line, and not kept.

    Raises: SourceNotFound when a folder of the request is none; ManifestError; OperationStopped; ConfigurationError.
    """
    root = Path(request.root or "")
    for folder in (root, *(root / name for name in request.folders)):
        if not folder.is_dir():
            raise SourceNotFound(f"No such folder: {escape_for_display(str(folder))}", hint="Nothing was read.")
    if options.background:
        return _queue(invocation, request, options, root)
    try:
        with open_manifest(request.manifest, dialect=request.dialect, root=root) as manifest:
            return _check(invocation, request, manifest, root)
    except SourceError as error:
        cause = error.__cause__
        if invocation.as_json or error.path != request.manifest or not isinstance(cause, OSError):
            raise
        diagnostics.report_message(f"{quote_name(request.manifest)}: {_describe(cause)}")
        return ExitStatus.FINDINGS


def _queue(invocation: Invocation, request: CheckRequest, options: JobOptions, root: Path) -> int:
    from archive_tui.cli.job_running import queue_job
    from archive_tui.cli.manifest_jobs import require_file
    from archive_tui.jobs.kinds.manifest_checks import check_manifest_job
    from archive_tui.jobs.manifests.picked_manifest import PickedManifest

    if request.strict or request.ignore_missing or request.extra:
        raise click.UsageError("--strict, --ignore-missing and --extra do not go with --background.")
    require_file(request.manifest)
    with open_manifest(request.manifest, dialect=request.dialect, root=root):
        picked = PickedManifest(Path(request.manifest), base=root, dialect=request.dialect)
    return queue_job(invocation, check_manifest_job(picked, policy=options.make_policy(invocation)), options)


def _describe(error: OSError) -> str:
    """In the words of sha256sum, which opens a folder and fails to read it."""
    return "read error" if error.errno == errno.EISDIR else error.strerror or str(error)


def _check(invocation: Invocation, request: CheckRequest, manifest: ChecksumManifest, root: Path) -> int:
    results = CheckResults(
        title="standard input" if request.manifest == "-" else request.manifest,
        dialect=manifest.dialect,
        loudness=request.loudness,
        strict=request.strict,
        ignore_missing=request.ignore_missing,
        writes_lines=not invocation.as_json,
        keeps_missing=request.extra,
    )

    def work(report: Report, stop: StopSignal) -> None:
        _check_lines(manifest, root, results, report, stop)
        if request.extra and results.good_lines:
            found = find_uncovered(
                manifest, request.folders or None, root=root, missing=results.missing, report=report, stop=stop
            )
            results.add_uncovered(found)

    is_quiet = invocation.quiet or request.loudness == "status"
    try:
        run_operation(invocation, work, display=choose_line_display(quiet=is_quiet))
    except OperationStopped as stopped:
        raise OperationStopped(f"Stopped after {results.progress}; nothing is claimed for the rest.") from stopped
    results.summarize()
    if invocation.as_json:
        write_json(results.document(request.manifest))
    return results.status


def _check_lines(
    manifest: ChecksumManifest, root: Path, results: CheckResults, report: Report, stop: StopSignal
) -> None:
    # Counting is a pass over the manifest, which only a display has a use for.
    report(Planned(PHASE, manifest.count_lines() if diagnostics.is_terminal() else None))
    is_finished = False
    try:
        with contextlib.closing(check_batches(manifest, root=root, report=report, stop=stop, phase=PHASE)) as batches:
            for batch in batches:
                results.add_batch(batch)
        is_finished = True
    finally:
        report(Ended(PHASE, is_finished))
