"""`archive-tui jobs clean`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from archive_tui.cli.diagnostics import ExitStatus, report_error
from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.output import show_name, write_json, write_line
from archive_tui.cli.times import format_time
from archive_tui.errors import ArchiveError
from archive_tui.names.quantities import format_count, format_size

if TYPE_CHECKING:
    from archive_tui.cli.invocation import Invocation
    from archive_tui.jobs.cleaning import JobLeftovers, StrangeUpload
    from archive_tui.jobs.queue import JobQueue


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@click.option("--storage", "storages", multiple=True, metavar="NAME", help="Look there for uploads nobody remembers.")
@click.option(
    "--older-than",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help="Also what failed jobs and unknown uploads left so long ago.",
)
@click.option(
    "--forget-items",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help="Forget the single items of jobs that ended so long ago.",
)
@common_options
def clean(dry_run: bool, storages: tuple[str, ...], older_than: float | None, forget_items: float | None) -> int:
    """Remove what jobs left that nobody continues: unfinished uploads, and folders in which a fetch was unpacking.

    Never those of a job that runs, waits, or was paused. Those of a job that failed or has findings stay for a retry,
    unless --older-than says after how many days they are nobody's. With --storage that storage is asked for uploads
    that no job here knows, perhaps those of another person or program: they are listed, and removed with --older-than
    only. (Azure removes unfinished uploads by itself, after a week.)

    The records of a job of a million files take some 200 MB; --forget-items keeps the job and the head of its receipt.
    """
    from archive_tui.jobs.queue import open_job_queue

    invocation = current_invocation()
    with closing(open_job_queue()) as queue:
        cleaning = _Cleaning(invocation, queue, dry_run=dry_run, older_than=older_than)
        cleaning.clean_jobs()
        for name in storages:
            cleaning.clean_storage(name)
        if forget_items is not None and not dry_run:
            cleaning.forget_items(forget_items)
        for remark in queue.remarks:
            invocation.note(remark)
    return cleaning.finish()


@dataclass(slots=True)
class _Cleaning:
    invocation: Invocation
    queue: JobQueue
    dry_run: bool
    older_than: float | None
    left: Sequence[JobLeftovers] = ()
    entries: list[dict[str, Any]] = field(default_factory=list)
    failures: int = 0

    def clean_jobs(self) -> None:
        from archive_tui.jobs.cleaning import can_go, clean_job, find_leftovers

        self.left = find_leftovers(self.queue)
        for left in self.left:
            what = _describe_leftovers(left)
            if not can_go(left, older_than=self.older_than):
                self._tell("kept", what, f"job {left.job_id} is {left.state} and may go on", job=left.job_id)
                continue
            count = len(left.uploads) + left.has_stage
            if not self.dry_run and clean_job(self.queue, left) < count:
                self.failures += 1
                report_error(
                    f"Not all that job {left.job_id} left could be removed.",
                    f"Why not: archive-tui jobs logs {left.job_id}",
                )
                self._tell("failed", what, f"job {left.job_id} is {left.state}", job=left.job_id)
                continue
            self._tell("removed", what, f"job {left.job_id} is {left.state}", job=left.job_id)

    def clean_storage(self, name: str) -> None:
        """Raises: ConfigurationError; what the storage raises."""
        from archive_tui.jobs.cleaning import find_strange_uploads

        storage = self.invocation.open_storage(name)
        with storage.store as store:
            for strange in list(find_strange_uploads(store, self.left, older_than=self.older_than)):
                what, key = _describe_strange(name, strange), strange.upload.key
                begun = f"begun {format_time(strange.upload.begun)}"
                if not strange.is_removable:
                    self._tell("unknown", what, f"no job here knows it, {begun}", key=key, storage=name)
                elif self.dry_run or self._discard(storage.store, strange):
                    self._tell("removed", what, begun, key=key, storage=name)

    def forget_items(self, days: float) -> None:
        from archive_tui.jobs import cleaning

        count = cleaning.forget_items(self.queue, days)
        if count:
            self._tell("removed", f"{format_count(count, 'item')} of receipts", f"ended more than {days:g} days ago")

    def _discard(self, store: Any, strange: StrangeUpload) -> bool:
        try:
            store.discard_unfinished(strange.upload)
        except ArchiveError as error:
            self.failures += 1
            report_error(error.message, error.hint)
            return False
        return True

    def _tell(self, outcome: str, what: str, reason: str, **fields: Any) -> None:
        self.entries.append({"outcome": outcome, "what": what, "reason": reason, **fields})
        if self.invocation.as_json:
            return
        word = "would be removed" if self.dry_run and outcome == "removed" else outcome
        write_line(f"{word}: {show_name(what)} ({show_name(reason)})")

    def finish(self) -> int:
        status = ExitStatus.FINDINGS if self.failures else ExitStatus.CLEAN
        if self.invocation.as_json:
            write_json({"dry_run": self.dry_run, "entries": self.entries, "status": int(status)})
        elif not self.entries and not self.queue.remarks:
            self.invocation.note("Nothing was left behind.")
        return status


def _describe_leftovers(left: JobLeftovers) -> str:
    parts = [format_count(len(left.uploads), "unfinished upload")] if left.uploads else []
    parts += ["a folder that was being unpacked"] if left.has_stage else []
    return f"{' and '.join(parts)} of {left.title}"


def _describe_strange(storage: str, strange: StrangeUpload) -> str:
    upload = strange.upload
    size = f", {format_size(upload.size)}" if upload.size is not None else ""
    return f"unfinished upload {storage}:{upload.key}{size}"
