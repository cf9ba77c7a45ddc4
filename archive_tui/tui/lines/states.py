"""The integrity states that the screens show, and the glyphs for them. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from archive_tui.archives.datasafe.safe import SafeState
from archive_tui.archives.vault.views.manifest_states import DiskState, VaultState
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.tui.lines.times import format_age


@dataclass(frozen=True, slots=True)
class StateLook:
    """`style` names a component style of the line-drawn widgets; `is_alarm`: the word is shown at any width."""

    glyph: str
    ascii: str
    word: str
    style: str
    is_alarm: bool = False


class IntegrityState(Enum):
    VERIFIED = StateLook("✓", "v", "verified", "proven")
    ATTESTED = StateLook("◆", "a", "attested", "attested")
    RECORDED = StateLook("▪", "r", "recorded", "attested")
    SAMPLED = StateLook("◐", "s", "sampled", "attested")
    UNCHANGED = StateLook("◇", ".", "unchanged", "weak")
    COPIED = StateLook("◇", ".", "copied", "weak")
    LISTED = StateLook("◇", ".", "listed", "weak")
    STALE = StateLook("~", "~", "stale", "doubtful", is_alarm=True)
    DAMAGED = StateLook("✗", "X", "damaged", "damaged", is_alarm=True)
    MISSING = StateLook("○", "o", "missing", "damaged", is_alarm=True)
    UNKNOWN = StateLook("?", "?", "unknown", "doubtful", is_alarm=True)
    RUNNING = StateLook("▸", ">", "running", "running")


_BY_LEVEL = {
    EvidenceLevel.LISTED: IntegrityState.LISTED,
    EvidenceLevel.COPIED: IntegrityState.COPIED,
    EvidenceLevel.UNCHANGED: IntegrityState.UNCHANGED,
    EvidenceLevel.RECORDED: IntegrityState.RECORDED,
    EvidenceLevel.SAMPLED: IntegrityState.SAMPLED,
    EvidenceLevel.ATTESTED: IntegrityState.ATTESTED,
    EvidenceLevel.READ: IntegrityState.VERIFIED,
    EvidenceLevel.RESTORED: IntegrityState.VERIFIED,
    EvidenceLevel.DAMAGED: IntegrityState.DAMAGED,
}


def state_of(evidence: Evidence | None, *, is_stale: bool = False) -> IntegrityState:
    """What is known of a listed object; `is_stale`: it is no longer the object that the evidence is about."""
    return state_of_level(None if evidence is None else evidence.level, is_stale=is_stale)


def state_of_level(level: EvidenceLevel | None, *, is_stale: bool = False) -> IntegrityState:
    """The same where only the level is at hand; None: nothing is known but that it is listed."""
    if is_stale:
        return IntegrityState.STALE
    return IntegrityState.LISTED if level is None else _BY_LEVEL[level]


def format_state(
    state: IntegrityState,
    checked_at: float | None,
    *,
    with_word: bool,
    ascii_only: bool = False,
    now: float | None = None,
) -> str:
    """`✓ verified 2 d`, or `✓ 2 d` where there is little room; what is wrong always has its word."""
    look = state.value
    glyph = look.ascii if ascii_only else look.glyph
    age = format_age(checked_at, now)
    if with_word:
        return f"{glyph} {look.word} {age}".rstrip()
    return f"{glyph} {look.word if look.is_alarm else age}".rstrip()


DISK_LOOKS: dict[DiskState, StateLook] = {
    DiskState.UNKNOWN: StateLook("?", "?", "unknown", "weak"),
    DiskState.THERE: StateLook("?", "?", "not read", "weak"),
    DiskState.SAME: StateLook("✓", "v", "same", "proven"),
    DiskState.CHANGED: StateLook("✗", "X", "changed", "damaged", is_alarm=True),
    DiskState.MISSING: StateLook("○", "o", "missing", "damaged", is_alarm=True),
    DiskState.UNREADABLE: StateLook("!", "!", "unread.", "doubtful", is_alarm=True),
}
"""Of the file that a line of a manifest names; `?` stands for bytes that nobody has read."""

VAULT_LOOKS: dict[int, StateLook] = {
    VaultState.UNKNOWN: StateLook("?", "?", "unknown", "weak"),
    VaultState.ABSENT: StateLook("○", "o", "no", "doubtful", is_alarm=True),
    VaultState.DAMAGED: IntegrityState.DAMAGED.value,
    VaultState.HELD: IntegrityState.LISTED.value,
    **{level.value: look.value for level, look in _BY_LEVEL.items() if level is not EvidenceLevel.DAMAGED},
}
"""Of the content that a line of a manifest names: by VaultState, or by the value of its evidence's level."""

SAFE_LOOKS: dict[SafeState, StateLook] = {
    SafeState.RESERVED: StateLook("○", "o", "reserved", "weak"),
    SafeState.DEPOSITED: StateLook("◇", ".", "deposited", "weak"),
    SafeState.DAMAGED: IntegrityState.DAMAGED.value,
}
"""Of a LOI, as a short look shows it; what was proven of a deposited dataset is shown in its place."""


def format_line_state(look: StateLook, moment: float | None, width: int, *, ascii_only: bool, now: float) -> str:
    """As much of glyph, word and age as fits; what is wrong is said with its word, the rest with its age first."""
    glyph = look.ascii if ascii_only else look.glyph
    age = format_age(moment, now)
    if look.is_alarm:
        return f"{glyph} {look.word}"
    whole = f"{glyph} {look.word} {age}".rstrip()
    return whole if len(whole) <= width else f"{glyph} {age}".rstrip()
