from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.names.numbered_names import number_name
from archive_tui.names.object_keys import LONGEST_SEGMENT


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("table.csv", "table (2).csv"),
        ("a/b.d/data.tar.gz", "a/b.d/data (2).tar.gz"),
        ("README", "README (2)"),
        (".profile", ".profile (2)"),
        ("..two", "..two (2)"),
        (".tar.gz", ".tar (2).gz"),
        ("a.b/c", "a.b/c (2)"),
        ("end.", "end (2)."),
        ("table (2).csv", "table (2) (2).csv"),
        ("x" * 255, "x" * 251 + " (2)"),
        ("é" * 124 + ".dat", "é" * 123 + " (2).dat"),
    ],
)
def test_names(key: str, expected: str) -> None:
    assert number_name(key, 2) == expected


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="/\0"), min_size=1, max_size=80))
def test_another_name_in_the_same_folder_that_is_not_too_long(name: str) -> None:
    names = {number_name(f"folder/{name}", number) for number in range(2, 12)}
    assert len(names) == 10
    assert f"folder/{name}" not in names
    assert all(each.startswith("folder/") and each.count("/") == 1 for each in names)
    assert all(len(each.encode()) <= len("folder/") + max(LONGEST_SEGMENT, len(name.encode())) + 5 for each in names)
