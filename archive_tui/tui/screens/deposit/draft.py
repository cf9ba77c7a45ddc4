"""What has been chosen in a guide that deposits files. It outlives its screen, so that leaving loses nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from archive_tui.archives.datasafe.format_detection import is_metadata_name
from archive_tui.archives.datasafe.safe import SafeEntry, SafeState
from archive_tui.errors import ObjectExists
from archive_tui.jobs.states import JobState
from archive_tui.manifests.datasafe_manifest import MANIFEST_FILE
from archive_tui.manifests.metadata_document import format_metadata_document
from archive_tui.names.member_paths import MANIFEST_NAME
from archive_tui.objects.folder.atomic_file import write_atomically
from archive_tui.operations.scanning.chosen_entries import narrow_scan
from archive_tui.operations.scanning.scan import scan_source
from archive_tui.operations.scanning.source_scan import SourceScan
from archive_tui.progress import StopSignal
from archive_tui.tui.job_feed import JobFeed

if TYPE_CHECKING:
    from archive_tui.archives.locations import Location

USE, NEW, UPDATE = "use", "new", "update"
_MOST_TRIED = 100


@dataclass
class DepositDraft:
    """`chosen` are paths below `source` when only some of its entries are meant; empty: all. `kind` is the beginning of
    a LOI of which a number can be reserved; `entry` the LOI under the cursor of the other pane (None: a folder).
    `choice` is what the user wants to do: USE and UPDATE of that LOI, or NEW."""

    source: Path
    chosen: tuple[str, ...]
    location: Location
    kind: str
    entry: SafeEntry | None = None
    step: int = 0
    choice: str = ""
    scan: SourceScan | None = None
    job_id: int | None = None
    is_submitting: bool = False
    fields: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.offer(self.entry)

    def offer(self, entry: SafeEntry | None) -> None:
        """Another LOI is meant; the first choice that is possible with it becomes the one."""
        if entry != self.entry or not self.choice:
            self.entry, self.choice, self.step = entry, "", 0
            self.choice = self.choices[0]

    @property
    def choices(self) -> tuple[str, ...]:
        """What is possible, the safest first."""
        if self.entry is None:
            return (NEW,)
        return (USE, NEW) if self.entry.state is SafeState.RESERVED else (NEW, UPDATE)

    @property
    def loi(self) -> str:
        """Empty while a number has to be reserved first."""
        return self.entry.loi if self.entry is not None and self.choice != NEW else ""

    @property
    def is_update(self) -> bool:
        return self.choice == UPDATE

    @property
    def metadata(self) -> tuple[str, ...]:
        """The files that say what the data is; those that a folder deeper are count too."""
        files = self.scan.files if self.scan is not None else ()
        return tuple(file.path for file in files if is_metadata_name(file.path))

    @property
    def brings_manifest(self) -> bool:
        return self.scan is not None and any(file.path == MANIFEST_FILE for file in self.scan.files)

    @property
    def names(self) -> tuple[str, ...] | None:
        """What is deposited, as the job needs it; None: all that is in the folder."""
        if self.scan is None or not (self.chosen or self.scan.skipped):
            return None
        carried = (MANIFEST_NAME,) if self.scan.carried_manifest is not None and not self.chosen else ()
        return tuple(file.path for file in self.scan.files) + carried

    def is_done(self, feed: JobFeed) -> bool:
        """True when its job has come to an end that needs nobody: a new guide begins."""
        job = feed.get(self.job_id)
        return self.job_id is not None and (job is None or job.state is JobState.VERIFIED)


def scan_draft(draft: DepositDraft, stop: StopSignal) -> SourceScan:
    """Looks at what is going to be deposited. Raises: as `scan_source`."""
    return narrow_scan(scan_source(draft.source, stop=stop), draft.chosen)


def write_metadata(folder: Path, fields: dict[str, str]) -> str:
    """Writes a new metadata file beside the data, and returns its name; an existing file is never replaced.

    Raises: ObjectExists when all names that are tried are taken; AccessDenied, StorageFull.
    """
    for number in range(1, _MOST_TRIED):
        path = folder / ("metadata.yaml" if number == 1 else f"metadata-{number}.yaml")
        if not (path.exists() or path.is_symlink()):
            write_atomically(path, [format_metadata_document(fields)])
            return path.name
    raise ObjectExists(f"All names for a metadata file are taken in {folder}.", hint="Write one yourself.")
