"""Azure when things go wrong on the way: lost replies, broken connections, refusals, and servers that check nothing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob._shared.policies import StorageRetryPolicy

from archive_tui.errors import (
    AccessDenied,
    HashError,
    ObjectExists,
    ObjectNotFound,
    StorageError,
    StorageUnavailable,
)
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.objects.azure import reader as azure_reader
from archive_tui.objects.azure.store import AzureStore
from archive_tui.objects.azure.upload import BLOCK_SIZE
from archive_tui.objects.kept_exchange import KeptExchange
from tests.conformance.object_store_suite import digest_of, in_chunks, listed_keys, make_content, put_bytes, read_all
from tests.objects.azure_faults import LostReplies
from tests.servers.azurite import ACCOUNT, ACCOUNT_KEY, AzuriteServer
from tests.servers.faulty_proxy import FaultyProxy

LARGE = 2 * BLOCK_SIZE + 5


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StorageRetryPolicy, "sleep", lambda *arguments: None)
    monkeypatch.setattr(azure_reader, "PAUSE_SECONDS", 0.01)


@pytest.fixture
def container(azurite_server: AzuriteServer) -> str:
    return azurite_server.new_container()


@pytest.fixture
def store(azurite_server: AzuriteServer, container: str) -> Iterator[AzureStore]:
    with AzureStore(container, conn_str=azurite_server.conn_str) as store:
        yield store


@pytest.fixture
def proxy(azurite_server: AzuriteServer) -> Iterator[FaultyProxy]:
    with FaultyProxy(azurite_server.account_url) as proxy:
        yield proxy


@pytest.fixture
def store_behind_proxy(proxy: FaultyProxy, container: str) -> Iterator[AzureStore]:
    with AzureStore(container, account_url=f"{proxy.url}/{ACCOUNT}", credential=ACCOUNT_KEY) as store:
        yield store


def is_commit(line: str) -> bool:
    return line.startswith("PUT ") and "comp=block&" not in line and "comp=block " not in line


def is_block(line: str) -> bool:
    return line.startswith("PUT ") and not is_commit(line)


def is_get(line: str) -> bool:
    return line.startswith("GET ") and "comp=list" not in line


@pytest.mark.parametrize("size", [7, LARGE])
@pytest.mark.parametrize("times", [1, 4], ids=["once", "every time"])
def test_reply_lost_on_the_network_is_our_own_write(
    store_behind_proxy: AzureStore, proxy: FaultyProxy, size: int, times: int
) -> None:
    content = make_content(size)
    with proxy.fault("lose-reply", is_commit, times) as fault:
        result = store_behind_proxy.put("key", in_chunks(content), size)
    assert fault.times == 0
    assert result.info.version == store_behind_proxy.info("key").version
    assert read_all(store_behind_proxy, "key") == content


def test_reply_lost_and_a_rival_was_first(store: AzureStore) -> None:
    put_bytes(store, "key", b"rival")
    with LostReplies(always=True) as replies, pytest.raises((ObjectExists, StorageUnavailable)):
        put_bytes(store, "key", b"ours")
    assert replies.lost
    assert read_all(store, "key") == b"rival"


@pytest.mark.parametrize("lean", [True, False], ids=["lean client", "SDK"])
@pytest.mark.parametrize("after", [500, 100_000])
def test_a_body_that_breaks_is_fetched_again(
    store_behind_proxy: AzureStore, proxy: FaultyProxy, lean: bool, after: int
) -> None:
    content = make_content(300_000)
    put_bytes(store_behind_proxy, "key", content)
    if not lean:
        store_behind_proxy._connection._has_data_plane = False
    with proxy.fault("cut-reply", is_get, 1, after=after) as fault:
        assert read_all(store_behind_proxy, "key") == content
    assert fault.times == 0


@pytest.mark.parametrize("code", ["", "reset"], ids=["orderly end", "reset"])
def test_a_body_that_always_breaks_never_looks_like_the_end(
    store_behind_proxy: AzureStore, proxy: FaultyProxy, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive_tui.objects.azure.connection.RETRIES", 0)
    monkeypatch.setattr(azure_reader, "ATTEMPTS", 1)
    put_bytes(store_behind_proxy, "key", make_content(300_000))
    with proxy.fault("cut-reply", is_get, 1000, after=100_000, code=code), pytest.raises(StorageUnavailable):
        read_all(store_behind_proxy, "key")


def test_a_lean_client_that_fails_where_the_sdk_does_not_is_given_up(
    store: AzureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def fail(client: Any, name: str, **options: Any) -> Any:
        asked.append(name)
        raise ValueError("cannot do it on this server")

    put_bytes(store, "key", b"content")
    monkeypatch.setattr("obstore.get", fail)
    for _ in range(5):
        assert read_all(store, "key") == b"content"
    assert asked == ["key"] * 3


@pytest.mark.parametrize("lean", [True, False], ids=["lean client", "SDK"])
@pytest.mark.parametrize("extra", [-1, 0, 1, 2 * azure_reader.WINDOW_SIZE + 5])
def test_content_of_several_windows(store: AzureStore, lean: bool, extra: int) -> None:
    content = make_content(azure_reader.WINDOW_SIZE + extra)
    store.put("key", in_chunks(content))
    if not lean:
        store._connection._has_data_plane = False
    assert read_all(store, "key") == content
    for offset, length in ((5, None), (5, len(content)), (len(content) - 3, 99), (len(content), None), (7, 1)):
        end = None if length is None else offset + length
        assert read_all(store, "key", offset, length) == content[offset:end]


def test_a_break_in_a_later_window_is_resumed(store_behind_proxy: AzureStore, proxy: FaultyProxy) -> None:
    content = make_content(3 * azure_reader.WINDOW_SIZE + 17)
    store_behind_proxy.put("key", in_chunks(content))
    with store_behind_proxy.open("key") as reader:
        found = reader.read(10)
        with proxy.fault("cut-reply", is_get, 2, after=60_000) as fault:
            while piece := reader.read(1 << 20):
                found += piece
    assert fault.times == 0
    assert digest_of(found) == digest_of(content)


def test_a_busy_service_is_asked_again(store_behind_proxy: AzureStore, proxy: FaultyProxy) -> None:
    with proxy.fault("answer", lambda line: line.startswith("PUT "), 2, status=503, code="ServerBusy") as fault:
        put_bytes(store_behind_proxy, "key", b"content")
    assert fault.times == 0
    assert read_all(store_behind_proxy, "key") == b"content"


def test_a_service_that_stays_busy_is_unavailable(store_behind_proxy: AzureStore, proxy: FaultyProxy) -> None:
    with (
        proxy.fault("answer", times=1000, status=503, code="ServerBusy"),
        pytest.raises(StorageUnavailable) as caught,
    ):
        store_behind_proxy.info("key")
    assert "503" in str(caught.value)


def test_nobody_listens(container: str) -> None:
    store = AzureStore(container, account_url=f"http://127.0.0.1:9/{ACCOUNT}", credential=ACCOUNT_KEY)
    acts = (
        lambda: list(store.list()),
        lambda: store.info("key"),
        lambda: store.open("key"),
        lambda: put_bytes(store, "key"),
        lambda: store.delete("key"),
        store.probe,
    )
    with store:
        for act in acts:
            with pytest.raises(StorageUnavailable) as caught:
                act()
            assert caught.value.hint


def test_a_signature_does_not_show_when_nobody_listens(container: str) -> None:
    sas = "sv=2025-01-01&sig=VerySecretSignature%3D&se=2030-01-01"
    with AzureStore(container, account_url=f"http://127.0.0.1:9/{ACCOUNT}?{sas}") as store:
        with pytest.raises(StorageUnavailable) as caught:
            put_bytes(store, "key")
        shown = [store.label, store.identity, repr(store), repr(store._connection)]
    error: BaseException | None = caught.value
    while error is not None:
        shown += [str(error), repr(error)]
        error = error.__cause__
    assert not [text for text in shown if "VerySecret" in text]


def test_wrong_key_is_access_denied(azurite_server: AzuriteServer, container: str) -> None:
    wrong = "d3Jvbmcga2V5IG9mIHRoZSByaWdodCBsZW5ndGg="
    with AzureStore(container, account_url=azurite_server.account_url, credential=wrong) as store:
        for act in (store.probe, lambda: list(store.list()), lambda: store.info("k"), lambda: store.open("k")):
            with pytest.raises(AccessDenied) as caught:
                act()
            assert caught.value.hint
            assert wrong not in str(caught.value)
        with pytest.raises(AccessDenied):
            put_bytes(store, "key")


def test_a_key_that_is_no_base64_is_refused_without_showing_it(azurite_server: AzuriteServer, container: str) -> None:
    with AzureStore(container, account_url=azurite_server.account_url, credential="not-base64!") as store:
        with pytest.raises(AccessDenied) as caught:
            store.info("key")
        assert "not-base64!" not in str(caught.value) + caught.value.hint


def test_a_missing_container_is_named(azurite_server: AzuriteServer) -> None:
    with AzureStore("never-made", conn_str=azurite_server.conn_str) as store:
        acts = (
            lambda: list(store.list()),
            lambda: store.info("key"),
            lambda: store.open("key"),
            lambda: put_bytes(store, "key"),
            lambda: store.put("key", in_chunks(make_content(LARGE))),
            lambda: store.delete("key"),
            store.probe,
        )
        for act in acts:
            with pytest.raises(StorageError) as caught:
                act()
            assert caught.value.code == "container-missing"
            assert "never-made" in caught.value.hint


def test_uncommitted_blocks_are_never_visible_and_in_nobodys_way(
    store: AzureStore, azurite_server: AzuriteServer, container: str
) -> None:
    def breaks_late() -> Iterator[bytes]:
        yield make_content(LARGE)
        raise RuntimeError("the disk went away")

    with pytest.raises(RuntimeError, match="the disk went away"):
        store.put("key", breaks_late())
    assert list(store.list()) == list(store.list(recursive=False)) == []
    with pytest.raises(ObjectNotFound):
        store.info("key")
    with pytest.raises(ObjectNotFound):
        store.open("key")
    with azurite_server.container_client(container) as client:
        assert [blob.name for blob in client.list_blobs(include=["uncommittedblobs"])] == ["key"]
    content = make_content(LARGE, 2)
    store.put("key", in_chunks(content), len(content))
    assert digest_of(read_all(store, "key")) == digest_of(content)


def test_a_block_that_cannot_be_sent_ends_the_put(store_behind_proxy: AzureStore, proxy: FaultyProxy) -> None:
    put_bytes(store_behind_proxy, "canary")
    with (
        proxy.fault("answer", is_block, 1000, status=403, code="AuthorizationFailure"),
        pytest.raises(AccessDenied),
    ):
        store_behind_proxy.put("key", in_chunks(make_content(LARGE)), LARGE)
    assert listed_keys(store_behind_proxy) == ["canary"]


def test_large_content_for_an_existing_key_is_refused_before_it_is_sent(
    store_behind_proxy: AzureStore, proxy: FaultyProxy
) -> None:
    put_bytes(store_behind_proxy, "key")
    before = len(proxy.requests)
    with pytest.raises(ObjectExists):
        store_behind_proxy.put("key", in_chunks(make_content(LARGE)))
    assert not [line for line in proxy.requests[before:] if line.startswith("PUT ")]


def test_flipped_bits_on_the_way_up_are_refused_by_the_service(
    store: AzureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The MD5 is taken of what we have; what arrives is another content."""
    from azure.core.pipeline.transport import RequestsTransport

    send = RequestsTransport.send

    def flip(transport: Any, request: Any, **options: Any) -> Any:
        if request.method == "PUT" and isinstance(request.data, bytes) and len(request.data) > 100:
            request.data = bytes([request.data[0] ^ 1]) + request.data[1:]
        return send(transport, request, **options)

    send_lean = KeptExchange.send

    def flip_lean(exchange: KeptExchange, method: str, url: str, headers: dict[str, str], body: bytes = b"") -> Any:
        return send_lean(exchange, method, url, headers, bytes([body[0] ^ 1]) + body[1:])

    monkeypatch.setattr(RequestsTransport, "send", flip)
    monkeypatch.setattr(KeptExchange, "send", flip_lean)
    for size in (1000, LARGE):
        with pytest.raises(StorageError):
            store.put("key", in_chunks(make_content(size)), size)
    assert list(store.list()) == []


def test_evidence_says_exactly_what_was_compared(store: AzureStore) -> None:
    small = put_bytes(store, "small").evidence
    large = store.put("large", in_chunks(make_content(LARGE))).evidence
    assert (small.level, large.level) == (EvidenceLevel.ATTESTED, EvidenceLevel.ATTESTED)
    assert "MD5 of the content" in small.method
    assert "MD5 of every block" in large.method
    assert "recorded by us" in small.method and "recorded by us" in large.method
    assert not store.info("small").attested
    assert store.info("large").digest == large.digest
    assert {entry.digest for entry in store.list()} == {small.digest, large.digest}  # type: ignore[union-attr]


@pytest.fixture
def careless_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive_tui.objects.azure.store.checks_content", lambda blob: False)


@pytest.mark.usefixtures("careless_server")
@pytest.mark.parametrize("size", [1000, LARGE])
def test_what_a_careless_server_was_given_is_read_back(store: AzureStore, size: int) -> None:
    content = make_content(size)
    evidence = store.put("key", in_chunks(content)).evidence
    assert (evidence.level, evidence.digest) == (EvidenceLevel.READ, digest_of(content))
    assert "read back" in evidence.method
    assert "does not check" in store.probe().remarks[0]


@pytest.mark.usefixtures("careless_server")
def test_what_a_careless_server_has_spoilt_is_removed(store: AzureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive_tui.objects.azure.store.hash_stream", lambda chunks: (digest_of(b"other"), 7))
    with pytest.raises(HashError):
        put_bytes(store, "key", b"content")
    assert list(store.list()) == []


def test_sixty_four_publishers_have_one_winner(azurite_server: AzuriteServer, container: str) -> None:
    barrier = threading.Barrier(16)

    def publish(number: int) -> int:
        with AzureStore(container, conn_str=azurite_server.conn_str) as store:
            store.traits  # noqa: B018
            barrier.wait(60)
            won = 0
            for version in range(4):
                try:
                    put_bytes(store, f"name.0.0.{version}.zip", bytes([number]) * 5000)
                    won += 1
                except ObjectExists:
                    pass
            return won

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(publish, range(16))) == 4
    with AzureStore(container, conn_str=azurite_server.conn_str) as store:
        for version in range(4):
            assert len(set(read_all(store, f"name.0.0.{version}.zip"))) == 1


def test_credentials_may_be_objects_of_the_sdk(azurite_server: AzuriteServer, container: str) -> None:
    credential = AzureNamedKeyCredential(ACCOUNT, ACCOUNT_KEY)
    with AzureStore(container, account_url=azurite_server.account_url, credential=credential) as store:
        put_bytes(store, "key", b"content")
        assert store._connection.data_plane is None and store._connection.lean_put is None
        assert read_all(store, "key") == b"content"


def test_a_signature_gives_access(azurite_server: AzuriteServer, container: str) -> None:
    from datetime import UTC, datetime, timedelta

    from azure.storage.blob import ContainerSasPermissions, generate_container_sas

    everything = ContainerSasPermissions(read=True, write=True, delete=True, list=True, create=True)
    expiry = datetime.now(UTC) + timedelta(hours=1)
    sas = generate_container_sas(ACCOUNT, container, ACCOUNT_KEY, permission=everything, expiry=expiry)
    connection = f"BlobEndpoint={azurite_server.account_url};SharedAccessSignature={sas}"
    for settings in (
        {"conn_str": connection},
        {"account_url": f"{azurite_server.account_url}?{sas}"},
        {"account_url": azurite_server.account_url, "credential": sas},
    ):
        with AzureStore(container, **settings) as store:
            store.put("key", [b"content"], overwrite=True)
            assert store._connection.data_plane is not None
            assert read_all(store, "key") == b"content"
            assert store._connection.data_plane is not None
            assert listed_keys(store, "k") == ["key"]
            assert "sig" not in store.label + store.identity


def test_no_log_noise(store: AzureStore, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        put_bytes(store, "key")
        read_all(store, "key")
        list(store.list())
    assert [record for record in caplog.records if record.name.startswith("azure")] == []
