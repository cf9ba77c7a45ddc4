"""Which datasafe the settings name, and with which token."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive_tui.archives.datasafe.remote_safe import RemoteSafe
from archive_tui.archives.datasafe.safes import (
    open_safe,
    open_safe_in,
    read_token,
    safe_prefix,
    safe_storage_names,
    usual_storage,
)
from archive_tui.archives.storages import describe_storage, new_storage_client, open_storage
from archive_tui.core import HttpStorageClient
from archive_tui.errors import AccessDenied, ConfigurationError, StorageError
from archive_tui.objects.http import HttpStore
from archive_tui.objects.wrappers import throttled_store
from archive_tui.objects.wrappers.store_wrappers import RecordingStore
from archive_tui.objects.wrappers.throttled_store import ThrottledStore
from archive_tui.settings import Settings, load_settings
from tests.objects.lying_datasafe import Dataset, lying_datasafe

LOI = "42.1001/ds/exp/sa/42/cwepr/1"


def make_settings(folder: Path, text: str) -> Settings:
    path = folder / "settings.ini"
    path.write_text("[DEFAULT]\nlocal_path = .\n" + text)
    return load_settings(path)


def folder_section(name: str, *lines: str) -> str:
    first = f"[{name}]\nstorage_client = archive_tui.core.LocalStorageClient\nstorage_area = /srv/{name}\n"
    return first + "".join(f"{line}\n" for line in lines)


def http_section(name: str, *lines: str, url: str = "http://127.0.0.1:9/") -> str:
    first = f"[{name}]\nstorage_client = archive_tui.core.HttpStorageClient\nurl = {url}\n"
    return first + "".join(f"{line}\n" for line in lines)


def test_a_datasafe_is_where_the_key_is_and_behind_every_address(tmp_path: Path) -> None:
    text = folder_section("plain") + folder_section("top", "datasafe = /") + folder_section("deep", "datasafe = a/b")
    settings = make_settings(tmp_path, text + http_section("far"))
    assert safe_storage_names(settings) == ["top", "deep", "far"]
    assert [safe_prefix(settings, name) for name in ("top", "deep", "far")] == ["", "a/b/", ""]
    with pytest.raises(ConfigurationError, match="no datasafe in the storage plain") as caught:
        safe_prefix(settings, "plain")
    assert "datasafe = /" in caught.value.hint
    with pytest.raises(ConfigurationError, match="No storage of this name: tip") as caught:
        safe_prefix(settings, "tip")
    assert "'top'" in caught.value.hint


@pytest.mark.parametrize("prefix", ["a/../b", "a//b", ".", "x" * 1000])
def test_a_prefix_that_no_key_begins_with_is_refused(tmp_path: Path, prefix: str) -> None:
    settings = make_settings(tmp_path, folder_section("one", f"datasafe = {prefix}"))
    with pytest.raises(ConfigurationError, match="cannot be used"):
        safe_prefix(settings, "one")


def test_the_usual_one_is_the_named_or_the_only_one(tmp_path: Path) -> None:
    one = folder_section("one", "datasafe =")
    assert usual_storage(make_settings(tmp_path, folder_section("plain") + one)) == "one"
    with pytest.raises(ConfigurationError, match="No datasafe is named"):
        usual_storage(make_settings(tmp_path, folder_section("plain")))
    with pytest.raises(ConfigurationError, match="several") as caught:
        usual_storage(make_settings(tmp_path, one + http_section("far")))
    assert "one, far" in caught.value.hint
    named = "[archive-tui]\ndatasafe = {}\n"
    assert usual_storage(make_settings(tmp_path, one + http_section("far") + named.format("far"))) == "far"
    for wrong in ("plain", "absent"):
        with pytest.raises(ConfigurationError):
            usual_storage(make_settings(tmp_path, folder_section("plain") + one + named.format(wrong)))


def test_a_misspelt_key_is_found(tmp_path: Path) -> None:
    for section in (folder_section("one", "datasave = /"), http_section("one", "tokenfile = x")):
        settings = make_settings(tmp_path, section)
        with pytest.raises(ConfigurationError, match="Unknown key"):
            open_storage(settings, "one")


def test_a_storage_over_http_is_a_remote_safe(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, http_section("far", "token = abc"))
    storage = open_storage(settings, "far")
    assert storage.kind == "http"
    assert isinstance(storage.client, HttpStorageClient)
    with open_safe(settings) as usual, open_safe(settings, storage="far") as named, open_safe_in(storage.store) as over:
        for safe in (usual, named, over):
            assert isinstance(safe, RemoteSafe)
            assert safe.identity == storage.store.identity == "datasafe+http://127.0.0.1:9/"


def test_an_address_needs_no_settings(tmp_path: Path) -> None:
    with lying_datasafe() as server, open_safe(Settings(None, {}), url=server.url, token="abc") as safe:
        server.token = "abc"
        assert list(safe.entries()) == []
    with pytest.raises(ConfigurationError):
        open_safe(Settings(None, {}), url="http://127.0.0.1/", root=tmp_path)
    with pytest.raises(ConfigurationError):
        open_safe(Settings(None, {}), url="nowhere")


def test_archives_are_read_through_the_wrapper(tmp_path: Path) -> None:
    with lying_datasafe() as server:
        server.hold(LOI, b"archive")
        recording = RecordingStore(RecordingStore(HttpStore(server.url)))
        with open_safe_in(recording) as safe:
            archive = safe.archive(LOI)
            with archive.store.open(archive.key) as reader:
                assert reader.read() == b"archive"
        assert recording.count("open") == 1


def test_limits_of_a_job_hold_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[int] = []
    monkeypatch.setattr(throttled_store, "_wait_for", lambda paces, count, stop: waited.append(count))
    with lying_datasafe() as server:
        server.datasets[LOI] = Dataset()
        with open_safe_in(ThrottledStore(HttpStore(server.url), 1e6)) as safe:
            safe.deposit(LOI, [b"x" * 250_000])
            assert sum(waited) == 250_000
            archive = safe.archive(LOI)
            with archive.store.open(archive.key) as reader:
                while reader.read(100_000):
                    pass
        assert sum(waited) == 500_000
        assert next(asked for asked in server.asked if asked.method == "PUT").headers["Content-Length"] == "250000"


def test_the_client_lists_and_downloads_and_does_not_upload(tmp_path: Path) -> None:
    with lying_datasafe() as server:
        server.hold(LOI, b"archive")
        make_settings(tmp_path, http_section("far", f"local_path = {tmp_path}", url=server.url))
        client = new_storage_client("far", tmp_path / "settings.ini")
        assert client.ls() == [f"{LOI}.zip"]
        path = client.download(f"{LOI}.zip")
        assert Path(path).read_bytes() == b"archive"
        with pytest.raises(StorageError) as caught:
            client.upload(f"{LOI}.zip", overwrite=True)
        assert caught.value.code == "unsupported"


@pytest.mark.parametrize("content", [b"secret\n", b"  secret\r\n\n"])
def test_a_token_file_holds_the_token_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    assert read_token(tmp_path / "token") == "secret"


@pytest.mark.parametrize("content", [b"", b" \n", b"two words", b"one\ntwo", b"x" * 5000, b"\xffbinary\x00"])
def test_a_file_that_holds_no_token_is_refused_and_not_quoted(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(ConfigurationError, match="holds no token") as caught:
        read_token(tmp_path / "token")
    assert "two" not in str(caught.value)


def test_a_token_is_found_when_it_is_needed_and_is_never_shown(tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    with lying_datasafe() as server:
        server.token = "the-token"
        settings = make_settings(tmp_path, http_section("far", f"token_file = {token_file}", url=server.url))
        assert describe_storage(settings, "far")["token_file"] == str(token_file)
        with open_safe(settings) as safe:
            with pytest.raises(ConfigurationError, match="Cannot read the token file"):
                list(safe.entries())
            token_file.write_text("another\n")
            with pytest.raises(AccessDenied) as caught:
                list(safe.entries())
            assert "another" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"
        token_file.write_text("the-token\n")
        with open_safe(settings) as safe:
            assert list(safe.entries()) == []
    both = make_settings(tmp_path, http_section("far", "token = abc", "token_file = x"))
    with pytest.raises(ConfigurationError, match="Both"):
        open_storage(both, "far")
    shown = describe_storage(make_settings(tmp_path, http_section("far", "token = abc")), "far")
    assert "abc" not in str(shown)


def test_a_datasafe_behind_an_address_needs_no_local_path(tmp_path: Path) -> None:
    path = tmp_path / "settings.ini"
    path.write_text(http_section("far"))
    assert open_storage(load_settings(path), "far").local_path == Path()
