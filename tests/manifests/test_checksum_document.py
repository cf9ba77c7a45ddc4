"""The file of a manifest: missing, unreadable, a pipe, changed while it is read; read as often as one likes."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import sys
import threading
from pathlib import Path
from unittest.mock import patch

import pytest

from archive_tui.errors import ManifestError, SourceNotFound, SourceUnreadable
from archive_tui.manifests import manifest_document
from archive_tui.manifests.checksum_lines import BadLine, Dialect, ManifestLine, json_document, open_manifest

HEX = hashlib.sha256(b"a").hexdigest().encode()
MANY = b"".join(HEX + b"  f%d\n" % number for number in range(20_000))


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "document"
    path.write_bytes(MANY)
    return path


def test_what_is_said_about_it(document: Path) -> None:
    with open_manifest(str(document)) as manifest:
        assert (manifest.where, manifest.path, manifest.size) == (str(document), document, len(MANY))
        assert manifest.count_lines() == 20_000
        assert manifest.hint == ""


def test_it_is_read_as_often_as_one_likes_and_side_by_side(document: Path) -> None:
    with open_manifest(document) as manifest:
        first, second = manifest.lines(), manifest.lines()
        for number in range(1, 20_001):
            assert next(first) == next(second) == (number, f"f{number - 1}", HEX.decode(), None)
        assert next(first, None) is None
        assert [line for batch in manifest.batches() for line in batch] == list(manifest.lines())


def test_no_file(tmp_path: Path) -> None:
    for name in ("none", "none/none"):
        with pytest.raises(SourceNotFound, match="No such file or directory") as caught:
            open_manifest(tmp_path / name)
        assert isinstance(caught.value.__cause__, FileNotFoundError)
        assert caught.value.path == str(tmp_path / name)
    (tmp_path / "file").touch()
    with pytest.raises(SourceNotFound, match="Not a directory"):
        open_manifest(tmp_path / "file" / "none")


def test_a_folder_is_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="Is a directory"):
        open_manifest(tmp_path)


def test_a_name_that_no_file_can_have() -> None:
    with pytest.raises(SourceUnreadable):
        open_manifest("a\0b")


def test_messages_obey_no_escape_in_the_name() -> None:
    with pytest.raises(SourceNotFound) as caught:
        open_manifest("\x1b[2J")
    assert "\x1b" not in caught.value.message


def test_no_permission(document: Path) -> None:
    refusal = PermissionError(errno.EACCES, "Permission denied")
    with patch("io.FileIO", side_effect=refusal), pytest.raises(SourceUnreadable, match="Permission denied"):
        open_manifest(document)


def test_an_error_while_it_is_read(document: Path) -> None:
    with open_manifest(document) as manifest:
        lines = manifest.lines()
        next(lines)
        with patch("os.pread", side_effect=OSError(errno.EIO, "Input/output error")):
            with pytest.raises(SourceUnreadable, match="Input/output error"):
                list(lines)
            with pytest.raises(SourceUnreadable):
                manifest.count_lines()


def test_it_becomes_shorter_while_it_is_read(document: Path) -> None:
    with open_manifest(document) as manifest:
        lines = manifest.lines()
        next(lines)
        os.truncate(document, 150_000)
        rest = list(lines)
        assert 0 < len(rest) < 19_999
        assert all(isinstance(line, ManifestLine) for line in rest[:-1])
        os.truncate(document, 0)
        assert list(manifest.lines()) == []
        assert manifest.count_lines() == 0
        assert manifest.size == len(MANY)


def test_it_is_replaced_while_it_is_read(document: Path, tmp_path: Path) -> None:
    """The file that was opened is read to its end, whatever has its name by then."""
    with open_manifest(document) as manifest:
        (tmp_path / "other").write_bytes(b"junk\n")
        (tmp_path / "other").replace(document)
        assert sum(1 for _ in manifest.lines()) == 20_000


def test_its_dialect_stays_what_it_was(document: Path) -> None:
    with open_manifest(document) as manifest:
        document.write_bytes(b'{"files": []}')
        assert manifest.dialect is Dialect.SHA256SUM
        assert [type(line) for line in manifest.lines()] == [BadLine]


def test_nothing_is_read_after_the_end(document: Path) -> None:
    with open_manifest(document) as manifest:
        lines = manifest.lines()
        next(lines)
    with pytest.raises(SourceUnreadable):
        list(lines)
    manifest.close()


def open_descriptors() -> list[str]:
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


def test_no_descriptor_is_left(document: Path, tmp_path: Path) -> None:
    before = open_descriptors()
    open_manifest(document).close()
    for name, content in (("json", b'{"files": 1}'), ("deep", b'{"files": ' + b"[" * 100_000)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ManifestError):
            open_manifest(tmp_path / name)
    with pytest.raises(SourceUnreadable):
        open_manifest(tmp_path)
    assert open_descriptors() == before


def feed_pipe(pipe: Path, content: bytes) -> threading.Thread:
    os.mkfifo(pipe)
    thread = threading.Thread(target=pipe.write_bytes, args=(content,))
    thread.start()
    return thread


def test_a_pipe_is_read_once_and_its_lines_as_often_as_one_likes(tmp_path: Path) -> None:
    thread = feed_pipe(tmp_path / "pipe", MANY)
    with open_manifest(tmp_path / "pipe") as manifest:
        assert manifest.size == len(MANY)
        assert sum(1 for _ in manifest.lines()) == sum(1 for _ in manifest.lines()) == 20_000
    thread.join()


def test_standard_input_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(MANY)))
    with open_manifest("-") as manifest:
        assert manifest.where == "-"
        assert sum(1 for _ in manifest.lines()) == 20_000
        assert list(tmp_path.iterdir()) == [], "the copy has a name"


def test_no_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(SourceUnreadable, match="from standard input"):
        open_manifest("-")


def test_no_room_for_the_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(MANY)))
    monkeypatch.setattr("tempfile.TemporaryFile", lambda: io.FileIO("/dev/full", "r+"))
    with pytest.raises(ManifestError) as caught:
        open_manifest("-")
    assert caught.value.code == "manifest-copy"
    assert "No space left" in caught.value.message


def test_json_is_only_taken_up_to_a_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (json_document, manifest_document):
        monkeypatch.setattr(module, "LARGEST_MANIFEST", 1 << 20)
    path = tmp_path / "document"
    path.write_bytes(b'{"files": []}' + b" " * ((1 << 20) - 13))
    open_manifest(path).close()
    with path.open("ab") as file:
        file.write(b" ")
    with pytest.raises(ManifestError) as caught:
        open_manifest(path)
    assert caught.value.code == "manifest-too-large"
