"""Puts in parts of known digest: a CRC over the whole from the server, the SHA-256 recorded beside it."""

from __future__ import annotations

import threading
import zlib
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.errors import AccessDenied, HashError, ObjectExists, OperationStopped
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.objects.s3 import S3Store, connection, full_crc
from archive_tui.objects.s3.connection import Reply
from archive_tui.objects.s3.full_crc import combine_crcs, compute_crc, find_full_crc, honours_full_crc
from archive_tui.objects.s3.probing import forget_facts
from archive_tui.objects.s3.store import TransferSizes
from archive_tui.objects.s3.write import ATTESTED_PARTS, ATTESTED_WHOLE, READ_BACK
from tests.conformance.object_store_suite import (
    MIB,
    RereadableSource,
    digest_of,
    in_chunks,
    listed_keys,
    make_content,
    put_bytes,
    read_all,
)
from tests.servers.faulty_proxy import FaultyProxy
from tests.servers.s3_server import S3Server

SIZES = TransferSizes(in_memory=MIB, single_put=6 * MIB, attested_put=7 * MIB, part=5 * MIB)
CONTENT = make_content(12 * MIB + 77)
DIGEST = digest_of(CONTENT)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LONGEST_PAUSE", 0.02)


@pytest.fixture(scope="module")
def proxy(seaweedfs_server: S3Server) -> Iterator[FaultyProxy]:
    with FaultyProxy(seaweedfs_server.endpoint_url) as proxy:
        yield proxy


@pytest.fixture
def bucket(seaweedfs_server: S3Server) -> str:
    return seaweedfs_server.new_bucket()


@pytest.fixture
def store(seaweedfs_server: S3Server, proxy: FaultyProxy, bucket: str) -> Iterator[S3Store]:
    settings = seaweedfs_server.settings() | {"endpoint_url": proxy.url}
    with S3Store(bucket, sizes=SIZES, **settings) as store:
        yield store


def put(store: S3Store, source: Any = None, **options: Any) -> Any:
    return store.put("key", source or RereadableSource(CONTENT), len(CONTENT), digest=DIGEST, **options)


def assert_nothing_stays(server: S3Server, bucket: str) -> None:
    client = server.client()
    assert client.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []
    assert client.list_objects_v2(Bucket=bucket).get("Contents", []) == []
    client.close()


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_crcs_of_parts_are_that_of_the_whole(parts: list[bytes]) -> None:
    whole = zlib.crc32(b"".join(parts))
    assert combine_crcs((compute_crc([part]), len(part)) for part in parts) == whole == compute_crc(parts)


@pytest.mark.parametrize("headers", [{}, {"x-amz-checksum-crc32": "AAAAAA==-3"}])
def test_crc_over_crcs_is_none_over_the_whole(headers: dict[str, str]) -> None:
    assert find_full_crc(None) is None
    assert find_full_crc(Reply(200, headers)) is None
    of_parts = {"x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-type": "COMPOSITE"}
    assert find_full_crc(Reply(200, of_parts)) is None


def test_server_works_out_the_crc_and_keeps_the_digest(
    store: S3Store, seaweedfs_server: S3Server, bucket: str, proxy: FaultyProxy
) -> None:
    counts: list[int] = []
    result = put(store, sent=counts.append)
    assert (result.evidence.level, result.evidence.method) == (EvidenceLevel.ATTESTED, ATTESTED_WHOLE)
    assert counts[-1] == len(CONTENT)
    info = store.info("key")
    assert (info.digest, info.attested, info.version) == (DIGEST, False, result.info.version)
    client = seaweedfs_server.client()
    head = client.head_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
    client.close()
    assert head["ChecksumCRC32"] == b64encode(zlib.crc32(CONTENT).to_bytes(4, "big")).decode()
    assert head["ChecksumType"] == "FULL_OBJECT"
    assert head["Metadata"]["archive-tui-sha256"] == DIGEST
    assert digest_of(read_all(store, "key")) == DIGEST
    asked = len(proxy.requests)
    store.put("again", RereadableSource(CONTENT), len(CONTENT), digest=DIGEST)
    assert not any("probe" in line for line in proxy.requests[asked:])
    assert sorted(listed_keys(store)) == ["again", "key"]


def test_source_that_is_read_once_has_its_digest_recorded_too(store: S3Store) -> None:
    result = put(store, in_chunks(CONTENT))
    assert result.evidence.method == ATTESTED_WHOLE
    assert store.info("key").digest == DIGEST


def test_unknown_digest_goes_with_digests_of_parts(store: S3Store) -> None:
    result = store.put("key", in_chunks(CONTENT), len(CONTENT))
    assert (result.evidence.level, result.evidence.method) == (EvidenceLevel.ATTESTED, ATTESTED_PARTS)
    assert store.info("key").digest is None


def test_parts_never_replace(store: S3Store) -> None:
    put_bytes(store, "key", b"first")
    with pytest.raises(ObjectExists):
        put(store)
    assert read_all(store, "key") == b"first"


@pytest.mark.parametrize("kind", ["answer", "cut-request", "lose-reply"])
@pytest.mark.parametrize("phase", ["uploads=", "partNumber=2", "completion"])
def test_faults_in_each_phase(store: S3Store, proxy: FaultyProxy, kind: str, phase: str) -> None:
    def is_meant(line: str) -> bool:
        phases = {"completion": line.startswith("POST") and "uploadId=" in line}
        return phases.get(phase, phase in line) and "probe" not in line

    with proxy.fault(kind, is_meant, status=500, code="InternalError", after=300) as fault:
        result = put(store)
    assert fault.times == 0
    assert result.info.digest == DIGEST
    assert digest_of(read_all(store, "key")) == DIGEST


def test_wrong_digest_of_parts_is_never_visible(store: S3Store, seaweedfs_server: S3Server, bucket: str) -> None:
    with pytest.raises(HashError):
        put(store, RereadableSource(CONTENT[:-1] + b"?"))
    assert_nothing_stays(seaweedfs_server, bucket)


def test_stopped_parts_leave_nothing(store: S3Store, seaweedfs_server: S3Server, bucket: str) -> None:
    stop = threading.Event()
    with pytest.raises(OperationStopped):
        put(store, RereadableSource(CONTENT, at=(11 * MIB, stop.set)), stop=stop)
    assert_nothing_stays(seaweedfs_server, bucket)


def test_credentials_that_expire_between_parts(
    store: S3Store, proxy: FaultyProxy, seaweedfs_server: S3Server, bucket: str
) -> None:
    store.probe()
    with (
        proxy.fault("answer", lambda line: "partNumber=2" in line and "probe" not in line, 1, status=400,
                    code="ExpiredToken"),
        pytest.raises(AccessDenied) as caught,
    ):  # fmt: skip
        put(store)
    assert caught.value.code == "expired-credentials"
    assert_nothing_stays(seaweedfs_server, bucket)


def test_server_refuses_another_crc_over_the_whole(
    store: S3Store, seaweedfs_server: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert honours_full_crc(store._connection)
    monkeypatch.setattr("archive_tui.objects.s3.part_ledger.combine_crcs", lambda parts: 1)
    with pytest.raises(HashError):
        put(store)
    assert_nothing_stays(seaweedfs_server, bucket)


def test_other_crc_that_comes_back_is_withdrawn(
    store: S3Store, seaweedfs_server: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive_tui.objects.s3.part_ledger.find_full_crc", lambda reply: "AAAAAA==")
    with pytest.raises(HashError) as caught:
        put(store)
    assert "removed again" in caught.value.hint
    assert_nothing_stays(seaweedfs_server, bucket)


def test_server_that_refuses_no_wrong_crc_is_not_believed(moto_server: S3Server) -> None:
    bucket = moto_server.new_bucket()
    with S3Store(bucket, sizes=SIZES, **moto_server.settings()) as store:
        assert not honours_full_crc(store._connection)
        assert_nothing_stays(moto_server, bucket)
        result = put(store)
        assert (result.evidence.level, result.evidence.method) == (EvidenceLevel.READ, READ_BACK)
        info = store.info("key")
        assert (info.digest, info.attested) == (DIGEST, False)


def test_poor_server_is_read_back(rclone_server: S3Server) -> None:
    with S3Store(rclone_server.new_bucket(), sizes=SIZES, **rclone_server.settings()) as store:
        assert not honours_full_crc(store._connection)
        result = put(store)
        assert result.evidence.level is EvidenceLevel.READ
        assert result.evidence.method.startswith(READ_BACK)
        assert store.info("key").digest in (None, DIGEST)
        assert listed_keys(store) == ["key"]


def test_fault_while_the_crc_is_probed_proves_nothing(store: S3Store, proxy: FaultyProxy, bucket: str) -> None:
    forget_facts()
    store.probe()
    with proxy.fault("cut-request", lambda line: "probe-crc" in line, times=1000, after=300):
        assert put(store).evidence.method == ATTESTED_PARTS
    assert honours_full_crc(store._connection)
    assert listed_keys(store) == ["key"]


def test_honouring_is_asked_once(store: S3Store, proxy: FaultyProxy) -> None:
    honours_full_crc(store._connection)
    asked = len(proxy.requests)
    assert honours_full_crc(store._connection)
    assert len(proxy.requests) == asked
    assert full_crc.find_facts(store._connection).attests
