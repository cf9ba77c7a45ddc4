"""What has been entered in a publish guide so far. It outlives its screen, so that leaving loses nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from archive_tui.archives.datasets.planning import DatasetDetails, PublishPlan, PublishRequest, choose_version
from archive_tui.integrity.inventory import Difference, Entry
from archive_tui.names.dataset_names import parse_dataset_archive_name
from archive_tui.operations.scanning.source_scan import SourceScan

LITERAL = "literal"


@dataclass
class PublishDraft:
    """`chosen` are paths below `source` when only some of its entries are meant; empty: all. `version` is patch, minor,
    major or LITERAL (then `literal` holds the number). `difference` is by name and size until a comparison by digest
    has taken its place (`is_compared`). `details` None: not edited, those of the latest version are carried over."""

    source: Path
    storage_name: str
    name: str = ""
    chosen: tuple[str, ...] = ()
    step: int = 0
    furthest_step: int = 0
    scan: SourceScan | None = None
    version: str = ""
    literal: str = ""
    details: DatasetDetails | None = None
    plan: PublishPlan | None = None
    difference: Difference | None = None
    is_compared: bool = False
    compare_job: int | None = None
    publish_job: int | None = None
    is_submitting: bool = False
    save_folder: Path = field(default_factory=Path.cwd)

    def forget_scan(self) -> None:
        """The source or the target has changed: what was learnt about them is void."""
        self.scan = None
        self.forget_plan()

    def forget_plan(self) -> None:
        self.plan = None
        self.difference = None
        self.is_compared = False
        self.compare_job = None
        self.version = ""

    @property
    def wanted_version(self) -> str:
        return self.literal.strip() if self.version == LITERAL else self.version or "patch"

    def resulting_version(self, wanted: str) -> str:
        """The number that `wanted` means after the latest version.

        Raises: InvalidName.
        """
        latest = [self.plan.latest.version] if self.plan is not None and self.plan.latest is not None else []
        return choose_version(latest, wanted)

    def request(self, compression_level: int = -1) -> PublishRequest:
        return PublishRequest(
            name=self.name,
            source=self.source,
            version=self.wanted_version,
            details=self.details or DatasetDetails(),
            compression_level=compression_level,
            chosen=self.chosen,
        )

    def carried_details(self) -> DatasetDetails:
        """What the details step begins with: what was entered, else what the source or the latest version says."""
        carried = {}
        if self.plan is not None:
            manifest = self.plan.scan.carried_manifest or self.plan.latest_manifest
            carried = dict(manifest.dataset) if manifest else {}
        return DatasetDetails.from_mapping((self.details or DatasetDetails()).merged_over(carried))


def propose_name(source: Path, prefix: str = "") -> str:
    """A name that publishing accepts, made from the folder's or file's name; `prefix` is empty or ends in `/`."""
    letters = re.sub(r"[^\w.\s-]+", "-", source.name, flags=re.ASCII).strip(" .-")
    version_at_end = parse_dataset_archive_name(f"{letters}.zip")
    if version_at_end is not None:
        letters = version_at_end[0]  # a fetched version: its folder is called NAME.VERSION
    return prefix + (letters or "dataset")


def suggest_increment(difference: Difference | None) -> tuple[str, str]:
    """Returns the increment that fits what has changed, and why in a few words."""
    if difference is None:
        return "patch", "the first version"
    if difference.removed and len(difference.removed) * 2 > len(difference.removed) + len(difference.same):
        return "major", "most files are gone or renamed"
    if difference.removed:
        return "minor", "files were removed"
    if difference.added:
        return "minor", "files were added"
    return "patch", "a correction"


def summarise_places(entries: Iterable[Entry], most: int = 3) -> str:
    """`calibration/ 12 · notes/ 2 · README.md`: where entries lie, the fullest folders first."""
    counts: dict[str, int] = {}
    for entry in entries:
        top, slash, _ = entry.path.partition("/")
        counts[top + slash] = counts.get(top + slash, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{place} {count}" if place.endswith("/") else place for place, count in ordered[:most]]
    return " · ".join(shown) + (" · …" if len(ordered) > most else "")
