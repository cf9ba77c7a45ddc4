"""`archive-tui workspace upload`, `download`, `move` and `delete`: each file has its own outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import click

from archive_tui.cli.diagnostics import ExitStatus
from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.output import show_name, write_json, write_line
from archive_tui.cli.running import run_operation
from archive_tui.errors import ArchiveError, ConfigurationError, OperationStopped
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_count, format_size

if TYPE_CHECKING:
    from archive_tui.archives.brokers.broker import Broker
    from archive_tui.archives.brokers.records import FileOutcome
    from archive_tui.cli.invocation import Invocation
    from archive_tui.progress import Report, StopSignal

Act = Callable[["Broker", "Report", "StopSignal"], "list[FileOutcome]"]

_document = click.argument("document", type=click.Path(path_type=Path))
_mount = click.option("--mount", metavar="DIR", help="Where the volume is mounted.")
_overwrite = click.option("--overwrite", is_flag=True, help="Replace what is there.")


@click.command()
@_document
@click.argument("files", metavar="LOCAL...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--into", metavar="PREFIX", default="", help="Below this folder of the workspace.")
@_overwrite
@_mount
@common_options
def upload(document: Path, files: tuple[Path, ...], into: str, overwrite: bool, mount: str | None) -> int:
    """Upload local files under their own names; each is proven where it lies then."""
    from archive_tui.archives.brokers.records import FileUpload, WorkspaceFile

    uploads = [FileUpload(WorkspaceFile(str(PurePosixPath(into) / path.name)), str(path)) for path in files]
    _check_targets(upload.file.file_path for upload in uploads)
    return _run(
        document,
        lambda broker, report, stop: broker.upload_files(mount, uploads, overwrite=overwrite, report=report, stop=stop),
    )


@click.command()
@_document
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--to", "into", metavar="DIR", default=".", show_default=True, help="The local folder.")
@_overwrite
@_mount
@common_options
def download(document: Path, names: tuple[str, ...], into: str, overwrite: bool, mount: str | None) -> int:
    """Download files into a local folder, under the last part of their names; each appears whole and proven."""
    from archive_tui.archives.brokers.records import FileDownload, WorkspaceFile

    files = [WorkspaceFile(name) for name in names]
    downloads = [FileDownload(file, str(Path(into) / file.file_name)) for file in files]
    _check_targets(download.local_path for download in downloads)
    return _run(
        document,
        lambda broker, report, stop: broker.download_files(
            mount, downloads, overwrite=overwrite, report=report, stop=stop
        ),
    )


@click.command()
@_document
@click.argument("old")
@click.argument("new")
@_overwrite
@_mount
@common_options
def move(document: Path, old: str, new: str, overwrite: bool, mount: str | None) -> int:
    """Give the file OLD the path NEW; the old one goes when the new one is proven."""
    from archive_tui.archives.brokers.records import FileMove, WorkspaceFile

    moves = [FileMove(WorkspaceFile(old), new)]
    return _run(
        document,
        lambda broker, report, stop: broker.move_files(mount, moves, overwrite=overwrite, report=report, stop=stop),
    )


@click.command()
@_document
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Agree: they are deleted for good.")
@_mount
@common_options
def delete(document: Path, names: tuple[str, ...], yes: bool, mount: str | None) -> int:
    """Delete files, never the folders above them. What is gone already is no failure."""
    from archive_tui.archives.brokers.records import WorkspaceFile

    if not yes:
        raise ConfigurationError(
            f"This would delete {format_count(len(names), 'file')} for good. Nothing was deleted.",
            hint="Agree with --yes.",
            code="delete-unconfirmed",
        )
    files = [WorkspaceFile(name) for name in names]
    return _run(document, lambda broker, report, stop: broker.delete_files(mount, files, report=report, stop=stop))


def _run(document: Path, act: Act) -> int:
    from archive_tui.archives.brokers.workspace import load_workspace

    invocation, broker = current_invocation(), load_workspace(document).broker
    stopped: OperationStopped | None = None
    outcomes: list[FileOutcome] | None
    try:
        outcomes = run_operation(invocation, lambda report, stop: act(broker, report, stop))
    except ArchiveError as error:
        outcomes = getattr(error, "outcomes", None)
        if outcomes is None:
            raise
        stopped = error if isinstance(error, OperationStopped) else None
    status = _show(invocation, outcomes, is_stopped=stopped is not None)
    if stopped is not None:
        raise stopped
    return status


def _check_targets(targets: Iterable[str]) -> None:
    """Raises: ConfigurationError when two files would come to one place."""
    seen: set[str] = set()
    for target in targets:
        if target in seen:
            raise ConfigurationError(
                f"Two files would come to one place: {escape_for_display(target)}",
                hint="Nothing was done. Name them in two calls, with different folders.",
                code="same-target",
            )
        seen.add(target)


def _show(invocation: Invocation, outcomes: list[FileOutcome], *, is_stopped: bool) -> ExitStatus:
    status = ExitStatus.CLEAN if all(each.ok for each in outcomes) else ExitStatus.FINDINGS
    status = ExitStatus.STOPPED if is_stopped else status
    if invocation.as_json:
        write_json({"files": [_outcome_document(each) for each in outcomes], "status": int(status)})
        return status
    for each in outcomes:
        size = "" if each.size is None else f", {format_size(each.size)}"
        reason = "" if each.error is None else f": {each.error.message}"
        write_line(f"{each.outcome:<10} {show_name(each.file.file_path)}{size}{show_name(reason)}")
    return status


def _outcome_document(outcome: FileOutcome) -> dict[str, Any]:
    return {
        "file": outcome.file.file_path,
        "outcome": str(outcome.outcome),
        "size": outcome.size,
        "sha256": outcome.digest,
        "error": None if outcome.error is None else outcome.error.message,
        "hint": None if outcome.error is None else outcome.error.hint,
    }
