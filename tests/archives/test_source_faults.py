"""A source that is not what it was, or cannot be read: a clear sentence, nothing visible, and the same command works
once the source is well again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archive_tui.archives.datasets.fetching import fetch_dataset
from archive_tui.archives.datasets.publishing import PublishPlan, PublishRequest, plan_publish, publish
from archive_tui.archives.datasets.upload import upload_archive_folder
from archive_tui.cli.entry import run_command_line
from archive_tui.core import new_storage_client
from archive_tui.errors import ArchiveError, SourceError
from archive_tui.jobs.kinds import publishing
from archive_tui.objects.folder.store import FolderStore
from archive_tui.progress import BytesDone, Event
from tests.archives.faults.commands import Finished, Tracer, publish_words, run_program
from tests.archives.faults.places import (
    FOLDER,
    SEAWEEDFS,
    Place,
    check_only_whole_versions,
    make_place,
    tree_of,
    visible_keys,
    write_source,
)

NAME = "winds"
VICTIM = "raw/deep/noise.bin"
Change = Callable[[Path], object]


def grow(file: Path) -> None:
    with file.open("ab") as writer:
        writer.write(b"more")


def truncate(file: Path) -> None:
    os.truncate(file, 1000)


def rewrite(file: Path) -> None:
    """Other bytes, the same length, the same time of change: only the system's own time tells."""
    status = file.stat()
    file.write_bytes(bytes(status.st_size))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def replace_by_copy(file: Path) -> None:
    data = file.read_bytes()
    file.unlink()
    file.write_bytes(data)


def replace_by_link(file: Path) -> None:
    file.unlink()
    file.symlink_to("/etc/passwd")


def replace_by_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def replace_by_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def replace_parent_by_link(file: Path) -> None:
    parent = file.parent
    parent.rename(parent.with_name("moved"))
    parent.symlink_to(parent.with_name("moved"))


def remove_parent(file: Path) -> None:
    file.parent.rename(file.parents[2].with_suffix(".gone"))


BEFORE_READING: list[Change] = [
    Path.unlink, grow, truncate, rewrite, replace_by_copy, replace_by_link, replace_by_pipe, replace_by_folder,
    replace_parent_by_link, remove_parent,
]  # fmt: skip
WHILE_READING: list[Change] = [grow, truncate, rewrite]


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    return make_place(FOLDER, tmp_path / "place", request)


def check_nothing_visible(place: Place) -> None:
    with place.open_store() as store:
        assert visible_keys(store) == []
    assert place.temporary_entries() == []


def check_publish_works(place: Place, source: Path) -> None:
    """The source as it lies there now is published by the plain command."""
    finished = run_program(place.folder, *publish_words(NAME, source))
    assert finished.status == 0, finished.err
    with place.open_store() as store:
        assert check_only_whole_versions(store, NAME) == ["0.0.1"]


@pytest.mark.parametrize("change", BEFORE_READING, ids=lambda change: change.__name__)
def test_source_changes_between_scan_and_reading(
    change: Change,
    place: Place,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = write_source(tmp_path / "source", 1)

    def change_and_publish(store: Any, plan: PublishPlan, **options: Any) -> Any:
        change(source / VICTIM)
        return publish(store, plan, **options)

    monkeypatch.setattr(publishing, "publish", change_and_publish)
    monkeypatch.chdir(place.folder)
    status = run_command_line(("dataset", "publish", "lab", NAME, "--source", str(source), "--quiet"))
    captured = capsys.readouterr()
    Finished(status, captured.out, captured.err).check_refusal("raw")
    check_nothing_visible(place)
    check_publish_works(place, source)


@pytest.mark.parametrize("kind", [FOLDER, SEAWEEDFS])
@pytest.mark.parametrize("change", WHILE_READING, ids=lambda change: change.__name__)
def test_source_changes_while_it_is_read(
    change: Change, kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place = make_place(kind, tmp_path / "place", request)
    source = write_source(tmp_path / "source", 1, size=24 << 20)
    changed: list[int] = []

    def change_once(event: Event) -> None:
        if isinstance(event, BytesDone) and event.phase == "upload" and event.total > 0 and not changed:
            changed.append(event.total)
            change(source / VICTIM)

    with place.open_store() as store:
        plan = plan_publish(store, PublishRequest(NAME, source))
        if kind == FOLDER:
            with pytest.raises(SourceError) as caught:
                publish(store, plan, report=change_once)
            assert changed and changed[0] < plan.scan.total_bytes
            assert VICTIM in caught.value.message
            assert caught.value.hint
            check_nothing_visible(place)
        else:
            publish_or_refuse(store, plan, change_once)
    check_the_truth_is_stored(place, source, tmp_path)


def publish_or_refuse(store: Any, plan: PublishPlan, report: Callable[[Event], None]) -> None:
    """A store that reads ahead may have read the whole file before the change: then it is the old one, whole."""
    try:
        publish(store, plan, report=report)
    except SourceError as error:
        assert VICTIM in error.message
        assert visible_keys(store) == []


def check_the_truth_is_stored(place: Place, source: Path, tmp_path: Path) -> None:
    assert run_program(place.folder, *publish_words(NAME, source)).status == 0
    with place.open_store() as store:
        assert len(check_only_whole_versions(store, NAME)) in (1, 2)
        assert tree_of(fetch_dataset(store, NAME, into=tmp_path / "there").folder) == tree_of(source)


@pytest.mark.parametrize(
    ("fault", "code"),
    [("EACCES", "source-unreadable"), ("EPERM", "source-unreadable"), ("EIO", "source"), ("ENOENT", "source-vanished")],
)
@pytest.mark.parametrize("call", ["openat", "pread64"])
def test_the_system_refuses_a_file(call: str, fault: str, code: str, place: Place, tmp_path: Path) -> None:
    tracer = Tracer(tmp_path)
    source = write_source(tmp_path / "source", 1, size=3 << 20)
    path = "noise.bin" if call == "openat" else str(source / VICTIM)
    words = publish_words(NAME, source)
    finished = tracer.run(place.folder, *words, inject=f"{call}:error={fault}", path=path)
    assert finished.status == 1, (finished.out, finished.err)
    error = finished.document["error"]
    assert VICTIM in error["message"]
    assert error["hint"]
    assert error["code"] == code
    check_nothing_visible(place)
    check_publish_works(place, source)


def make_pipe(source: Path) -> None:
    os.mkfifo(source / "pipe")


def make_link_loop(source: Path) -> None:
    (source / "raw" / "back").symlink_to(source)


def make_self_link(source: Path) -> None:
    (source / "self").symlink_to("self")


def make_link_outside(source: Path) -> None:
    (source.parent / "secret.txt").write_text("secret")
    (source / "secret.txt").symlink_to(source.parent / "secret.txt")


@pytest.mark.parametrize("make", [make_pipe, make_link_loop, make_self_link, make_link_outside])
def test_what_is_no_file_is_kept_out_and_said(make: Change, place: Place, tmp_path: Path) -> None:
    source = write_source(tmp_path / "source", 1)
    expected = tree_of(source)
    make(source)
    finished = run_program(place.folder, "dataset", "publish", "lab", NAME, "--source", str(source))
    assert finished.status == 0, finished.err
    assert "kept out" in finished.err
    with place.open_store() as store:
        assert check_only_whole_versions(store, NAME) == ["0.0.1"]
        assert tree_of(fetch_dataset(store, NAME, into=tmp_path / "there").folder) == expected


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (make_link_loop, "symlink-loop"),
        (make_self_link, "symlink-dangling"),
        (make_link_outside, "symlink-outside"),
    ],
)
def test_links_that_cannot_be_followed_are_refused(make: Change, rule: str, place: Place, tmp_path: Path) -> None:
    source = write_source(tmp_path / "source", 1)
    make(source)
    words = publish_words(NAME, source, "--follow-symlinks")
    finished = run_program(place.folder, *words)
    assert finished.status == 1, finished.err
    assert finished.document["error"]["code"] == rule
    assert finished.document["error"]["hint"]
    check_nothing_visible(place)
    next(path for path in source.rglob("*") if path.is_symlink()).unlink()
    assert run_program(place.folder, *words).status == 0


def test_links_inside_are_followed_when_asked(place: Place, tmp_path: Path) -> None:
    source = write_source(tmp_path / "source", 1)
    (source / "again.md").symlink_to("notes.md")
    (source / "same").symlink_to("raw")
    assert run_program(place.folder, *publish_words(NAME, source, "--follow-symlinks")).status == 0
    with FolderStore(place.archive) as store:
        fetched = tree_of(fetch_dataset(store, NAME, into=tmp_path / "there").folder)
    assert fetched["again.md"] == fetched["notes.md"]
    assert fetched["same/table.csv"] == fetched["raw/table.csv"]


@pytest.mark.parametrize("change", [Path.unlink, truncate, replace_by_link, replace_by_pipe], ids=lambda c: c.__name__)
def test_upload_dataset_leaves_only_the_source(change: Change, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from archive_tui.archives.datasets import archive_folder

    source = write_source(place.local_path / NAME, 1)
    scan_source = archive_folder.scan_source

    def scan_and_change(path: Path, **options: Any) -> Any:
        scan = scan_source(path, **options)
        change(source / VICTIM)
        return scan

    client = new_storage_client("lab", place.settings)
    with monkeypatch.context() as patch:
        patch.setattr(archive_folder, "scan_source", scan_and_change)
        with pytest.raises(ArchiveError) as caught:
            upload_archive_folder(client, place.local_path, NAME, None, "patch", -1)
    assert VICTIM in caught.value.message
    assert caught.value.hint
    assert [path.name for path in place.local_path.iterdir()] == [NAME]
    assert client.ls() == []
    (source / VICTIM).unlink(missing_ok=True)
    (source / VICTIM).write_bytes(b"well again")
    assert str(client.upload_dataset(NAME)).endswith(f"{NAME}.0.0.1.zip")
