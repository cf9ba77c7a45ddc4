from __future__ import annotations

import dataclasses
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from archive_tui.archives.datasets.catalog import find_version, list_versions, read_version_manifest
from archive_tui.archives.datasets.publishing import DatasetDetails, PublishRequest, plan_publish, publish
from archive_tui.errors import InvalidName, ObjectExists, OperationStopped, SourceChanged, SourceError, SourceNotFound
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.integrity.streams import read_chunks
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import ObjectStore
from archive_tui.progress import BytesDone, Event
from tests.archives.conftest import Publisher


def keys(store: ObjectStore) -> list[str]:
    return sorted(listed.key for listed in store.list())


def test_a_publish_puts_the_archive_and_its_manifest(store: MemoryStore, publish_source: Publisher) -> None:
    receipt = publish_source()
    assert (receipt.outcome, receipt.version, receipt.files) == ("published", "0.0.1", 3)
    assert keys(store) == ["station.0.0.1.manifest.json", "station.0.0.1.zip"]
    assert receipt.evidence is not None
    assert receipt.evidence.level >= EvidenceLevel.ATTESTED
    assert receipt.archive_digest == store.info("station.0.0.1.zip").digest or receipt.archive_digest
    with store.open("station.0.0.1.manifest.json") as reader:
        beside = json.loads(b"".join(read_chunks(reader)))
    assert beside["archive"] == {
        "key": "station.0.0.1.zip",
        "size": receipt.archive_size,
        "sha256": receipt.archive_digest,
    }
    assert json.dumps(receipt.as_dict())


def test_unchanged_content_is_identical_and_writes_nothing(store: MemoryStore, publish_source: Publisher) -> None:
    publish_source()
    receipt = publish_source()
    assert (receipt.outcome, receipt.version) == ("identical", "0.0.1")
    assert len(keys(store)) == 2
    assert publish_source(allow_identical=True).version == "0.0.2"


def test_new_details_are_no_identical_content(publish_source: Publisher, store: MemoryStore) -> None:
    publish_source()
    receipt = publish_source(details=DatasetDetails(title="Station 7", creators=("A. Author",)))
    assert receipt.version == "0.0.2"
    manifest = read_version_manifest(store, find_version(store, "station"))
    assert manifest.dataset == {"title": "Station 7", "creators": ["A. Author"]}
    assert publish_source().outcome == "identical"


def test_details_are_carried_over_until_they_are_emptied(publish_source: Publisher, store: MemoryStore) -> None:
    publish_source(details=DatasetDetails(title="Station 7", keywords=("wind", "sea")))
    publish_source(details=DatasetDetails(license="CC0-1.0", keywords=()))
    manifest = read_version_manifest(store, find_version(store, "station"))
    assert manifest.dataset == {"title": "Station 7", "license": "CC0-1.0"}


def test_a_change_is_the_next_version(publish_source: Publisher, source: Path, store: MemoryStore) -> None:
    publish_source()
    (source / "raw/b.csv").write_text("new")
    plan = plan_publish(store, PublishRequest("station", source, "minor"))
    assert plan.version == "0.1.0"
    assert plan.difference is not None
    assert [entry.path for entry in plan.difference.added] == ["raw/b.csv"]
    assert [entry.path for entry in plan.difference.unknown] == ["notes.md", "raw/a.csv", "raw/empty"]
    publish(store, plan)
    assert [version.version for version in list_versions(store, "station")] == ["0.0.1", "0.1.0"]


def test_a_taken_number_is_a_conflict_and_the_same_content_is_not(publish_source: Publisher, source: Path) -> None:
    publish_source(version="1.0.0")
    assert publish_source(version="1.0.0").outcome == "identical"
    (source / "notes.md").write_text("# station 8\n")
    with pytest.raises(ObjectExists) as caught:
        publish_source(version="1.0.0")
    assert "never overwritten" in caught.value.hint


def test_a_lower_number_is_allowed_and_said(publish_source: Publisher, source: Path, store: MemoryStore) -> None:
    publish_source(version="2.0.0")
    plan = plan_publish(store, PublishRequest("station", source, "1.9.0", allow_identical=True))
    assert any("lower than the latest version 2.0.0" in remark for remark in plan.remarks)
    assert publish(store, plan).version == "1.9.0"
    assert find_version(store, "station").version == "2.0.0"


def test_of_racing_publishers_each_number_has_one_winner(store: MemoryStore, tmp_path: Path) -> None:
    versions: list[str] = []
    barrier = threading.Barrier(8)

    def run(number: int) -> None:
        source = tmp_path / str(number)
        source.mkdir()
        (source / "f").write_text(str(number))
        plan = plan_publish(store, PublishRequest("d", source, on_conflict="next"))
        barrier.wait()
        versions.append(publish(store, plan).version)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(versions) == [f"0.0.{number}" for number in range(1, 9)]
    contents = {read_version_manifest(store, version).inventory["f"].digest for version in list_versions(store, "d")}
    assert len(contents) == 8


@pytest.mark.parametrize("name", ["../x", "a//b", "d\u00e9", "x\n", "", "/x"])
def test_bad_names_are_refused_before_anything_is_written(store: MemoryStore, source: Path, name: str) -> None:
    with pytest.raises(InvalidName):
        plan_publish(store, PublishRequest(name, source))
    assert keys(store) == []


@pytest.mark.parametrize("version", ["1.2", "01.0.0", "1.0.0.0", "next", "1.0.0\n", "-1.0.0"])
def test_bad_versions_are_refused(store: MemoryStore, source: Path, version: str) -> None:
    with pytest.raises(InvalidName):
        plan_publish(store, PublishRequest("d", source, version))


def test_an_empty_source_is_refused(store: MemoryStore, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    plan = plan_publish(store, PublishRequest("d", tmp_path / "empty"))
    assert plan.refusals
    with pytest.raises(SourceError):
        publish(store, plan)
    with pytest.raises(SourceNotFound):
        plan_publish(store, PublishRequest("d", tmp_path / "absent"))


def test_a_source_that_changes_leaves_nothing_visible(store: MemoryStore, source: Path) -> None:
    plan = plan_publish(store, PublishRequest("d", source))
    (source / "raw/a.csv").write_text("shorter")
    with pytest.raises(SourceChanged):
        publish(store, plan)
    assert keys(store) == []
    assert publish(store, plan_publish(store, PublishRequest("d", source))).version == "0.0.1"


def test_a_stop_leaves_nothing_visible(store: MemoryStore, source: Path) -> None:
    stop = threading.Event()
    plan = plan_publish(store, PublishRequest("d", source))
    stop.set()
    with pytest.raises(OperationStopped):
        publish(store, plan, stop=stop)
    assert keys(store) == []


def test_each_byte_of_the_source_is_counted_once(store: MemoryStore, source: Path) -> None:
    events: list[Event] = []
    plan = plan_publish(store, PublishRequest("d", source))
    receipt = publish(store, plan, report=events.append)
    packed = max(event.total for event in events if isinstance(event, BytesDone) and event.phase == "pack")
    sent = max(event.total for event in events if isinstance(event, BytesDone) and event.phase == "upload")
    assert packed == plan.scan.total_bytes
    assert sent == receipt.archive_size


def test_a_fetched_dataset_is_published_again_with_its_metadata(
    store: MemoryStore, publish_source: Publisher, tmp_path: Path
) -> None:
    from archive_tui.archives.datasets.fetching import fetch_dataset

    publish_source(details=DatasetDetails(title="Station 7"))
    folder = fetch_dataset(store, "station", into=tmp_path / "fetched").folder
    (folder / "more").write_text("new")
    receipt = publish(store, plan_publish(store, PublishRequest("station", folder)))
    assert receipt.version == "0.0.2"
    manifest = read_version_manifest(store, find_version(store, "station"))
    assert manifest.dataset == {"title": "Station 7"}
    assert "manifest.json" not in manifest.inventory


def test_a_manifest_that_cannot_be_written_is_a_remark(
    store: MemoryStore, publish_source: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    from archive_tui.errors import StorageUnavailable

    put = store.put

    def refuse_manifests(key: str, *arguments: Any, **options: Any) -> Any:
        if key.endswith(".json"):
            raise StorageUnavailable("gone", key=key)
        return put(key, *arguments, **options)

    monkeypatch.setattr(store, "put", refuse_manifests)
    receipt = publish_source()
    assert receipt.outcome == "published"
    assert receipt.manifest_digest is None
    assert "manifest beside it could not be written" in receipt.remarks[0]
    assert len(read_version_manifest(store, find_version(store, "station")).inventory) == 3


def test_a_request_is_a_value(source: Path) -> None:
    request = PublishRequest("d", source)
    with pytest.raises(dataclasses.FrozenInstanceError):
        request.name = "e"  # type: ignore[misc]
