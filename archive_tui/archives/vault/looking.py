"""What a store's word about one object is worth. This is the one place that judges it: to exist is not to be right."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, wait
from datetime import UTC, datetime
from typing import NamedTuple

from archive_tui.archives.vault.outcomes import Outcome
from archive_tui.archives.vault.vault import Vault
from archive_tui.errors import ObjectNotFound, StorageError, StorageUnavailable
from archive_tui.integrity.digest import DIGEST_OF_NOTHING
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.objects.object_store import ObjectInfo, ObjectStore, Support
from archive_tui.operations.object_reading import ObjectReading
from archive_tui.progress import StopSignal, check_stop, never

ABSENT_PLACES = frozenset({"no-such-bucket", "container-missing", "not-a-folder"})
"""Codes of errors that speak of the whole store."""

STOP_SECONDS = 0.1
"""Between two looks at `stop` while the first answer of a server is waited for."""

ATTESTED = "The server says of what it received that it has this digest."
ATTESTED_OTHER = "The server says of what it received that it has another digest."
RECORDED = "The digest that its writer recorded beside it is the expected one; nothing was read."
RECORDED_OTHER = "Its writer recorded another digest beside it; nothing was read."
LISTED = "An object lies under the key; nothing is known of its bytes."
READ = "Read in full and hashed here."
WRONG_SIZE = "Its size cannot be that of a content with this digest."

_SETTLING = frozenset({EvidenceLevel.READ, EvidenceLevel.ATTESTED, EvidenceLevel.RESTORED, EvidenceLevel.UNCHANGED})


class Look(NamedTuple):
    """`outcome` is HELD, ABSENT or DAMAGED. `evidence` and `size` (bytes) are None when it is ABSENT; `found` is the
    digest of the other bytes, where it is known. `earlier`: an earlier run of this job has found it out, at a time in
    seconds since the epoch, and the same version lies there; None: it was looked at now."""

    outcome: Outcome
    key: str
    evidence: Evidence | None = None
    size: int | None = None
    found: str | None = None
    earlier: float | None = None


def look_at(
    vault: Vault,
    digest: str,
    *,
    known: Evidence | None = None,
    read: bool = False,
    reading: ObjectReading | None = None,
    stop: StopSignal = never,
) -> Look:
    """Looks whether the vault holds the content with this digest; see `look_at_key`."""
    return look_at_key(vault.store, vault.key(digest), digest, known=known, read=read, reading=reading, stop=stop)


def look_at_key(
    store: ObjectStore,
    key: str,
    digest: str,
    *,
    known: Evidence | None = None,
    read: bool = False,
    reading: ObjectReading | None = None,
    stop: StopSignal = never,
) -> Look:
    """Looks whether the object under `key` has this digest (lower case), and how surely.

    `known` is what was found out about the object before; it counts only for the very version that lies there now.
    `read`: the object is read whole and hashed, whatever anybody says of it; by `reading`, when there is one.

    Raises: what the store raises, but for an absent object; OperationStopped.
    """
    try:
        if read:
            return _read_whole(reading or ObjectReading(store, stop=stop), store, key, digest)
        return judge(store.identity, store.info(key), digest, known)
    except ObjectNotFound:
        return Look(Outcome.ABSENT, key)


def look_for_version(store: ObjectStore, known: Evidence) -> Look | None:
    """Looks whether the object lies there in the very version that is known to be right; None: in another one.

    Raises: what the store raises, but for an absent object.
    """
    try:
        info = store.info(known.key)
    except ObjectNotFound:
        return Look(Outcome.ABSENT, known.key)
    if known.version is None or info.version != known.version or info.size not in (known.size, -1):
        return None
    return Look(Outcome.HELD, known.key, known, known.size, earlier=known.checked_at)


def judge(store_identity: str, info: ObjectInfo, digest: str, known: Evidence | None = None) -> Look:
    """Returns what is known of an object that the store describes so, without asking or reading any more."""
    earlier = known if known is not None and known.version is not None and known.version == info.version else None
    if earlier is not None and earlier.level is EvidenceLevel.DAMAGED:
        # Reading found it, and nothing has been written since: what the server received is not what it keeps.
        return Look(Outcome.DAMAGED, info.key, earlier, info.size, earlier.digest if earlier.digest != digest else None)
    if _has_wrong_size(info, digest, known):
        return _damaged(store_identity, info, DIGEST_OF_NOTHING if info.size == 0 else None, WRONG_SIZE)
    if info.digest is not None:
        return _judge_word(store_identity, info, digest)
    if earlier is not None and earlier.level in _SETTLING and earlier.digest is not None:
        return _judge_earlier(store_identity, info, digest, earlier)
    return _held(store_identity, info, EvidenceLevel.LISTED, None, LISTED)


def _has_wrong_size(info: ObjectInfo, digest: str, known: Evidence | None) -> bool:
    """A digest has one size: none for that of nothing, some for any other, and the one that was proven before."""
    if info.size < 0:
        return False
    is_proven = known is not None and known.level in _SETTLING and known.digest == digest
    return (info.size == 0) != (digest == DIGEST_OF_NOTHING) or (is_proven and known.size != info.size)  # type: ignore[union-attr]


def _judge_word(store: str, info: ObjectInfo, digest: str) -> Look:
    if info.digest != digest:
        return _damaged(store, info, info.digest, ATTESTED_OTHER if info.attested else RECORDED_OTHER)
    if info.attested:
        return _held(store, info, EvidenceLevel.ATTESTED, digest, ATTESTED)
    return _held(store, info, EvidenceLevel.RECORDED, digest, RECORDED)


def _judge_earlier(store: str, info: ObjectInfo, digest: str, earlier: Evidence) -> Look:
    if earlier.level is EvidenceLevel.UNCHANGED:
        method = earlier.method
    else:
        when = datetime.fromtimestamp(earlier.checked_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
        method = f"The same version as on {when}, when it was {earlier.level.name.lower()}; nothing was read now."
    if earlier.digest != digest:
        return _damaged(store, info, earlier.digest, method)
    return _held(store, info, EvidenceLevel.UNCHANGED, digest, method)


def _read_whole(reading: ObjectReading, store: ObjectStore, key: str, digest: str) -> Look:
    found, read = reading.read(key, digest)
    if found != digest:
        return _damaged(store.identity, read, found, READ)
    return _held(store.identity, read, EvidenceLevel.READ, found, READ)


def _held(store: str, info: ObjectInfo, level: EvidenceLevel, digest: str | None, method: str) -> Look:
    return Look(Outcome.HELD, info.key, _evidence(store, info, level, digest, method), info.size)


def _damaged(store: str, info: ObjectInfo, found: str | None, method: str) -> Look:
    return Look(
        Outcome.DAMAGED, info.key, _evidence(store, info, EvidenceLevel.DAMAGED, found, method), info.size, found
    )


def _evidence(store: str, info: ObjectInfo, level: EvidenceLevel, digest: str | None, method: str) -> Evidence:
    return Evidence(store, info.key, level, digest, info.size, time.time(), method, info.version)


def learn_promises(store: ObjectStore, *, stop: StopSignal = never) -> None:
    """Asks a server that is not known yet whether the digests that it tells are its own; a server that lets nobody
    write cannot be asked, and its word then counts as recorded only.

    Raises: as `require_place`.
    """
    if store.traits.attests_digest is not Support.UNKNOWN:
        return
    # Some servers make a bucket of a misspelt name as soon as the canary of a probe is put into it.
    require_place(store, stop=stop)
    try:
        store.probe()
    except StorageUnavailable:
        raise
    except StorageError as error:
        if error.code in ABSENT_PLACES:
            raise


def require_place(store: ObjectStore, *, stop: StopSignal = never) -> None:
    """Asks a server for a listing before it is asked for contents: to whoever is no such server everything is "not
    found", and that would pass for an answer about the content. A folder is not asked.

    Raises: StorageUnavailable; StorageError when the bucket or container does not exist, or when no storage answers;
    OperationStopped at once, also while a silent server is waited for.
    """
    if store.traits.atomic_rename is Support.YES:
        return
    try:
        _wait_for_listing(store, stop)
    except StorageUnavailable:
        raise
    except ObjectNotFound as error:
        raise StorageError(
            f"No storage answers: {store.label} says of its listing that it is not found",
            store=store.label,
            hint="Check the address of the server and the name of the bucket in the settings; "
            "Try: archive-tui storage test NAME",
            code="no-such-bucket",
        ) from error
    except StorageError as error:
        if error.code in ABSENT_PLACES:
            raise


def _wait_for_listing(store: ObjectStore, stop: StopSignal) -> None:
    """A listing changes nothing, so it may be left alone by whoever does not want to wait for it."""
    answer: Future[object] = Future()

    def ask() -> None:
        try:
            answer.set_result(next(iter(store.list()), None))
        except BaseException as error:  # noqa: BLE001  (carried to the thread that waits, and raised there)
            answer.set_exception(error)

    threading.Thread(target=ask, name="first-answer", daemon=True).start()
    while not wait([answer], STOP_SECONDS).done:
        check_stop(stop)
    answer.result()
