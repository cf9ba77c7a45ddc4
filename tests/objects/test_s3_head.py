"""HEAD requests to servers that answer badly, close, stall, or are simply poor: typed errors, and kept connections."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from archive_tui.errors import (
    AccessDenied,
    ArchiveError,
    ConfigurationError,
    ObjectNotFound,
    StorageError,
    StorageUnavailable,
)
from archive_tui.objects.s3 import S3Store, connection, transport
from tests.objects.scripted_server import Answer, ScriptedServer, say

KEYS = {"aws_access_key_id": "key-id", "aws_secret_access_key": "secret-key", "region_name": "us-east-1"}
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: "abc"\r\nLast-Modified: Sun, 22 Nov 2026 15:26:12 GMT\r\n\r\n'
DIGEST = "ab" * 32


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LONGEST_PAUSE", 0.02)
    monkeypatch.setattr(transport, "READ_SECONDS", 0.5)


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], tuple[ScriptedServer, S3Store]]]:
    opened: list[ScriptedServer | S3Store] = []

    def start(answer: Answer) -> tuple[ScriptedServer, S3Store]:
        server = ScriptedServer(answer)
        store = S3Store("bucket", endpoint_url=f"http://127.0.0.1:{server.port}", **KEYS)
        opened.extend((store, server))
        return server, store

    yield start
    for each in opened:
        each.close()


Serve = Callable[[Answer], tuple[ScriptedServer, S3Store]]


def reply_with(*headers: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode("latin-1")


@pytest.mark.parametrize(
    ("headers", "digest"),
    [
        ((), None),
        (("x-amz-checksum-sha256: not base64!",), None),
        (("x-amz-checksum-sha256: AAAA",), None),
        (("x-amz-checksum-sha256: \xff\xfe",), None),
        (("x-amz-meta-archive-tui-sha256: no digest",), None),
        ((f"x-amz-meta-archive-tui-sha256: {DIGEST}",), DIGEST),
        ((f"X-Amz-Meta-Archive-Tui-Sha256: {DIGEST}", "x-amz-checksum-sha256: AAAA-2"), DIGEST),
        (("x-amz-checksum-sha256: " + "q6ur" * 10 + "q6s=",), DIGEST),
        ((f"x-amz-meta-archive-tui-sha256: {DIGEST}", "x-amz-checksum-sha256: " + "q6ur" * 10 + "qqs="), DIGEST),
        (("x-amz-checksum-type: COMPOSITE", "x-amz-checksum-sha256: " + "q6ur" * 10 + "q6s="), None),
        (("ETag: \"" + "0" * 32 + "-2\"", "x-amz-checksum-sha256: " + "q6ur" * 10 + "q6s="), None),
    ],
    ids=str,
)  # fmt: skip
def test_what_an_unknown_server_tells_is_never_attested(
    serve: Serve, headers: tuple[str, ...], digest: str | None
) -> None:
    _, store = serve(say(reply_with("Content-Length: 5", *headers)))
    info = store.info("key")
    assert (info.size, info.digest, info.attested) == (5, digest, False)


@pytest.mark.parametrize("length", [None, "-1", "five", "5, 5", "", "٥".encode().decode("latin-1"), "5.0"])
def test_length_that_nobody_can_read(serve: Serve, length: str | None) -> None:
    _, store = serve(say(reply_with(*([f"Content-Length: {length}"] if length is not None else []))))
    with pytest.raises(StorageError) as caught:
        store.info("key")
    assert caught.value.code == "reply-unreadable"
    assert caught.value.hint


@pytest.mark.parametrize("time", ["", "yesterday", "Sun, 99 Nov 2026 15:26:12 GMT", "Sun, 22 Nov 0000 15:26:12 GMT"])
def test_time_that_nobody_can_read(serve: Serve, time: str) -> None:
    _, store = serve(say(reply_with("Content-Length: 5", f"Last-Modified: {time}")))
    info = store.info("key")
    assert info.size == 5
    assert info.modified is None or isinstance(info.modified, float)


def test_time_is_read(serve: Serve) -> None:
    _, store = serve(say(OK))
    assert store.info("key").modified == 1795361172.0


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("301 Moved Permanently", ConfigurationError), ("307 Temporary Redirect", ConfigurationError),
        ("302 Found", StorageError), ("304 Not Modified", StorageError), ("400 Bad Request", StorageError),
        ("401 Unauthorized", AccessDenied), ("403 Forbidden", AccessDenied), ("404 Not Found", ObjectNotFound),
        ("405 Method Not Allowed", StorageError), ("418 Teapot", StorageError), ("500 Oops", StorageUnavailable),
        ("503 Slow Down", StorageUnavailable), ("507 Full", StorageError), ("999 What", StorageError),
    ],
)  # fmt: skip
def test_refusal_is_a_typed_error(serve: Serve, status: str, error: type[ArchiveError]) -> None:
    reply = reply_with("Content-Length: 0", "Location: http://127.0.0.1:1/elsewhere", status=status)
    server, store = serve(say(reply))
    with pytest.raises(error) as caught:
        store.info("key")
    assert caught.value.hint or isinstance(caught.value, ObjectNotFound)
    assert all(b"elsewhere" not in head for head in server.requests)


@pytest.mark.parametrize(
    "reply",
    [
        b"", b"garbage\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"HTTP/2 200\r\n\r\n", b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le", b"<html>no S3 here</html>" * 10, b"x" * 70_000, b"HTTP/1.1 20 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
    ],
    ids=lambda reply: repr(reply[:20]),
)  # fmt: skip
def test_reply_that_is_none(serve: Serve, reply: bytes) -> None:
    _, store = serve(say(reply, go_on=False))
    with pytest.raises(StorageUnavailable) as caught:
        store.info("key")
    assert "storage test" in caught.value.hint


def test_server_that_never_answers(serve: Serve) -> None:
    _, store = serve(lambda client, number: True)
    with pytest.raises(StorageUnavailable):
        store.info("key")


def test_headers_without_end(serve: Serve) -> None:
    def flood(client: socket.socket, number: int) -> bool:
        client.sendall(b"HTTP/1.1 200 OK\r\n")
        for _ in range(2_000):
            client.sendall(b"x-header: " + b"x" * 1_000 + b"\r\n")
        return False

    _, store = serve(flood)
    with pytest.raises(StorageUnavailable):
        store.info("key")


def test_reply_in_pieces_and_after_a_preliminary_one(serve: Serve) -> None:
    def drip(client: socket.socket, number: int) -> bool:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK:
            client.sendall(bytes([byte]))
        return True

    _, store = serve(drip)
    assert [store.info("key").size for _ in range(3)] == [5, 5, 5]


def test_connection_is_used_again(serve: Serve) -> None:
    server, store = serve(say(OK))
    for _ in range(20):
        assert store.info("key").version == "abc"
    assert server.connections == 1
    assert b"Host: 127.0.0.1" in server.requests[0]
    assert b"key-id" in server.requests[0]
    assert all(b"secret-key" not in head for head in server.requests)


def test_threads_keep_their_connections(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "READ_SECONDS", 60)  # a slow answer is not asked for again
    server, store = serve(say(OK))
    with ThreadPoolExecutor(32) as pool:
        assert {info.size for info in pool.map(lambda number: store.info(f"key-{number}"), range(2_000))} == {5}
    assert server.connections <= 32
    assert len(server.requests) == 2_000


@pytest.mark.parametrize("when", ["at once", "after the reply"])
def test_kept_connection_that_the_server_has_closed(serve: Serve, when: str) -> None:
    server, store = serve(say(OK, go_on=False) if when == "after the reply" else close_second)
    for _ in range(5):
        assert store.info("key").size == 5
    assert server.connections > 1


def close_second(client: socket.socket, number: int) -> bool:
    if number == 0:
        client.sendall(OK)
    return number == 0


@pytest.mark.parametrize(
    "reply",
    [OK.replace(b"HTTP/1.1", b"HTTP/1.0"), OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), OK + b"12345"],
    ids=["1.0", "close", "with a body"],
)
def test_connection_that_may_not_be_used_again(serve: Serve, reply: bytes) -> None:
    server, store = serve(say(reply))
    for _ in range(3):
        assert store.info("key").size == 5
    assert server.connections == 3


def test_store_can_be_closed_and_used_again(serve: Serve) -> None:
    server, store = serve(say(OK))
    assert store.info("key").size == 5
    store.close()
    assert store.info("key").size == 5
    assert server.connections == 2


def test_line_break_in_the_credentials_is_never_sent() -> None:
    server = ScriptedServer(say(OK))
    keys = KEYS | {"aws_session_token": "token\r\nx-injected: yes"}
    with S3Store("bucket", endpoint_url=f"http://127.0.0.1:{server.port}", **keys) as store:
        for act in (lambda: store.info("key"), lambda: list(store.list()), lambda: store.delete("key")):
            with pytest.raises(ConfigurationError):
                act()
    assert server.requests == []
    server.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A key and a certificate of its own for 127.0.0.1."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    private_key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder(name, name, private_key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(private_key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    plain = serialization.NoEncryption()
    key.write_bytes(private_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    cert.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    return key, cert


@pytest.mark.parametrize("trusted", [True, False])
def test_certificate_decides(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, trusted: bool) -> None:
    key, cert = certificate
    if trusted:
        monkeypatch.setenv("AWS_CA_BUNDLE", str(cert))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server = ScriptedServer(say(OK), context)
    with S3Store("bucket", endpoint_url=f"https://127.0.0.1:{server.port}", **KEYS) as store:
        if trusted:
            assert [store.info("key").size for _ in range(3)] == [5, 5, 5]
            assert server.connections == 1
        else:
            with pytest.raises(StorageError) as caught:
                store.info("key")
            assert caught.value.code == "tls"
    server.close()
