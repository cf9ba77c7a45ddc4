"""The job that makes a checksum manifest of files and folders that lie in one folder, and what it would list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from archive_tui.jobs.job import JobResult, JobSpec, JobState
from archive_tui.jobs.manifest_commands import create_manifest_command
from archive_tui.manifests.checksum_lines.line import Dialect
from archive_tui.names.quantities import format_count, format_size
from archive_tui.operations.manifest_creation import CreatedManifest, create_manifest
from archive_tui.operations.named_files import find_named_files
from archive_tui.progress import Report, StopSignal, check_stop, ignore, never

MEASURED_BETWEEN = 500
"""Files between two figures, and two looks whether to stop."""

ENDINGS = {Dialect.JSON: ".manifest.json"}
ENDING = ".sha256"


@dataclass(frozen=True, slots=True)
class ListedPart:
    """Files and folders of `folder`, by their names in it; folders stand for all that lies below them. Neither: the
    folder itself is listed, and names begin with `./`."""

    folder: Path
    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()

    @property
    def folder_words(self) -> tuple[str, ...]:
        return self.folders if self.files or self.folders else (".",)

    def find(self, *, report: Report = ignore, stop: StopSignal = never) -> list[str]:
        """Returns the names, relative to the folder, sorted by their bytes. Phase `scan`.

        Raises: SourceError for a folder that cannot be read; OperationStopped.
        """
        # Whole paths, because a current folder belongs to the process and not to a job.
        start = f"{self.folder}/".replace("//", "/")
        files, folders = ([start + word for word in words] for words in (self.files, self.folder_words))
        names = find_named_files(files, folders, recursive=True, report=report, stop=stop)
        return [name.removeprefix(start) for name in names]


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


def create_manifest_job(part: ListedPart, out: str, dialect: Dialect) -> JobSpec:
    """Makes the manifest `out` in the folder of `part`; the result's value is a CreatedManifest. It is `finished`: what
    was listed is what was read, and nothing was compared."""

    def run(report: Report, stop: StopSignal) -> JobResult:
        names = part.find(report=report, stop=stop)
        created = create_manifest(names, part.folder / out, dialect, root=part.folder, report=report, stop=stop)
        return JobResult(JobState.FINISHED, _describe(created, out), value=created)

    picked = (*part.files, *part.folders)
    what = picked[0] if len(picked) == 1 else format_count(len(picked), "entry", "entries") if picked else "all"
    return JobSpec(
        kind="list",
        title=f"list {what} in {out}",
        source=str(part.folder),
        destination=str(part.folder / out),
        command=create_manifest_command(part.folder, part.files, part.folder_words, out, dialect),
        run=run,
    )


def _describe(created: CreatedManifest, out: str) -> str:
    sentence = f"Listed {format_count(created.files, 'file')}, {format_size(created.bytes)}, in {out}"
    if created.changed:
        sentence += f"; {format_count(len(created.changed), 'file')} changed meanwhile: the lines say what was read"
    return sentence
