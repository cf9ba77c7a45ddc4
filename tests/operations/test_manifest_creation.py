"""Finding the files of a new manifest, and making it."""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive_tui.errors import ConfigurationError, OperationStopped, SourceError, SourceNotFound, TargetExists
from archive_tui.manifests.checksum_lines.line import WRITTEN_DIALECTS, Dialect, ManifestLine
from archive_tui.manifests.checksum_lines.reading import open_manifest
from archive_tui.operations.glob_expansion import expand_pattern
from archive_tui.operations.manifest_creation import create_manifest
from archive_tui.operations.named_files import find_named_files, find_unreadable
from archive_tui.progress import Ended, Event, ItemFailed, Notice, Planned


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(*names: str) -> None:
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


class Failures(list[tuple[str, int]]):
    def __call__(self, name: str, error: OSError) -> None:
        self.append((name, error.errno or 0))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_without_somebody_who_wants_to_know_the_first_failure_is_raised() -> None:
    with pytest.raises(SourceError, match=r"absent \(No such file or directory\)"):
        find_named_files([], ["absent"])
    with pytest.raises(SourceError, match=r"x\* \(No file matches\)"):
        find_named_files(["x*"], [])


def test_failures_are_told_and_the_rest_is_found() -> None:
    write("d/a", "file")
    os.mkfifo("pipe")
    failures = Failures()
    assert find_named_files(["pipe", "", "no*"], ["gone", "d", "file"], failed=failures) == ["d/a"]
    assert failures == [
        ("pipe", errno.EINVAL),
        ("", errno.ENOENT),
        ("no*", errno.ENOENT),
        ("gone", errno.ENOENT),
        ("file", errno.ENOTDIR),
    ]


def test_what_is_named_is_taken_as_it_is_written_there_or_not() -> None:
    assert find_named_files(["absent", "./absent", "-"], []) == ["-", "./absent", "absent"]


def test_a_folder_that_contains_itself_by_links_ends() -> None:
    write("d/a")
    Path("d/again").symlink_to(".")
    Path("d/up").symlink_to("..")
    events: list[Event] = []
    assert find_named_files([], ["d"], recursive=True, report=events.append) == ["d/a"]
    assert Notice("Not entered: 2 symbolic links to folders.") in events
    assert list(expand_pattern("d/**", failed=Failures())).count("d/a") == 1


def test_a_very_deep_tree_is_walked() -> None:
    here = os.open(".", os.O_RDONLY)
    path = "d"
    Path("d").mkdir()
    while len(path) < 3900:
        path += "/deep"
        os.mkdir(path, dir_fd=here)
    os.close(os.open(f"{path}/file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    assert find_named_files([], ["d"], recursive=True) == [f"{path}/file"]
    assert list(expand_pattern("**/fil?", failed=Failures())) == [f"{path}/file"]


def test_a_search_can_be_stopped() -> None:
    write("d/a")
    stop = threading.Event()
    stop.set()
    events: list[Event] = []
    with pytest.raises(OperationStopped):
        find_named_files([], ["d"], report=events.append, stop=stop)
    assert events[-1] == Ended("scan", False)


segments = (
    st.lists(st.sampled_from("ab*?[]!.^-"), min_size=1, max_size=4).map("".join).filter(lambda text: text.strip("."))
)
patterns = st.lists(st.one_of(segments, st.just("**")), min_size=1, max_size=3).map("/".join)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(patterns)
def test_patterns_match_what_the_glob_module_matches(tmp_path: Path, pattern: str) -> None:
    """No links in this tree, and no way up out of it: the module enters links."""
    if not Path("a/b").exists():
        write("a/b/a", "a/ab", "a/.b", "b", "ab", ".a", ".b/a", "a-", "ba/a/b/a", "ba/^")
    ours = {name for name in expand_pattern(pattern, failed=Failures()) if os.path.isfile(name)}  # noqa: PTH113
    matched = glob.glob(pattern.replace("[^", "[!"), recursive=True)  # noqa: PTH207 (of pathlib, the rules are others)
    assert ours == {name for name in matched if os.path.isfile(name)}  # noqa: PTH113 (a path ignores a last slash)


def test_unreadable_names_are_found_without_reading() -> None:
    write("good", "d/x")
    os.mkfifo("pipe")
    Path("loop").symlink_to("loop")
    failures = Failures()
    find_unreadable(["good", "-", "absent", "d", "pipe", "loop", "d/x"], failed=failures)
    assert failures == [
        ("absent", errno.ENOENT),
        ("d", errno.EISDIR),
        ("pipe", errno.EINVAL),
        ("loop", errno.ELOOP),
    ]


@pytest.mark.parametrize("dialect", WRITTEN_DIALECTS)
def test_what_is_created_is_read_back(dialect: Dialect) -> None:
    names = sorted(["a", "b c", 'q"', "back\\slash", "new\nline", "\r", os.fsdecode(b"\xff")], key=os.fsencode)
    for name in names:
        Path(name).write_bytes(os.fsencode(name))
    created = create_manifest(names, Path("OUT"), dialect)
    assert (created.path, created.files, created.bytes) == (Path("OUT"), 7, sum(len(os.fsencode(n)) for n in names))
    with open_manifest("OUT", dialect=dialect) as manifest:
        lines = list(manifest.lines())
    assert [line.name for line in lines if isinstance(line, ManifestLine)] == names
    for line in lines:
        assert isinstance(line, ManifestLine)
        assert line.digest == hashlib.sha256(os.fsencode(line.name)).hexdigest()
        assert line.size == (len(os.fsencode(line.name)) if dialect is Dialect.JSON else None)


def test_pieces_are_handed_over_as_soon_as_they_are_known() -> None:
    write("a", "b")
    pieces: list[bytes] = []
    created = create_manifest(["a", "b"], None, Dialect.SHA256SUM, write=pieces.append)
    assert pieces == [f"{digest('a')}  a\n".encode(), f"{digest('b')}  b\n".encode()]
    assert (created.path, created.files, created.failures, created.changed) == (None, 2, 0, ())


def test_names_are_relative_to_the_root() -> None:
    write("below/a")
    created = create_manifest(["a"], Path("OUT"), Dialect.BSD, root=Path("below"))
    assert created.files == 1
    assert Path("OUT").read_text() == f"SHA256 (a) = {digest('below/a')}\n"


def test_one_unreadable_file_and_there_is_no_manifest() -> None:
    write("a", "c")
    failures = Failures()
    events: list[Event] = []
    with pytest.raises(SourceError, match=r"2 files could not be read: b \(No such file or directory\); d \("):
        create_manifest(["a", "b", "c", "d"], Path("OUT"), Dialect.QUOTED, failed=failures, report=events.append)
    assert failures == [("b", errno.ENOENT), ("d", errno.ENOENT)]
    assert sorted(path.name for path in Path().iterdir()) == ["a", "c"]
    assert [event.item for event in events if isinstance(event, ItemFailed)] == ["b", "d"]


def test_behind_the_first_unreadable_file_nothing_is_hashed() -> None:
    write("b")
    Path("huge").touch()
    os.truncate("huge", 1 << 40)
    with pytest.raises(SourceError, match="1 file could not be read"):
        create_manifest(["absent", "b", "huge"], Path("OUT"), Dialect.QUOTED)


def test_without_a_file_all_others_are_listed() -> None:
    write("a", "c")
    pieces: list[bytes] = []
    failures = Failures()
    created = create_manifest(["a", "b", "c"], None, Dialect.BSD, write=pieces.append, failed=failures)
    assert (len(pieces), created.files, created.failures, failures) == (2, 2, 1, [("b", errno.ENOENT)])
    with pytest.raises(SourceError, match="1 file could not be read"):
        create_manifest(["a", "b", "c"], None, Dialect.BSD, write=pieces.append)


def test_an_existing_file_is_never_replaced() -> None:
    write("a", "OUT")
    with pytest.raises(TargetExists, match="exists already: OUT"):
        create_manifest(["a"], Path("OUT"), Dialect.QUOTED)
    assert Path("OUT").read_text() == "OUT"


def test_a_file_that_appears_meanwhile_is_not_replaced() -> None:
    write("a")

    def make_it_first(event: Event) -> None:
        if isinstance(event, Planned):
            Path("OUT").write_text("theirs")

    with pytest.raises(TargetExists):
        create_manifest(["a"], Path("OUT"), Dialect.QUOTED, report=make_it_first)
    assert Path("OUT").read_text() == "theirs"
    assert sorted(path.name for path in Path().iterdir()) == ["OUT", "a"]


@pytest.mark.parametrize("out", ["absent/OUT", "a/OUT"])
def test_a_folder_that_is_none(out: str) -> None:
    write("a")
    with pytest.raises(SourceNotFound, match="there is no folder"):
        create_manifest(["a"], Path(out), Dialect.QUOTED)


def test_no_names_and_a_form_that_is_only_read() -> None:
    write("a")
    with pytest.raises(SourceNotFound, match="Nothing found"):
        create_manifest([], Path("OUT"), Dialect.QUOTED)
    with pytest.raises(ConfigurationError):
        create_manifest(["a"], Path("OUT"), Dialect.CSV)
    assert not Path("OUT").exists()


def change_between_reads(monkeypatch: pytest.MonkeyPatch, name: str, call: str, change: Callable[[], object]) -> None:
    """`change` happens behind the first read of that file."""
    real, inode, reads = getattr(os, call), Path(name).stat().st_ino, iter([change])

    def read(descriptor: int, *arguments: object) -> object:
        result = real(descriptor, *arguments)
        if os.fstat(descriptor).st_ino == inode:
            next(reads, lambda: None)()
        return result

    monkeypatch.setattr(os, call, read)


def append(name: str) -> None:
    with Path(name).open("ab") as file:
        file.write(b"more")


@pytest.mark.parametrize(("size", "call"), [(100_000, "pread"), (1 << 20, "readv")])
@pytest.mark.parametrize(
    ("change", "is_change"),
    [
        (lambda: append("b"), True),
        (lambda: Path("b").write_bytes(b""), True),
        (lambda: os.pwrite(os.open("b", os.O_WRONLY), b"y", 5), True),
        (lambda: Path("b").chmod(0o600), False),
        (lambda: Path("b").rename("elsewhere"), False),
        (lambda: Path("a").write_bytes(b"read before"), False),
    ],
    ids=["grows", "shrinks", "is written to", "other rights", "other name", "another file"],
)
def test_a_file_that_changes_while_it_is_read_is_named(
    size: int, call: str, change: Callable[[], object], is_change: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a", "c")
    Path("b").write_bytes(b"x" * size)
    os.utime("b", (1, 1))
    change_between_reads(monkeypatch, "b", call, change)
    events: list[Event] = []
    created = create_manifest(["a", "b", "c"], Path("OUT"), Dialect.SHA256SUM, report=events.append)
    assert (created.files, created.changed) == (3, ("b",) if is_change else ())
    notices = [event.text for event in events if isinstance(event, Notice)]
    assert notices == ["Changed while the manifest was made; its line says what was read: b"] * is_change


@pytest.mark.parametrize("dialect", [Dialect.BSD, Dialect.JSON])
def test_lines_and_failures_come_in_the_order_of_the_names(dialect: Dialect) -> None:
    """Far enough for whole batches, with absent names at their ends, next to each other and in between."""
    names = [f"n{number:04}" for number in range(1700)]
    absent = {names[position] for position in (0, 3, 1087, 1088, 1089, 1200, 1343, 1344, 1699)}
    write(*(name for name in names if name not in absent))
    told: list[str] = []
    created = create_manifest(
        names,
        None,
        dialect,
        write=lambda piece: told.extend(re.findall(r"n\d{4}", piece.decode())),
        failed=lambda name, _error: told.append(name),
    )
    assert told == names
    assert (created.files, created.failures, created.bytes) == (1691, 9, 5 * 1691)


def test_a_time_in_the_future_is_no_change() -> None:
    write("a")
    os.utime("a", (2**33, 2**33))
    assert create_manifest(["a"], None, Dialect.QUOTED).changed == ()


def test_a_creation_can_be_stopped_and_leaves_nothing() -> None:
    write(*(f"f{number}" for number in range(20)))
    stop = threading.Event()

    def stop_soon(event: Event) -> None:
        if isinstance(event, Planned):
            stop.set()

    with pytest.raises(OperationStopped, match=r"Stopped after \d+ of 20 files\."):
        create_manifest(
            [f"f{number}" for number in range(20)], Path("OUT"), Dialect.QUOTED, report=stop_soon, stop=stop
        )
    assert not [path for path in Path().iterdir() if not path.name.startswith("f")]


def test_progress_is_told_in_bytes_and_files() -> None:
    write("a", "bb")
    events: list[Event] = []
    create_manifest(["a", "bb"], None, Dialect.QUOTED, report=events.append)
    assert events[0] == Planned("hash", 2, 3)
    assert events[-1] == Ended("hash", True)
