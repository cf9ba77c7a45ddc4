"""Places that files are archived to under their names, as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive_tui.archives.vault.archive_target import ArchiveTarget, open_archive_target
from archive_tui.errors import ConfigurationError, InvalidName
from archive_tui.objects.memory import MemoryStore
from archive_tui.settings import Settings, load_settings

SETTINGS = """
[lab]
storage_client = archive_tui.core.AwsStorageClient
local_path = .
bucket = lab-archive
aws_access_key_id = key
aws_secret_access_key = secret

[climate]
storage_client = archive_tui.core.AwsStorageClient
local_path = .
bucket = lab-archive
prefix = /climate/
aws_access_key_id = key
aws_secret_access_key = secret

[narrow]
storage_client = archive_tui.core.AwsStorageClient
local_path = .
bucket = other-archive
prefix = only/here
aws_access_key_id = key
aws_secret_access_key = secret

[disk]
storage_client = archive_tui.core.LocalStorageClient
local_path = .
storage_area = {folder}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    path = tmp_path / "settings.ini"
    path.write_text(SETTINGS.format(folder=tmp_path / "area"))
    return load_settings(path)


@pytest.mark.parametrize(
    ("path", "storage", "prefix"),
    [
        ("disk:", "disk", ""),
        ("disk:2026", "disk", "2026/"),
        ("disk:2026/winds/", "disk", "2026/winds/"),
        ("disk:a:b", "disk", "a:b/"),
        ("lab:x", "lab", "x/"),
        ("s3://lab-archive", "lab", ""),
        ("s3://lab-archive/", "lab", ""),
        ("s3://lab-archive/2026/winds", "lab", "2026/winds/"),
        ("s3://lab-archive/climate", "climate", ""),
        ("s3://lab-archive/climate/2026/", "climate", "2026/"),
        ("s3://lab-archive/climates", "lab", "climates/"),
        ("s3://other-archive/only/here/x", "narrow", "x/"),
    ],
)
def test_a_place_is_found_through_the_settings(settings: Settings, path: str, storage: str, prefix: str) -> None:
    target = open_archive_target(settings, path)
    assert target.storage is not None
    assert (target.storage.name, target.title, target.prefix) == (storage, storage, prefix)
    target.store.close()


@pytest.mark.parametrize("path", ["s3://other-archive/elsewhere", "s3://other-archive/only/herein"])
def test_a_prefix_beside_that_of_the_storage_is_not_reached_through_it(settings: Settings, path: str) -> None:
    assert open_archive_target(settings, path).storage is None


def test_a_bucket_that_no_settings_name_is_reached_as_the_tools_of_aws_do(settings: Settings) -> None:
    target = open_archive_target(settings, "s3://unknown-bucket/a/b")
    assert (target.store.identity, target.prefix, target.storage) == ("s3://aws/unknown-bucket", "a/b/", None)
    assert target.title == "s3 unknown-bucket"


@pytest.mark.parametrize(
    "path",
    ["", "disk", "dsk:x", ":x", "s3://", "s3:///prefix", "s3://b/x", "s3://lab-archive/../x", "disk:a//b", "disk:a\nb"],
)
def test_what_is_no_place_is_said_with_a_hint(settings: Settings, path: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_archive_target(settings, path)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("a/b", "p/a/b"),
        ("./a/b", "p/a/b"),
        ("././a", "p/a"),
        (".hidden", "p/.hidden"),
        ("..two", "p/..two"),
        ("ß ?#%", "p/ß ?#%"),
    ],
)
def test_a_key_is_the_prefix_and_the_name(name: str, key: str) -> None:
    assert ArchiveTarget(MemoryStore(), "p/").key(name) == key


@pytest.mark.parametrize(
    "name",
    ["", "./", "/etc/passwd", ".//etc", "../x", "a/../x", "a//b", "a/", "a/./b", "line\nbreak", "nul\0", "\udcff",
     "x" * 256, "/".join(["k" * 224] * 4)],
)  # fmt: skip
def test_a_name_that_can_be_no_key_is_refused(name: str) -> None:
    with pytest.raises(InvalidName):
        ArchiveTarget(MemoryStore(), "p/").key(name)


def test_a_bucket_of_two_servers_is_not_guessed(tmp_path: Path) -> None:
    section = (
        "[{name}]\nstorage_client = archive_tui.core.AwsStorageClient\nlocal_path = .\nbucket = same\n"
        "endpoint_url = https://{name}.example.org\n"
    )
    path = tmp_path / "settings.ini"
    path.write_text(section.format(name="one") + section.format(name="two"))
    settings = load_settings(path)
    with pytest.raises(ConfigurationError, match="one, two") as caught:
        open_archive_target(settings, "s3://same/x")
    assert "STORAGE:PREFIX" in caught.value.hint
    assert open_archive_target(settings, "two:x").title == "two"


def test_a_storage_without_its_colon_is_recognised(settings: Settings) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_archive_target(settings, "disk")
    assert "'disk:'" in caught.value.hint
