"""Goes through the lines of a manifest for a job: what became of each, and an honest end wherever it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from archive_tui.archives.vault.outcomes import LineNews, Tally
from archive_tui.errors import ArchiveError, ManifestError, OperationStopped
from archive_tui.integrity.report import Finding, FindingKind, IntegrityReport, Verdict
from archive_tui.jobs.kind import JobResult
from archive_tui.jobs.manifests.manifest_ends import (
    FindingList,
    VaultReport,
    describe_break,
    describe_stop,
    finding_of_bad_line,
    finding_of_checked,
    finding_of_result,
    hint_for,
)
from archive_tui.jobs.states import JobState
from archive_tui.manifests.checksum_lines.line import BadLine
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_count
from archive_tui.operations.earlier_runs import EarlierRuns, describe_continued
from archive_tui.operations.line_checking import CheckedLine, CheckedLines, LineState, same_lines
from archive_tui.progress import BytesDone, Ended, Event, ItemDone, ItemFailed, Notice, Planned, Report

TellLine = Callable[[int, LineNews], None]
"""Told of the news of each line, with its place among the lines that are gone through, from 0."""

TellFile = Callable[[int, LineState], None]


MOST_CONTINUED = 3
"""Large files that were gone on with and are named in the sentence of a job; its report names all."""

SECONDS_BETWEEN = 0.05
"""Between two reports of progress."""

Judge = Callable[[Tally, str], tuple[JobState, str]]
"""Tally and title of the vault in, state and sentence out."""


class LineCounter:
    """The items of one phase, counted by what became of them. The events of the operation itself pass, except those
    about items: a finding is told once, and by its kind. `replaces` is the operation's own phase, of which nothing
    passes, where it is not the same."""

    def __init__(
        self, phase: str, total: int | None, report: Report, *, bytes_total: int | None = None, replaces: str = ""
    ) -> None:
        self.phase = phase
        self._replaces = replaces
        self.total = total
        self.done = 0
        self._bytes = 0
        self._report = report
        self._told_at = 0.0
        report(Planned(phase, total, bytes_total))

    def relay(self, event: Event) -> None:
        """The `report` of the operation."""
        if isinstance(event, Notice):
            self._report(event)
        elif event.phase == self.phase:
            if not isinstance(event, ItemDone | ItemFailed | Ended):
                self._report(event)
        elif event.phase != self._replaces:
            self._report(event)

    def count(self, name: str, finding: Finding | None) -> None:
        self.done += 1
        now = time.monotonic()
        if finding is not None:
            reason = f"{finding.kind.value}: {finding.detail or 'other content'}"
            self._report(ItemFailed(self.phase, name, self.done, reason))
        elif now - self._told_at >= SECONDS_BETWEEN:
            self._told_at = now
            self._report(ItemDone(self.phase, name, self.done))

    def add_bytes(self, size: int) -> None:
        """Counts bytes of which the operation itself tells nothing."""
        self._bytes += size
        self._report(BytesDone(self.phase, self._bytes))

    def end(self, *, finished: bool) -> None:
        self._report(ItemDone(self.phase, "", self.done))
        self._report(Ended(self.phase, finished))


class VaultRun:
    """One run over lines that has to do with a vault, which is named for people. `bytes_total`: the sizes of the
    results are counted as bytes done, of so many. `replaces` as of LineCounter."""

    def __init__(
        self,
        phase: str,
        subject: str,
        vault: str,
        judge: Judge,
        *,
        tell: TellLine | None = None,
        bytes_total: int | None = None,
        replaces: str = "",
    ) -> None:
        self._phase = phase
        self._replaces = replaces
        self._subject = subject
        self._vault = vault
        self._judge = judge
        self._tell = tell
        self._bytes_total = bytes_total
        self._tally = Tally()
        self._findings = FindingList()
        self._begun = time.monotonic()

    def run(self, total: int | None, news: Callable[[Report], Iterator[LineNews]], report: Report) -> JobResult:
        """Goes through all that `news` yields.

        Raises: what `news` raises; how far it came stands in the log. OperationStopped, whose sentence says it.
        """
        counter = LineCounter(self._phase, total, report, bytes_total=self._bytes_total, replaces=self._replaces)
        finished = False
        try:
            for item in news(counter.relay):
                self._add(item, counter)
            finished = True
        except OperationStopped as stopped:
            raise OperationStopped(describe_stop(counter.done, total)) from stopped
        except ArchiveError:
            if counter.done:
                report(Notice(describe_break(counter.done, total)))
            raise
        finally:
            counter.end(finished=finished)
        return self._end(*self._judge(self._tally, self._vault))

    def _add(self, item: LineNews, counter: LineCounter) -> None:
        self._tally.add(item)
        if self._tell is not None:
            self._tell(counter.done, item)
        if isinstance(item, BadLine):
            finding: Finding | None = finding_of_bad_line(item)
            name = f"line {item.number}"
        else:
            finding, name = finding_of_result(item), item.line.name
            if self._bytes_total is not None:
                counter.add_bytes(item.size or 0)
        if finding is not None:
            self._findings.add(finding)
        counter.count(name, finding)

    def _end(self, state: JobState, sentence: str) -> JobResult:
        report = self._report(sentence)
        hint = " ".join(filter(None, (self._findings.remark, hint_for(self._tally))))
        return JobResult(state, sentence, report.findings, report, hint)

    def _report(self, sentence: str) -> VaultReport:
        seconds = time.monotonic() - self._begun
        findings = tuple(self._findings.kept)
        return VaultReport(self._subject, self._vault, self._tally, findings, sentence, seconds=seconds)


class CheckRun:
    """One check of the files behind lines."""

    def __init__(self, document: Path, tell: TellFile | None = None) -> None:
        self._document = document
        self._tell = tell
        self._findings = FindingList()
        self._files = self._right = self._bytes = self._bad = self._earlier_bytes = 0
        self._earlier = EarlierRuns()
        self._continued: list[str] = []
        self._begun = time.monotonic()

    def run(
        self,
        total: int | None,
        batches: Callable[[Report], Iterator[CheckedLines]],
        report: Report,
    ) -> JobResult:
        """Raises: ManifestError when no line is one; what the manifest raises; OperationStopped, which says how
        far it came."""
        counter = LineCounter("check", total, report)
        complete = False
        try:
            for batch in batches(counter.relay):
                self._take(batch, counter)
            complete = True
        except OperationStopped as stopped:
            raise OperationStopped(self._say(self._make_report(total, complete=False))) from stopped
        finally:
            counter.end(finished=complete)
        if not self._files:
            raise ManifestError(
                f"No properly formatted checksum line in {self._document}",
                hint="Open it as text: F3 shows its first bytes.",
            )
        return self._end(self._make_report(self._files, complete=True))

    def _take(self, batch: CheckedLines, counter: LineCounter) -> None:
        for mark in batch.earlier:
            self._earlier.add(mark.at)
            self._earlier_bytes += mark.size or 0
        for name, begun in batch.continued.items():
            self._earlier_bytes += begun.size
            self._continued.append(describe_continued(escape_for_display(name), begun.size, begun.at))
        for checked in same_lines(batch) if batch.all_same else batch.checked:
            self._add(checked, counter)

    def _add(self, checked: CheckedLine | BadLine, counter: LineCounter) -> None:
        finding: Finding | None
        if isinstance(checked, BadLine):
            self._bad += 1
            finding, name = finding_of_bad_line(checked), f"line {checked.number}"
        else:
            self._files += 1
            self._bytes += checked.size or 0
            self._right += checked.state is LineState.SAME
            if self._tell is not None:
                self._tell(counter.done, checked.state)
            finding, name = finding_of_checked(checked), checked.line.name
        if finding is not None:
            self._findings.add(finding)
        counter.count(name, finding)

    def _make_report(self, total: int | None, *, complete: bool) -> IntegrityReport:
        earlier = self._describe_earlier()
        notes = (f"{earlier}." if earlier else "", *map("{}.".format, self._continued), self._findings.remark)
        return IntegrityReport(
            subject=str(self._document),
            files_total=self._files if total is None else total,
            files_ok=self._right,
            bytes_total=self._bytes,
            bytes_read=self._bytes - self._earlier_bytes,
            findings=tuple(self._findings.kept),
            complete=complete,
            proven="every listed file read in full and hashed here",
            seconds=time.monotonic() - self._begun,
            notes=tuple(filter(None, notes)),
        )

    def _end(self, report: IntegrityReport) -> JobResult:
        sentence = self._say(report)
        state = JobState.FINDINGS if report.findings else JobState.VERIFIED
        earlier = self._describe_earlier()
        message = "; ".join(filter(None, (sentence, earlier, *self._continued[:MOST_CONTINUED])))
        return JobResult(state, message, report.findings, report, self._findings.remark)

    def _describe_earlier(self) -> str:
        return self._earlier.describe("read", "sizes, times and inodes")

    def _say(self, report: IntegrityReport) -> str:
        """The report's own sentence, except for findings: nobody has looked for files that are not listed, and there
        may be lines that are none, and more findings than are kept."""
        kinds = self._findings.kinds
        if not kinds or (report.verdict is Verdict.INCONCLUSIVE and not self._bad):
            return report.sentence
        unreadable = kinds[FindingKind.UNREADABLE] - self._bad
        parts = [f"{kinds[FindingKind.CHANGED]:,} changed", f"{kinds[FindingKind.MISSING]:,} missing"]
        parts += [f"{unreadable:,} unreadable"] if unreadable else []
        parts += [f"{format_count(self._bad, 'line')} not understood"] if self._bad else []
        of_all = f"of {format_count(self._files, 'file')}"
        if report.complete:
            return f"Findings: {', '.join(parts)}; {self._right:,} {of_all} right"
        return f"Findings: {', '.join(parts)} {of_all}; stopped, nothing is claimed for the rest"
