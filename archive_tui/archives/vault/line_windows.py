"""Runs over a manifest of any length: a window of lines at a time, many at once, the results in the order of lines."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import Protocol

from archive_tui.archives.vault.outcomes import GOOD, LineNews, LineResult, Outcome
from archive_tui.manifests.checksum_lines.line import BadLine, ManifestLine
from archive_tui.operations.hashing.paced_report import PacedReport
from archive_tui.operations.parallel_map import map_in_order
from archive_tui.progress import Ended, ItemFailed, Planned, Report, StopSignal, check_stop

WINDOW = 4096
"""Lines at hand at a time, 3 MB with their results."""


class LineSource(Protocol):
    """What a run needs of an open manifest: its lines from the first on, and how many there are, for progress."""

    def lines(self) -> Iterator[ManifestLine | BadLine]: ...

    def count_lines(self) -> int: ...


class LineWork(Protocol):
    """The work of a run. Lines of one window with the same group are handed to one call of `work`, together."""

    def group_of(self, line: ManifestLine) -> str: ...

    def begin_window(self, lines: Sequence[ManifestLine]) -> None:
        """Called before the window's first `work`, from the thread that takes the results."""

    def work(self, lines: Sequence[ManifestLine]) -> Sequence[LineResult]:
        """Returns a result for each line, in their order. Called from several threads."""

    def end_window(self) -> None:
        """Called after the window, however it has ended."""


def run_lines(
    manifest: LineSource,
    work: LineWork,
    *,
    paced: PacedReport,
    phase: str,
    count: int,
    threads: int,
    report: Report,
    stop: StopSignal,
) -> Iterator[LineNews]:
    """Yields the news of each line, in order. `count`: how many lines there are about, for progress.

    Raises: OperationStopped between two lines, and what `work` raises; the results before it have been yielded.
    """
    report(Planned(phase, count))
    is_finished = False
    number = 0
    try:
        lines = manifest.lines()
        while window := list(itertools.islice(lines, WINDOW)):
            check_stop(stop)
            with closing(_run_window(window, work, threads, stop)) as results:
                for news in results:
                    number += 1
                    _tell(news, number, phase, paced, report)
                    yield news
        is_finished = True
    finally:
        paced.flush()
        report(Ended(phase, is_finished))


def _run_window(
    window: Sequence[ManifestLine | BadLine], work: LineWork, threads: int, stop: StopSignal
) -> Generator[LineNews, None, None]:
    groups: dict[str, list[int]] = {}
    for position, each in enumerate(window):
        if isinstance(each, ManifestLine):
            groups.setdefault(work.group_of(each), []).append(position)

    def run_group(positions: list[int]) -> list[tuple[int, LineResult]]:
        return list(zip(positions, work.work([window[position] for position in positions]), strict=True))  # type: ignore[misc]

    work.begin_window([each for each in window if isinstance(each, ManifestLine)])
    ready: dict[int, LineResult] = {}
    try:
        with closing(map_in_order(run_group, groups.values(), threads=threads, waiting=WINDOW, stop=stop)) as finished:
            for position, each in enumerate(window):
                if isinstance(each, BadLine):
                    yield each
                    continue
                while position not in ready:
                    ready.update(next(finished))
                yield ready.pop(position)
    finally:
        work.end_window()


def _tell(news: LineNews, number: int, phase: str, paced: PacedReport, report: Report) -> None:
    name = news.line.name if isinstance(news, LineResult) else f"line {news.number}"
    paced.add(0, 1, name)
    if isinstance(news, LineResult) and news.outcome not in GOOD and news.outcome is not Outcome.ABSENT:
        report(ItemFailed(phase, name, number, str(news.error)))
