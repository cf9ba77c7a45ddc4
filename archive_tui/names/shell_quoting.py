"""Names in messages, quoted as GNU coreutils quotes them: one word that a shell reads back as the same name.

The rules were found by comparison with coreutils 9.1 in the locale C.UTF-8; a test repeats the comparison.
"""

from __future__ import annotations

import os
import re
import unicodedata

_PLAIN = re.compile(r"[%+,\-./0-9@A-Z\]_a-z{}#~]+")
_FOR_DOUBLE_QUOTES = re.compile(r"[#~]?[ %'+,\-./0-9:@A-Z\]_a-z\u0080-\U0010ffff]*")
_ALONE_IN_QUOTES = ("{", "}")
_SPECIAL = re.compile(r"[ !\"$&'()*:;<=>?\[\\^`|]")
_UNSEEN = frozenset({"Cc", "Cn", "Cs", "Zl", "Zp"})
"""Categories of characters that are written as escapes: controls, line separators, what is unassigned or no UTF-8."""

_LETTERS = {"\a": "\\a", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f", "\r": "\\r"}


def quote_name(name: str) -> str:
    r"""Returns `name` as coreutils shows it in a message: as it is where that is safe, else in quotes.

    `a b` gives `'a b'`, `it's` gives `"it's"`, a newline `''$'\n'`, a byte that is no UTF-8 (a surrogate, as
    `os.fsdecode` makes them) `''$'\377'`. A colon is quoted, so that a message can be taken apart at it. The result
    has no control characters and can be encoded as UTF-8.
    """
    if name.isascii() and _PLAIN.fullmatch(name) and name[0] not in "#~" and name not in _ALONE_IN_QUOTES:
        return name
    unseen = [_is_unseen(character) for character in name]
    if name and not any(unseen) and not _needs_quotes(name):
        return name
    if "'" in name and not any(unseen) and _FOR_DOUBLE_QUOTES.fullmatch(name):
        return f'"{name}"'
    return _quote_in_pieces(name, unseen)


def _is_unseen(character: str) -> bool:
    return not character.isprintable() and unicodedata.category(character) in _UNSEEN


def _needs_quotes(name: str) -> bool:
    return name[0] in "#~" or name in _ALONE_IN_QUOTES or _SPECIAL.search(name) is not None


def _quote_in_pieces(name: str, unseen: list[bool]) -> str:
    r"""Single quotes around what can be seen, `$'...'` around escapes."""
    parts = ["'"]
    # coreutils reads a name with a single quote twice, and begins the second time in the state in which the first
    # one ended. Its messages are the measure, so this does the same.
    is_in_escape = "'" in name and unseen[-1]
    for character, is_unseen in zip(name, unseen, strict=True):
        if is_unseen:
            parts.append(_escape(character) if is_in_escape else f"'$'{_escape(character)}")
            is_in_escape = True
            continue
        if character == "'":
            parts.append("'\\''")
            is_in_escape = False
            continue
        parts.append(f"''{character}" if is_in_escape else character)
        is_in_escape = False
    return "".join(parts) + "'"


def _escape(character: str) -> str:
    return _LETTERS.get(character) or "".join(f"\\{byte:03o}" for byte in os.fsencode(character))
