"""Fetches one line to its path: looks at what is there, asks what to do about it, brings the content, judges."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import NamedTuple

from archive_tui.archives.vault.content_fetch import ContentFetch, SourceFailed
from archive_tui.archives.vault.fetch_marks import FetchMarks
from archive_tui.archives.vault.line_results import failed, is_fatal
from archive_tui.archives.vault.other_names import OtherNames
from archive_tui.archives.vault.outcomes import LineNews, LineResult, Outcome
from archive_tui.archives.vault.vault import Vault
from archive_tui.conflicts import Conflict, ConflictRule, Resolve
from archive_tui.errors import (
    ArchiveError,
    InvalidName,
    ObjectExists,
    OperationStopped,
    StorageFull,
    StorageUnavailable,
    TargetExists,
)
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_size
from archive_tui.objects.folder.atomic_file import WrittenFile
from archive_tui.objects.folder.contained_write import NO_PLAIN_FILE, ContainedFolder, FoundFile
from archive_tui.objects.folder.file_stamps import stamp_written
from archive_tui.progress import StopSignal

_FOR_A_FOLDER = (ConflictRule.KEEP, ConflictRule.KEEP_BOTH)


class Fetched(NamedTuple):
    """`written` is set when a file has been written at `path`, whose name is not durable yet. `item` names the line in
    a journal, and `stamp` is that of its file; empty: it has none."""

    news: LineNews
    path: str = ""
    written: WrittenFile | None = None
    item: str = ""
    stamp: str = ""


class LineFetch:
    """Fetches lines, several at once, each to a path of its own. `resolve` is asked about files that differ, one at a
    time; with `overwrite` nobody is."""

    def __init__(
        self,
        vault: Vault,
        target: ContainedFolder,
        contents: ContentFetch,
        marks: FetchMarks,
        names: OtherNames,
        *,
        overwrite: bool,
        resolve: Resolve,
        stop: StopSignal,
    ) -> None:
        self._vault = vault
        self._target = target
        self._contents = contents
        self._marks = marks
        self._names = names
        self._overwrite = overwrite
        self._resolve = resolve
        self._stop = stop
        self._asking = threading.Lock()

    def fetch(self, line: ManifestLine, path: str) -> Fetched:
        """Returns what became of the line; the file is durable, its name is not yet.

        Raises: AccessDenied and StorageUnavailable of the vault, StorageFull and StorageUnavailable of the disk: there
        is no use in going on; OperationStopped; what `resolve` raises.
        """
        try:
            done = self._marks.find_done(line, path)
            fetched = Fetched(done) if done is not None else self._fetch(line, path)
        except (StorageFull, StorageUnavailable, OperationStopped):
            raise
        except SourceFailed as failure:
            if is_fatal(failure.error, self._vault.store):
                raise failure.error from failure
            fetched = Fetched(failed(line, failure.error, self._vault.key(line.digest)))
        except ArchiveError as error:
            is_refused = isinstance(error, InvalidName) or error.code == "symlink-in-path"
            fetched = Fetched(LineResult(line, Outcome.REFUSED if is_refused else Outcome.FAILED, error=error))
        return fetched._replace(item=path)

    def _fetch(self, line: ManifestLine, path: str) -> Fetched:
        there = self._target.find_file(path, stop=self._stop)
        if there is not None and there.digest == line.digest:
            return self._already_there(line, path, there)
        if there is not None and not self._overwrite:
            return self._decide(line, path, there)
        try:
            return self._bring(line, path, overwrite=self._overwrite)
        except ObjectExists as error:
            return self._judge_late_arrival(line, path, error)

    def _bring(self, line: ManifestLine, path: str, *, overwrite: bool) -> Fetched:
        result, written = self._contents.bring(line, path, overwrite=overwrite)
        return Fetched(result, path, written, stamp=stamp_written(written.status) if written is not None else "")

    def _already_there(self, line: ManifestLine, path: str, there: FoundFile) -> Fetched:
        self._contents.forget_part(path)
        return Fetched(LineResult(line, Outcome.ALREADY_THERE, size=there.size), stamp=there.stamp)

    def _judge_late_arrival(self, line: ManifestLine, path: str, error: ObjectExists) -> Fetched:
        """Something has got the name while the content was on its way, or is where a folder should be."""
        there = self._target.find_file(path, stop=self._stop)
        if there is None:
            return Fetched(_in_the_way(line, error))
        if there.digest == line.digest:
            return self._already_there(line, path, there)
        return Fetched(_exists(line, there)) if self._overwrite else self._decide(line, path, there)

    def _decide(self, line: ManifestLine, path: str, there: FoundFile) -> Fetched:
        with self._asking:
            rule = self._resolve(self._describe(line, path, there))
        if rule is ConflictRule.ASK:
            return Fetched(_undecided(line, there))
        if rule is ConflictRule.KEEP_BOTH:
            return self._bring_beside(line, path)
        if rule is ConflictRule.REPLACE and not there.is_folder:
            try:
                return self._bring(line, path, overwrite=True)
            except ObjectExists as error:
                return Fetched(_in_the_way(line, error))
        return Fetched(_exists(line, there))

    def _describe(self, line: ManifestLine, path: str, there: FoundFile) -> Conflict:
        place = str(self._target.root / path)
        wanted = "another content" if line.size is None else f"another content, {format_size(line.size)}"
        if there.is_folder:
            return Conflict(path, place, "a folder", wanted, _FOR_A_FOLDER)
        if there.digest == NO_PLAIN_FILE:
            return Conflict(path, place, "a link, or no file that can be read", wanted)
        changed = datetime.fromtimestamp(there.modified, UTC).strftime("%Y-%m-%d %H:%M UTC")
        return Conflict(path, place, f"a file of {format_size(there.size)}, changed {changed}", wanted)

    def _bring_beside(self, line: ManifestLine, path: str) -> Fetched:
        """Gives the file the first other name that is free, or under which it lies already."""
        for other in self._names.beside(path):
            there = self._target.find_file(other, stop=self._stop)
            if there is not None and there.digest == line.digest:
                found = self._already_there(line, other, there)
                return found._replace(news=_placed(found.news, other))
            if there is not None:
                continue
            try:
                fetched = self._bring(line, other, overwrite=False)
            except ObjectExists:
                continue  # somebody has just taken it
            return fetched._replace(news=_placed(fetched.news, other))
        raise TargetExists(f"No other name is free: {escape_for_display(line.name)}", hint="Fetch into another folder.")


def _placed(news: LineNews, other: str) -> LineNews:
    is_there = isinstance(news, LineResult) and news.outcome in (Outcome.FETCHED, Outcome.ALREADY_THERE)
    return news._replace(placed=other) if is_there else news  # type: ignore[call-arg]


def _exists(line: ManifestLine, there: FoundFile) -> LineResult:
    name = escape_for_display(line.name)
    what = f"expected {line.digest}, found {there.digest}" if there.digest else "it is no file that can be read"
    error = TargetExists(
        f"Something else is there: {name}: {what}",
        hint="Move it away, fetch into another folder, or replace files with --overwrite; folders never are.",
    )
    return LineResult(line, Outcome.EXISTS, found=there.digest or None, error=error)


def _undecided(line: ManifestLine, there: FoundFile) -> LineResult:
    error = TargetExists(
        f"Something else is there, and nobody has decided yet: {escape_for_display(line.name)}",
        hint="Decide what to do with it: the job then does the rest.",
        code="undecided",
    )
    return LineResult(line, Outcome.UNDECIDED, found=there.digest or None, error=error)


def _in_the_way(line: ManifestLine, cause: ObjectExists) -> LineResult:
    error = TargetExists(
        f"A file is where its folder should be: {escape_for_display(line.name)}",
        hint="Move it away, or fetch into another folder.",
    )
    error.__cause__ = cause
    return LineResult(line, Outcome.EXISTS, error=error)
