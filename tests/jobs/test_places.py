"""Places as jobs name them: found again from any folder, and never another place under the same name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archive_tui.archives.storages import open_storage
from archive_tui.errors import ConfigurationError
from archive_tui.jobs.places import folder_place, name_settings, open_place, storage_place
from archive_tui.settings import load_settings, user_settings_file

LAB = "[lab]\nstorage_client = archive_tui.core.LocalStorageClient\nstorage_area = {}\nlocal_path = .\n"


def write_settings(folder: Path, area: str) -> Path:
    path = folder / "settings.ini"
    path.write_text(LAB.format(area))
    return path


def test_a_relative_folder_of_the_settings_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings(write_settings(tmp_path, "archive").relative_to(tmp_path))
    place = json.loads(json.dumps(storage_place(open_storage(settings, "lab"), settings)))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    opened = open_place(place)
    assert opened.store.identity == f"file://{tmp_path}/archive"
    assert list(elsewhere.iterdir()) == []


def test_the_embedded_archive_needs_no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    place = storage_place(open_storage(settings, "local"), settings)
    assert place["settings"] is None
    assert open_place(place).store.identity == place["identity"]


def test_an_absolute_folder_stays_the_same_place_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(write_settings(tmp_path, str(tmp_path / "archive")))
    storage = open_storage(settings, "lab")
    first = storage_place(storage, settings)
    monkeypatch.chdir(tmp_path)
    assert storage_place(storage, settings) == first


def test_a_name_that_means_another_place_now_is_refused(tmp_path: Path) -> None:
    settings = load_settings(write_settings(tmp_path, str(tmp_path / "archive")))
    place = storage_place(open_storage(settings, "lab"), settings)
    write_settings(tmp_path, str(tmp_path / "other"))
    with pytest.raises(ConfigurationError) as caught:
        open_place(place)
    assert caught.value.code == "place-moved"
    assert str(tmp_path / "archive") in caught.value.hint


def test_a_storage_that_vanished_is_unknown(tmp_path: Path) -> None:
    settings = load_settings(write_settings(tmp_path, str(tmp_path / "archive")))
    place = storage_place(open_storage(settings, "lab"), settings)
    (tmp_path / "settings.ini").write_text("")
    with pytest.raises(ConfigurationError) as caught:
        open_place(place)
    assert caught.value.code == "unknown-storage"


def test_a_folder_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    place = folder_place(Path("here"), keeps=False)
    monkeypatch.chdir("/")
    assert place == {"folder": str(tmp_path / "here"), "keeps": False}
    assert open_place(place).storage is None


def test_a_command_names_the_settings_that_are_not_found_from_everywhere(isolated_home: Path) -> None:
    own, other = user_settings_file(), Path("/data/my settings.ini")
    place = {"storage": "lab", "settings": str(other), "identity": "file:///a"}
    assert name_settings("archive-tui ls lab", place) == "archive-tui ls lab --settings '/data/my settings.ini'"
    assert name_settings("archive-tui ls lab", {**place, "settings": str(own)}) == "archive-tui ls lab"
    assert name_settings("archive-tui ls lab", {"folder": "/data"}, place).endswith("ini'")
    assert name_settings("", place) == ""
