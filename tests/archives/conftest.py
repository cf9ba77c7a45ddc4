"""Small datasets in a store in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from archive_tui.archives.datasets.publishing import PublishReceipt, PublishRequest, plan_publish, publish
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import ObjectStore

Publisher = Callable[..., PublishReceipt]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "raw").mkdir(parents=True)
    (folder / "notes.md").write_text("# station 7\n")
    (folder / "raw" / "a.csv").write_text("time,value\n" + "1,2\n" * 1000)
    (folder / "raw" / "empty").write_bytes(b"")
    return folder


@pytest.fixture
def publish_source(store: ObjectStore, source: Path) -> Publisher:
    def run(name: str = "station", **values: object) -> PublishReceipt:
        target = values.pop("store", store)
        assert isinstance(target, ObjectStore)
        return publish(target, plan_publish(target, PublishRequest(name, source, **values)))  # type: ignore[arg-type]

    return run
