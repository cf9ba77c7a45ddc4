"""Fetching the files that a manifest lists out of a vault: each is verified before it takes its name."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from archive_tui.archives.vault.content_fetch import ContentFetch
from archive_tui.archives.vault.contradicting_lines import Contradictions, find_contradictions
from archive_tui.archives.vault.evidence_book import EvidenceBook, EvidenceKeeper
from archive_tui.archives.vault.fetch_marks import FetchMarks, MarkedLine
from archive_tui.archives.vault.line_fetch import Fetched, LineFetch
from archive_tui.archives.vault.line_windows import LineSource
from archive_tui.archives.vault.other_names import OtherNames
from archive_tui.archives.vault.outcomes import GOOD, LineNews, LineResult, Outcome
from archive_tui.archives.vault.unfinished_parts import UnfinishedParts
from archive_tui.archives.vault.vault import Vault
from archive_tui.conflicts import Resolve, keep_what_is_there
from archive_tui.continuation import Journal, no_journal
from archive_tui.errors import ArchiveError, InvalidName, TargetExists
from archive_tui.manifests.checksum_lines.line import BadLine, ManifestLine
from archive_tui.names.display import escape_for_display
from archive_tui.names.fetch_paths import find_fetch_path
from archive_tui.objects.folder.atomic_file import WrittenFile
from archive_tui.objects.folder.contained_write import ContainedFolder
from archive_tui.operations.hashing.paced_report import PacedReport
from archive_tui.operations.parallel_map import map_in_order
from archive_tui.progress import Ended, ItemFailed, Planned, Report, StopSignal, ignore, never

FETCH_THREADS = 16
"""They wait most of the time: for a server, or for the disk to say that a file is durable."""

PHASE = "fetch"

_SEGMENT = 4096
_MOST_FOLDERS = 100_000
_BATCH = 256
_BATCH_SECONDS = 1.0


def fetch_manifest(
    manifest: LineSource,
    vault: Vault,
    *,
    root: Path = Path(),
    overwrite: bool = False,
    evidence_table: EvidenceKeeper | None = None,
    report: Report = ignore,
    stop: StopSignal = never,
    journal: Journal = no_journal,
    resolve: Resolve = keep_what_is_there,
    threads: int = FETCH_THREADS,
) -> Iterator[LineNews]:
    """Writes each listed file at its path below `root`, several at once; yields the news of each line, in their order.

    A content is hashed as it comes from the vault, written beside its name, synced, read back and compared, and only
    then given its name, in one step. What to do with another file of that name `resolve` says, or `overwrite`: it stays
    (EXISTS), or is replaced in one step, a link itself and not its target, and a folder never, or the new one gets
    another name (`placed`); UNDECIDED when nobody has decided yet. A file with the listed content is hashed, left as it
    is, and ALREADY_THERE.

    Nothing is written outside of `root` (which may be a link itself): names that lead out are REFUSED, and no link on
    the way is followed, whenever it was put there. Two lines that want one path and several contents are both REFUSED.
    Of a path and a path below it the later line is EXISTS.

    Durable when it is yielded: the content was synced before the name appeared; the folders are synced once for some
    hundred files, before their results are yielded. A run that was killed leaves whole files only, and unfinished ones
    under temporary names, which the next run in that folder removes; repeated, it continues. With a `journal` that is
    kept, the next run of the same job leaves alone, without reading, files that it has written or found right and whose
    size, times and inode are still the same (`earlier`), and goes on in the middle of a content of more than 8 MiB that
    was interrupted by a stop, a kill, or a vault that could not be reached: what lies there is hashed again, the rest
    is asked for by range, and the whole has to be right.

    Memory: 12 bytes a line, and what 4,096 lines need. `evidence_table`: what reading has proven of the objects is kept
    there. Of several names of a content those that come soon after the first are copied from its file.

    Raises: TargetExists when `root` is no folder; StorageError when no storage answers; ManifestError for thousands of
    contradicting lines; AccessDenied and StorageUnavailable of the vault, StorageFull of the disk, after the results of
    the lines before; OperationStopped; what reading the manifest or `resolve` raises.
    """
    if root.exists() and not root.is_dir():
        raise TargetExists(f"Not a folder: {root}", hint="Name the folder that the listed files belong into.")
    paced = PacedReport(report, PHASE)
    target = ContainedFolder(root)
    book = EvidenceBook(evidence_table, vault.store.identity)
    marks, parts = FetchMarks(journal, PHASE, target), UnfinishedParts(journal, root)
    contents = ContentFetch(vault, target, parts=parts, paced=paced, stop=stop)
    fetch = LineFetch(
        vault, target, contents, marks, OtherNames(manifest, stop=stop), overwrite=overwrite, resolve=resolve, stop=stop
    )
    report(Planned(PHASE, manifest.count_lines()))
    is_finished = False
    try:
        contradictions = find_contradictions(manifest, stop=stop)
        number = 0
        with closing(_fetch_batches(manifest, contradictions, fetch, marks, threads, stop)) as batches:
            for news in chain.from_iterable(_settle(batch, target, book, marks, threads) for batch in batches):
                number += 1
                _tell(news, number, paced, report)
                yield news
        is_finished = True
    finally:
        book.write()
        paced.flush()
        report(Ended(PHASE, is_finished))


class _Order(NamedTuple):
    """A line and the path that it means, or what became of it already."""

    line: ManifestLine | None
    path: str
    news: LineNews | None = None


def _fetch_batches(
    manifest: LineSource,
    contradictions: Contradictions,
    fetch: LineFetch,
    marks: FetchMarks,
    threads: int,
    stop: StopSignal,
) -> Generator[list[Fetched], None, None]:
    """Yields results in the order of the lines; what ends the run is raised after those of the lines before."""

    def work(order: _Order) -> Fetched:
        return fetch.fetch(order.line, order.path) if order.line is not None else _unfetched(order)

    for segment in _segments(manifest.lines(), contradictions):
        marks.turn_to([order.path for order in segment if order.line is not None])
        with closing(map_in_order(work, segment, threads=threads, stop=stop)) as results:
            yield from _batches(results)


def _unfetched(order: _Order) -> Fetched:
    assert order.news is not None
    return Fetched(order.news, item=order.news.line.name if isinstance(order.news, LineResult) else "")


def _batches(results: Iterator[Fetched]) -> Iterator[list[Fetched]]:
    batch: list[Fetched] = []
    ends_at = time.monotonic() + _BATCH_SECONDS
    try:
        for fetched in results:
            batch.append(fetched)
            if len(batch) >= _BATCH or time.monotonic() > ends_at:
                ready, batch = batch, []
                yield ready
                ends_at = time.monotonic() + _BATCH_SECONDS
    except ArchiveError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _segments(lines: Iterator[ManifestLine | BadLine], contradictions: Contradictions) -> Iterator[list[_Order]]:
    """Cuts the lines into stretches that can be worked on in any order: no path twice, none below another.

    Sets hold hashes only: paths that are taken for equal by mistake cost a moment of waiting and nothing else.
    """
    segment: list[_Order] = []
    paths: set[int] = set()
    folders: set[int] = set()
    for each in lines:
        order = _order(each, contradictions)
        path, above = hash(order.path), _folders_above(order.path)
        clashes = order.line is not None and (path in paths or path in folders or not paths.isdisjoint(above))
        if clashes or len(segment) >= _SEGMENT or len(folders) >= _MOST_FOLDERS:
            yield segment
            segment, paths, folders = [], set(), set()
        segment.append(order)
        if order.line is not None:
            paths.add(path)
            folders.update(above)
    if segment:
        yield segment


def _folders_above(path: str) -> list[int]:
    above = []
    while path := path.rpartition("/")[0]:
        above.append(hash(path))
    return above


def _order(each: ManifestLine | BadLine, contradictions: Contradictions) -> _Order:
    if isinstance(each, BadLine):
        return _Order(None, "", each)
    try:
        path = find_fetch_path(each.name)
        other = contradictions.find(each, path)
        if other is None:
            return _Order(each, path)
        raise InvalidName(
            f"Refused, line {other} wants another content under the same name: {escape_for_display(each.name)}",
            name=each.name,
            hint="Nothing was written for either line. Correct the manifest.",
            code="clash-duplicate",
        )
    except InvalidName as error:
        return _Order(None, "", LineResult(each, Outcome.REFUSED, error=error))


def _settle(
    batch: Sequence[Fetched], target: ContainedFolder, book: EvidenceBook, marks: FetchMarks, threads: int
) -> Iterator[LineNews]:
    """Makes the names of a batch durable, keeps the evidence and the marks, yields the news."""
    folders: dict[str, dict[str, WrittenFile]] = {}
    for fetched in batch:
        if fetched.written is not None:
            folders.setdefault(fetched.path.rpartition("/")[0], {})[fetched.path] = fetched.written
    lost: dict[str, ArchiveError] = {}
    for errors in map_in_order(lambda item: target.make_durable(*item), folders.items(), threads=threads):
        lost.update(errors)
    news = [_without_lost(fetched, lost) for fetched in batch]
    results = [result for result in news if isinstance(result, LineResult)]
    for evidence in {result.key: result.evidence for result in results}.values():
        book.note(evidence)
    book.write()
    marks.record(
        MarkedLine(fetched.item, result, fetched.stamp)
        for fetched, result in zip(batch, news, strict=True)
        if isinstance(result, LineResult)
    )
    yield from news


def _without_lost(fetched: Fetched, lost: Mapping[str, ArchiveError]) -> LineNews:
    if fetched.path not in lost or not isinstance(fetched.news, LineResult):
        return fetched.news
    return fetched.news._replace(outcome=Outcome.FAILED, error=lost[fetched.path], placed="")


def _tell(news: LineNews, number: int, paced: PacedReport, report: Report) -> None:
    name = news.line.name if isinstance(news, LineResult) else f"line {news.number}"
    paced.add(0, 1, name)
    if isinstance(news, LineResult) and news.outcome not in GOOD:
        report(ItemFailed(PHASE, name, number, str(news.error)))
