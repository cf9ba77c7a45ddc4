"""A storage client of somebody else's package, which knows only the three calls of the interface."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from archive_tui.archives.datasets.publishing import PublishRequest, plan_publish, publish
from archive_tui.archives.datasets.verifying import verify_version
from archive_tui.archives.storages import open_storage
from archive_tui.core import StorageClientABC, new_storage_client
from archive_tui.integrity.report import Verdict
from archive_tui.settings import load_settings


class TapeRobot(StorageClientABC):
    """Keeps files in a folder called after its `slot`, as the original's subclasses do."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.slot = Path(config["slot"])

    def ls(self, what: str = "storage_area", name_starts_with: str | None = None) -> list[str]:
        root = self.slot if what == "storage_area" else Path(self.config["local_path"])
        names = (str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
        return sorted(name for name in names if name.startswith(name_starts_with or ""))

    def download(self, filename: str) -> Path:
        target = Path(self.config["local_path"]) / filename
        if not target.exists():
            shutil.copy(self.slot / filename, target)
        return target

    def upload(self, filename: str, overwrite: bool = False) -> str:
        if (self.slot / filename).exists() and not overwrite:
            raise FileExistsError(f"{filename} exists and overwrite=False")
        shutil.copy(Path(self.config["local_path"]) / filename, self.slot / filename)
        return f"tape:{filename}"


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    (tmp_path / "slot").mkdir()
    (tmp_path / "files/d").mkdir(parents=True)
    (tmp_path / "files/d/a").write_text("1")
    path = tmp_path / "settings.ini"
    path.write_text(
        f"[tape]\nstorage_client = {__name__}.TapeRobot\nslot = {tmp_path}/slot\nlocal_path = {tmp_path}/files\n"
    )
    return path


def test_the_dataset_functions_work_through_three_calls(settings_file: Path, tmp_path: Path) -> None:
    client = new_storage_client("tape", settings_file)
    assert isinstance(client, TapeRobot)
    assert client.upload_dataset("d") == "tape:d.0.0.1.zip"
    assert client.ls() == ["d.0.0.1.manifest.json", "d.0.0.1.zip"]
    shutil.rmtree(tmp_path / "files/d.0.0.1")
    assert (client.download_dataset("d") / "a").read_text() == "1"
    (tmp_path / "files/d/a").write_text("2")
    assert client.upload_dataset("d", "major") == "tape:d.1.0.0.zip"
    assert client.ls_versions("d") == ["0.0.1", "1.0.0"]


def test_publish_and_verify_work_through_three_calls(settings_file: Path, tmp_path: Path) -> None:
    storage = open_storage(load_settings(settings_file), "tape")
    assert storage.kind == "client"
    receipt = publish(storage.store, plan_publish(storage.store, PublishRequest("d", tmp_path / "files/d")))
    assert receipt.outcome == "published"
    assert verify_version(storage.store, "d")[0].verdict is Verdict.VERIFIED
    assert sorted(path.name for path in (tmp_path / "files").iterdir()) == ["d"]
