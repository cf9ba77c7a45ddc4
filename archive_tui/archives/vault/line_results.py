"""The results of single lines, with the sentence that says what is wrong and what to do."""

from __future__ import annotations

from archive_tui.archives.vault.looking import ABSENT_PLACES, Look
from archive_tui.archives.vault.outcomes import EarlierResult, LineResult, Outcome
from archive_tui.errors import (
    AccessDenied,
    ArchiveError,
    ConfigurationError,
    HashError,
    InvalidName,
    ObjectExists,
    ObjectNotFound,
    OperationStopped,
    SourceChanged,
    SourceNotFound,
    SourceUnreadable,
    StorageFull,
    StorageUnavailable,
)
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.names.display import escape_for_display
from archive_tui.objects.object_store import ObjectStore, Support

_OUTCOMES: tuple[tuple[type[ArchiveError], Outcome], ...] = (
    (SourceNotFound, Outcome.MISSING),
    (SourceUnreadable, Outcome.UNREADABLE),
    (SourceChanged, Outcome.CHANGED),
    (InvalidName, Outcome.REFUSED),
)


def is_fatal(error: ArchiveError, store: ObjectStore, *, writing: bool = False) -> bool:
    """True for what befalls every line that follows as well: then the run ends. A folder that does not let an object
    be read may do so for that object only; who may not write there, or may not pass a server, may not at all."""
    if isinstance(error, AccessDenied):
        is_folder = store.traits.atomic_rename is Support.YES
        return not is_folder or (writing and error.code != "symlink-in-path")
    if isinstance(error, OperationStopped | StorageUnavailable | StorageFull | ConfigurationError):
        return True
    return error.code in ABSENT_PLACES or error.code == "tls"


def from_look(line: ManifestLine, look: Look, place: str) -> LineResult:
    """The result of asking: HELD, ABSENT or DAMAGED. `place` is the title of the vault."""
    if look.outcome is Outcome.ABSENT:
        name = escape_for_display(line.name)
        absent = ObjectNotFound(
            f"Not in the vault {place}: {name}",
            key=look.key,
            hint="Archive it from where the file is: archive-tui manifest --archive",
        )
        return LineResult(line, Outcome.ABSENT, look.key, error=absent)
    if look.outcome is Outcome.DAMAGED:
        return _damaged(line, look, place)
    earlier = EarlierResult(look.outcome, look.earlier) if look.earlier is not None else None
    return LineResult(line, look.outcome, look.key, look.evidence, look.size, earlier=earlier)


def already_there(line: ManifestLine, look: Look) -> LineResult:
    return LineResult(line, Outcome.ALREADY_THERE, look.key, look.evidence, look.size)


def _damaged(line: ManifestLine, look: Look, place: str) -> LineResult:
    error = HashError(
        f"The vault {place} holds other bytes under the digest of {escape_for_display(line.name)}: "
        f"expected {line.digest}, found {look.found or 'something else'}, key {look.key}",
        hint="It was left as it is, and no copy of the right bytes lies there. Look at the object and its storage, "
        "remove it by the storage's own means, and archive the file again.",
    )
    return LineResult(line, Outcome.DAMAGED, look.key, look.evidence, look.size, look.found, error)


def other_content(line: ManifestLine, look: Look, place: str) -> LineResult:
    """The result of archiving below a path where another object has the key."""
    error = ObjectExists(
        f"Another content lies in {place} under the key {look.key}: expected {line.digest}, found "
        f"{look.found or 'something else'}",
        key=look.key,
        store=place,
        hint="What is stored is never replaced. Choose another prefix.",
    )
    return LineResult(line, Outcome.EXISTS, look.key, look.evidence, look.size, look.found, error)


def changed(line: ManifestLine, found: str | None, size: int | None) -> LineResult:
    """The result for a file that is no longer what its line says; `found` None: it kept changing."""
    name = escape_for_display(line.name)
    difference = f"expected {line.digest}, found {found or 'changing content'}"
    if found == line.digest:
        difference = f"{size} bytes instead of {line.size}, although the digest is right"
    error = SourceChanged(
        f"No longer what its line says: {name}: {difference}",
        path=line.name,
        hint="Nothing of it was uploaded. If the change is meant, list the file again.",
    )
    return LineResult(line, Outcome.CHANGED, size=size, found=found, error=error)


def failed(line: ManifestLine, error: ArchiveError, key: str = "") -> LineResult:
    """The result for a line that could not be done, from the error that says why."""
    outcome = next((outcome for kind, outcome in _OUTCOMES if isinstance(error, kind)), Outcome.FAILED)
    return LineResult(line, outcome, key, error=error)
