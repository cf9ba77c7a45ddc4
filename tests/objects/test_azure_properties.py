"""Asking Azure about one blob: the same answers from the lean client and from the SDK, cheap and typed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from azure.storage.blob._shared.policies import StorageRetryPolicy

from archive_tui.errors import AccessDenied, ObjectNotFound, StorageError, StorageUnavailable
from archive_tui.objects.azure.store import AzureStore
from archive_tui.objects.azure.upload import BLOCK_SIZE
from tests.conformance.object_store_suite import RereadableSource, digest_of, make_content, put_bytes
from tests.servers.azurite import ACCOUNT, ACCOUNT_KEY, AzuriteServer
from tests.servers.faulty_proxy import FaultyProxy


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StorageRetryPolicy, "sleep", lambda *arguments: None)


@pytest.fixture(scope="module")
def container(azurite_server: AzuriteServer) -> str:
    return azurite_server.new_container()


@pytest.fixture
def proxy(azurite_server: AzuriteServer) -> Iterator[FaultyProxy]:
    with FaultyProxy(azurite_server.account_url) as proxy:
        yield proxy


@pytest.fixture(params=["lean client", "SDK"])
def store(
    proxy: FaultyProxy, container: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[AzureStore]:
    monkeypatch.setattr("archive_tui.objects.azure.connection.RETRIES", 0)
    prefix = f"p{abs(hash(request.node.nodeid)):x}"
    with AzureStore(container, account_url=f"{proxy.url}/{ACCOUNT}", credential=ACCOUNT_KEY, prefix=prefix) as store:
        store._connection._has_data_plane = request.param == "lean client"
        yield store


def heads(proxy: FaultyProxy) -> int:
    return sum(line.startswith("HEAD") for line in proxy.requests)


@pytest.mark.parametrize("size", [0, 7, 2 * BLOCK_SIZE + 5])
def test_recorded_digest_comes_with_the_properties(store: AzureStore, proxy: FaultyProxy, size: int) -> None:
    content = make_content(size)
    result = store.put("key", RereadableSource(content), size, digest=digest_of(content))
    before = heads(proxy)
    info = store.info("key")
    assert heads(proxy) == before + 1
    assert (info.size, info.digest, info.attested) == (size, digest_of(content), False)
    assert info.version == result.info.version
    assert info.modified is not None


def test_absent_blob_costs_one_request_once_the_container_was_seen(store: AzureStore, proxy: FaultyProxy) -> None:
    with pytest.raises(ObjectNotFound):
        store.info("absent")
    before = heads(proxy)
    for _ in range(3):
        with pytest.raises(ObjectNotFound):
            store.info("absent")
    assert heads(proxy) == before + 3


def test_container_that_does_not_exist_is_no_absent_blob(azurite_server: AzuriteServer) -> None:
    with AzureStore("no-such-container", conn_str=azurite_server.conn_str) as store:
        for _ in range(2):
            with pytest.raises(StorageError) as caught:
                store.info("absent")
            assert caught.value.code == "container-missing"


@pytest.mark.parametrize(
    ("status", "error"), [(403, AccessDenied), (503, StorageUnavailable), (500, StorageUnavailable)]
)
def test_refusal_is_a_typed_error(
    store: AzureStore, proxy: FaultyProxy, status: int, error: type[StorageError]
) -> None:
    put_bytes(store, "key")
    with (
        proxy.fault("answer", lambda line: line.startswith("HEAD"), times=1000, status=status, code="MadeUp"),
        pytest.raises(error) as caught,
    ):
        store.info("key")
    assert caught.value.hint
    assert store.info("key").size == 7


def test_passing_error_of_the_lean_client_is_the_sdk_s_turn(
    container: str, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive_tui.objects.azure.connection.RETRIES", 0)
    with AzureStore(container, account_url=f"{proxy.url}/{ACCOUNT}", credential=ACCOUNT_KEY, prefix="turn") as store:
        put_bytes(store, "key")
        with proxy.fault("cut-request", lambda line: line.startswith("HEAD"), after=10) as fault:
            assert store.info("key").size == 7
        assert fault.times == 0
