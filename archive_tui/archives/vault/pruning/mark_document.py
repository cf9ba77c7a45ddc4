"""The document of marks: which contents of a vault nobody referred to, since when, and which are being deleted."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from archive_tui.errors import ManifestError
from archive_tui.integrity.digest import is_sha256_hex

FORMAT = "archive-tui prune marks"
VERSION = 1
LARGEST = 128 << 20
"""Bytes of a document that is read."""


@dataclass(frozen=True, slots=True)
class MarkRound:
    """Contents that were marked together. `marked` in seconds since the epoch by the clock of the store; None: it is
    the time at which the store has taken the document. `marked_here` is the same by the clock of who marked them."""

    marked: float | None
    marked_here: float
    digests: frozenset[str]


@dataclass(frozen=True, slots=True)
class Claim:
    """What a run deletes at this moment. `since` in seconds since the epoch by the clock of the store; None: it is the
    time at which the store has taken the document."""

    since: float | None
    digests: frozenset[str]


@dataclass(frozen=True, slots=True)
class PruneMarks:
    """`claims` by the runs that hold them. What is claimed is marked as well."""

    rounds: tuple[MarkRound, ...] = ()
    claims: Mapping[str, Claim] = field(default_factory=dict)

    @property
    def marked(self) -> frozenset[str]:
        return frozenset().union(*(each.digests for each in self.rounds))

    @property
    def claimed(self) -> frozenset[str]:
        return frozenset().union(*(each.digests for each in self.claims.values()))

    def times(self) -> dict[str, MarkRound]:
        """Returns the round of each marked content."""
        return {digest: each for each in self.rounds for digest in each.digests}

    def dated(self, taken: float | None) -> PruneMarks:
        """Fills in when the store has taken the document that these marks were read from."""
        rounds = (replace(each, marked=taken) if each.marked is None else each for each in self.rounds)
        claims = {
            name: replace(each, since=taken) if each.since is None else each for name, each in self.claims.items()
        }
        return PruneMarks(tuple(rounds), claims)

    def adding(self, digests: Collection[str], marked_here: float) -> PruneMarks:
        fresh = frozenset(digests) - self.marked
        if not fresh:
            return self
        return replace(self, rounds=(*self.rounds, MarkRound(None, marked_here, fresh)))

    def without(self, digests: Collection[str]) -> PruneMarks:
        """Takes marks away; claims stay as they are."""
        gone = frozenset(digests)
        rounds = (replace(each, digests=each.digests - gone) for each in self.rounds)
        return replace(self, rounds=tuple(each for each in rounds if each.digests))

    def claiming(self, owner: str, digests: Collection[str]) -> PruneMarks:
        """Lets the run claim just these; none: its claim ends."""
        claims = {name: claim for name, claim in self.claims.items() if name != owner}
        return replace(self, claims=claims | ({owner: Claim(None, frozenset(digests))} if digests else {}))


def format_marks(marks: PruneMarks) -> bytes:
    """Returns the document; no two are ever the same, so that a store tells them apart."""
    rounds = [
        {"marked": each.marked, "marked_here": each.marked_here, "digests": sorted(each.digests)}
        for each in marks.rounds
    ]
    document = {
        "format": FORMAT,
        "version": VERSION,
        "written": uuid.uuid4().hex,
        "rounds": rounds,
        "claims": {
            name: {"since": claim.since, "digests": sorted(claim.digests)}
            for name, claim in sorted(marks.claims.items())
        },
    }
    return json.dumps(document, indent=1).encode("ascii")


def parse_marks(content: bytes, where: str) -> PruneMarks:
    """`where` is for people. Raises: ManifestError (prune-marks) for what is damaged, or newer than this release."""
    try:
        document = json.loads(content)
        if document["format"] != FORMAT or document["version"] != VERSION:
            raise ValueError("of another format or release")
        rounds = tuple(_parse_round(each) for each in document["rounds"])
        claims = {str(name): _parse_claim(each) for name, each in document["claims"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ManifestError(
            f"The marks of the vault cannot be used: {where}",
            hint="Another release may have written them. When no prune is running, move the document away; "
            "every content is then marked anew, and the grace time begins again.",
            code="prune-marks",
        ) from error
    return PruneMarks(rounds, claims)


def _parse_round(document: Any) -> MarkRound:
    return MarkRound(
        _parse_taken(document["marked"]), _parse_time(document["marked_here"]), _parse_digests(document["digests"])
    )


def _parse_claim(document: Any) -> Claim:
    return Claim(_parse_taken(document["since"]), _parse_digests(document["digests"]))


def _parse_taken(value: Any) -> float | None:
    return None if value is None else _parse_time(value)


def _parse_time(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e11:
        raise ValueError("no time")
    return float(value)


def _parse_digests(listed: Any) -> frozenset[str]:
    if not isinstance(listed, list) or not all(isinstance(each, str) and is_sha256_hex(each) for each in listed):
        raise ValueError("no digests")
    return frozenset(each.lower() for each in listed)
