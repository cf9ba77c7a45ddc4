import contextlib
import sys
import unicodedata

import pytest

from archive_tui.errors import InvalidName
from archive_tui.names.object_keys import check_key, is_temporary_name


@pytest.mark.parametrize("key", ["a", "a/b.txt", "sp ace/q'uote?#%+", "\u6f22/e\u0301", "x/" * 300 + "y", "..a", "a:b"])
def test_keys_that_stores_take(key: str) -> None:
    assert check_key(key) == key


@pytest.mark.parametrize(
    ("key", "rule"),
    [
        ("", "key-empty"),
        ("/a", "key-absolute"),
        ("a//b", "key-segment"),
        ("a/", "key-segment"),
        ("a/../b", "key-segment"),
        (".", "key-segment"),
        ("a\nb", "key-control"),
        ("a\x9bb", "key-control"),
        ("a\udcff", "key-encoding"),
        ("x" * 256, "key-too-long"),
        ("/".join(["x" * 100] * 9), "key-too-long"),
        ("a/.archive-tui-1.part", "key-temporary"),
        (".archive-tui-1.part/a", "key-temporary"),
    ],
)
def test_keys_that_are_refused(key: str, rule: str) -> None:
    with pytest.raises(InvalidName) as caught:
        check_key(key)
    assert caught.value.code == rule


def test_temporary_names() -> None:
    assert is_temporary_name(".archive-tui-17-abc.part")
    assert not is_temporary_name(".archive-tui-ignore")
    assert not is_temporary_name("x.part")


def test_control_characters_are_those_of_unicode() -> None:
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if not 0xD800 <= code <= 0xDFFF and character != "/":
            is_refused = unicodedata.category(character) == "Cc"
            with pytest.raises(InvalidName) if is_refused else contextlib.nullcontext():
                check_key(f"a{character}")
