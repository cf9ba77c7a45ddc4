"""One test per guarantee of `ObjectStore`. Every store runs all of them, against a real place."""

from __future__ import annotations

from tests.conformance.behaviour_guarantees import BehaviourGuarantees
from tests.conformance.continuation_guarantees import ContinuationGuarantees
from tests.conformance.listing_guarantees import ListingGuarantees
from tests.conformance.put_guarantees import PutGuarantees
from tests.conformance.reading_guarantees import ReadingGuarantees
from tests.conformance.replacement_guarantees import ReplacementGuarantees
from tests.conformance.rereading_guarantees import RereadingGuarantees
from tests.conformance.store_samples import (
    ILLEGAL_KEYS,
    LEGAL_KEYS,
    MIB,
    RereadableSource,
    SourceBrokeError,
    SourceTornAway,
    TrackedChunk,
    digest_of,
    in_chunks,
    listed_keys,
    make_content,
    put_bytes,
    read_all,
    shown,
)

__all__ = [
    "ILLEGAL_KEYS",
    "LEGAL_KEYS",
    "MIB",
    "ObjectStoreSuite",
    "RereadableSource",
    "SourceBrokeError",
    "SourceTornAway",
    "TrackedChunk",
    "digest_of",
    "in_chunks",
    "listed_keys",
    "make_content",
    "put_bytes",
    "read_all",
    "shown",
]


class ObjectStoreSuite(
    PutGuarantees,
    RereadingGuarantees,
    ReplacementGuarantees,
    ReadingGuarantees,
    ListingGuarantees,
    ContinuationGuarantees,
    BehaviourGuarantees,
):
    """Subclass it as `Test…`, give a `store` fixture (function scope: a fresh, empty store), and set what differs.

    `large_size`: bytes of an object that takes the store's way for large ones (several parts).
    `many_keys`: how many objects the listing test makes; more than one page of the server.
    `refused_keys`: the members of LEGAL_KEYS that this place cannot keep; they must be refused with InvalidName, and
    the others must survive.
    `memory_limit`: bytes that a put and a read of `memory_size` bytes may hold at their peak.
    `measures_memory`: False where the content stays in this process (a memory store, a server in a thread); then only
    the chunks pulled ahead are counted, and they may hold `memory_limit` bytes.
    `chunks_after_stop`: chunks that may still be pulled after the stop was set.
    `secrets`: texts that may stand neither in the label, the identity nor the repr.
    `is_remote`: True for a store behind a network; then `losing_replies` and `failing_commits` must be.
    `continues_uploads`: True for a store that sends large ones in parts and goes on with them; then `parts_at` and
    `counting_parts` must be. `keeps_discarded`: unfinished uploads cannot be removed at once. `refuses_other_parts`: a
    part that has arrived cannot be replaced.
    `parts_at(store, key)`: numbers of the parts of an unfinished upload that have arrived.
    `counting_parts(store)`: a context manager that gives a list; the numbers of the parts that are sent come into it.
    `leftovers(store)`: names of temporary things that lie around (parts, multipart uploads); asked after every test.
    `losing_replies(store)`: a context manager in which the server commits writes and the reply is lost.
    `failing_commits(store)`: one in which the server refuses the next write with a passing error, and does not act.
    """
