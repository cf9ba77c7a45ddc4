from __future__ import annotations

from pathlib import Path

import pytest

from archive_tui.archives.locations import default_locations, open_location
from archive_tui.archives.storages import MASK, default_storage_name, describe_storage, open_storage, storage_names
from archive_tui.errors import ConfigurationError
from archive_tui.settings import find_settings_file, load_settings

SECTION = "[lab]\nstorage_client = archive_tui.core.LocalStorageClient\nstorage_area = {0}/area\nlocal_path = {0}\n"


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_files_are_looked_for_in_order(tmp_path: Path, isolated_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_settings_file() is None
    user = write(isolated_home / ".config/archive-tui/settings.ini", "")
    assert find_settings_file() == user
    write(tmp_path / "secrets/settings.ini", "")
    assert find_settings_file() == Path("secrets/settings.ini")
    write(tmp_path / "settings.ini", "")
    assert find_settings_file() == Path("settings.ini")
    monkeypatch.setenv("ARCHIVE_TUI_SETTINGS", str(write(tmp_path / "environment.ini", "")))
    assert find_settings_file() == tmp_path / "environment.ini"
    assert find_settings_file(user) == user


def test_a_file_that_was_named_must_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="--settings"):
        find_settings_file(tmp_path / "absent.ini")
    monkeypatch.setenv("ARCHIVE_TUI_SETTINGS", "absent.ini")
    with pytest.raises(ConfigurationError, match="ARCHIVE_TUI_SETTINGS"):
        load_settings()


def test_without_settings_the_embedded_archive_exists(isolated_home: Path) -> None:
    settings = load_settings()
    storage = open_storage(settings, default_storage_name(settings))
    assert (storage.name, storage.kind, storage.is_embedded) == ("local", "folder", True)
    assert str(isolated_home) in storage.store.label
    left, right = default_locations(settings)
    assert left.folder == Path.cwd()
    assert right.word == "local"


def test_a_local_section_replaces_the_embedded_archive(tmp_path: Path) -> None:
    write(tmp_path / "settings.ini", SECTION.format(tmp_path).replace("[lab]", "[local]"))
    settings = load_settings()
    assert storage_names(settings) == ["local"]
    assert not open_storage(settings, "local").is_embedded


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[lab\n", "not a valid INI file", ""),
        ("key = 1\n", "not a valid INI file", ""),
        ("[a]\nx = 1\n[a]\n", "not a valid INI file", ""),
        ("[archive-tui]\nvaullt = x\n", "Unknown key", "Did you mean 'vault'?"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, message: str, hint: str) -> None:
    write(tmp_path / "settings.ini", text)
    with pytest.raises(ConfigurationError, match=message) as caught:
        load_settings()
    assert hint in caught.value.hint


def test_a_parser_error_never_quotes_the_line(tmp_path: Path) -> None:
    write(tmp_path / "settings.ini", "[a]\naws_secret_access_key hunter2\n  = x\n\x00")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert "hunter2" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "settings.ini").write_bytes(b"[a]\nx = \xff\n")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        load_settings()


@pytest.mark.parametrize(
    ("extra", "message", "hint"),
    [
        ("storage_aera = /x\n", "Unknown key", "Did you mean 'storage_area'?"),
        ("storage_client = archive_tui.core.LocalStorgeClient\n", "has no 'LocalStorgeClient'", "spelling"),
        ("storage_client = no_such_package.Client\n", "Cannot import", "installed"),
        ("storage_client = Client\n", "Not a dotted path", "package.module.Class"),
        ("storage_client = json.JSONDecoder\n", "not a storage client class", "StorageClientABC"),
    ],
)
def test_bad_sections(tmp_path: Path, extra: str, message: str, hint: str) -> None:
    keys = {"storage_client": "archive_tui.core.LocalStorageClient", "storage_area": "/x", "local_path": "."}
    key, _, value = extra.strip().partition(" = ")
    keys[key] = value
    write(tmp_path / "settings.ini", "[lab]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items()))
    with pytest.raises(ConfigurationError, match=message) as caught:
        open_storage(load_settings(), "lab")
    assert hint in caught.value.hint


def test_an_unknown_storage_says_which_there_are(tmp_path: Path) -> None:
    write(tmp_path / "settings.ini", SECTION.format(tmp_path))
    with pytest.raises(ConfigurationError) as caught:
        open_storage(load_settings(), "lba")
    assert "Did you mean 'lab'?" in caught.value.hint


def test_secrets_are_masked(tmp_path: Path) -> None:
    write(tmp_path / "settings.ini", SECTION.format(tmp_path) + "conn_str = AccountKey=abc\npassword = p\n")
    described = describe_storage(load_settings(), "lab")
    assert described["conn_str"] == described["password"] == MASK
    assert described["local_path"] == str(tmp_path)


def test_what_a_word_means(tmp_path: Path) -> None:
    write(tmp_path / "settings.ini", SECTION.format(tmp_path))
    (tmp_path / "lab/below").mkdir(parents=True)
    settings = load_settings()
    assert open_location("lab", settings).storage is not None
    assert open_location("./lab", settings).folder == tmp_path / "lab"
    below = open_location("lab:climate/north", settings)
    assert below.prefix == "climate/north/"
    assert below.word == "lab:climate/north/"
    assert below.parent is not None
    assert below.parent.prefix == "climate/"
    folder = open_location("lab/below", settings)
    assert folder.parent is not None
    assert folder.parent.folder == tmp_path / "lab"
    assert folder.key("x") == str(tmp_path / "lab/below/x").lstrip("/")
    with pytest.raises(ConfigurationError, match="Neither a storage nor a folder"):
        open_location("absent/folder", settings)
    with pytest.raises(ConfigurationError, match="No storage of this name: lap"):
        open_location("lap:x", settings)


def test_the_form_of_new_manifests_is_one_that_can_be_written(tmp_path: Path) -> None:
    for chosen in ("quoted", "sha256sum", "bsd", "json"):
        path = write(tmp_path / "settings.ini", f"[archive-tui]\nmanifest_format = {chosen}\n")
        assert load_settings(path).program["manifest_format"] == chosen
    path = write(tmp_path / "settings.ini", "[archive-tui]\nmanifest_format = sha256\n")
    with pytest.raises(ConfigurationError, match="manifest_format is none that can be written: sha256") as caught:
        load_settings(path)
    assert "Did you mean 'sha256sum'?" in caught.value.hint
