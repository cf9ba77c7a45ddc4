"""Small blobs by a request of our own: the service takes it as the SDK's, and in doubt the SDK has the last word."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from hashlib import md5
from typing import Any

import pytest
from azure.core.pipeline.transport import RequestsTransport

from archive_tui.errors import ObjectExists
from archive_tui.objects.azure import lean_put
from archive_tui.objects.azure.connection import AzureEndpoint
from archive_tui.objects.azure.lean_put import LARGEST_PUT, MOST_FAILURES, LeanPut, make_lean_put
from archive_tui.objects.azure.store import AzureStore
from tests.conformance.object_store_suite import listed_keys, make_content, put_bytes, read_all
from tests.objects.scripted_server import Answer, ScriptedServer, say
from tests.servers.azurite import ACCOUNT, ACCOUNT_KEY, AzuriteServer
from tests.servers.faulty_proxy import FaultyProxy

CREATED = b'HTTP/1.1 201 Created\r\nContent-Length: 0\r\nETag: "0x8D"\r\n\r\n'


@pytest.fixture
def container(azurite_server: AzuriteServer) -> str:
    return azurite_server.new_container()


@pytest.fixture
def proxy(azurite_server: AzuriteServer) -> Iterator[FaultyProxy]:
    with FaultyProxy(azurite_server.account_url) as proxy:
        yield proxy


@pytest.fixture
def store(proxy: FaultyProxy, container: str) -> Iterator[AzureStore]:
    with AzureStore(container, account_url=f"{proxy.url}/{ACCOUNT}", credential=ACCOUNT_KEY) as store:
        store.probe()
        yield store


@pytest.fixture
def sdk_is_out_of_order(store: AzureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(transport: Any, request: Any, **options: Any) -> Any:
        raise AssertionError(f"the SDK was used: {request.method} {request.url}")

    monkeypatch.setattr(RequestsTransport, "send", refuse)


def is_put(line: str) -> bool:
    return line.startswith("PUT ")


def make_lean(answer: Answer) -> tuple[ScriptedServer, LeanPut]:
    server = ScriptedServer(answer)
    endpoint = AzureEndpoint("account", f"http://127.0.0.1:{server.port}/account", account_key=ACCOUNT_KEY)
    return server, LeanPut(endpoint, "container")


def put_one(lean: LeanPut, content: bytes = b"content") -> str | None:
    return lean.put("name", content, {"mark": "x"}, {"If-None-Match": "*"})


@pytest.mark.usefixtures("sdk_is_out_of_order")
@pytest.mark.parametrize("key", ["k", "a/b", "a b+c%20d", "Grüße/雪", "a?b#c&d=e", "it's/~(x)!*"])
@pytest.mark.parametrize("size", [1, 4096, LARGEST_PUT])
def test_service_takes_the_signature(store: AzureStore, key: str, size: int) -> None:
    content = make_content(size)
    put = put_bytes(store, key, content)
    found = store.info(key)
    assert (found.size, found.version, found.digest) == (size, put.info.version, put.info.digest)
    assert read_all(store, key) == content


@pytest.mark.usefixtures("sdk_is_out_of_order")
def test_empty_content(store: AzureStore) -> None:
    put = put_bytes(store, "key", b"")
    assert (store.info("key").size, store.info("key").version) == (0, put.info.version)


def test_blob_is_as_the_sdk_makes_it(store: AzureStore, azurite_server: AzuriteServer, container: str) -> None:
    put_bytes(store, "lean", b"content")
    store._connection._lean_put, store._connection._has_lean_put = None, False
    put_bytes(store, "by SDK", b"content")
    with azurite_server.container_client(container) as client:
        lean, by_sdk = (client.get_blob_client(name).get_blob_properties() for name in ("lean", "by SDK"))
    for name in ("content_type", "content_md5", "content_encoding", "content_language", "cache_control"):
        assert lean.content_settings[name] == by_sdk.content_settings[name], name
    assert sorted(lean.metadata) == sorted(by_sdk.metadata)
    assert lean.blob_type == by_sdk.blob_type


def test_small_put_is_one_request(store: AzureStore, proxy: FaultyProxy) -> None:
    before = len(proxy.requests)
    put_bytes(store, "key")
    assert len([line for line in proxy.requests[before:] if is_put(line)]) == 1


def test_existing_blob_stays(store: AzureStore) -> None:
    put_bytes(store, "key", b"first")
    with pytest.raises(ObjectExists):
        put_bytes(store, "key", b"second")
    assert read_all(store, "key") == b"first"


def test_only_the_expected_version_is_replaced(store: AzureStore) -> None:
    first = put_bytes(store, "key", b"first").info.version
    second = store.put("key", [b"second"], if_match=first).info.version
    assert second != first
    with pytest.raises(ObjectExists):
        store.put("key", [b"third"], if_match=first)
    assert read_all(store, "key") == b"second"


@pytest.mark.parametrize("replaces", [False, True], ids=["new", "expected version"])
@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
def test_lost_reply_is_our_own_write(store: AzureStore, proxy: FaultyProxy, times: int, replaces: bool) -> None:
    before = put_bytes(store, "key", b"before").info.version if replaces else None
    other = put_bytes(store, "other", b"")  # opens the connection that is used again
    assert other.info.size == 0
    with proxy.fault("lose-reply", is_put, times) as lost:
        put = store.put("key", [b"content"], if_match=before)
    assert lost.times == 0
    assert put.info.version == store.info("key").version
    assert read_all(store, "key") == b"content"
    assert sorted(listed_keys(store)) == ["key", "other"]


def test_signed_text_is_that_of_the_documentation() -> None:
    """https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key: order, and no length for 0."""
    server, lean = make_lean(say(CREATED))
    try:
        assert put_one(lean, b"") == put_one(lean, b"content") == "0x8D"
    finally:
        lean.close()
        server.close()
    head = server.requests[1].decode()
    assert head.startswith("PUT /account/container/name HTTP/1.1\r\n")
    assert "\r\nIf-None-Match: *\r\n" in head
    told = head.partition("\r\nContent-MD5: ")[2].partition("\r\n")[0]
    assert b64decode(told) == md5(b"content").digest()
    assert server.bodies == [b"", b"content"]
    assert server.connections == 1


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
        b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: "0x8D"\r\n\r\n',
        b'HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nETag: "0x8D"\r\n\r\n',
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nError",
        b"HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        b"nothing of HTTP\r\n\r\n",
        b"",
    ],
    ids=["no version", "other success", "accepted", "denied", "redirect", "no HTTP", "closed"],
)
def test_what_is_no_proof_is_left_to_the_sdk_and_soon_not_tried(reply: bytes) -> None:
    server, lean = make_lean(say(reply, go_on=bool(reply)))
    try:
        assert [put_one(lean) for _ in range(MOST_FAILURES + 3)] == [None] * (MOST_FAILURES + 3)
    finally:
        lean.close()
        server.close()
    assert len(server.requests) == MOST_FAILURES


@pytest.mark.parametrize("status", [409, 412, 503])
def test_ordinary_refusals_do_not_end_this_way(status: int) -> None:
    reply = f"HTTP/1.1 {status} No\r\nContent-Length: 5\r\n\r\nError".encode()
    server, lean = make_lean(say(reply))
    try:
        assert [put_one(lean) for _ in range(MOST_FAILURES + 2)] == [None] * (MOST_FAILURES + 2)
    finally:
        lean.close()
        server.close()
    assert len(server.requests) == MOST_FAILURES + 2


def test_reply_in_no_pieces_keeps_the_connection() -> None:
    server, lean = make_lean(say(CREATED.replace(b"Content-Length: 0", b"Transfer-Encoding: chunked") + b"0\r\n\r\n"))
    try:
        assert [put_one(lean) for _ in range(3)] == ["0x8D"] * 3
    finally:
        lean.close()
        server.close()
    assert server.connections == 1


def test_line_break_in_a_header_is_never_sent() -> None:
    server, lean = make_lean(say(CREATED))
    try:
        assert lean.put("name", b"", {}, {"If-Match": '"x"\r\nx-ms-meta-more: y'}) is None
    finally:
        lean.close()
        server.close()
    assert server.requests == []


def test_large_content_is_not_for_this_way() -> None:
    server, lean = make_lean(say(CREATED))
    try:
        assert put_one(lean, bytes(LARGEST_PUT + 1)) is None
    finally:
        lean.close()
        server.close()
    assert server.requests == []


@pytest.mark.parametrize(
    ("endpoint", "container"),
    [
        (AzureEndpoint("account", "http://127.0.0.1:1/account"), "container"),
        (AzureEndpoint("account", "http://127.0.0.1:1/account", account_key="not base64!"), "container"),
        (AzureEndpoint("account", "http://127.0.0.1:1/account", account_key=ACCOUNT_KEY), "$root"),
    ],
    ids=["no secret", "bad key", "special container"],
)
def test_what_only_the_sdk_can_do(endpoint: AzureEndpoint, container: str) -> None:
    assert make_lean_put(endpoint, container) is None


def test_proxy_is_for_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = AzureEndpoint("account", "https://account.blob.core.windows.net", account_key=ACCOUNT_KEY)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(lean_put, "getproxies", lambda: {"https": "http://proxy:3128"})
    assert make_lean_put(endpoint, "container") is None
    monkeypatch.setattr(lean_put, "getproxies", dict)
    assert make_lean_put(endpoint, "container") is not None
