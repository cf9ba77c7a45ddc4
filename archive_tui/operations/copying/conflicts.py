"""Another content lies where an object is to go: what is asked, and which answers are possible."""

from __future__ import annotations

from datetime import datetime

from archive_tui.conflicts import Conflict, ConflictRule
from archive_tui.names.protected_keys import find_content_digest, find_protection
from archive_tui.names.quantities import format_size
from archive_tui.objects.object_store import ObjectInfo, ObjectStore, Support
from archive_tui.operations.selected_entries import whole_key

IN_THE_WAY = "something else, such as a folder,"


def make_conflict(item: str, key: str, wanted: ObjectInfo, target: ObjectStore, there: ObjectInfo | None) -> Conflict:
    """`there` None: no object, but something that takes the name all the same, such as a folder."""
    return Conflict(
        item=item,
        place=f"{target.label} {key}",
        found=IN_THE_WAY.strip(",") if there is None else _describe(there),
        wanted=_describe(wanted),
        choices=_find_choices(key, target, there),
    )


def _find_choices(key: str, target: ObjectStore, there: ObjectInfo | None) -> tuple[ConflictRule, ...]:
    """Published versions and contents of a vault are never replaced, nor is what the store cannot replace safely; a
    content has one address only."""
    whole = whole_key(target, key)
    if find_content_digest(whole) is not None:
        return (ConflictRule.KEEP,)
    may_replace = (
        there is not None
        and there.version is not None
        and target.traits.conditional_replace is not Support.NO
        and find_protection(whole) is None
    )
    rules = (ConflictRule.KEEP, ConflictRule.KEEP_BOTH)
    return (*rules, ConflictRule.REPLACE) if may_replace else rules


def explain_keeping(target: ObjectStore, key: str, rule: ConflictRule, there: ObjectInfo | None) -> str:
    """Why what lies there stays, for the finding; `rule` is what was chosen."""
    what = IN_THE_WAY if there is None else "another content"
    protection = find_protection(whole_key(target, key))
    if protection is not None:
        return f"{what} lies there and was kept: {protection} is never replaced"
    if rule is ConflictRule.REPLACE and there is not None:
        return f"{what} lies there and was kept: it cannot be replaced safely"
    return f"{what} lies there and was kept"


def _describe(info: ObjectInfo) -> str:
    size = format_size(info.size)
    if info.modified is None:
        return size
    return f"{size}, {datetime.fromtimestamp(info.modified).isoformat(' ', 'minutes')}"
