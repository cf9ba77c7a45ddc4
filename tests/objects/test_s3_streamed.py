"""Puts of known digest and size from a source that can be read again: one attested request, whatever goes wrong."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import pytest

from archive_tui.errors import AccessDenied, HashError, ObjectExists, ObjectNotFound, StorageError, StorageUnavailable
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.objects.s3 import S3Store, connection
from archive_tui.objects.s3.store import TransferSizes
from archive_tui.objects.s3.write import ATTESTED, ATTESTED_WHOLE, READ_BACK
from tests.conformance.object_store_suite import MIB, RereadableSource, digest_of, make_content, put_bytes, read_all
from tests.servers.faulty_proxy import FaultyProxy, any_commit
from tests.servers.s3_server import S3Server

SIZES = TransferSizes(in_memory=MIB, single_put=64 * MIB, part=5 * MIB)
CONTENT = make_content(8 * MIB + 77)
DIGEST = digest_of(CONTENT)


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


@pytest.fixture
def store(
    seaweedfs_server: S3Server, proxy: FaultyProxy, bucket: str, request: pytest.FixtureRequest
) -> Iterator[S3Store]:
    settings = seaweedfs_server.settings() | {"endpoint_url": proxy.url}
    with S3Store(bucket, prefix=f"s{abs(hash(request.node.nodeid)):x}", sizes=SIZES, **settings) as store:
        store.probe()
        yield store


def put(store: S3Store, source: RereadableSource, **options: Any) -> Any:
    return store.put("key", source, len(CONTENT), digest=DIGEST, **options)


def head_of(server: S3Server, bucket: str, store: S3Store) -> dict[str, Any]:
    client = server.client()
    try:
        key = f"{store._options.prefix}key"
        return dict(client.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED"))
    finally:
        client.close()


def test_one_request_which_the_server_attests_as_a_whole(
    store: S3Store, proxy: FaultyProxy, seaweedfs_server: S3Server, bucket: str
) -> None:
    seen = len(proxy.requests)
    result = put(store, RereadableSource(CONTENT))
    writes = [line for line in proxy.requests[seen:] if not line.startswith("HEAD")]
    assert len(writes) == 1
    assert "uploadId" not in writes[0]
    assert (result.evidence.level, result.evidence.method) == (EvidenceLevel.ATTESTED, ATTESTED)
    assert result.info.attested
    info = store.info("key")
    assert (info.digest, info.attested, info.version) == (DIGEST, True, result.info.version)
    head = head_of(seaweedfs_server, bucket, store)
    assert b64decode(head["ChecksumSHA256"]).hex() == DIGEST
    assert head["Metadata"]["archive-tui-sha256"] == DIGEST


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize(
    ("kind", "details"),
    [
        ("answer", {"status": 500, "code": "InternalError"}),
        ("answer", {"status": 503, "code": "SlowDown"}),
        ("slam", {"status": 503, "code": "SlowDown"}),
        ("answer", {"status": 400, "code": "BadDigest"}),
        ("answer", {"status": 409, "code": "ConditionalRequestConflict"}),
        ("cut-request", {"after": 4 * MIB}),
        ("cut-request", {"after": 100}),
    ],
    ids=str,
)
def test_source_is_read_again(
    store: S3Store, proxy: FaultyProxy, kind: str, details: dict[str, Any], times: int
) -> None:
    source = RereadableSource(CONTENT)
    with proxy.fault(kind, any_commit, times, **details) as fault:
        result = put(store, source)
    assert fault.times == 0
    assert source.readings == 1 + times
    assert (result.evidence.level, result.info.digest) == (EvidenceLevel.ATTESTED, DIGEST)
    assert digest_of(read_all(store, "key")) == DIGEST


def test_reply_lost_after_the_commit_needs_no_second_reading(store: S3Store, proxy: FaultyProxy) -> None:
    source = RereadableSource(CONTENT)
    with proxy.fault("lose-reply", any_commit):
        assert put(store, source).info.digest == DIGEST
    assert source.readings == 1


def test_reply_lost_and_a_rival_was_first(store: S3Store, proxy: FaultyProxy) -> None:
    source = RereadableSource(CONTENT, at=(4 * MIB, lambda: put_rival(store)))
    with proxy.fault("lose-reply", lambda line: any_commit(line) and source.given > 0), pytest.raises(ObjectExists):
        put(store, source)
    assert read_all(store, "key") == b"rival"


def put_rival(store: S3Store) -> None:
    if not list(store.list()):
        put_bytes(store, "key", b"rival")


def test_second_reading_that_differs_is_refused(store: S3Store, proxy: FaultyProxy) -> None:
    source = RereadableSource(CONTENT, again=CONTENT[:-1] + b"?")
    with proxy.fault("answer", any_commit, status=500, code="InternalError"), pytest.raises(HashError):
        put(store, source)
    assert source.readings == 2
    assert list(store.list()) == []


def test_source_that_is_gone_at_the_second_reading(store: S3Store, proxy: FaultyProxy) -> None:
    class Vanishing(RereadableSource):
        def __iter__(self) -> Iterator[Any]:
            if self.readings:
                raise FileNotFoundError("the file is gone")
            return super().__iter__()

    with proxy.fault("answer", any_commit, status=500, code="InternalError"), pytest.raises(FileNotFoundError) as found:
        put(store, Vanishing(CONTENT))
    assert str(found.value) == "the file is gone"
    assert list(store.list()) == []


@pytest.mark.parametrize("kind", ["answer", "slam"])
@pytest.mark.parametrize(
    ("status", "code", "word"),
    [(403, "InvalidAccessKeyId", "expired"), (400, "ExpiredToken", "expired"), (403, "AccessDenied", "permissions")],
)
def test_denial_in_the_middle_says_what_it_is(
    store: S3Store, proxy: FaultyProxy, kind: str, status: int, code: str, word: str
) -> None:
    source = RereadableSource(CONTENT)
    with (
        proxy.fault("answer", any_commit, status=503, code="SlowDown"),
        proxy.fault(kind, lambda line: source.readings >= 1, times=1000, status=status, code=code),
        pytest.raises(AccessDenied) as caught,
    ):
        put(store, source)
    assert word in caught.value.hint + str(caught.value)
    assert code in str(caught.value)
    assert list(store.list()) == []


@pytest.mark.parametrize(("status", "code"), [(403, "InvalidAccessKeyId"), (400, "ExpiredToken")])
def test_denial_without_a_body_is_explained_too(store: S3Store, proxy: FaultyProxy, status: int, code: str) -> None:
    put_bytes(store, "key")
    with proxy.fault("answer", times=1000, status=status, code=code), pytest.raises(AccessDenied) as caught:
        store.info("key")
    assert "expired" in caught.value.hint + str(caught.value)


def test_denial_of_one_key_is_no_word_about_the_credentials(store: S3Store, proxy: FaultyProxy) -> None:
    put_bytes(store, "key")
    with proxy.fault("answer", status=403, code="AccessDenied"), pytest.raises(AccessDenied) as caught:
        store.info("key")
    assert "permissions" in caught.value.hint


def test_server_that_stays_away_is_unavailable(store: S3Store, proxy: FaultyProxy) -> None:
    source = RereadableSource(CONTENT)
    with (
        proxy.fault("cut-request", any_commit, times=1000, after=2 * MIB),
        pytest.raises(StorageUnavailable) as caught,
    ):
        put(store, source)
    assert "storage test" in caught.value.hint
    assert source.readings == connection.ATTEMPTS
    with pytest.raises(ObjectNotFound):
        store.info("key")


def test_server_that_checks_nothing_is_read_back(moto_server: S3Server) -> None:
    with S3Store(moto_server.new_bucket(), sizes=SIZES, **moto_server.settings()) as store:
        result = put(store, RereadableSource(CONTENT))
        assert (result.evidence.level, result.evidence.method) == (EvidenceLevel.READ, READ_BACK)
        info = store.info("key")
        assert (info.digest, info.attested) == (DIGEST, False)


@pytest.mark.parametrize("code", ["EntityTooLarge", "RequestEntityTooLarge"])
def test_server_that_takes_less_at_once_gets_parts(store: S3Store, proxy: FaultyProxy, code: str) -> None:
    source = RereadableSource(CONTENT)
    with proxy.fault("answer", any_commit, status=413, code=code):
        result = put(store, source)
    assert source.readings == 2
    assert result.evidence.method == ATTESTED_WHOLE
    assert digest_of(read_all(store, "key")) == DIGEST


def test_server_that_takes_nothing_says_so(store: S3Store, proxy: FaultyProxy) -> None:
    with (
        proxy.fault("answer", lambda line: line.startswith("PUT"), times=1000, status=413, code="EntityTooLarge"),
        pytest.raises(StorageError) as caught,
    ):
        put(store, RereadableSource(CONTENT))
    assert caught.value.code == "request-too-large"
    assert "limit" in caught.value.hint
    assert list(store.list()) == []


def test_digest_that_is_none_is_never_sent(store: S3Store) -> None:
    with pytest.raises(HashError):
        store.put("key", RereadableSource(CONTENT), len(CONTENT), digest="no digest")
    assert list(store.list()) == []
