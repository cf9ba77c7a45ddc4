"""What a user types, and the locations that it opens."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive_tui.archives.locations import (
    DATASAFE,
    DATASETS,
    MANIFEST,
    OBJECTS,
    VAULT,
    open_location,
    open_location_safe,
    open_manifest_location,
)
from archive_tui.errors import ConfigurationError
from archive_tui.settings import Settings

LINE = f"{'ab' * 32}  a\n"


@pytest.fixture
def area(tmp_path: Path) -> dict[str, str]:
    return {
        "storage_client": "archive_tui.core.LocalStorageClient",
        "storage_area": str(tmp_path / "area"),
        "local_path": str(tmp_path),
    }


def test_a_manifest_opens_by_its_name_or_by_its_content(tmp_path: Path) -> None:
    for name in ("SHA256SUMS", "list.txt"):
        (tmp_path / name).write_text(LINE)
        location = open_location(str(tmp_path / name), Settings(None, {}))

        assert (location.document, location.views) == (tmp_path / name, (MANIFEST,))
        assert location.folder is None and location.storage is None
        assert location.word == str(tmp_path / name)
        assert location.root == tmp_path


def test_the_way_up_from_a_manifest_is_its_folder(tmp_path: Path) -> None:
    (tmp_path / "SHA256SUMS").write_text(LINE)
    location = open_location(str(tmp_path / "SHA256SUMS"), Settings(None, {}))
    assert location.parent is not None

    assert location.parent.folder == tmp_path
    assert location.parent.word == open_location(str(tmp_path), Settings(None, {})).word
    assert location.name_in_parent == "SHA256SUMS"


def test_a_path_with_dots_and_links_leads_to_the_folder_it_names(tmp_path: Path) -> None:
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real" / "deep")
    (tmp_path / "real" / "SHA256SUMS").write_text(LINE)
    location = open_location(str(tmp_path / "link" / ".." / "SHA256SUMS"), Settings(None, {}))

    assert location.document == tmp_path / "real" / "SHA256SUMS"


def test_any_other_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("just notes\n")
    with pytest.raises(ConfigurationError, match="Neither a storage nor a folder"):
        open_location(str(tmp_path / "notes.txt"), Settings(None, {}))


def test_a_storage_has_a_vault_below_the_prefix_of_the_settings(area: dict[str, str]) -> None:
    settings = Settings(None, {"lab": area}, program={"vault_prefix": "store/contents"})
    location = open_location("lab:deep/below", settings)

    assert VAULT in location.views
    assert location.vault_prefix == "store/contents/"
    with pytest.raises(ConfigurationError, match="vault_prefix"):
        open_location("lab", Settings(None, {"lab": area}, program={"vault_prefix": "../x"}))


def test_a_manifest_opens_where_the_vault_of_the_settings_cannot_be_used(tmp_path: Path, area: dict[str, str]) -> None:
    (tmp_path / "SHA256SUMS").write_text(LINE)
    for program, is_usable in (({"vault": "lab"}, True), ({"vault": "no-such"}, False)):
        settings = Settings(None, {"lab": area}, program=program)
        location = open_manifest_location(tmp_path / "SHA256SUMS", settings)
        assert (location.vault is not None) is is_usable


def test_a_folder_with_the_mark_of_a_datasafe_shows_it_there_and_below(tmp_path: Path) -> None:
    root = tmp_path / "safe"
    (root / "exp" / "sa").mkdir(parents=True)
    (root / ".datasafe.json").write_text("{}")
    location = open_location(str(root), Settings(None, {}))

    assert location.views == (DATASAFE, OBJECTS, DATASETS)
    assert location.safe_prefix == location.prefix == f"{str(root).strip('/')}/"
    below = location.child("exp").child("sa")
    assert (below.views, below.safe_prefix) == (location.views, location.prefix)
    assert below.parent is not None and below.parent.parent == location
    above = location.parent
    assert above is not None and (above.views, above.safe_prefix) == ((OBJECTS, DATASETS), None)
    assert above.child("safe") == location, "coming from above one finds it too"
    assert open_location(str(root / "exp"), Settings(None, {})).safe_prefix is None
    with pytest.raises(ConfigurationError, match="No datasafe lies at"):
        open_location_safe(above, Settings(None, {}))


@pytest.mark.parametrize(
    ("prefix", "found", "views"),
    [
        (None, None, (DATASETS, OBJECTS, VAULT)),
        ("/", "", (DATASAFE, DATASETS, OBJECTS, VAULT)),
        ("safe", "safe/", (DATASETS, OBJECTS, VAULT, DATASAFE)),
    ],
)
def test_a_storage_shows_its_datasafe(
    area: dict[str, str], prefix: str | None, found: str | None, views: tuple[str, ...]
) -> None:
    keys = area if prefix is None else {**area, "datasafe": prefix}
    location = open_location("lab", Settings(None, {"lab": keys}))
    assert (location.safe_prefix, location.views) == (found, views)
    assert location.child("deeper").safe_prefix == found


def test_a_storage_over_http_is_a_datasafe(area: dict[str, str]) -> None:
    keys = {"storage_client": "archive_tui.core.HttpStorageClient", "url": "http://127.0.0.1:9/", "local_path": "."}
    settings = Settings(None, {"far": keys})
    location = open_location("far", settings)
    assert (location.safe_prefix, location.views) == ("", (DATASAFE, OBJECTS))
    with open_location_safe(location, settings) as safe:
        assert safe.identity == location.store.identity
