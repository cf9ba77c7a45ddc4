"""Apps on stores in memory and folders on disk, without settings, jobs or a network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archive_tui.tui.terminal import prepare_environment

prepare_environment()

from archive_tui.objects.folder.store import FolderStore  # noqa: E402  (Textual reads its variables when it is imported)
from archive_tui.objects.object_store import ObjectStore  # noqa: E402
from archive_tui.settings import Settings  # noqa: E402
from archive_tui.tui.archive_app import ArchiveApp  # noqa: E402
from tests.tui.places import FakeLocation, FakeStorage  # noqa: E402

MakeApp = Callable[..., ArchiveApp]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a little of everything."""
    root = tmp_path / "data"
    (root / "station-07").mkdir(parents=True)
    (root / "station-08").mkdir()
    for name, size in (("raw.dat", 2000), ("notes.md", 10), ("sensors.csv", 300), (".hidden", 1)):
        (root / name).write_bytes(b"x" * size)
    (root / "station-07" / "inner.txt").write_text("inside\n")
    return root


def folder_location(path: Path) -> FakeLocation:
    return FakeLocation(FolderStore(Path("/"), read_only_objects=False), f"{str(path).strip('/')}/", None, path)


def storage_location(store: ObjectStore, name: str = "lab", *, views: tuple[str, ...] = ("objects",)) -> FakeLocation:
    return FakeLocation(store, "", FakeStorage(name), None, views)


@pytest.fixture
def make_app() -> MakeApp:
    def make(left: Any, right: Any, **options: Any) -> ArchiveApp:
        return ArchiveApp(left, right, Settings(None, {}), **options)

    return make
