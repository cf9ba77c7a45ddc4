"""What each name becomes, and what would clash: known before anything is touched. Pure, but for the rules of names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archive_tui.errors import ConfigurationError, InvalidName
from archive_tui.names.display import escape_for_display
from archive_tui.names.object_keys import check_key
from archive_tui.names.protected_keys import find_protection
from archive_tui.operations.renaming.rule import RenameRule


@dataclass(frozen=True, slots=True)
class RenameClash:
    """`old` would become `new`, and cannot: `why` is a few words."""

    old: str
    new: str
    why: str


@dataclass(frozen=True, slots=True)
class RenamePlan:
    """Every name that was given is in one of the four. `renames` are pairs of old and new names, `clashes` would meet
    another name, `unchanged` are those that the rule does not fit or that it leaves as they are, `refused` cannot be
    renamed, or not to that, with the reason."""

    renames: tuple[tuple[str, str], ...]
    clashes: tuple[RenameClash, ...]
    unchanged: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]

    @property
    def is_clean(self) -> bool:
        """True when there is something to rename, and nothing in the way."""
        return bool(self.renames) and not self.clashes and not self.refused

    def check(self) -> None:
        """Raises: ConfigurationError (rename-clash, rename-refused, rename-nothing) unless it is clean."""
        if self.clashes:
            first = self.clashes[0]
            old, new = escape_for_display(first.old), escape_for_display(first.new)
            raise ConfigurationError(
                f"Names clash: {old} → {new}, {first.why}{_and_more(len(self.clashes))}",
                hint="Nothing was renamed. Choose other names; --dry-run shows all of them.",
                code="rename-clash",
            )
        if self.refused:
            name, why = self.refused[0]
            raise ConfigurationError(
                f"Cannot be renamed: {escape_for_display(name)}, {why}{_and_more(len(self.refused))}",
                hint="Nothing was renamed. Leave it out, or choose another name.",
                code="rename-refused",
            )
        if not self.renames:
            raise ConfigurationError(
                "No name would change.", hint="Nothing was renamed. Look at the pattern.", code="rename-nothing"
            )


def plan_renames(names: Sequence[str], rule: RenameRule, existing: Iterable[str]) -> RenamePlan:
    """Plans what `names` of one folder become; `existing` are all names that lie in it, these included or not. Names of
    folders end in `/`, and keep it. A name may become one that is itself renamed: names can be exchanged.

    Raises: ConfigurationError (rename-pattern).
    """
    rule.check()
    wanted: list[tuple[str, str]] = []
    unchanged: list[str] = []
    refused: list[tuple[str, str]] = []
    fitted = 0
    for name in dict.fromkeys(names):
        slash = "/" if name.endswith("/") else ""
        old = name.rstrip("/")
        new = rule.apply(old, fitted)
        fitted += new is not None
        if new is None or new == old:
            unchanged.append(name)
            continue
        why = _find_fault(old, new)
        if why:
            refused.append((name, why))
        else:
            wanted.append((name, new + slash))
    renames, clashes = _part_clashes(wanted, {name.rstrip("/") for name in existing} | {n.rstrip("/") for n in names})
    return RenamePlan(tuple(renames), tuple(clashes), tuple(unchanged), tuple(refused))


def _part_clashes(
    wanted: Sequence[tuple[str, str]], there: set[str]
) -> tuple[list[tuple[str, str]], list[RenameClash]]:
    """A name is free when nothing lies there, or what lies there goes. What clashes does not go, so that more may."""
    clashes: dict[str, RenameClash] = {}
    counts = Counter(new.rstrip("/") for _, new in wanted)
    for old, new in wanted:
        if counts[new.rstrip("/")] > 1:
            clashes[old] = RenameClash(old, new, "and another one becomes the same")
    is_settled = False
    while not is_settled:
        is_settled = True
        taken = there - {old.rstrip("/") for old, _ in wanted if old not in clashes}
        for old, new in wanted:
            if old not in clashes and new.rstrip("/") in taken:
                clashes[old] = RenameClash(old, new, "which lies there already")
                is_settled = False
    return [pair for pair in wanted if pair[0] not in clashes], list(clashes.values())


def _find_fault(old: str, new: str) -> str:
    what = find_protection(old)
    if what is not None:
        return f"it is {what}"
    if "/" in new:
        return "the new name has a slash, and would lie elsewhere"
    try:
        check_key(new)
    except InvalidName as error:
        return f"the new name is refused ({error.code}): {escape_for_display(new)}"
    return ""


def _and_more(count: int) -> str:
    return f", and {count - 1:,} more" if count > 1 else ""
