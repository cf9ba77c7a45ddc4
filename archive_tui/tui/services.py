"""What the pages share, taken from the app: so that none of them has to know more of it than this."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from archive_tui.archives.storages import Storage, open_storage
from archive_tui.conflicts import ConflictRule
from archive_tui.jobs.limits import JobLimits
from archive_tui.jobs.request import JobPolicy
from archive_tui.settings import Settings
from archive_tui.tui.background import BackgroundPool
from archive_tui.tui.job_feed import JobFeed

if TYPE_CHECKING:
    from archive_tui.tui.screens.publish.draft import PublishDraft


@dataclass
class Services:
    """`drafts` are the publish guides that were left, by source and target; they live as long as the program."""

    settings: Settings
    feed: JobFeed
    background: BackgroundPool
    drafts: dict[tuple[str, ...], PublishDraft] = field(default_factory=dict)
    _storages: dict[str, Storage] = field(default_factory=dict)

    def policy(self, conflicts: ConflictRule = ConflictRule.ASK) -> JobPolicy:
        """How a job is done that is begun here, by the settings.

        Raises: ConfigurationError.
        """
        return JobLimits.load(self.settings).make_policy(conflicts)

    def storage(self, name: str) -> Storage:
        """The storage of that name, opened once.

        Raises: ConfigurationError.
        """
        if name not in self._storages:
            self._storages[name] = open_storage(self.settings, name)
        return self._storages[name]

    def exists(self, path: Path) -> bool:
        """Whether something lies there, be it a broken link."""
        return path.exists() or path.is_symlink()
