"""Checks the lines of a checksum manifest: each listed file is read whole, hashed and compared with its line.

The manifest is read while files are hashed, some thousand lines ahead at most, and digests are compared by the batch:
memory does not grow with the number of lines.
"""

from __future__ import annotations

import contextlib
import errno
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import partial
from itertools import repeat
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

from archive_tui.continuation import ItemMark, Journal, no_journal
from archive_tui.integrity.streams import hash_stream, read_chunks
from archive_tui.manifests.checksum_lines.line import BadLine, Dialect, ManifestLine
from archive_tui.operations.hashing.batches import DIGEST_BYTES, HashBatch, batch_sizes
from archive_tui.operations.hashing.file_checkpoints import ContinuedFile, FileCheckpoints
from archive_tui.operations.hashing.files import count_workers
from archive_tui.operations.hashing.workers import PROCESSES_AFTER, HashWorkers
from archive_tui.operations.line_marks import LineMarks
from archive_tui.progress import Report, StopSignal, ignore, never

if TYPE_CHECKING:
    from archive_tui.manifests.checksum_lines.reading import ChecksumManifest

PHASE = "check"

SHORTEST_LINE = 70
"""Bytes of a line with a name of a few letters; tells from the size of a manifest whether its lines are many."""

_GONE = (errno.ENOENT, errno.ENOTDIR)
_STANDARD_INPUT = "-"

Lines = list[ManifestLine | BadLine]


class LineState(StrEnum):
    SAME = "same"
    CHANGED = "changed"  # another digest, or another size than the line says
    MISSING = "missing"
    UNREADABLE = "unreadable"  # a folder, a pipe or a device stands there, too


class CheckedLine(NamedTuple):
    """`found` and `size` (bytes) are those of the file, None when it could not be read; `error` then says why."""

    line: ManifestLine
    state: LineState
    found: str | None
    size: int | None
    error: OSError | None


class CheckedLines(NamedTuple):
    """What became of some lines. `all_same`: all are good lines, and their files have the listed content. `earlier`:
    what was taken over from an earlier run, and not read now. `continued`: large files of which only the rest was read
    now, by their names."""

    lines: Lines
    sizes: list[int]
    all_same: bool
    checked: list[CheckedLine | BadLine]
    earlier: Sequence[ItemMark] = ()
    continued: Mapping[str, ContinuedFile] = MappingProxyType({})


_make_checked = partial(tuple.__new__, CheckedLine)
_name_of, _digest_of, _size_of = map(itemgetter, (1, 2, 3))  # of a ManifestLine; half the time of its attributes


def check_lines(
    manifest: ChecksumManifest,
    *,
    root: Path = Path(),
    report: Report = ignore,
    stop: StopSignal = never,
    phase: str = PHASE,
    journal: Journal = no_journal,
) -> Iterator[CheckedLine | BadLine]:
    """Yields what became of each line, in the order of the lines; a name may stand twice.

    Names are opened as sha256sum opens them: relative ones from `root`, links followed, absolute ones and `..` as they
    are. What is no regular file is UNREADABLE (an empty device is an empty file, a disk is read); a pipe is not waited
    for. In the GNU and BSD forms the name `-` is standard input. `report` gets BytesDone and ItemDone of `phase`;
    Planned and Ended are the caller's. Memory is bounded: at most 65,536 lines are begun and not yielded. With a
    `journal` that is kept, files that an earlier run has found right, and whose size, times and inode have not changed
    since, are not read again, and a large one is gone on with after the last 64 MiB; `check_batches` says which.

    Raises: OperationStopped, and then nothing is claimed for the rest; SourceUnreadable for the manifest.
    """
    batches = check_batches(manifest, root=root, report=report, stop=stop, phase=phase, journal=journal)
    with contextlib.closing(batches):
        for batch in batches:
            yield from same_lines(batch) if batch.all_same else batch.checked


def same_lines(batch: CheckedLines) -> Iterator[CheckedLine]:
    """Returns the results of a batch whose lines are all the same as their files."""
    _numbers, _names, digests, _sizes = zip(*batch.lines, strict=True)
    rows = zip(batch.lines, repeat(LineState.SAME), digests, batch.sizes, repeat(None), strict=False)
    return map(_make_checked, rows)


def check_batches(
    manifest: ChecksumManifest,
    *,
    root: Path = Path(),
    report: Report = ignore,
    stop: StopSignal = never,
    phase: str = PHASE,
    journal: Journal = no_journal,
) -> Generator[CheckedLines]:
    """Yields the same as `check_lines`, some hundred lines at a time, without an object for each line that is right.

    Raises: as check_lines.
    """
    marks = LineMarks(journal, phase, root) if journal.is_kept else None
    checkpoints = FileCheckpoints(journal, phase) if journal.is_kept else None
    workers: HashWorkers[_Part] = HashWorkers(
        root, count_workers(), stop=stop, report=report, phase=phase, follow_symlinks=True, in_order=True,
        checkpoints=checkpoints,
    )  # fmt: skip
    reads_input = manifest.dialect in (Dialect.SHA256SUM, Dialect.BSD)
    are_many = manifest.size >= SHORTEST_LINE * PROCESSES_AFTER
    with contextlib.closing(workers.hash_all(_cut_lines(manifest, reads_input, marks), are_many=are_many)) as batches:
        for batch in batches:
            if marks is None or checkpoints is None:
                yield _compare(batch, stop)
            else:
                continued = _confirm_continued(batch, checkpoints, root, stop)
                yield _compare_and_mark(batch, stop, marks)._replace(continued=continued)


class _Part(NamedTuple):
    """`good` is what of `lines` is to be checked; `inputs` are the positions of standard input in it, `stamps` those of
    its files. `earlier` are marks of an earlier run, by the places in `lines` of what is not in `good`."""

    lines: Lines
    good: list[ManifestLine]
    inputs: list[int]
    stamps: list[str]
    earlier: Mapping[int, ItemMark]


def _cut_lines(manifest: ChecksumManifest, reads_input: bool, marks: LineMarks | None) -> Iterator[HashBatch[_Part]]:
    sizes = batch_sizes(in_order=True)
    for batch in manifest.batches():
        start = 0
        while start < len(batch):
            lines = batch[start : start + next(sizes)]
            start += len(lines)
            good = lines if _are_good(lines) else [line for line in lines if isinstance(line, ManifestLine)]
            earlier = _find_earlier(marks, lines, reads_input) if marks is not None else {}
            if earlier:
                rest = (each for place, each in enumerate(lines) if place not in earlier)
                good = [line for line in rest if isinstance(line, ManifestLine)]
            names = list(map(_name_of, good))
            inputs: list[int] = []
            if reads_input and _STANDARD_INPUT in names:
                inputs = [position for position, name in enumerate(names) if name == _STANDARD_INPUT]
                names = ["" if name == _STANDARD_INPUT else name for name in names]
            stamps = marks.stamp_all(names) if marks is not None else []
            yield HashBatch(names, _Part(lines, good, inputs, stamps, earlier), weight=len(lines))


def _find_earlier(marks: LineMarks, lines: Lines, reads_input: bool) -> Mapping[int, ItemMark]:
    places = [
        place
        for place, each in enumerate(lines)
        if isinstance(each, ManifestLine) and not (reads_input and each.name == _STANDARD_INPUT)
    ]
    found = marks.find_same([lines[place] for place in places])  # type: ignore[misc]
    return {places[index]: mark for index, mark in found.items()}


def _are_good(lines: Lines) -> TypeGuard[list[ManifestLine]]:
    return set(map(type, lines)) == {ManifestLine}


def _compare(batch: HashBatch[_Part], stop: StopSignal) -> CheckedLines:
    lines, good, inputs, _stamps, earlier = batch.tag
    if not batch.errors and len(good) == len(lines) and good:
        sizes_fit = set(map(_size_of, good)) == {None} or all(map(_size_fits, map(_size_of, good), batch.sizes))
        if sizes_fit and "".join(map(_digest_of, good)) == batch.digests.hex():
            return CheckedLines(lines, batch.sizes, True, [])
    found = batch.hex_digests()
    checked: list[CheckedLine | BadLine] = []
    position = 0
    for place, line in enumerate(lines):
        if isinstance(line, BadLine):
            checked.append(line)
            continue
        if place in earlier:
            checked.append(CheckedLine(line, LineState.SAME, line.digest, earlier[place].size, None))
            continue
        if position in inputs:
            checked.append(_check_standard_input(line, stop))
        else:
            checked.append(_judge(line, found[position], batch.sizes[position], batch.errors.get(position)))
        position += 1
    return CheckedLines(lines, batch.sizes, False, checked, tuple(earlier.values()))


def _confirm_continued(
    batch: HashBatch[_Part], checkpoints: FileCheckpoints, root: Path, stop: StopSignal
) -> Mapping[str, ContinuedFile]:
    """Returns which files of the batch were gone on with. What is not right then is read again as a whole."""
    if not checkpoints.continued:
        return {}
    digests, right = batch.hex_digests(), {}
    for position, name in enumerate(batch.paths):
        continued = checkpoints.continued.pop(name, None)
        if continued is None:
            continue
        if position not in batch.errors and digests[position] == batch.tag.good[position].digest:
            right[name] = continued
        else:
            _hash_again(batch, position, root, stop)
    return right


def _hash_again(batch: HashBatch[_Part], position: int, root: Path, stop: StopSignal) -> None:
    workers: HashWorkers[None] = HashWorkers(root, 1, stop=stop, report=ignore, phase=PHASE, follow_symlinks=True)
    with contextlib.closing(workers.hash_all([HashBatch([batch.paths[position]], None)])) as again:
        for one in again:
            batch.errors.pop(position, None)
            if one.errors:
                batch.errors[position] = one.errors[0]
            batch.sizes[position] = one.sizes[0]
            found = bytearray(batch.digests)
            found[position * DIGEST_BYTES : (position + 1) * DIGEST_BYTES] = one.digests
            batch.digests = found


def _compare_and_mark(batch: HashBatch[_Part], stop: StopSignal, marks: LineMarks) -> CheckedLines:
    compared = _compare(batch, stop)
    lines, _good, inputs, stamps, earlier = batch.tag
    checked = list(same_lines(compared)) if compared.all_same else compared.checked
    changed = {*batch.changed, *inputs}
    read = iter(enumerate(stamps))
    now: dict[int, str] = {}
    for place, each in enumerate(lines):
        if isinstance(each, BadLine):
            now[place] = ""
        elif place not in earlier:
            position, stamp = next(read)
            now[place] = "" if position in changed else stamp
    marks.record(checked, now)
    return compared


def _size_fits(listed: int | None, found: int) -> bool:
    return listed is None or listed == found


def _judge(line: ManifestLine, found: str, size: int, error: OSError | None) -> CheckedLine:
    if error is not None:
        state = LineState.MISSING if error.errno in _GONE else LineState.UNREADABLE
        return CheckedLine(line, state, None, None, error)
    is_same = found == line.digest and _size_fits(line.size, size)
    return CheckedLine(line, LineState.SAME if is_same else LineState.CHANGED, found, size, None)


def _check_standard_input(line: ManifestLine, stop: StopSignal) -> CheckedLine:
    try:
        if sys.stdin is None:
            raise OSError(errno.EBADF, "Bad file descriptor")
        found, size = hash_stream(read_chunks(sys.stdin.buffer, stop=stop))
    except OSError as error:
        return _judge(line, "", 0, error)
    return _judge(line, found, size, None)
