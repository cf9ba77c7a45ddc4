"""What to do where something else lies already: by rule, or by asking a person while the rest goes on.

Content that is the same, by digest, is no conflict: it is left alone under every rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class ConflictRule(StrEnum):
    """`KEEP`: what lies there stays, the item is not done and says so. `KEEP_BOTH`: the new one takes another name (of
    a dataset: the next number). `REPLACE`: where the place allows it; published versions and contents of a vault are
    never replaced. `ASK`: somebody has to decide."""

    KEEP = "keep"
    KEEP_BOTH = "keep-both"
    REPLACE = "replace"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Conflict:
    """`item` names it within its operation, the same in every run; `place` is where the other one lies, for people.
    `found` and `wanted` describe the two in a few words (size, time). `choices` are the rules that are possible here.
    """

    item: str
    place: str
    found: str
    wanted: str
    choices: tuple[ConflictRule, ...] = (ConflictRule.KEEP, ConflictRule.KEEP_BOTH, ConflictRule.REPLACE)


Resolve = Callable[[Conflict], ConflictRule]
"""Returns the rule for one conflict. ASK as an answer means: nobody has decided yet, leave this item and go on."""


def keep_what_is_there(conflict: Conflict) -> ConflictRule:
    """The resolve of somebody who was not asked."""
    return ConflictRule.KEEP
