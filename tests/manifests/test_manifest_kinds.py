import errno
import os
from pathlib import Path

import pytest

from archive_tui.errors import ManifestError
from archive_tui.manifests import find_manifest
from archive_tui.manifests.manifest_document import read_manifest_document


def test_the_manifest_of_a_dataset_is_found(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"datetime": "2024-01-01T00:00:00", "files": []}')
    found = find_manifest(tmp_path)
    assert (found.kind, found.path, len(found.inventory)) == ("dataset manifest", tmp_path / "manifest.json", 0)


def test_a_folder_without_one_is_told(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(ManifestError) as caught:
            find_manifest(folder)
        assert caught.value.code == "manifest-missing"
        assert "manifest.json" in caught.value.hint


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("{}")
    (tmp_path / "link").symlink_to("elsewhere")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "folder", "pipe"):
        with pytest.raises(ManifestError) as caught:
            read_manifest_document(tmp_path / name)
        assert caught.value.code == "manifest-kind"


def test_an_unreadable_one_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "manifest.json").write_text("{}")

    def refuse(*arguments: object, **options: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ManifestError) as caught:
        find_manifest(tmp_path)
    assert caught.value.code == "manifest-unreadable"
    assert caught.value.hint


def test_an_enormous_one_is_not_read_whole(tmp_path: Path) -> None:
    with (tmp_path / "manifest.json").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ManifestError) as caught:
        find_manifest(tmp_path)
    assert caught.value.code == "manifest-too-large"
