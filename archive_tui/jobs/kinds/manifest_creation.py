"""The kind of job that makes a checksum manifest of files and folders, and what it would list."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from archive_tui.errors import ManifestError
from archive_tui.jobs.kind import JobKind, JobResult, JobWork
from archive_tui.jobs.manifests.manifest_commands import create_manifest_command
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.states import JobState
from archive_tui.manifests.checksum_lines.line import BadLine, Dialect
from archive_tui.manifests.checksum_lines.reading import open_manifest
from archive_tui.names.quantities import format_count, format_size
from archive_tui.operations.line_checking import LineState, check_lines
from archive_tui.operations.manifest_creation import CreatedManifest, create_manifest
from archive_tui.operations.named_files import find_named_files
from archive_tui.progress import Report, StopSignal, check_stop, ignore, never

MEASURED_BETWEEN = 500
"""Files between two figures, and two looks whether to stop."""

ENDINGS = {Dialect.JSON: ".manifest.json"}
ENDING = ".sha256"

_BEGUN = "begun"


@dataclass(frozen=True, slots=True)
class ListedPart:
    """Files and folders of `folder`, by their names in it, or absolute; folders stand for all that lies below them, or
    without `is_recursive` for the files directly in them. Neither: the folder itself is listed, and names begin with
    `./`."""

    folder: Path
    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    is_recursive: bool = True

    @property
    def folder_words(self) -> tuple[str, ...]:
        return self.folders if self.files or self.folders else (".",)

    def find(self, *, report: Report = ignore, stop: StopSignal = never) -> list[str]:
        """Returns the names, relative to the folder, sorted by their bytes. Phase `scan`.

        Raises: SourceError for a folder that cannot be read; OperationStopped.
        """
        # Whole paths, because a current folder belongs to the process and not to a job.
        start = f"{self.folder}/".replace("//", "/")
        files, folders = (
            [word if word.startswith("/") else start + word for word in words]
            for words in (self.files, self.folder_words)
        )
        names = find_named_files(files, folders, recursive=self.is_recursive, report=report, stop=stop)
        return sorted((name.removeprefix(start) for name in names), key=os.fsencode)


@dataclass(frozen=True, slots=True)
class Amount:
    """`bytes` are those of the files that could be measured so far; `is_complete` once all were."""

    files: int
    bytes: int
    is_complete: bool = False


def measure_part(part: ListedPart, tell: Callable[[Amount], None], *, stop: StopSignal = never) -> Amount:
    """Counts what a manifest of `part` would list; `tell` receives growing figures.

    Raises: as `ListedPart.find`.
    """
    names = part.find(report=lambda event: tell(Amount(getattr(event, "items_total", 0), 0)), stop=stop)
    total = 0
    for number, name in enumerate(names):
        if number % MEASURED_BETWEEN == 0:
            check_stop(stop)
            tell(Amount(len(names), total))
        try:
            total += (part.folder / name).stat().st_size
        except OSError:
            continue  # creation will say that it cannot be read
    return Amount(len(names), total, is_complete=True)


def propose_manifest_name(part: ListedPart, dialect: Dialect) -> str:
    """Returns a name that says what is listed: that of the one file or folder, else that of the folder it lies in."""
    picked = (*part.files, *part.folders)
    return (picked[0] if len(picked) == 1 else part.folder.name or "root") + ENDINGS.get(dialect, ENDING)


def create_manifest_job(part: ListedPart, out: str, dialect: Dialect, *, policy: JobPolicy | None = None) -> JobRequest:
    """Makes the manifest `out` in the folder of `part`; the result's value is a CreatedManifest. It is `finished`: what
    was listed is what was read, and nothing was compared."""
    folder = Path(os.path.abspath(part.folder))  # noqa: PTH100  (no link is resolved)
    picked = (*part.files, *part.folders)
    what = picked[0] if len(picked) == 1 else format_count(len(picked), "entry", "entries") if picked else "all"
    return JobRequest(
        kind=LIST_FILES.name,
        title=f"list {what} in {out}",
        source=str(folder),
        destination=str(folder / out),
        command=create_manifest_command(
            folder, part.files, part.folder_words, out, dialect, is_recursive=part.is_recursive
        ),
        parameters={
            "folder": str(folder), "files": list(part.files), "folders": list(part.folders),
            "recursive": part.is_recursive, "out": out, "dialect": str(dialect),
        },
        policy=policy or JobPolicy(),
    )  # fmt: skip


def _run(work: JobWork) -> JobResult:
    words = work.parameters
    part = ListedPart(
        Path(words["folder"]), tuple(words["files"]), tuple(words["folders"]), is_recursive=words["recursive"]
    )
    out, dialect = part.folder / words["out"], Dialect(words["dialect"])
    names = part.find(report=work.report, stop=work.stop)
    created = _find_own(work, names, out, dialect)
    if created is None:
        if not out.exists():
            work.journal.save(_BEGUN, b"1", durable=True)
        created = create_manifest(names, out, dialect, root=part.folder, report=work.report, stop=work.stop)
    return JobResult(JobState.FINISHED, _describe(created, words["out"]), value=created)


def _find_own(work: JobWork, names: Sequence[str], out: Path, dialect: Dialect) -> CreatedManifest | None:
    """Returns the manifest that an earlier run of this job has made right before it was killed, after every file was
    compared with it; None: there is none, or it is another one."""
    if work.journal.load(_BEGUN) is None or not out.is_file():
        return None
    begun, size, place = time.monotonic(), 0, 0
    try:
        with open_manifest(out, dialect=dialect, root=out.parent) as manifest:
            for checked in check_lines(manifest, root=out.parent, report=work.report, stop=work.stop):
                if isinstance(checked, BadLine) or checked.state is not LineState.SAME or place == len(names):
                    return None
                if checked.line.name != names[place]:
                    return None
                place, size = place + 1, size + (checked.size or 0)
    except ManifestError:
        return None
    return CreatedManifest(out, dialect, place, size, time.monotonic() - begun) if place == len(names) else None


def _describe(created: CreatedManifest, out: str) -> str:
    sentence = f"Listed {format_count(created.files, 'file')}, {format_size(created.bytes)}, in {out}"
    if created.changed:
        sentence += f"; {format_count(len(created.changed), 'file')} changed meanwhile: the lines say what was read"
    return sentence


LIST_FILES = JobKind("list-files", _run)
