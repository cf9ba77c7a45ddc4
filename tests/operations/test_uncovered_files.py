import hashlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from archive_tui.errors import OperationStopped, SourceError
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.manifests.checksum_lines.reading import open_manifest
from archive_tui.operations import uncovered_files
from archive_tui.operations.uncovered_files import ExtraFile, UncoveredFiles, find_uncovered
from archive_tui.progress import Ended, Event, Planned


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(name="root")
def make_root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for name in ("a/x", "a/deep/y", "b/z", "top"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


def search(root: Path, names: list[str], folders: Sequence[str] | None, **options: Any) -> UncoveredFiles:
    path = root.parent / "SUMS"
    path.write_bytes(os.fsencode("".join(f"{'0' * 64}  {name}\n" for name in names)))
    with open_manifest(path) as manifest:
        return find_uncovered(manifest, folders, root=root, **options)


def extra(root: Path, names: list[str], folders: Sequence[str] | None) -> list[str]:
    return [found.path for found in search(root, names, folders).extra]


def test_what_no_line_covers(root: Path) -> None:
    assert extra(root, ["a/x"], ["."]) == ["a/deep/y", "b/z", "top"]
    assert extra(root, ["a/x"], ["a"]) == ["a/deep/y"]
    assert extra(root, ["a/x"], ["./a/", "b"]) == ["./a/deep/y", "b/z"]
    assert extra(root, ["a/x"], [f"{root}/b"]) == [f"{root}/b/z"]
    assert extra(root, ["a/x", "a/deep/y", "b/z", "top"], ["."]) == []


def test_one_folder_inside_another_is_looked_through_once(root: Path) -> None:
    assert extra(root, ["top"], ["a", "a/deep", "a"]) == ["a/deep/y", "a/x"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a/x"], ["a/deep/y"]),
        (["a/deep/y"], []),
        (["a/deep/absent"], ["a/deep/y"]),
        (["a/x", "a/deep/y"], []),
        (["a/x", "b/z"], ["a/deep/y", "top"]),
        (["a/deep/y", "a/deeper/y"], ["a/x"]),
        (["nowhere/x"], []),
    ],
)
def test_the_folder_that_all_names_share(names: list[str], expected: list[str], root: Path) -> None:
    assert extra(root, names, None) == expected


def test_absolute_names_give_absolute_paths(root: Path) -> None:
    assert extra(root, [f"{root}/a/x", f"{root}/b/z"], None) == [f"{root}/a/deep/y", f"{root}/top"]


def test_a_file_is_covered_however_its_line_reaches_it(root: Path) -> None:
    (root / "way").symlink_to("a")
    names = ["./a//x", "way/deep/y", "b/../b/z", f"{root}/top", "way"]
    assert extra(root, names, ["."]) == []


def test_links_are_named_and_not_followed(root: Path) -> None:
    (root / "a" / "link").symlink_to("x")
    (root / "a" / "folder").symlink_to("../b")
    (root / "a" / "loop").symlink_to("..")
    os.mkfifo(root / "a" / "pipe")
    assert search(root, ["a/x", "a/deep/y"], ["a"]).extra == [
        ExtraFile("a/folder", None, "a symbolic link"),
        ExtraFile("a/link", None, "a symbolic link"),
        ExtraFile("a/loop", None, "a symbolic link"),
        ExtraFile("a/pipe", None, "a socket, pipe or device"),
    ]


def test_the_manifest_and_unfinished_writes_are_not_extra(root: Path) -> None:
    (root / ".archive-tui-1234.part").write_bytes(b"")
    (root / "SUMS").write_bytes(f"{'0' * 64}  a/x\n".encode())
    with open_manifest(root / "SUMS") as manifest:
        assert [found.path for found in find_uncovered(manifest, ["."], root=root).extra] == ["a/deep/y", "b/z", "top"]


def test_missing_lines_are_found_where_their_content_lies(root: Path) -> None:
    lines = [
        ManifestLine(1, "gone/x", digest_of(b"a/x")),
        ManifestLine(2, "gone/again", digest_of(b"a/x")),
        ManifestLine(3, "gone/for good", digest_of(b"nothing has this")),
    ]
    (root / "copy").write_bytes(b"a/x")
    missing = {lines[0].digest: lines[:2], lines[2].digest: lines[2:]}
    found = search(root, ["b/z"], ["."], missing=missing)
    assert [(item.line.number, item.path, item.size) for item in found.moved] == [(1, "a/x", 3), (2, "copy", 3)]
    assert [item.path for item in found.extra] == ["a/deep/y", "top"]
    (root / "copy").unlink()
    found = search(root, ["b/z"], ["."], missing=missing)
    assert [(item.line.number, item.path) for item in found.moved] == [(1, "a/x"), (2, "a/x")]


def test_only_files_of_the_right_size_are_hashed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    real = uncovered_files.hash_files
    monkeypatch.setattr(
        uncovered_files,
        "hash_files",
        lambda base, paths, **options: hashed.extend(paths) or real(base, paths, **options),
    )
    line = ManifestLine(1, "gone", digest_of(b"a/x"), 3)
    found = search(root, [], ["."], missing={line.digest: [line]})
    assert hashed == ["a/x", "b/z", "top"]
    assert [item.path for item in found.moved] == ["a/x"]


def test_a_folder_that_is_none(root: Path) -> None:
    for folder in ("absent", "top"):
        with pytest.raises(SourceError, match="No such folder"):
            search(root, ["a/x"], [folder])


def test_a_folder_that_cannot_be_listed_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.scandir

    def refuse(path: str) -> Any:
        if path.endswith("/deep/"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    (found,) = search(root, ["a/x"], ["a"]).extra
    assert (found.path, found.detail) == ("a/deep", "the folder cannot be listed: Permission denied")
    assert isinstance(found.error, PermissionError)


def test_more_than_can_be_kept_are_counted(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uncovered_files, "MOST_EXTRA", 1)
    found = search(root, ["a/x"], ["."])
    assert (len(found.extra), found.more) == (1, 2)


def test_it_stops_and_says_so(root: Path) -> None:
    events: list[Event] = []
    stop = threading.Event()
    stop.set()
    with pytest.raises(OperationStopped):
        search(root, ["a/x"], ["."], stop=stop, report=events.append)
    assert events == [Planned("extra"), Ended("extra", finished=False)]


def test_names_that_are_no_text(root: Path) -> None:
    name = os.fsdecode(b"a/\xff\xfe")
    (root / name).write_bytes(b"odd")
    assert extra(root, ["a/x", "a/deep/y"], ["a"]) == [name]
    assert extra(root, ["a/x", "a/deep/y", name], ["a"]) == []
