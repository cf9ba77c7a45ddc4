"""A strict server behind a proxy that breaks things: what is retried, resumed, said, and left behind."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from archive_tui.errors import AccessDenied, HashError, ObjectExists, OperationStopped, StorageError, StorageUnavailable
from archive_tui.objects.object_store import Support
from archive_tui.objects.s3 import S3Store, connection, transport, whole_put
from archive_tui.objects.s3.probing import forget_facts
from archive_tui.objects.s3.store import TransferSizes
from tests.conformance.object_store_suite import MIB, digest_of, in_chunks, make_content, put_bytes, read_all
from tests.servers.faulty_proxy import FaultyProxy, any_commit
from tests.servers.s3_server import S3Server

PARTS = TransferSizes(single_put=6 * MIB, part=5 * MIB)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LONGEST_PAUSE", 0.02)


@pytest.fixture(scope="module")
def proxy(seaweedfs_server: S3Server) -> Iterator[FaultyProxy]:
    with FaultyProxy(seaweedfs_server.endpoint_url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def bucket(seaweedfs_server: S3Server) -> str:
    return seaweedfs_server.new_bucket()


@pytest.fixture(params=["fast path", "own requests"])
def store(
    seaweedfs_server: S3Server, proxy: FaultyProxy, bucket: str, request: pytest.FixtureRequest
) -> Iterator[S3Store]:
    settings = seaweedfs_server.settings() | {"endpoint_url": proxy.url}
    prefix = f"f{abs(hash(request.node.nodeid)):x}"
    with S3Store(bucket, prefix=prefix, sizes=PARTS, **settings) as store:
        if request.param == "own requests":
            store.avoid_fast_path()
        store.probe()
        yield store


def unfinished_uploads(server: S3Server, bucket: str) -> list[str]:
    client = server.client()
    found = client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
    client.close()
    return [upload["Key"] for upload in found]


def is_part(line: str) -> bool:
    return "partNumber=" in line


def is_completion(line: str) -> bool:
    return line.startswith("POST") and "uploadId=" in line


def is_get(line: str) -> bool:
    return line.startswith("GET") and "list-type" not in line


def is_put(line: str) -> bool:
    return line.startswith("PUT")


@pytest.mark.parametrize("code", ["orderly", "reset"])
@pytest.mark.parametrize("after", [0, 5_000, 3_000_000])
def test_truncated_body_is_resumed(store: S3Store, proxy: FaultyProxy, after: int, code: str) -> None:
    content = make_content(4 * MIB)
    put_bytes(store, "key", content)
    with proxy.fault("cut-reply", is_get, times=2, after=after, code=code):
        assert digest_of(read_all(store, "key")) == digest_of(content)
    with proxy.fault("cut-reply", is_get, times=2, after=after, code=code):
        assert read_all(store, "key", 1000, 3_500_000) == content[1000:3_501_000]


def test_body_that_is_always_truncated_never_looks_like_the_end(store: S3Store, proxy: FaultyProxy) -> None:
    put_bytes(store, "key", make_content(2 * MIB))
    with proxy.fault("cut-reply", is_get, times=1000, after=400), pytest.raises(StorageUnavailable) as caught:
        read_all(store, "key")
    assert caught.value.hint


def test_object_replaced_between_break_and_resumption(store: S3Store, proxy: FaultyProxy) -> None:
    put_bytes(store, "key", make_content(4 * MIB))
    with proxy.fault("cut-reply", is_get, after=2 * MIB), store.open("key") as reader:
        assert reader.read(1000)
        store.put("key", in_chunks(make_content(4 * MIB, 2)), overwrite=True)
        with pytest.raises(StorageError) as caught:
            while reader.read(MIB):
                pass
    assert caught.value.code == "object-changed"


@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (500, "InternalError"), (429, "TooManyRequests")])
def test_busy_server_is_asked_again(store: S3Store, proxy: FaultyProxy, status: int, code: str) -> None:
    with proxy.fault("answer", times=2, status=status, code=code):
        put_bytes(store, "key", b"content")
    with proxy.fault("answer", times=2, status=status, code=code):
        assert read_all(store, "key") == b"content"
    with proxy.fault("answer", times=2, status=status, code=code):
        assert [entry.key for entry in store.list()] == ["key"]
    with proxy.fault("answer", times=2, status=status, code=code):
        assert store.info("key").size == 7


def test_server_that_stays_busy_is_unavailable(store: S3Store, proxy: FaultyProxy) -> None:
    put_bytes(store, "key")
    acts = (
        lambda: put_bytes(store, "other"),
        lambda: read_all(store, "key"),
        lambda: list(store.list()),
        lambda: store.info("key"),
        lambda: store.delete("key"),
    )
    for act in acts:
        with proxy.fault("answer", times=1000), pytest.raises(StorageUnavailable) as caught:
            act()
        assert "storage test" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "code", "ours"),
    [
        (400, "ExpiredToken", "expired-credentials"),
        (403, "SignatureDoesNotMatch", "access-denied"),
        (403, "AccessDenied", "access-denied"),
        (403, "RequestTimeTooSkewed", "clock"),
    ],
)
def test_denial_is_not_repeated(store: S3Store, proxy: FaultyProxy, status: int, code: str, ours: str) -> None:
    put_bytes(store, "key")
    for act in (lambda: put_bytes(store, "new"), lambda: read_all(store, "key"), lambda: list(store.list())):
        seen = len(proxy.requests)
        with proxy.fault("answer", times=1000, status=status, code=code), pytest.raises(AccessDenied) as caught:
            act()
        assert caught.value.code == ours
        assert caught.value.hint
        assert len(proxy.requests) == seen + 1


def test_conflicting_conditional_write_is_tried_again(store: S3Store, proxy: FaultyProxy) -> None:
    with proxy.fault("answer", is_put, times=2, status=409, code="ConditionalRequestConflict"):
        put_bytes(store, "small", b"content")
    with proxy.fault("answer", is_completion, times=2, status=409, code="ConditionalRequestConflict"):
        put_bytes(store, "large", make_content(11 * MIB))
    assert sorted(entry.key for entry in store.list()) == ["large", "small"]


@pytest.mark.parametrize("size", [7, 3 * MIB, 11 * MIB])
def test_lost_reply_is_our_own_write(store: S3Store, proxy: FaultyProxy, size: int) -> None:
    content = make_content(size)
    with proxy.fault("lose-reply", any_commit):
        result = put_bytes(store, "key", content)
    assert result.info.digest == digest_of(content)
    with proxy.fault("lose-reply", any_commit):
        assert store.put("key", [content], overwrite=True).info.size == size
    with proxy.fault("lose-reply", any_commit):
        assert store.put("key", [content + b"x"], if_match=store.info("key").version).info.size == size + 1


@pytest.mark.parametrize("size", [7, 3 * MIB])
def test_lost_reply_of_a_refusal_is_a_conflict(store: S3Store, proxy: FaultyProxy, size: int) -> None:
    put_bytes(store, "key", b"rival")
    with proxy.fault("lose-reply", is_put), pytest.raises(ObjectExists):
        put_bytes(store, "key", make_content(size))
    assert read_all(store, "key") == b"rival"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_failed_upload_in_parts_leaves_no_parts(
    store: S3Store, seaweedfs_server: S3Server, bucket: str, error: type[BaseException]
) -> None:
    def source() -> Iterator[bytes]:
        yield make_content(11 * MIB)
        assert len(unfinished_uploads(seaweedfs_server, bucket)) == 1
        raise error("in the middle")

    with pytest.raises(error, match="in the middle"):
        store.put("key", source())
    assert unfinished_uploads(seaweedfs_server, bucket) == []
    assert list(store.list()) == []


def test_part_that_is_refused_ends_the_upload(
    store: S3Store, proxy: FaultyProxy, seaweedfs_server: S3Server, bucket: str
) -> None:
    with (
        proxy.fault("answer", is_part, times=1, status=403, code="AccessDenied"),
        pytest.raises(AccessDenied),
    ):
        put_bytes(store, "key", make_content(16 * MIB))
    assert unfinished_uploads(seaweedfs_server, bucket) == []
    assert list(store.list()) == []


def test_parts_whose_replies_are_lost_are_sent_again(store: S3Store, proxy: FaultyProxy) -> None:
    content = make_content(16 * MIB)
    counts: list[int] = []
    with proxy.fault("lose-reply", is_part, times=3):
        store.put("key", in_chunks(content), sent=counts.append)
    assert digest_of(read_all(store, "key")) == digest_of(content)
    assert counts[-1] == len(content)


@pytest.mark.parametrize("size", [3 * MIB, 11 * MIB])
def test_stop_while_the_server_is_busy(store: S3Store, proxy: FaultyProxy, size: int) -> None:
    stop = threading.Event()
    timer = threading.Timer(0.1, stop.set)
    with proxy.fault("answer", lambda line: line.startswith(("PUT", "POST")), times=100_000):
        timer.start()
        with pytest.raises((OperationStopped, StorageUnavailable)):
            store.put("key", in_chunks(make_content(size)), stop=stop)
    timer.join()
    assert list(store.list()) == []


@pytest.mark.parametrize("size", [500, 3 * MIB, 11 * MIB])
def test_wrong_digest_is_refused_by_the_server(
    store: S3Store, monkeypatch: pytest.MonkeyPatch, size: int, seaweedfs_server: S3Server, bucket: str
) -> None:
    """What the bytes look like when they are damaged after they were hashed."""
    store.avoid_fast_path()
    wrong = {"x-amz-checksum-sha256": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
    monkeypatch.setattr(whole_put, "checksum_header", lambda digest: wrong)
    monkeypatch.setattr("archive_tui.objects.s3.part_ledger.checksum_header", lambda digest: wrong)
    with pytest.raises((HashError, StorageError)):
        put_bytes(store, "key", make_content(size))
    assert list(store.list()) == []
    assert unfinished_uploads(seaweedfs_server, bucket) == []


def test_black_hole_times_out(store: S3Store, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "READ_SECONDS", 0.3)
    monkeypatch.setattr("archive_tui.objects.obstore_plane.READ_SECONDS", 0.3)
    store.close()
    put_bytes(store, "key")
    with proxy.fault("black-hole", is_get, times=1000, seconds=1.0), pytest.raises(StorageUnavailable):
        read_all(store, "key")


def test_nobody_listens() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    keys = {"aws_access_key_id": "a-key-id", "aws_secret_access_key": "a-secret-key"}
    store = S3Store("bucket", endpoint_url=url, **keys)
    for act in (lambda: put_bytes(store, "a"), lambda: store.info("a"), lambda: list(store.list())):
        with pytest.raises(StorageUnavailable) as caught:
            act()
        assert "endpoint_url" in caught.value.hint
        assert "a-secret-key" not in str(caught.value) + caught.value.hint + repr(caught.value)
    with pytest.raises(StorageUnavailable):
        read_all(store, "a")


def test_host_that_does_not_exist() -> None:
    store = S3Store(
        "bucket", endpoint_url="http://s3.invalid", aws_access_key_id="a-key-id", aws_secret_access_key="secret-key"
    )
    with pytest.raises(StorageUnavailable):
        store.info("a")


def test_probe_of_a_busy_server_concludes_nothing(seaweedfs_server: S3Server, proxy: FaultyProxy, bucket: str) -> None:
    forget_facts()
    store = S3Store(bucket, prefix="busy", **seaweedfs_server.settings() | {"endpoint_url": proxy.url})
    with proxy.fault("answer", is_put, times=1000), pytest.raises(StorageUnavailable):
        store.probe()
    assert store.traits.create_only is Support.UNKNOWN
    with proxy.fault("answer", is_put, times=3):
        assert store.probe().create_only is Support.YES
    assert list(store.list()) == []
