"""A store over a stranger's client: the guarantees that such a client allows, and no harm to the user's files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archive_tui.errors import (
    AccessDenied,
    ConfigurationError,
    HashError,
    ObjectExists,
    ObjectNotFound,
    OperationStopped,
    StorageError,
    StorageFull,
    StorageUnavailable,
    TargetExists,
)
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.objects.client_store import store as client_store
from archive_tui.objects.client_store.copies import KEPT_SUFFIX
from archive_tui.objects.client_store.store import UNKNOWN_SIZE, ClientStore
from archive_tui.objects.object_store import ObjectInfo, ObjectStore, Support
from tests.conformance.object_store_suite import LEGAL_KEYS, MIB, ObjectStoreSuite, listed_keys, put_bytes, read_all


class StrangersClient:
    """Three calls and a dict, as a person's own class for a laboratory's storage may have them."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.calls: list[str] = []

    def ls(self, what: str = "storage_area", name_starts_with: str | None = None) -> list[str]:
        root = Path(self.config[what])
        names = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
        return sorted(name for name in names if name.startswith(name_starts_with or ""))

    def download(self, filename: str) -> Path:
        self.calls.append(f"download {filename}")
        target = Path(self.config["local_path"]) / filename
        if not target.exists():
            shutil.copyfile(Path(self.config["storage_area"]) / filename, target)
        return target

    def upload(self, filename: str, overwrite: bool = False) -> Path:
        self.calls.append(f"upload {filename}")
        target = Path(self.config["storage_area"]) / filename
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".archive-tui-{os.urandom(8).hex()}.part")
        shutil.copyfile(Path(self.config["local_path"]) / filename, partial)
        try:
            if overwrite:
                partial.replace(target)
            else:
                os.link(partial, target)
        finally:
            partial.unlink(missing_ok=True)
        return target


@pytest.fixture
def client(tmp_path: Path) -> StrangersClient:
    (tmp_path / "area").mkdir()
    (tmp_path / "local").mkdir()
    config = {"storage_area": str(tmp_path / "area"), "local_path": str(tmp_path / "local"), "secret_key": "hush"}
    return StrangersClient(config)


@pytest.fixture
def store(client: StrangersClient) -> Iterator[ClientStore]:
    with ClientStore(client) as store:
        yield store


@pytest.fixture
def local(client: StrangersClient) -> Path:
    return Path(client.config["local_path"])


class TestClientStoreGuarantees(ObjectStoreSuite):
    """The suite, but for what such a client cannot do: delete, replace one version only, tell what it honours.

    The tests that are replaced below say what happens instead.
    """

    memory_size = 24 * MIB
    memory_limit = 12 * MIB
    large_size = 6 * MIB
    many_keys = 60
    racing_rounds = 1
    secrets = ("hush",)

    @pytest.fixture
    def store(self, client: StrangersClient) -> Iterator[ClientStore]:
        with ClientStore(client) as store:
            yield store

    def leftovers(self, store: ObjectStore) -> list[str]:
        assert isinstance(store, ClientStore)
        config = store._client.config
        local = [str(path) for path in Path(config["local_path"]).rglob("*")]
        return local + [str(path) for path in Path(config["storage_area"]).rglob(".archive-tui-*")]

    def test_one_of_racing_writers_wins(self, store: ObjectStore) -> None:  # type: ignore[override]
        """This client links, so it keeps the promise; the store does not make it on a client's behalf."""
        assert store.probe().create_only is Support.UNKNOWN
        assert store.traits.remarks
        self._race(store, "race", 8, 3000, if_match=None)

    def test_if_match_replaces_only_that_version(self, store: ObjectStore) -> None:
        put_bytes(store, "key", b"first")
        with pytest.raises(StorageError) as caught:
            store.put("key", [b"second"], 6, if_match="anything")
        assert caught.value.code == "unsupported"
        assert read_all(store, "key") == b"first"

    def test_deleting_an_absent_key_is_no_error(self, store: ObjectStore) -> None:
        store.delete("absent")
        put_bytes(store, "present")
        with pytest.raises(StorageError) as caught:
            store.delete("present")
        assert (caught.value.code, bool(caught.value.hint)) == ("unsupported", True)
        assert listed_keys(store) == ["present"]

    def test_probe_settles_what_was_unknown_and_leaves_nothing(self, store: ObjectStore) -> None:
        assert store.probe() == store.traits
        assert store.traits.create_only is Support.UNKNOWN
        assert list(store.list()) == []

    @pytest.mark.parametrize("key", LEGAL_KEYS)
    def test_legal_key_survives(self, store: ObjectStore, key: str) -> None:
        put_bytes(store, key, key.encode())
        put_bytes(store, "other")
        assert read_all(store, key) == key.encode()
        assert sorted(listed_keys(store)) == sorted([key, "other"])

    # These need delete; and a copy of the first content serves for a minute, which is tested below.
    test_if_match_of_an_absent_key_creates_nothing = None  # type: ignore[assignment]
    test_deleted_key_can_be_put_again = None  # type: ignore[assignment]
    test_object_replaced_while_it_is_read_is_never_mixed = None  # type: ignore[assignment]


def test_sizes_of_objects_never_seen_are_unknown_until_asked(client: StrangersClient, store: ClientStore) -> None:
    Path(client.config["storage_area"], "known.zip").write_bytes(b"12345")
    assert list(store.list()) == [ObjectInfo("known.zip", UNKNOWN_SIZE)]
    assert store.info("known.zip").size == 5
    assert list(store.list()) == [ObjectInfo("known.zip", 5)]


def test_ranges_of_one_object_cost_one_download(client: StrangersClient, store: ClientStore) -> None:
    Path(client.config["storage_area"], "a.zip").write_bytes(bytes(range(200)))
    assert read_all(store, "a.zip", 190) == bytes(range(190, 200))
    assert read_all(store, "a.zip", 5, 2) == b"\5\6"
    assert read_all(store, "a.zip") == bytes(range(200))
    assert client.calls == ["download a.zip"]


def test_an_old_copy_is_not_used(client: StrangersClient, store: ClientStore, monkeypatch: pytest.MonkeyPatch) -> None:
    area = Path(client.config["storage_area"], "a.zip")
    area.write_bytes(b"old")
    assert read_all(store, "a.zip") == b"old"
    area.write_bytes(b"newer")
    assert read_all(store, "a.zip") == b"old"
    monkeypatch.setattr(client_store, "COPY_SECONDS", 0.0)
    assert read_all(store, "a.zip") == b"newer"


def test_a_put_is_proven_by_a_download_of_its_own(client: StrangersClient, store: ClientStore) -> None:
    put_bytes(store, "a.zip", b"one")
    evidence = store.put("a.zip", [b"two"], overwrite=True).evidence
    assert client.calls == ["upload a.zip", "download a.zip"] * 2
    assert evidence.level is EvidenceLevel.READ
    assert "downloaded again" in evidence.method


def test_a_client_that_spoils_the_content_is_found_out(client: StrangersClient, store: ClientStore) -> None:
    upload = client.upload

    def spoil(filename: str, overwrite: bool = False) -> Path:
        target = upload(filename, overwrite)
        target.write_bytes(b"other bytes")
        return target

    client.upload = spoil  # type: ignore[method-assign]
    with pytest.raises(HashError):
        put_bytes(store, "a.zip", b"right bytes")


def test_a_users_file_of_the_same_name_survives_every_transfer(store: ClientStore, local: Path) -> None:
    own = local / "a.zip"
    own.write_bytes(b"my own, unpublished")
    inode = own.stat().st_ino
    put_bytes(store, "a.zip", b"published")
    store.close()
    assert read_all(store, "a.zip") == b"published"
    with pytest.raises(ObjectExists):
        put_bytes(store, "a.zip", b"again")
    assert own.read_bytes() == b"my own, unpublished"
    assert own.stat().st_ino == inode
    assert [path.name for path in local.iterdir()] == ["a.zip"]


def test_a_users_folder_of_the_same_name_survives(store: ClientStore, local: Path) -> None:
    (local / "a.zip").mkdir()
    (local / "a.zip" / "mine").write_text("mine")
    put_bytes(store, "a.zip", b"published")
    assert (local / "a.zip" / "mine").read_text() == "mine"


def test_a_users_file_survives_a_client_that_fails(client: StrangersClient, store: ClientStore, local: Path) -> None:
    (local / "a.zip").write_bytes(b"mine")

    def fail(filename: str, overwrite: bool = False) -> Path:
        (local / filename).write_bytes(b"half a transf")
        raise RuntimeError("the laboratory's server said: password=hush2")

    client.upload = fail  # type: ignore[method-assign]
    with pytest.raises(StorageError) as caught:
        put_bytes(store, "a.zip", b"content")
    assert "RuntimeError" in str(caught.value)
    assert "hush2" not in str(caught.value) + caught.value.hint
    assert (local / "a.zip").read_bytes() == b"mine"
    assert [path.name for path in local.iterdir()] == ["a.zip"]


def test_what_a_killed_transfer_put_aside_is_put_back(store: ClientStore, local: Path) -> None:
    (local / f"a.zip{KEPT_SUFFIX}").write_bytes(b"mine")
    put_bytes(store, "a.zip", b"published")
    assert (local / "a.zip").read_bytes() == b"mine"
    assert [path.name for path in local.iterdir()] == ["a.zip"]


def test_two_candidates_after_a_kill_are_both_left_alone(store: ClientStore, local: Path) -> None:
    (local / f"a.zip{KEPT_SUFFIX}").write_bytes(b"mine?")
    (local / "a.zip").write_bytes(b"or mine?")
    with pytest.raises(TargetExists) as caught:
        put_bytes(store, "a.zip", b"published")
    assert caught.value.hint
    assert (local / f"a.zip{KEPT_SUFFIX}").read_bytes() == b"mine?"
    assert (local / "a.zip").read_bytes() == b"or mine?"


def test_folders_of_the_user_stay_and_folders_of_ours_go(store: ClientStore, local: Path) -> None:
    (local / "mine").mkdir()
    put_bytes(store, "mine/deep/a.zip")
    assert [path.name for path in local.rglob("*")] == ["mine"]


def test_a_local_folder_that_is_missing_is_made(client: StrangersClient, local: Path) -> None:
    local.rmdir()
    with ClientStore(client) as store:
        put_bytes(store, "a.zip", b"content")
        assert read_all(store, "a.zip") == b"content"


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (PermissionError("no"), AccessDenied),
        (ConnectionResetError("no"), StorageUnavailable),
        (TimeoutError("no"), StorageUnavailable),
        (OSError(28, "No space left on device"), StorageFull),
        (FileExistsError("overwrite=False"), ObjectExists),
        (KeyError("no"), StorageError),
    ],
)
def test_errors_of_the_client_are_translated(
    client: StrangersClient, store: ClientStore, raised: Exception, expected: type[StorageError]
) -> None:
    def fail(filename: str, overwrite: bool = False) -> Path:
        raise raised

    client.upload = fail  # type: ignore[method-assign]
    with pytest.raises(expected) as caught:
        put_bytes(store, "a.zip")
    assert caught.value.__cause__ is raised
    assert (caught.value.key, caught.value.store) == ("a.zip", store.label)


def test_a_client_that_downloads_nothing_without_a_word(client: StrangersClient, store: ClientStore) -> None:
    put_bytes(store, "a.zip")
    store.close()
    client.download = lambda filename: Path("elsewhere")  # type: ignore[method-assign]
    with pytest.raises(ObjectNotFound):
        store.open("a.zip")


def test_a_stop_comes_before_the_client_is_called(client: StrangersClient, store: ClientStore) -> None:
    class StopAfterContent:
        def is_set(self) -> bool:
            return bool(pulled)

    pulled: list[int] = []

    def chunks() -> Iterator[bytes]:
        yield b"content"
        pulled.append(1)

    with pytest.raises(OperationStopped):
        store.put("a.zip", chunks(), stop=StopAfterContent())
    assert client.calls == []


def test_identity_is_of_the_place_not_of_credentials_or_computer(client: StrangersClient, tmp_path: Path) -> None:
    same = StrangersClient({**client.config, "secret_key": "changed", "local_path": str(tmp_path / "elsewhere")})
    other = StrangersClient({**client.config, "storage_area": "/another"})
    assert ClientStore(same).identity == ClientStore(client).identity != ClientStore(other).identity


def test_a_client_without_a_local_path_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        ClientStore(StrangersClient({"storage_area": "/x"}))
