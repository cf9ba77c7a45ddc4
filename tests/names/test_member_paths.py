import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.errors import InvalidName
from archive_tui.names.member_paths import LONGEST_PATH, check_member_path, find_clashes, fold_path

HOSTILE_PATHS = {
    "": "path-empty",
    "/": "path-absolute",
    "/etc/passwd": "path-absolute",
    "//server/share": "path-absolute",
    "..": "path-parent",
    "../x": "path-parent",
    "a/../../x": "path-parent",
    "a/..": "path-parent",
    ".": "path-dot",
    "./a": "path-dot",
    "a/./b": "path-dot",
    "a//b": "path-empty-segment",
    "a/": "path-empty-segment",
    "C:/x": "path-drive",
    "c:x": "path-drive",
    "C:": "path-drive",
    "\\\\server\\share": "path-backslash",
    "a\\b": "path-backslash",
    "..\\x": "path-backslash",
    "a\x00b": "path-nul",
    "a\nb": "path-control",
    "a\rb": "path-control",
    "a\tb": "path-control",
    "a\x1b[2Jb": "path-control",
    "a\x7fb": "path-control",
    "a\x9bb": "path-control",
    "a\u2028b": "path-control",
    "a\u2029b": "path-control",
    "invoice\u202efdp.exe": "path-bidi",
    "a\u2066b": "path-bidi",
    "a\u200fb": "path-bidi",
    "a\u061cb": "path-bidi",
    "~": "path-home",
    "~/x": "path-home",
    "~root/x": "path-home",
    "a.": "path-trailing",
    "a /b": "path-trailing",
    "a../b": "path-trailing",
    "...": "path-trailing",
    " ": "path-trailing",
    "CON": "path-device",
    "nul.txt": "path-device",
    "a/aux.c": "path-device",
    "COM1": "path-device",
    "lpt9.tar.gz": "path-device",
    "com\u00b9": "path-device",
    "con .txt": "path-device",
    "nul:x": "path-device",
    "CONIN$": "path-device",
    "x" * 256: "path-segment-too-long",
    "\u00e9" * 128: "path-segment-too-long",
    "/".join(["x" * 200] * 20): "path-too-long",
    "\u6f22/" * 1001 + "x": "path-too-long",
    "a\udcff": "path-encoding",
    "half \ud800": "path-encoding",
    "manifest.json": "path-manifest",
    "Manifest.JSON": "path-manifest",
    ".archive-tui-17.part": "path-temporary",
    "a/.archive-tui-x.part/b": "path-temporary",
}
GOOD_PATHS = [
    "a",
    "a/b/c.txt",
    "sub/manifest.json",
    "manifest.json.bak",
    "..a/b..c",
    "a..b",
    ".hidden",
    "....x",
    "with space/and  two",
    " leading",
    "caf\u00e9/\u6f22\u5b57/\u0627\u0644.txt",
    "e\u0301",
    "ab:c",
    "10:30.csv",
    "a~",
    "a/~/b",
    "~$report.docx",
    "console",
    "com10",
    "auxiliary.txt",
    "icon",
    "\u00e9" * 127,
    "x" * 255,
    "?*<>|\"'`$(rm)&;#%[bold]",
    "-rf",
    "\U0001f468\u200d\U0001f469.txt",
    ".archive-tui-ignore",
]


@pytest.mark.parametrize(("path", "rule"), HOSTILE_PATHS.items(), ids=range(len(HOSTILE_PATHS)))
def test_hostile_paths_are_refused_by_name(path: str, rule: str) -> None:
    with pytest.raises(InvalidName) as caught:
        check_member_path(path)
    error = caught.value
    assert error.code == rule
    assert error.name == path
    assert rule in error.message
    assert error.message.isprintable()
    assert len(error.message) < 1000


@pytest.mark.parametrize("path", GOOD_PATHS)
def test_good_paths_are_taken_as_they_are(path: str) -> None:
    assert check_member_path(path) == path


@given(st.one_of(st.text(max_size=40), st.text(alphabet="ab./\\~:. \x00\u202e\ud800conCON1", max_size=15)))
def test_accepted_paths_stay_inside_and_can_be_written(path: str) -> None:
    try:
        check_member_path(path)
    except InvalidName as refusal:
        assert refusal.code.startswith("path-")
        return
    assert not path.startswith("/")
    assert not {"", ".", ".."} & set(path.split("/"))
    assert len(path.encode()) <= LONGEST_PATH
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in path)


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["a", "b", "c/d", "c/e"], []),
        (["README", "readme"], [("clash-case", ("README", "readme"))]),
        (["D/x", "d/X"], [("clash-case", ("D/x", "d/X"))]),
        (["D/x", "d/y"], []),
        (["stra\u00dfe", "STRASSE"], [("clash-case", ("STRASSE", "stra\u00dfe"))]),
        (["\u00e9", "e\u0301"], [("clash-normalisation", ("e\u0301", "\u00e9"))]),
        (["\u212b", "\u00c5"], [("clash-normalisation", ("\u00c5", "\u212b"))]),
        (["a", "a/b"], [("clash-file-folder", ("a", "a/b"))]),
        (["a", "A/b/c"], [("clash-file-folder", ("a", "A/b/c"))]),
        (["x", "x"], [("clash-duplicate", ("x", "x"))]),
        (["x", "X", "x/y"], [("clash-case", ("X", "x")), ("clash-file-folder", ("x", "x/y"))]),
    ],
)
def test_clashes(paths: list[str], expected: list[tuple[str, tuple[str, ...]]]) -> None:
    assert find_clashes(paths) == expected
    assert [rule for rule, _ in find_clashes(reversed(paths))] == [rule for rule, _ in expected]


@given(st.lists(st.text(alphabet="aAb/\u00e9e\u0301", min_size=1, max_size=6), max_size=8))
def test_no_clash_means_that_every_path_is_its_own_on_any_system(paths: list[str]) -> None:
    if find_clashes(paths):
        return
    folded = [fold_path(path) for path in paths]
    assert len(set(folded)) == len(paths)
    for one in folded:
        assert not any(other.startswith(one + "/") for other in folded)
