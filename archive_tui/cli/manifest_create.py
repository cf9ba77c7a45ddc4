"""`archive-tui manifest --create`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archive_tui.cli.diagnostics import ExitStatus, report_error, report_message
from archive_tui.cli.output import ByteWriter, path_fields, write_json
from archive_tui.cli.progress_display import choose_line_display
from archive_tui.cli.running import run_operation
from archive_tui.errors import OperationStopped, SourceError, SourceNotFound
from archive_tui.manifests.checksum_lines.line import Dialect
from archive_tui.names.quantities import format_count, format_size
from archive_tui.names.shell_quoting import quote_name

if TYPE_CHECKING:
    from archive_tui.cli.invocation import Invocation
    from archive_tui.cli.job_options import JobOptions
    from archive_tui.operations.manifest_creation import CreatedManifest
    from archive_tui.progress import Report, StopSignal


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """`manifest` None: to standard output. `dialect` None: as the settings say."""

    files: tuple[str, ...]
    folders: tuple[str, ...]
    recursive: bool
    manifest: str | None
    dialect: Dialect | None


def create(invocation: Invocation, request: CreateRequest, options: JobOptions) -> int:
    """Lists the files, to standard output or into a new file; returns the exit status."""
    if options.background:
        return _queue(invocation, request, options)
    return _Creation(invocation, request).run()


def _queue(invocation: Invocation, request: CreateRequest, options: JobOptions) -> int:
    """Raises: click.UsageError without a file to make; TargetExists."""
    from archive_tui.cli.job_running import queue_job
    from archive_tui.jobs.kinds.manifest_creation import ListedPart, create_manifest_job
    from archive_tui.operations.manifest_creation import require_new_file

    if request.manifest is None:
        raise click.UsageError("--background needs --manifest FILE: nobody reads the standard output of a job.")
    require_new_file(Path(request.manifest))
    part = ListedPart(Path.cwd(), request.files, request.folders, is_recursive=request.recursive)
    dialect = request.dialect or _default_dialect(invocation)
    policy = options.make_policy(invocation)
    return queue_job(invocation, create_manifest_job(part, request.manifest, dialect, policy=policy), options)


class _Creation:
    def __init__(self, invocation: Invocation, request: CreateRequest) -> None:
        self._invocation = invocation
        self._request = request
        self._dialect = request.dialect or _default_dialect(invocation)
        self._out = None if request.manifest is None else Path(request.manifest)
        self._entries_wanted = invocation.as_json and self._out is None
        self._failures: list[tuple[str, str]] = []
        self._pieces: list[bytes] = []

    def run(self) -> int:
        from archive_tui.operations.manifest_creation import require_new_file

        if self._out is not None:
            require_new_file(self._out)
        display = choose_line_display(quiet=self._invocation.quiet)
        try:
            created = run_operation(self._invocation, self._work, display=display)
        except OperationStopped as stopped:
            written = "" if self._out is None else f" {self._request.manifest} was not written."
            raise OperationStopped(f"{stopped.message}{written}") from stopped
        if self._failures and self._out is not None:
            count = format_count(len(self._failures), "input")
            report_error(f"{self._request.manifest} was not written: {count} could not be read.")
        status = ExitStatus.FINDINGS if self._failures else ExitStatus.CLEAN
        if self._invocation.as_json:
            write_json(self._document(created, status))
        elif self._out is not None and created is not None:
            amount = f"{format_count(created.files, 'file')}, {format_size(created.bytes)}"
            self._invocation.note(f"Listed in {self._request.manifest}: {amount}.")
        return status

    def _work(self, report: Report, stop: StopSignal) -> CreatedManifest | None:
        from archive_tui.operations.manifest_creation import create_manifest
        from archive_tui.operations.named_files import find_named_files, find_unreadable

        request = self._request
        names = find_named_files(
            request.files,
            request.folders,
            recursive=request.recursive,
            failed=self._fail,
            report=report,
            stop=stop,
        )
        if self._failures and (not names or self._out is not None):
            find_unreadable(names, failed=self._fail, stop=stop)
            return None
        if not names:
            raise self._nothing_found()
        try:
            return create_manifest(
                names,
                self._out,
                Dialect.JSON if self._entries_wanted else self._dialect,
                write=self._pieces.append if self._entries_wanted else ByteWriter().write,
                failed=self._fail,
                report=report,
                stop=stop,
            )
        except SourceError:
            if not self._failures:
                raise
            return None

    def _fail(self, name: str, error: OSError) -> None:
        reason = error.strerror or str(error)
        self._failures.append((name, reason))
        report_message(f"{quote_name(name)}: {reason}")

    def _nothing_found(self) -> SourceNotFound:
        searched = ", ".join(map(quote_name, self._request.folders[:3]))
        return SourceNotFound(
            f"Nothing found: no file in {searched}{', …' if len(self._request.folders) > 3 else ''}",
            hint="" if self._request.recursive else "--recursive takes all files below a folder.",
        )

    def _document(self, created: CreatedManifest | None, status: int) -> dict[str, Any]:
        document: dict[str, Any] = {
            "manifest": self._request.manifest if created is not None else None,
            "format": str(self._dialect),
            "files": created.files if created is not None else 0,
            "bytes": created.bytes if created is not None else 0,
            "seconds": round(created.seconds, 3) if created is not None else 0,
            "failures": [{**path_fields(name), "reason": reason} for name, reason in self._failures],
            "changed": [path_fields(name) for name in (created.changed if created is not None else ())],
            "status": int(status),
        }
        if self._entries_wanted:
            document["entries"] = json.loads(b"".join(self._pieces) or b'{"files": []}')["files"]
        return document


def _default_dialect(invocation: Invocation) -> Dialect:
    return Dialect(invocation.load_settings().program.get("manifest_format") or Dialect.QUOTED)
