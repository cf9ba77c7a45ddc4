import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.names.display import escape_for_display

SHOWN = {
    "plain.txt": "plain.txt",
    "caf\u00e9 \u6f22\u5b57 e\u0301 \U0001f600": "caf\u00e9 \u6f22\u5b57 e\u0301 \U0001f600",
    "no\u00a0break\u3000wide": "no\u00a0break\u3000wide",
    "back\\slash [bold]": "back\\slash [bold]",
    "\x1b[31mred": "\\x1b[31mred",
    "\x1b]0;title\x07": "\\x1b]0;title\\x07",
    "a\nb\tc\rd": "a\\nb\\tc\\rd",
    "\x00\x7f\x9b\x85": "\\x00\\x7f\\x9b\\x85",
    "invoice\u202efdp.exe": "invoice\\u202efdp.exe",
    "\u2066\u2069\u200e\u200f\u061c": "\\u2066\\u2069\\u200e\\u200f\\u061c",
    "zero\u200bwidth\u2060\ufeff\u00ad": "zero\\u200bwidth\\u2060\\ufeff\\xad",
    "line\u2028sep\u2029": "line\\u2028sep\\u2029",
    "bytes \udcff\udc80": "bytes \\xff\\x80",
    "half \ud83d": "half \\ud83d",
    "tag \U000e0041": "tag \\U000e0041",
    "filler \u3164\u115f": "filler \\u3164\\u115f",
}


@pytest.mark.parametrize(("text", "shown"), SHOWN.items(), ids=range(len(SHOWN)))
def test_what_cannot_be_seen_is_shown(text: str, shown: str) -> None:
    assert escape_for_display(text) == shown


@given(st.text(alphabet=st.characters(codec=None), max_size=50))
def test_the_result_is_harmless(text: str) -> None:
    shown = escape_for_display(text)
    shown.encode()
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in shown)
    assert not any(
        unicodedata.bidirectional(character) in ("RLO", "LRO", "RLE", "LRE", "PDF", "RLI") for character in shown
    )
    assert escape_for_display(shown) == shown


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=50))
def test_plain_text_is_unchanged(text: str) -> None:
    assert escape_for_display(text) == text
