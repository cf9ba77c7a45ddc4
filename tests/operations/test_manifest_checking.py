import errno
import hashlib
import io
import json
import os
import sys
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from archive_tui.errors import ManifestError, OperationStopped
from archive_tui.integrity.report import FindingKind, IntegrityReport, Verdict
from archive_tui.manifests.checksum_lines.line import BadLine, Dialect
from archive_tui.manifests.checksum_lines.reading import open_manifest
from archive_tui.operations import manifest_checking
from archive_tui.operations.line_checking import CheckedLine, LineState, check_batches, check_lines
from archive_tui.operations.manifest_checking import check_manifest
from archive_tui.progress import BytesDone, Ended, Event, ItemDone, ItemFailed, Planned


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write_lines(path: Path, *lines: str) -> Path:
    path.write_bytes(os.fsencode("".join(f"{line}\n" for line in lines)))
    return path


def line_of(content: bytes, name: str) -> str:
    return f"{digest_of(content)}  {name}"


def check_each(path: Path, root: Path, **options: object) -> list[tuple[int, str]]:
    """Number and state of each line, as text."""
    with open_manifest(path, root=root) as manifest:
        found = list(check_lines(manifest, root=root, **options))  # type: ignore[arg-type]
        batches = list(check_batches(manifest, root=root))
    assert [type(item) for batch in batches for item in (batch.checked or batch.lines)] == [
        type(item) if not batch.all_same else type(batch.lines[0])
        for batch in batches
        for item in (batch.checked or batch.lines)
    ]
    return [
        (item.number, "bad") if isinstance(item, BadLine) else (item.line.number, item.state.value) for item in found
    ]


@pytest.fixture(name="folder")
def make_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "sub").mkdir(parents=True)
    (folder / "a").write_bytes(b"a")
    (folder / "sub" / "b").write_bytes(b"b" * 300_000)
    (folder / "c c").write_bytes(b"")
    return folder


def test_every_state_in_the_order_of_the_lines(folder: Path, tmp_path: Path) -> None:
    os.mkfifo(folder / "pipe")
    lines = [
        line_of(b"b" * 300_000, "sub/b"),
        line_of(b"other", "a"),
        "this is no line",
        line_of(b"a", "a"),
        line_of(b"", "absent"),
        "# a comment",
        line_of(b"", "sub"),
        line_of(b"", "c c"),
        line_of(b"", "pipe"),
        line_of(b"", "a/x"),
        line_of(b"a", "a"),
        "",
        line_of(b"a", "./sub/..//a"),
    ]
    states = {1: "same", 2: "changed", 3: "bad", 4: "same", 5: "missing", 7: "unreadable", 8: "same", 9: "unreadable"}
    states |= {10: "missing", 11: "same", 13: "same"}
    assert check_each(write_lines(tmp_path / "m", *lines), folder) == list(states.items())


def test_a_result_says_what_was_found(folder: Path, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "m", line_of(b"x", "a"), line_of(b"x", "sub"), line_of(b"a", "a"))
    with open_manifest(path) as manifest:
        changed, unreadable, same = check_lines(manifest, root=folder)
    assert isinstance(changed, CheckedLine)
    assert (changed.found, changed.size, changed.error) == (digest_of(b"a"), 1, None)
    assert isinstance(unreadable, CheckedLine)
    assert (unreadable.found, unreadable.size) == (None, None)
    assert unreadable.error is not None
    assert (unreadable.error.errno, unreadable.error.strerror) == (errno.EISDIR, "Is a directory")
    assert isinstance(same, CheckedLine)
    assert (same.state, same.found, same.size) == (LineState.SAME, digest_of(b"a"), 1)


def test_lines_that_are_all_right_are_the_same_one_by_one_and_by_the_batch(folder: Path, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "m", *[line_of(b"a", "a"), line_of(b"b" * 300_000, "sub/b")] * 300)
    with open_manifest(path) as manifest:
        batches = list(check_batches(manifest, root=folder))
        found = list(check_lines(manifest, root=folder))
        lines = list(manifest.lines())
    assert all(batch.all_same for batch in batches)
    assert [line for batch in batches for line in batch.lines] == lines
    assert [size for batch in batches for size in batch.sizes] == [1, 300_000] * 300
    assert [(item.line, item.state, item.size) for item in found if isinstance(item, CheckedLine)] == [
        (line, LineState.SAME, size) for line, size in zip(lines, [1, 300_000] * 300, strict=True)
    ]


@pytest.mark.parametrize(("size", "state"), [(1, "same"), (2, "changed"), (None, "same")])
def test_a_listed_size_has_to_fit(size: int | None, state: str, folder: Path, tmp_path: Path) -> None:
    entry = {"path": "a", "sha256": digest_of(b"a"), "size": size}
    other = {"path": "c c", "sha256": digest_of(b""), "size": 0}
    document = {"format": "archive-tui checksums 1", "created": None, "files": [entry, other]}
    (tmp_path / "m.json").write_text(json.dumps(document))
    manifest = SimpleNamespace()
    with open_manifest(write_lines(tmp_path / "m", line_of(b"a", "a"), line_of(b"", "c c"))) as real:
        lines = list(real.lines())
        manifest.dialect, manifest.size = Dialect.JSON, 100
        first = lines[0]._replace(size=size)  # type: ignore[union-attr]
        manifest.batches = lambda: iter([[first, lines[1]._replace(size=0)]])  # type: ignore[union-attr]
        found = list(check_lines(manifest, root=folder))  # type: ignore[arg-type]
    assert [item.state.value for item in found if isinstance(item, CheckedLine)] == [state, "same"]


def test_the_name_of_standard_input(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line_of(b"a", "a"), line_of(b"in", "-"), line_of(b"", "-"), line_of(b"x", "-"), line_of(b"a", "a")]
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"in")))
    assert check_each(write_lines(tmp_path / "m", *lines), folder) == [
        (1, "same"),
        (2, "same"),
        (3, "same"),  # a second reading finds the end
        (4, "changed"),
        (5, "same"),
    ]
    monkeypatch.setattr(sys, "stdin", None)
    assert check_each(write_lines(tmp_path / "m", *lines), folder)[1] == (2, "unreadable")


def test_to_the_quoted_form_a_dash_is_a_file(folder: Path, tmp_path: Path) -> None:
    (folder / "-").write_bytes(b"dash")
    assert check_each(write_lines(tmp_path / "m", f'{digest_of(b"dash")}  "-"'), folder) == [(1, "same")]


def test_ten_thousand_lines_with_other_processes(folder: Path, tmp_path: Path) -> None:
    lines = [line_of(b"a" if number % 4000 else b"A", "a") for number in range(10_000)]
    lines[5] = "junk"
    states = check_each(write_lines(tmp_path / "m", *lines), folder)
    assert [number for number, _ in states] == list(range(1, 10_001))
    assert [found for found in states if found[1] != "same"] == [
        (1, "changed"),
        (6, "bad"),
        (4001, "changed"),
        (8001, "changed"),
    ]


def test_a_stop_claims_nothing_for_the_rest(folder: Path, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "m", *[line_of(b"a", "a")] * 5000)
    stop = threading.Event()
    with open_manifest(path) as manifest, pytest.raises(OperationStopped):
        for _ in check_lines(manifest, root=folder, stop=stop):
            stop.set()


def test_millions_of_lines_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "")  # what this process holds
    peaks = []
    for count in (4_000, 40_000):
        path = write_lines(tmp_path / "m", *[line_of(b"", "/dev/null"), "junk"] * (count // 2))
        tracemalloc.start()
        with open_manifest(path, dialect=Dialect.SHA256SUM) as manifest:
            report = check_manifest(manifest)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert (report.files_ok, len(report.notes)) == (count // 2, 21)
    assert peaks[1] < peaks[0] + 1_000_000


def run_check(path: Path, folder: Path, **options: object) -> IntegrityReport:
    with open_manifest(path) as manifest:
        return check_manifest(manifest, root=folder, **options)  # type: ignore[arg-type]


def kinds(report: IntegrityReport) -> list[tuple[str, str]]:
    return [(finding.kind.value, finding.path) for finding in report.findings]


def test_a_report_of_what_is_right(folder: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    path = write_lines(tmp_path / "m", line_of(b"a", "a"), line_of(b"b" * 300_000, "sub/b"))
    report = run_check(path, folder, report=events.append)
    assert (report.verdict, report.files_total, report.files_ok) == (Verdict.VERIFIED, 2, 2)
    assert (report.bytes_read, report.bytes_total, report.subject) == (300_001, 300_001, str(path))
    assert events[0] == Planned("check", 2)
    assert events[-1] == Ended("check", finished=True)
    assert [event.total for event in events if isinstance(event, BytesDone)][-1] == 300_001
    assert [event.items_total for event in events if isinstance(event, ItemDone)][-1] == 2


def test_a_report_of_every_kind(folder: Path, tmp_path: Path) -> None:
    (folder / "new name").write_bytes(b"moved")
    (folder / "sub" / "extra").write_bytes(b"extra")
    lines = [line_of(b"x", "a"), "junk", line_of(b"moved", "old"), line_of(b"gone", "gone"), line_of(b"", "sub")]
    path = write_lines(tmp_path / "m", *lines, line_of(b"b" * 300_000, "sub/b"))
    events: list[Event] = []
    report = run_check(path, folder, extra_folders=["."], report=events.append)
    assert kinds(report) == [
        ("changed", "a"),
        ("moved", "old"),
        ("missing", "gone"),
        ("unreadable", "sub"),
        ("extra", "c c"),
        ("extra", "sub/extra"),
    ]
    assert report.findings[0].found == digest_of(b"a")
    assert report.findings[1].detail == "now at new name"
    assert report.notes == ("Line 2 is no line of a manifest: " + BadReason.of(path),)
    assert report.verdict is Verdict.FINDINGS
    assert len([event for event in events if isinstance(event, ItemFailed)]) == 6
    without = run_check(path, folder)
    assert [kind for kind, _ in kinds(without)] == ["changed", "missing", "missing", "unreadable"]
    ignoring = run_check(path, folder, ignore_missing=True)
    assert [kind for kind, _ in kinds(ignoring)] == ["changed", "unreadable"]
    assert ignoring.notes[-1] == "2 listed files are not there and were passed over"


class BadReason:
    @staticmethod
    def of(path: Path) -> str:
        with open_manifest(path) as manifest:
            return next(line.reason for line in manifest.lines() if isinstance(line, BadLine))


def test_many_bad_lines_are_counted(folder: Path, tmp_path: Path) -> None:
    report = run_check(write_lines(tmp_path / "m", *["junk"] * 30, line_of(b"a", "a")), folder)
    assert len(report.notes) == 21
    assert report.notes[19].startswith("Line 20 ")
    assert report.notes[20] == "10 more lines are no lines of a manifest"
    assert report.verdict is Verdict.VERIFIED


def test_many_findings_are_counted(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest_checking, "MOST_FINDINGS", 10)
    path = write_lines(tmp_path / "m", *[line_of(b"x", "a"), line_of(b"gone", "absent")] * 10)
    report = run_check(path, folder, extra_folders=[])
    assert len(report.findings) == 10
    assert report.notes == ("12 more findings are not named",)  # with two extra files


@pytest.mark.parametrize("lines", [[], ["junk"], ["# only a comment", ""]])
def test_a_manifest_without_a_good_line_is_an_error(lines: list[str], folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="Not one line") as caught:
        run_check(write_lines(tmp_path / "m", *lines), folder, extra_folders=[])
    assert caught.value.code == "manifest-no-lines"


def test_a_stopped_report_says_so(folder: Path, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "m", *[line_of(b"a", "a")] * 5000)
    events: list[Event] = []
    stop = threading.Event()
    stop_at_first: Callable[[Event], None] = lambda event: stop.set() if isinstance(event, ItemDone) else None  # noqa: E731
    report = run_check(path, folder, stop=stop, report=lambda event: (events.append(event), stop_at_first(event)))
    assert not report.complete
    assert report.verdict is Verdict.STOPPED
    assert (report.files_total, report.files_ok < 5000) == (5000, True)
    assert events[-1] == Ended("check", finished=False)


def test_a_manifest_cannot_be_what_it_changes(folder: Path, tmp_path: Path) -> None:
    path = write_lines(folder / "SUMS", line_of(b"a", "a"), line_of(b"b" * 300_000, "sub/b"), line_of(b"", "c c"))
    before = {item: item.stat().st_mtime_ns for item in folder.rglob("*")}
    report = run_check(path, folder, extra_folders=[])
    assert report.verdict is Verdict.VERIFIED
    assert {item: item.stat().st_mtime_ns for item in folder.rglob("*")} == before
    assert report.count(FindingKind.EXTRA) == 0
