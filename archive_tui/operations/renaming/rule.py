"""By which rule names become other names: a literal name, a pattern with wildcards, or a regular expression.

In what a name becomes, `{1}` to `{9}` stand for what the wildcards or groups have matched, `{name}` for the whole old
name, `{stem}` and `{suffix}` for its parts, `{n}` for a running number, `{n:3}` for one with three digits, `{{` and
`}}` for braces.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from archive_tui.errors import ConfigurationError

MOST_WILDCARDS = 9

LONGEST_PATTERN = 500
"""Characters."""

_TOKEN = re.compile(r"\{\{|\}\}|\{(?:(?P<group>[1-9])|(?P<word>name|stem|suffix)|n(?::(?P<digits>[1-9]))?)\}|[{}]")

_REPEAT = r"[*+]|\{\d*,\d*\}|\{\d{2,}\}"
_PIECE = re.compile(
    rf"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(|(?P<close>\))(?P<repeat>{_REPEAT})?|\||(?P<alone>{_REPEAT})", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class RenameRule:
    """`search` None: every name becomes `to`. Else `is_regex` says whether it is a regular expression, of which every
    match is replaced by `to`, or a pattern with `*` and `?` that has to fit the whole name. `first` is the first number
    for `{n}`, `step` the distance to the next one; only names that the search fits are counted. Make one by `literal`,
    `by_pattern` or `by_regex`, which check it."""

    to: str
    search: str | None = None
    is_regex: bool = False
    first: int = 1
    step: int = 1

    @classmethod
    def literal(cls, name: str) -> RenameRule:
        """The very name, whatever it holds. Raises: nothing; `plan_renames` refuses what is no name."""
        return cls(name.replace("{", "{{").replace("}", "}}"))

    @classmethod
    def by_pattern(cls, pattern: str, to: str, *, first: int = 1, step: int = 1) -> RenameRule:
        """`*.jpeg` with `{1}.jpg`. Raises: ConfigurationError (rename-pattern)."""
        rule = cls(to, pattern, first=first, step=step)
        rule.check()
        return rule

    @classmethod
    def by_regex(cls, search: str, to: str, *, first: int = 1, step: int = 1) -> RenameRule:
        """Like sed: `^run(\\d+)` with `series-{1}`. Raises: ConfigurationError (rename-pattern)."""
        rule = cls(to, search, is_regex=True, first=first, step=step)
        rule.check()
        return rule

    def check(self) -> None:
        """Raises: ConfigurationError (rename-pattern), with the place of the mistake."""
        groups = 0 if self.search is None else _compile(self.search, self.is_regex).groups
        for token in _TOKEN.finditer(self.to):
            if token[0] in ("{", "}"):
                raise _refuse(f"a brace that stands for nothing: {self.to}", "Write {{ or }} for a brace itself.")
            if token["group"] and int(token["group"]) > groups:
                raise _refuse(f"{token[0]} stands for nothing", f"The pattern has {groups} wildcards or groups.")

    def apply(self, name: str, number: int) -> str | None:
        """Returns what `name`, without a slash, becomes; `number` counts the names that fitted before. None: it does
        not fit. Raises: ConfigurationError (rename-pattern)."""
        if self.search is None:
            return self._fill(name, (), number)
        found = _compile(self.search, self.is_regex)
        if not self.is_regex:
            match = found.fullmatch(name)
            return None if match is None else self._fill(name, match.groups(""), number)
        if found.search(name) is None:
            return None
        return found.sub(lambda match: self._fill(name, match.groups(""), number), name)

    def _fill(self, name: str, groups: Sequence[str], number: int) -> str:
        stem, dot, suffix = name.rpartition(".")
        parts = {"name": name, "stem": stem if dot and stem else name, "suffix": dot + suffix if dot and stem else ""}

        def value(token: re.Match[str]) -> str:
            if token["group"]:
                return groups[int(token["group"]) - 1]
            if token["word"]:
                return parts[token["word"]]
            if token[0] in ("{{", "}}"):
                return token[0][0]
            return f"{self.first + number * self.step:0{token['digits'] or 1}d}"

        return _TOKEN.sub(value, self.to)


@lru_cache(maxsize=64)
def _compile(search: str, is_regex: bool) -> re.Pattern[str]:
    if not search or len(search) > LONGEST_PATTERN:
        raise _refuse("it is empty, or too long", "Write a shorter one.")
    if not is_regex:
        return re.compile(_translate(search), re.DOTALL)
    if _repeats_repetitions(search):
        raise _refuse(
            f"it repeats what holds a repetition or a choice, and might never end: {search}",
            "Repeat one thing at a time.",
        )
    try:
        return re.compile(search)
    except (re.error, OverflowError, RecursionError) as error:
        raise _refuse(
            f"no regular expression: {error}", "Check it; a backslash takes a special sign literally."
        ) from None


def _repeats_repetitions(search: str) -> bool:
    """True for a repetition of what holds a repetition or a choice: a name of 60 characters could take it years."""
    open_groups = [False]
    for piece in _PIECE.finditer(search):
        if piece[0] == "(":
            open_groups.append(False)
        elif piece["close"] is not None and len(open_groups) > 1:
            is_risky = open_groups.pop()
            if is_risky and piece["repeat"]:
                return True
            open_groups[-1] |= is_risky or bool(piece["repeat"])
        elif piece[0] == "|" or piece["alone"]:
            open_groups[-1] = True
    return False


def _translate(pattern: str) -> str:
    """Each `*` takes as little as the sign after it allows, and never gives back: so every name is decided at once."""
    parts = re.split(r"([*?])", pattern)
    if (len(parts) - 1) // 2 > MOST_WILDCARDS:
        raise _refuse(f"it has more than {MOST_WILDCARDS} wildcards: {pattern}", "Rename in two steps.")
    made = [re.escape(parts[0])]
    last_star = max((at for at in range(1, len(parts), 2) if parts[at] == "*"), default=-1)
    at = 1
    while at < len(parts):
        wild, text = parts[at], re.escape(parts[at + 1])
        if wild == "?":
            made.append(f"(.){text}")
        elif at == last_star:
            made.append(f"(.*){text}")
        else:
            run, at = _until_next_star(parts, at)
            made.append(f"(?>(.*?){run})")
            continue
        at += 2
    return "".join(made)


def _until_next_star(parts: Sequence[str], star: int) -> tuple[str, int]:
    """Returns what has to follow the star as far as the next one, and where that stands."""
    made, at = re.escape(parts[star + 1]), star + 2
    while at < len(parts) and parts[at] == "?":
        made += f"(.){re.escape(parts[at + 1])}"
        at += 2
    return made, at


def _refuse(why: str, hint: str) -> ConfigurationError:
    return ConfigurationError(f"The pattern cannot be used, {why}", hint=hint, code="rename-pattern")
