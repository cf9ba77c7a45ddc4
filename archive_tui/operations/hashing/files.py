"""Hashes files at the speed of the machine: a few huge ones by threads, very many small ones by processes.

hashlib lets other threads run while it hashes a large block, so threads share large files. For small ones the
interpreter itself is the limit, and threads only get in each other's way: one thread takes whole folders, and above
some thousands of files a second process does the same beside it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sized
from pathlib import Path

from archive_tui.errors import SourceError
from archive_tui.integrity.streams import hash_descriptor
from archive_tui.operations.hashing.batches import HashBatch, HashedFile, cut_batches
from archive_tui.operations.hashing.workers import PROCESSES_AFTER, HashWorkers
from archive_tui.operations.scanning.contained_open import source_not_found, translate_read_error
from archive_tui.progress import Report, StopSignal, ignore, never

__all__ = ["HashedFile", "count_workers", "hash_batches", "hash_file", "hash_files"]

MOST_WORKERS = 4


def count_workers(threads: int | None = None) -> int:
    """Returns how many files are hashed at once: `threads`, or one for each core we may use, at most 4."""
    if threads is not None:
        return max(1, threads)
    return max(1, min(len(os.sched_getaffinity(0)), MOST_WORKERS))


def hash_file(
    path: str | os.PathLike[str], *, done: Callable[[int], None] | None = None, stop: StopSignal = never
) -> tuple[str, int]:
    """Returns the SHA-256 and the size of a file; memory does not grow with it. Symbolic links are followed.

    `done` receives the absolute number of bytes after each block.

    Raises: SourceNotFound, SourceUnreadable, SourceError, OperationStopped.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise source_not_found(Path(path)) from error
    except OSError as error:
        raise translate_read_error(os.fspath(path), error) from error
    try:
        return hash_descriptor(descriptor, done=done, stop=stop)
    except SourceError:
        raise
    except OSError as error:
        raise translate_read_error(os.fspath(path), error) from error
    finally:
        os.close(descriptor)


def hash_files(
    root: Path,
    paths: Iterable[str],
    *,
    report: Report = ignore,
    stop: StopSignal = never,
    threads: int | None = None,
    phase: str = "hash",
    follow_symlinks: bool = False,
    in_order: bool = False,
) -> Iterator[HashedFile]:
    """Yields every one of `paths` (relative to `root`, with `/`) hashed, in ANY order; sorted paths are read fastest.

    A file that cannot be read is yielded with its error; so is what is no regular file, and what lies behind a symbolic
    link (below `root` none is followed). `report` gets BytesDone and ItemDone of `phase` some times a second, from
    several threads; Planned and Ended are the caller's. Memory does not grow with the number of paths or their sizes:
    at most 65,536 are begun and not yielded.

    `in_order`: in the order of `paths`, in which one may stand twice. `follow_symlinks`: a path is what open(2) takes,
    absolute, with `..` and through links; a pipe, a socket and a device with content are still errors (EINVAL), so that
    none is waited for; a disk is read, /dev/null is empty. Work is handed out by the thread that asks for results.

    Raises: OperationStopped, within one block of a large file or a few hundred small ones.
    """
    found = hash_batches(
        root,
        paths,
        report=report,
        stop=stop,
        threads=threads,
        phase=phase,
        follow_symlinks=follow_symlinks,
        in_order=in_order,
    )
    with contextlib.closing(found) as batches:
        for batch in batches:
            yield from batch.files()


def hash_batches(
    root: Path,
    paths: Iterable[str],
    *,
    report: Report = ignore,
    stop: StopSignal = never,
    threads: int | None = None,
    phase: str = "hash",
    follow_symlinks: bool = False,
    in_order: bool = False,
) -> Generator[HashBatch[None]]:
    """Yields the same as `hash_files`, at most 256 files at a time, without an object for each.

    Raises: as hash_files.
    """
    workers: HashWorkers[None] = HashWorkers(
        root,
        count_workers(threads),
        stop=stop,
        report=report,
        phase=phase,
        follow_symlinks=follow_symlinks,
        in_order=in_order,
    )
    are_many = isinstance(paths, Sized) and len(paths) >= PROCESSES_AFTER
    return workers.hash_all(cut_batches(paths, in_order=in_order), are_many=are_many)
