"""Text from outside made harmless for terminals and screens: what cannot be seen is shown as an escape."""

from __future__ import annotations

import re

_UNSEEN = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # control characters, ESC and the eight-bit CSI among them
    "\u00ad\u034f\u061c\u070f\u180e"  # soft hyphen, grapheme joiner, Arabic and Syriac marks, Mongolian separator
    "\u115f\u1160\u3164\uffa0"  # Hangul fillers: letters that draw nothing
    "\u200b-\u200f"  # zero width space, joiners, left-to-right and right-to-left marks
    "\u2028-\u202e"  # line and paragraph separators, embeddings and overrides
    "\u2060-\u206f"  # word joiner, invisible operators, isolates, deprecated format characters
    "\ufeff\ufff9-\ufffb"  # byte order mark, interlinear annotation
    "\U000e0000-\U000e007f"  # tag characters
    "\ud800-\udfff"  # surrogates: what was no valid UTF-8
    "]"
)
_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    if character in _SHORT:
        return _SHORT[character]
    point = ord(character)
    if 0xDC80 <= point <= 0xDCFF:
        point -= 0xDC00  # a byte that Python kept as a surrogate: show the byte
    if point <= 0xFF:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"


def escape_for_display(text: str) -> str:
    r"""Returns `text` with every invisible or dangerous character as a visible escape, all else unchanged.

    Escaped are control characters (`\x1b`, `\n`), bidirectional controls (`\u202e`), zero-width and other format
    characters, line separators, and surrogates (the byte `\xff` of a name that is no UTF-8). The result can be encoded
    as UTF-8. It is for reading, not for turning back: a backslash is left as it is.
    """
    if text.isprintable():
        return text if text.isascii() else _UNSEEN.sub(_escape, text)
    return _UNSEEN.sub(_escape, text)
