"""Finds lines of a manifest that want one path and different contents, however far apart they stand.

Memory: 12 bytes a line. Each good line leaves 64 bits for its path and 32 for its digest, made with a key that nobody
else knows. Sorted, the suspects stand side by side; they alone are read again and compared by their whole paths.
"""

from __future__ import annotations

import hashlib
import secrets
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple, Protocol

from archive_tui.errors import InvalidName, ManifestError
from archive_tui.manifests.checksum_lines.line import BadLine, ManifestLine
from archive_tui.names.fetch_paths import find_fetch_path
from archive_tui.progress import StopSignal, check_stop, never

MOST_CONTRADICTIONS = 100_000
"""Paths with several contents from which a manifest is refused as a whole: it lists nothing that could be meant."""

_PARTITIONS = 256
_COMPRESSED_FROM = 1 << 18
_STOP_EVERY = 1024


class Lines(Protocol):
    """What is needed of an open manifest."""

    def lines(self) -> Iterator[ManifestLine | BadLine]: ...


class _Claim(NamedTuple):
    """The first line that wants a path, and the first that wants another content there (0: none)."""

    number: int
    digest: str
    other: int = 0


@dataclass(slots=True)
class Contradictions:
    """`lines` counts the good lines of the manifest."""

    lines: int = 0
    _claims: dict[str, _Claim] = field(default_factory=dict)

    def find(self, line: ManifestLine, path: str) -> int | None:
        """Returns the number of a line that wants another content at the path of `line`, or None."""
        claim = self._claims.get(path)
        if claim is None or not claim.other:
            return None
        return claim.other if line.digest == claim.digest else claim.number


def find_contradictions(manifest: Lines, *, stop: StopSignal = never) -> Contradictions:
    """Reads the manifest once, and again if it has suspects. Lines whose names are refused are left out.

    Raises: ManifestError when more than MOST_CONTRADICTIONS paths have several contents; OperationStopped; what reading
    the manifest raises.
    """
    key = secrets.token_bytes(16)
    found = Contradictions()
    suspects = _find_suspects(manifest, key, found, stop)
    if suspects:
        _compare_suspects(manifest, key, suspects, found, stop)
    return found


class _Partition:
    """The marks of some paths with the marks of their digests, 12 bytes for each line."""

    def __init__(self) -> None:
        self._paths = array("Q")
        self._digests = array("I")
        self._limit = _COMPRESSED_FROM

    def add(self, path: int, digest: int) -> None:
        self._paths.append(path)
        self._digests.append(digest)
        if len(self._paths) >= self._limit:
            # Only lines that repeat a few paths fill one partition so far: two digests of each say it all.
            distinct = {pair[0]: pair for pair in zip(self._paths, self._digests, strict=True)}
            others = [pair for pair in zip(self._paths, self._digests, strict=True) if distinct[pair[0]] != pair]
            distinct_others = {pair[0]: pair for pair in others}
            kept = [*distinct.values(), *distinct_others.values()]
            self._paths = array("Q", (path for path, _ in kept))
            self._digests = array("I", (digest for _, digest in kept))
            self._limit = max(_COMPRESSED_FROM, 2 * len(kept))

    def take_suspects(self) -> list[int]:
        """Returns the marks that stand with several digests, and forgets everything."""
        paths, digests = self._paths, self._digests
        self._paths, self._digests = array("Q"), array("I")
        ordered = sorted(range(len(paths)), key=paths.__getitem__)
        return [
            paths[after]
            for before, after in pairwise(ordered)
            if paths[before] == paths[after] and digests[before] != digests[after]
        ]


def _find_suspects(manifest: Lines, key: bytes, found: Contradictions, stop: StopSignal) -> set[int]:
    partitions = [_Partition() for _ in range(_PARTITIONS)]
    for count, news in enumerate(manifest.lines()):
        if count % _STOP_EVERY == 0:
            check_stop(stop)
        if isinstance(news, BadLine):
            continue
        found.lines += 1
        mark = _mark_of(news, key)
        if mark is not None:
            partitions[mark % _PARTITIONS].add(mark, _short_hash(bytes.fromhex(news.digest), key, 4))
    suspects: set[int] = set()
    for partition in partitions:
        suspects.update(partition.take_suspects())
        _check_count(len(suspects))
    return suspects


def _check_count(count: int) -> None:
    if count > MOST_CONTRADICTIONS:
        raise ManifestError(
            f"More than {MOST_CONTRADICTIONS:,} paths stand in the manifest with several contents each",
            hint="Nothing was written. Split the manifest into lists that each can be true at once.",
            code="manifest-duplicate",
        )


def _compare_suspects(manifest: Lines, key: bytes, suspects: set[int], found: Contradictions, stop: StopSignal) -> None:
    claims = found._claims
    for count, news in enumerate(manifest.lines()):
        if count % _STOP_EVERY == 0:
            check_stop(stop)
        mark = None if isinstance(news, BadLine) else _mark_of(news, key)
        if mark is None or isinstance(news, BadLine) or mark not in suspects:
            continue
        path = find_fetch_path(news.name)
        claim = claims.setdefault(path, _Claim(news.number, news.digest))
        if not claim.other and claim.digest != news.digest:
            claims[path] = claim._replace(other=news.number)


def _mark_of(line: ManifestLine, key: bytes) -> int | None:
    try:
        path = find_fetch_path(line.name)
    except InvalidName:
        return None
    return _short_hash(path.encode("utf-8", "surrogateescape"), key, 8)


def _short_hash(content: bytes, key: bytes, size: int) -> int:
    return int.from_bytes(hashlib.blake2b(content, key=key, digest_size=size).digest(), "little")
