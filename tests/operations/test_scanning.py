import os
import socket
from pathlib import Path

import pytest

from archive_tui.errors import OperationStopped, SourceChanged, SourceError, SourceNotFound
from archive_tui.operations.scanning import source_walk
from archive_tui.operations.scanning.scan import ScanRemark, SourceScan, iter_scan, scan_source
from archive_tui.progress import BytesDone, Ended, Event, Planned


class StopAfter:
    def __init__(self, times: int) -> None:
        self.left = times

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


def make_tree(folder: Path, files: dict[str, bytes]) -> Path:
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder


def rules(remarks: tuple[ScanRemark, ...]) -> list[tuple[str, str]]:
    return [(remark.path, remark.rule) for remark in remarks]


def paths(scan: SourceScan) -> list[str]:
    return [file.path for file in scan.files]


def read(scan: SourceScan, path: str) -> bytes:
    file = next(file for file in scan.files if file.path == path)
    with os.fdopen(scan.open_file(file), "rb") as stream:
        return stream.read()


def test_a_folder_is_all_its_files_sorted(tmp_path: Path) -> None:
    make_tree(tmp_path, {"b/z.txt": b"zz", "b.txt": b"b", "a/deep/er/x": b"x", "b/a.txt": b"", "\u00e4": b"1"})
    scan = scan_source(tmp_path)
    assert paths(scan) == ["a/deep/er/x", "b.txt", "b/a.txt", "b/z.txt", "\u00e4"]
    assert scan.total_bytes == 5
    assert (scan.root, scan.base) == (tmp_path, tmp_path)
    assert (scan.warnings, scan.refusals, scan.skipped, scan.carried_manifest) == ((), (), (), None)
    for file in scan.files:
        status = (tmp_path / file.path).stat()
        assert (file.size, file.mtime_ns, file.ctime_ns, file.inode, file.device) == (
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
            status.st_ino,
            status.st_dev,
        )


def test_a_single_file_is_a_source(tmp_path: Path) -> None:
    make_tree(tmp_path, {"one.csv": b"1,2", "other.csv": b"3"})
    scan = scan_source(tmp_path / "one.csv")
    assert paths(scan) == ["one.csv"]
    assert (scan.root, scan.base, scan.total_bytes) == (tmp_path / "one.csv", tmp_path, 3)
    assert read(scan, "one.csv") == b"1,2"


def test_a_link_that_is_named_as_the_source_is_followed(tmp_path: Path) -> None:
    make_tree(tmp_path, {"data/x": b"x"})
    (tmp_path / "to-folder").symlink_to("data")
    (tmp_path / "to-file").symlink_to("data/x")
    assert paths(scan_source(tmp_path / "to-folder")) == ["x"]
    scan = scan_source(tmp_path / "to-file")
    assert paths(scan) == ["to-file"]
    assert read(scan, "to-file") == b"x"


def test_a_relative_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_tree(tmp_path, {"x": b"x"})
    monkeypatch.chdir(tmp_path)
    scan = scan_source(Path())
    assert scan.base == tmp_path
    assert paths(scan) == ["x"]


def test_a_missing_source(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "dangling").symlink_to("nowhere")
    for source in ("absent", "file/below", "dangling"):
        with pytest.raises(SourceNotFound) as caught:
            scan_source(tmp_path / source)
        assert isinstance(caught.value, FileNotFoundError)
        assert caught.value.hint


def test_a_source_that_is_neither_file_nor_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError) as caught:
        scan_source(tmp_path / "pipe")
    assert caught.value.code == "source-kind"
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(SourceError):
        scan_source(tmp_path / "loop")


def test_an_empty_source_is_refused(tmp_path: Path) -> None:
    assert rules(scan_source(tmp_path).refusals) == [("", "source-empty")]
    (tmp_path / "only" / "folders").mkdir(parents=True)
    scan = scan_source(tmp_path)
    assert rules(scan.refusals) == [("", "source-empty")]
    assert rules(scan.skipped) == [("only/folders", "empty-folder")]


def test_symbolic_links_are_kept_out_and_named(tmp_path: Path) -> None:
    make_tree(tmp_path, {"a": b"a", "d/b": b"b"})
    (tmp_path / "file-link").symlink_to("a")
    (tmp_path / "d" / "up").symlink_to("..")
    (tmp_path / "evil\u202e").symlink_to("/etc/\x1b[2J")
    scan = scan_source(tmp_path)
    assert paths(scan) == ["a", "d/b"]
    assert rules(scan.skipped) == [("d/up", "symlink"), ("evil\u202e", "symlink"), ("file-link", "symlink")]
    assert not scan.refusals
    assert all(remark.text.isprintable() for remark in scan.skipped)


def test_links_inside_are_followed_when_asked(tmp_path: Path) -> None:
    make_tree(tmp_path, {"real/x": b"x", "real/sub/y": b"yy"})
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "file").symlink_to(tmp_path / "real" / "sub" / "y")
    (tmp_path / "chain").symlink_to("file")
    scan = scan_source(tmp_path, follow_symlinks=True)
    assert paths(scan) == ["chain", "file", "folder/sub/y", "folder/x", "real/sub/y", "real/x"]
    assert {path: read(scan, path) for path in paths(scan)} == {
        path: b"x" if path.endswith("x") else b"yy" for path in paths(scan)
    }
    assert (scan.refusals, scan.skipped) == ((), ())


def test_links_that_cannot_be_followed_are_refused(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "source", {"a/x": b"x"})
    make_tree(tmp_path, {"outside": b"secret", "source-2/x": b"x"})
    links = {
        "absolute": tmp_path / "outside",
        "a/up": Path(".."),
        "dangling": Path("nowhere"),
        "neighbour": Path("../source-2"),
        "out": Path("../outside"),
        "self": Path("self"),
    }
    for name, target in links.items():
        (source / name).symlink_to(target)
    scan = scan_source(source, follow_symlinks=True)
    assert rules(scan.refusals) == [
        ("a/up", "symlink-loop"),
        ("absolute", "symlink-outside"),
        ("dangling", "symlink-dangling"),
        ("neighbour", "symlink-outside"),
        ("out", "symlink-outside"),
        ("self", "symlink-dangling"),
    ]
    assert paths(scan) == ["a/x"]


def test_links_that_multiply_come_to_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_walk, "MOST_FOLLOWED_FOLDERS", 50)
    for level in range(12):
        (tmp_path / f"l{level}").mkdir()
        for twin in "ab":
            (tmp_path / f"l{level}" / twin).symlink_to(tmp_path / f"l{level + 1}")
    make_tree(tmp_path, {"l12/x": b"x"})
    scan = scan_source(tmp_path, follow_symlinks=True)
    assert "symlink-too-many" in {remark.rule for remark in scan.refusals}


def test_what_is_no_file_is_kept_out_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_tree(tmp_path, {"a": b"a"})
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        scan = scan_source(tmp_path)
    assert paths(scan) == ["a"]
    assert rules(scan.skipped) == [("pipe", "special-file"), ("socket", "special-file")]


def test_hard_links_are_files_like_any_other(tmp_path: Path) -> None:
    make_tree(tmp_path, {"a": b"a"})
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    assert paths(scan_source(tmp_path)) == ["a", "b"]


def test_hostile_names_are_refused(tmp_path: Path) -> None:
    make_tree(tmp_path, {"good": b"1", "CON": b"1", "dot.": b"1", "new\nline": b"1", "back\\slash": b"1"})
    (tmp_path / os.fsdecode(b"byte\xff")).write_bytes(b"1")
    make_tree(tmp_path / "aux", {"many": b"1", "more": b"1"})
    scan = scan_source(tmp_path)
    assert rules(scan.refusals) == [
        ("CON", "path-device"),
        ("aux", "path-device"),
        ("back\\slash", "path-backslash"),
        ("byte\udcff", "path-encoding"),
        ("dot.", "path-trailing"),
        ("new\nline", "path-control"),
    ]
    assert paths(scan) == ["good"]
    assert all(remark.text.isprintable() for remark in scan.refusals)


def test_clashes_are_refused(tmp_path: Path) -> None:
    make_tree(tmp_path, {"README": b"1", "readme": b"2", "d/\u00e9": b"1", "d/e\u0301": b"2", "n": b"", "N/x": b""})
    scan = scan_source(tmp_path)
    assert rules(scan.refusals) == [
        ("README", "clash-case"),
        ("d/e\u0301", "clash-normalisation"),
        ("n", "clash-file-folder"),
    ]
    assert "readme" in scan.refusals[0].text


def test_names_of_secrets_are_warned_of(tmp_path: Path) -> None:
    secret = ["id_rsa", "server.PEM", ".env", ".env.local", "sub/credentials", ".netrc", "a/settings/secrets.yaml"]
    plain = ["id_rsa.pub", "environment", "keys.csv", "pem.txt", "credentials-howto.md"]
    make_tree(tmp_path, dict.fromkeys([*secret, *plain, ".aws/config"], b""))
    scan = scan_source(tmp_path)
    assert rules(scan.warnings) == [(path, "looks-secret") for path in sorted([*secret, ".aws"])]
    assert len(scan.files) == len(secret) + len(plain) + 1
    assert not scan.refusals


def test_the_ignore_file(tmp_path: Path) -> None:
    make_tree(
        tmp_path,
        {
            ".archive-tui-ignore": b"# comment\n*.tmp\n!keep.tmp\n/build/\nlogs/*.log\n",
            "a.tmp": b"",
            "keep.tmp": b"",
            "build/out": b"",
            "sub/build/out": b"",
            "logs/x.log": b"",
            "logs/x.txt": b"",
        },
    )
    scan = scan_source(tmp_path)
    assert paths(scan) == [".archive-tui-ignore", "keep.tmp", "logs/x.txt", "sub/build/out"]
    assert rules(scan.skipped) == [("a.tmp", "ignored"), ("build", "ignored"), ("logs/x.log", "ignored")]


def test_many_ignored_entries_are_summed_up(tmp_path: Path) -> None:
    make_tree(tmp_path, {".archive-tui-ignore": b"*.tmp", **{f"{number}.tmp": b"" for number in range(1030)}})
    skipped = scan_source(tmp_path).skipped
    assert len(skipped) == 21
    assert skipped[-1].path == ""
    assert "1,010 more" in skipped[-1].text


@pytest.mark.parametrize("content", [b"\xff\xfe", b"!", b"x" * ((1 << 20) + 1)])
def test_an_ignore_file_that_cannot_be_used(content: bytes, tmp_path: Path) -> None:
    make_tree(tmp_path, {".archive-tui-ignore": content})
    with pytest.raises(SourceError) as caught:
        scan_source(tmp_path)
    assert caught.value.code == "ignore-file"


def test_unfinished_writes_of_this_program_are_kept_out(tmp_path: Path) -> None:
    make_tree(tmp_path, {"a": b"", ".archive-tui-1.part": b"", "d/.archive-tui-2.part/x": b""})
    scan = scan_source(tmp_path)
    assert paths(scan) == ["a"]
    assert rules(scan.skipped) == [(".archive-tui-1.part", "temporary"), ("d/.archive-tui-2.part", "temporary")]


def test_a_manifest_of_ours_is_carried(tmp_path: Path) -> None:
    document = b'{"datetime": "2024-01-01T00:00:00", "files": [], "dataset": {"title": "T"}}'
    make_tree(tmp_path, {"a": b"", "manifest.json": document, "d/manifest.json": b"anything"})
    scan = scan_source(tmp_path)
    assert paths(scan) == ["a", "d/manifest.json"]
    assert scan.carried_manifest is not None
    assert scan.carried_manifest.dataset == {"title": "T"}
    assert not scan.refusals


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        (b'{"name": "web app"}', "manifest-foreign"),
        (b"not JSON", "manifest-foreign"),
        (b'{"datetime": "never", "files": []}', "manifest-datetime"),
    ],
)
def test_a_foreign_manifest_is_refused(document: bytes, rule: str, tmp_path: Path) -> None:
    make_tree(tmp_path, {"a": b"", "manifest.json": document})
    scan = scan_source(tmp_path)
    assert rules(scan.refusals) == [("manifest.json", rule)]
    assert scan.carried_manifest is None
    assert (tmp_path / "manifest.json").read_bytes() == document


def test_a_folder_or_file_with_the_name_of_the_manifest(tmp_path: Path) -> None:
    make_tree(tmp_path, {"f/manifest.json/x": b"", "g/MANIFEST.json": b"", "manifest.json": b""})
    assert rules(scan_source(tmp_path / "f").refusals) == [("manifest.json", "path-manifest")]
    assert rules(scan_source(tmp_path / "g").refusals) == [("MANIFEST.json", "path-manifest")]
    assert rules(scan_source(tmp_path / "manifest.json").refusals) == [("manifest.json", "path-manifest")]


def test_what_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_tree(tmp_path, {"open": b"", "locked": b"", "room/x": b""})
    (tmp_path / "locked").chmod(0)
    real = os.scandir
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "access", lambda path, mode, **options: not str(path).endswith("locked"))

    def scandir(path: str) -> object:
        if path.endswith("room"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    scan = scan_source(tmp_path)
    assert rules(scan.refusals) == [("locked", "unreadable"), ("room", "unreadable")]
    assert paths(scan) == ["open"]


def test_very_deep_folders_are_refused_not_crashed_on(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    for _ in range(45):
        os.mkdir("d" * 100, dir_fd=folder)
        below = os.open("d" * 100, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    os.close(folder)
    (refusal,) = [remark for remark in scan_source(tmp_path).refusals if remark.path]
    assert refusal.rule in ("path-too-long", "unreadable")


def test_partial_results_come_while_it_runs(tmp_path: Path) -> None:
    make_tree(tmp_path, {f"{number % 50}/{number}": b"xy" for number in range(3500)})
    (tmp_path / "link").symlink_to("0")
    events: list[Event] = []
    partials = list(iter_scan(tmp_path, report=events.append))
    assert len(partials) >= 4
    assert [partial.files for partial in partials] == sorted(partial.files for partial in partials)
    assert all(partial.scan is None for partial in partials[:-1])
    last = partials[-1]
    assert last.scan is not None
    assert (last.files, last.bytes) == (3500, 7000)
    assert rules(tuple(remark for partial in partials for remark in partial.remarks)) == [("link", "symlink")]
    assert events[0] == Planned("scan")
    assert events[-3:] == [Planned("scan", 3500, 7000), BytesDone("scan", 7000), Ended("scan", True)]


def test_a_scan_stops(tmp_path: Path) -> None:
    make_tree(tmp_path, {f"{number}/x": b"" for number in range(20)})
    events: list[Event] = []
    with pytest.raises(OperationStopped):
        scan_source(tmp_path, stop=StopAfter(5), report=events.append)
    assert events[-1] == Ended("scan", False)
    make_tree(tmp_path / "wide", {str(number): b"" for number in range(1000)})
    with pytest.raises(OperationStopped):
        scan_source(tmp_path / "wide", stop=StopAfter(2))


def test_two_scans_of_the_same_tree_are_equal(tmp_path: Path) -> None:
    make_tree(tmp_path, {"b": b"", "a/c": b"c"})
    assert scan_source(tmp_path) == scan_source(tmp_path)


def test_a_file_that_is_gone_or_replaced_is_not_read(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "source", {"gone": b"1", "link": b"1", "pipe": b"1", "room/x": b"1", "ok": b"1"})
    make_tree(tmp_path, {"secret/x": b"secret"})
    scan = scan_source(source)
    (source / "gone").unlink()
    (source / "link").unlink()
    (source / "link").symlink_to(tmp_path / "secret" / "x")
    (source / "pipe").unlink()
    os.mkfifo(source / "pipe")
    (source / "room" / "x").unlink()
    (source / "room").rmdir()
    (source / "room").symlink_to(tmp_path / "secret")
    for path in ("gone", "link", "pipe", "room/x"):
        with pytest.raises(SourceChanged) as caught:
            read(scan, path)
        assert caught.value.path == path
    assert read(scan, "ok") == b"1"


def test_a_file_that_changed_is_noticed(tmp_path: Path) -> None:
    make_tree(tmp_path, {"same": b"1", "grown": b"1", "touched": b"1", "replaced": b"1"})
    scan = scan_source(tmp_path)
    (tmp_path / "grown").write_bytes(b"12")
    os.utime(tmp_path / "touched", ns=(1, 1))
    (tmp_path / "new").write_bytes(b"1")
    (tmp_path / "new").replace(tmp_path / "replaced")
    changed = []
    for file in scan.files:
        descriptor = scan.open_file(file)
        try:
            scan.check_unchanged(file, descriptor)
        except SourceChanged:
            changed.append(file.path)
        finally:
            os.close(descriptor)
    assert changed == ["grown", "replaced", "touched"]


def test_few_folders_stay_open(tmp_path: Path) -> None:
    make_tree(tmp_path, {f"a/{number}/b/x": b"" for number in range(100)})
    scan = scan_source(tmp_path)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for file in scan.files:
        os.close(scan.open_file(file))
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 33
    scan.close()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
    assert read(scan, "a/1/b/x") == b""
    scan.close()
