"""An upload to S3 that is continued: found, compared, recognised, and never mixed up with another."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from archive_tui.errors import AccessDenied, HashError, ObjectExists, OperationStopped, StorageError, StorageUnavailable
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.object_store import PutResult
from archive_tui.objects.s3 import S3Store, connection, listed_parts, upload_listing, upload_start
from archive_tui.objects.s3.connection import Reply, S3Connection
from archive_tui.objects.s3.full_crc import CRC_HEADER
from archive_tui.objects.s3.kept_upload import KeptUpload, PartChecksum, parse_token
from archive_tui.objects.s3.listed_parts import ListedPart
from archive_tui.objects.s3.pieces import PieceQueue, TransferSizes, make_payload
from archive_tui.objects.s3.probing import checksum_header
from archive_tui.objects.s3.write import ATTESTED, ATTESTED_PARTS, ATTESTED_WHOLE, READ_BACK
from archive_tui.objects.unfinished import UnfinishedUpload
from tests.conformance.kept_tokens import KeptTokens
from tests.conformance.object_store_suite import (
    MIB,
    RereadableSource,
    digest_of,
    in_chunks,
    listed_keys,
    make_content,
    read_all,
)
from tests.servers.faulty_proxy import FaultyProxy
from tests.servers.s3_server import S3Server

SIZES = TransferSizes(in_memory=MIB, single_put=6 * MIB, continued_put=6 * MIB, part=5 * MIB)
CONTENT = make_content(22 * MIB)
DIGEST = digest_of(CONTENT)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LONGEST_PAUSE", 0.02)


class Place:
    """A bucket behind a proxy, a store in it that remembers, and what the server says of it."""

    def __init__(self, server: S3Server) -> None:
        self.server = server
        self.proxy = FaultyProxy(server.endpoint_url)
        self.bucket = server.new_bucket()
        self.tokens = KeptTokens()
        self.client = server.client()
        self.store = self.open_store()

    def open_store(self, **settings: Any) -> S3Store:
        store = S3Store(
            self.bucket, **{"sizes": SIZES, **self.server.settings(), "endpoint_url": self.proxy.url, **settings}
        )
        store.unfinished = self.tokens
        return store

    def uploads(self) -> list[str]:
        return [found.token for found in self.store.list_unfinished()]

    def parts(self) -> set[int]:
        return {
            part["PartNumber"]
            for upload in self.uploads()
            for part in self.client.list_parts(Bucket=self.bucket, Key="key", UploadId=upload).get("Parts", [])
        }

    @property
    def token(self) -> str:
        return self.tokens.by_place[self.store.identity, "key"]

    @token.setter
    def token(self, token: str) -> None:
        self.tokens.by_place[self.store.identity, "key"] = token

    def sent_parts(self, since: int) -> list[int]:
        lines = [line for line in self.proxy.requests[since:] if line.startswith("PUT ") and "partNumber=" in line]
        return sorted({int(line.partition("partNumber=")[2].split("&")[0]) for line in lines if "/key?" in line})

    def close(self) -> None:
        self.store.close()
        self.client.close()
        self.proxy.close()


@pytest.fixture
def place(seaweedfs_server: S3Server) -> Iterator[Place]:
    place = Place(seaweedfs_server)
    yield place
    place.close()


def put(place: Place, content: bytes = CONTENT, *, store: S3Store | None = None, **options: Any) -> PutResult:
    promise = {"digest": digest_of(content), "size": len(content)} | options
    return (store or place.store).put("key", RereadableSource(content, 700_001), **promise)


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def end_early(place: Place, content: bytes = CONTENT, *, parts: int = 1, **options: Any) -> set[int]:
    """Puts until so many parts have arrived, and stops; returns their numbers."""
    stop = threading.Event()

    def source() -> Iterator[Chunk]:
        yield from in_chunks(content[: len(content) - 1], 700_001)
        wait_until(lambda: len(place.parts()) >= parts)
        stop.set()
        yield content[-1:]

    promise = {"digest": digest_of(content), "size": len(content)} | options
    with pytest.raises(OperationStopped):
        place.store.put("key", source(), stop=stop, **promise)
    return place.parts()


def assert_whole(place: Place, result: PutResult, content: bytes = CONTENT) -> None:
    assert digest_of(read_all(place.store, "key")) == digest_of(content) == result.info.digest
    assert place.uploads() == []
    assert place.tokens.by_place == {}


def is_completion(line: str) -> bool:
    return line.startswith("POST") and "/key?" in line and "uploadId=" in line


# ---- which way a put takes


def test_source_that_can_be_read_again_goes_in_parts_only_where_that_is_remembered(place: Place) -> None:
    assert put(place).evidence.method == ATTESTED_WHOLE
    place.store.unfinished = None
    assert put(place, overwrite=True).evidence.method == ATTESTED
    place.store.unfinished = place.tokens
    assert put(place, CONTENT[: 6 * MIB], overwrite=True).evidence.method == ATTESTED
    assert TransferSizes().continued_put == 1 << 30


def test_parts_found_are_counted_and_proven(place: Place) -> None:
    present = end_early(place, parts=2)
    seen = len(place.proxy.requests)
    counts: list[int] = []
    result = put(place, sent=counts.append)
    assert place.sent_parts(seen) == sorted({1, 2, 3, 4, 5} - present)
    assert counts[-1] == len(CONTENT)
    assert (result.evidence.level, result.evidence.method) == (EvidenceLevel.ATTESTED, ATTESTED_WHOLE)
    assert_whole(place, result)


def test_composite_digest_counts_parts_that_were_not_sent(place: Place) -> None:
    present = end_early(place, parts=2, digest=None, size=None)
    seen = len(place.proxy.requests)
    result = put(place, digest=None, size=None)
    assert not present & set(place.sent_parts(seen))
    assert (result.evidence.level, result.evidence.method) == (EvidenceLevel.ATTESTED, ATTESTED_PARTS)
    assert_whole(place, result)


def test_parts_are_cut_as_they_were(place: Place) -> None:
    """The token has the sizes, whatever a later version of the program would choose."""
    present = end_early(place, parts=2)
    other = place.open_store(sizes=replace(SIZES, part=7 * MIB))
    seen = len(place.proxy.requests)
    result = put(place, store=other)
    assert place.sent_parts(seen) == sorted({1, 2, 3, 4, 5} - present)
    assert_whole(place, result)
    other.close()


@pytest.mark.parametrize("promise", [{"digest": None}, {"digest": None, "size": None}], ids=["no digest", "nothing"])
def test_another_promise_begins_anew(place: Place, promise: dict[str, Any]) -> None:
    """The digest stands in the upload's metadata: it cannot be taken back, nor added."""
    end_early(place)
    seen = len(place.proxy.requests)
    result = put(place, **promise)
    assert place.sent_parts(seen) == [1, 2, 3, 4, 5]
    assert place.store.info("key").digest is None
    assert_whole(place, result)


# ---- what is compared


def test_part_is_known_by_its_digest_or_its_md5() -> None:
    payload = make_payload([b"some ", b"content"])
    md5 = hashlib.md5(b"some content").hexdigest()
    digest = checksum_header(payload.digest)["x-amz-checksum-sha256"]
    crc = {CRC_HEADER: "AAAAAA=="}
    assert ListedPart(12, md5).holds(payload, {})
    assert ListedPart(12, "opaque", sha256=digest).holds(payload, {})
    assert ListedPart(12, md5, crc32="AAAAAA==").holds(payload, crc)
    assert not ListedPart(12, md5, crc32="AAAAAQ==").holds(payload, crc)
    assert not ListedPart(12, md5, sha256="A" * 43 + "=").holds(payload, {})
    assert not ListedPart(11, md5).holds(payload, {})
    assert not ListedPart(12, "opaque").holds(payload, {})
    assert not ListedPart(12, "").holds(payload, {})
    assert not ListedPart(12, md5.replace(md5[0], "f" if md5[0] != "f" else "e")).holds(payload, {})


def test_crc_alone_proves_nothing() -> None:
    payload = make_payload([b"content"])
    assert not ListedPart(7, "opaque", crc32="AAAAAA==").holds(payload, {CRC_HEADER: "AAAAAA=="})


def test_parts_that_cannot_be_compared_are_sent_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    end_early(place, parts=2)
    parse = listed_parts._parse_page
    monkeypatch.setattr(
        listed_parts,
        "_parse_page",
        lambda page: {number: replace(part, etag="opaque") for number, part in parse(page).items()},
    )
    seen = len(place.proxy.requests)
    result = put(place)
    assert place.sent_parts(seen) == [1, 2, 3, 4, 5]
    assert_whole(place, result)


def test_encrypted_parts_get_digests_of_their_own(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a key of its own the entity tag of a part is no MD5: then the server is asked for SHA-256 of each."""
    create = upload_start._create

    def create_encrypted(*arguments: Any) -> tuple[str, Reply]:
        upload, reply = create(*arguments)
        return upload, replace(reply, headers={**reply.headers, "x-amz-server-side-encryption": "aws:kms:dsse"})

    monkeypatch.setattr(upload_start, "_create", create_encrypted)
    result = put(place)
    assert result.evidence.method == ATTESTED_PARTS
    assert place.store.info("key").digest == DIGEST
    assert_whole(place, result)


def test_pages_of_parts(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    present = end_early(place, parts=3)
    monkeypatch.setattr(listed_parts, "PAGE_PARTS", 1)
    seen = len(place.proxy.requests)
    result = put(place)
    assert not present & set(place.sent_parts(seen))
    assert sum("part-number-marker" in line for line in place.proxy.requests[seen:]) >= len(present)
    assert_whole(place, result)


def test_parts_of_a_server_that_repeats_its_page_are_listed_in_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    page = b"<IsTruncated>true</IsTruncated><Part><PartNumber>7</PartNumber><ETag>x</ETag><Size>5</Size></Part>"
    silly = b"<Part><PartNumber>10001</PartNumber><Size>5</Size></Part><Part><PartNumber>-1</PartNumber></Part><Part/>"
    asked: list[Any] = []

    class Repeating:
        def send(self, *arguments: Any, **options: Any) -> Reply:
            asked.append(options)
            return Reply(200, {}, page + silly)

    found = listed_parts.list_parts(Repeating(), "key", "upload", stop=threading.Event())  # type: ignore[arg-type]
    assert found == {7: ListedPart(5, "x")}
    assert len(asked) == 2


# ---- an upload that is not there any more


def abort_uploads(place: Place) -> None:
    for upload in place.uploads():
        place.client.abort_multipart_upload(Bucket=place.bucket, Key="key", UploadId=upload)


def test_upload_that_the_bucket_has_removed_begins_anew(place: Place) -> None:
    end_early(place)
    abort_uploads(place)
    seen = len(place.proxy.requests)
    result = put(place)
    assert place.sent_parts(seen) == [1, 2, 3, 4, 5]
    assert_whole(place, result)


@pytest.mark.parametrize("when", ["before the last part", "before the completion"])
def test_upload_that_is_removed_while_it_is_sent_is_told_and_begins_anew(place: Place, when: str) -> None:
    def source() -> Iterator[Chunk]:
        yield from in_chunks(CONTENT[:-1], 700_001)
        wait_until(lambda: len(place.parts()) >= 4)
        if when == "before the last part":
            abort_uploads(place)
        yield CONTENT[-1:]

    if when == "before the last part":
        with pytest.raises(StorageUnavailable, match="cannot be completed, or is gone"):
            place.store.put("key", source(), len(CONTENT), digest=DIGEST)
    else:
        with (
            place.proxy.fault("answer", is_completion, times=99, status=404, code="NoSuchUpload"),
            pytest.raises(StorageUnavailable, match="cannot be completed, or is gone"),
        ):
            place.store.put("key", source(), len(CONTENT), digest=DIGEST)
    assert place.tokens.by_place == {}
    assert place.uploads() == []
    assert_whole(place, put(place))


# ---- our own write, recognised after the process has died


@pytest.mark.parametrize("promise", [{}, {"digest": None, "size": None}], ids=["promised", "unknown"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_completed_upload_of_a_killed_process_is_recognised(
    place: Place, promise: dict[str, Any], overwrite: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _put_and_forget_nothing(place, **promise)
    seen = len(place.proxy.requests)
    result = put(place, overwrite=overwrite, **promise)
    assert place.sent_parts(seen) == []
    assert not any(line.startswith(("POST", "PUT", "DELETE")) for line in place.proxy.requests[seen:])
    assert (result.info.version, result.info.digest) == (first.info.version, DIGEST)
    assert result.evidence.level is EvidenceLevel.ATTESTED
    assert_whole(place, result)


def test_condition_that_our_own_write_has_used_up(place: Place) -> None:
    old = put(place, CONTENT[:MIB])
    _put_and_forget_nothing(place, if_match=old.info.version)
    result = put(place, if_match=old.info.version)
    assert_whole(place, result)


def _put_and_forget_nothing(place: Place, **promise: Any) -> PutResult:
    """As if the process had been killed right after the server has completed the upload."""
    kept: list[str] = []
    keep = place.tokens.keep

    def note(identity: str, key: str, token: str) -> None:
        kept.append(token)
        keep(identity, key, token)

    place.tokens.keep = note  # type: ignore[method-assign]
    result = put(place, **promise)
    place.tokens.keep = keep  # type: ignore[method-assign]
    place.token = kept[-1]
    return result


def test_completed_upload_is_not_taken_for_that_of_another_source(place: Place) -> None:
    _put_and_forget_nothing(place, digest=None, size=None)
    other = CONTENT[:-1] + b"?"
    with pytest.raises(ObjectExists):
        put(place, other, digest=None, size=None)
    assert digest_of(read_all(place.store, "key")) == DIGEST
    assert place.tokens.by_place == {}


def test_completed_upload_is_compared_by_reading_where_the_server_attests_nothing(moto_server: S3Server) -> None:
    place = Place(moto_server)
    _put_and_forget_nothing(place, digest=None, size=None)
    token = place.token
    with pytest.raises(ObjectExists):
        put(place, CONTENT[:-1] + b"?", digest=None, size=None)
    place.token = token
    result = put(place, digest=None, size=None)
    assert (result.evidence.level, result.evidence.method) == (EvidenceLevel.READ, READ_BACK)
    assert_whole(place, result)
    place.close()


def test_lost_reply_of_a_continued_completion_is_settled(place: Place) -> None:
    end_early(place, parts=2)
    with place.proxy.fault("lose-reply", is_completion) as fault:
        result = put(place)
    assert fault.times == 0
    assert_whole(place, result)


# ---- tokens of other places


def test_token_of_another_bucket_endpoint_or_key_is_not_used(place: Place) -> None:
    end_early(place)
    (upload,) = place.uploads()
    kept = parse_token(place.token, f"{place.store._options.place}/{place.bucket}", "key")
    assert kept is not None
    for foreign in (
        replace(kept, place="elsewhere/bucket"),
        replace(kept, full_key="other key"),
        replace(kept, upload=""),
    ):
        place.token = foreign.to_token()
        put(place, overwrite=True)
        assert place.uploads() == [upload]
        place.store.discard_unfinished(UnfinishedUpload("key", foreign.to_token()))
        assert place.uploads() == [upload]
    place.store.discard_unfinished(UnfinishedUpload("key", kept.to_token()))
    assert place.uploads() == []


@pytest.mark.parametrize(
    "change",
    [{"smallest": 0}, {"smallest": 1 << 40}, {"smallest": "5"}, {"smallest": True}, {"nonce": ""}, {"size": 1.5},
     {"digest": "none"}, {"checksum": "md4"}, {"upload": 7}, {"place": None}],
)  # fmt: skip
def test_spoilt_tokens_are_none(change: dict[str, Any]) -> None:
    kept = KeptUpload("u", "p", "k", "n", 5, 7, DIGEST, PartChecksum.CRC32)
    assert parse_token(kept.to_token(), "p", "k") == kept
    word, _, text = kept.to_token().partition(" ")
    assert parse_token(f"{word} {json.dumps(json.loads(text) | change)}", "p", "k") is None
    assert parse_token(f"other {text}", "p", "k") is None
    assert parse_token(f"{word} {text[:-1]}", "p", "k") is None
    assert parse_token(f"{word} {'[' * 100_000}", "p", "k") is None


# ---- two that go on with the same upload


def open_as(place: Place, process: str, token: str) -> S3Store:
    """A store of what takes itself for another process, which has the same token."""
    store = place.open_store()
    store.identity = process
    store.unfinished = KeptTokens()
    store.unfinished.by_place[process, "key"] = token
    return store


def test_two_processes_on_one_upload_never_make_a_wrong_object(place: Place) -> None:
    """Jobs exclude it; should it happen all the same, one of them may fail, and what is there is whole."""
    end_early(place, parts=2)
    token = place.token
    outcomes: list[PutResult | BaseException] = []

    def go_on(name: str) -> None:
        store = open_as(place, name, token)
        try:
            outcomes.append(put(place, store=store))
        except (StorageUnavailable, ObjectExists) as error:
            outcomes.append(error)
        finally:
            store.close()

    threads = [threading.Thread(target=go_on, args=(name,)) for name in ("one", "another")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 2
    assert any(isinstance(each, PutResult) for each in outcomes)
    assert digest_of(read_all(place.store, "key")) == DIGEST


def test_other_process_that_completes_with_other_parts_keeps_its_object(place: Place) -> None:
    """Both have the same nonce; the one that lost must neither claim nor remove what the other has acknowledged."""
    other = CONTENT[: -2 * MIB] + make_content(2 * MIB, 9)
    end_early(place, parts=2, digest=None, size=None)
    rival = open_as(place, "another process", place.token)

    def source() -> Iterator[Chunk]:
        yield from in_chunks(CONTENT, 700_001)
        assert put(place, other, store=rival, digest=None, size=None).info.digest == digest_of(other)

    with pytest.raises((ObjectExists, StorageUnavailable)):
        place.store.put("key", source())
    assert digest_of(read_all(place.store, "key")) == digest_of(other)
    rival.close()


# ---- ends of other kinds


def test_credentials_that_expire_leave_the_parts_for_later(place: Place) -> None:
    """They cannot be removed either, so the token stays, and the next put goes on."""
    place.store.probe()
    parts: list[str] = []

    def is_late(line: str) -> bool:
        if "/key?" in line and "partNumber=" in line:
            parts.append(line)
        return "/key?" in line and "uploadId=" in line and len(parts) > 2

    with (
        place.proxy.fault("answer", is_late, times=999, status=400, code="ExpiredToken"),
        pytest.raises(AccessDenied) as caught,
    ):
        put(place)
    assert caught.value.code == "expired-credentials"
    assert len(place.uploads()) == 1
    assert_whole(place, put(place))


def test_damage_on_the_way_removes_all(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    end_early(place, parts=2)
    monkeypatch.setattr("archive_tui.objects.s3.part_ledger.combine_crcs", lambda parts: 1)
    with pytest.raises(HashError):
        put(place)
    assert place.tokens.by_place == {}
    assert place.uploads() == []
    assert listed_keys(place.store) == []


def test_memory_that_fails_begins_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.store.probe()

    def refuse(*arguments: str) -> None:
        raise OSError("no room for tokens")

    monkeypatch.setattr(place.tokens, "keep", refuse)
    with pytest.raises(OSError, match="no room"):
        put(place)
    assert place.uploads() == []


def test_server_that_stays_away_keeps_the_parts(place: Place) -> None:
    with (
        place.proxy.fault("answer", lambda line: "partNumber=4" in line and "/key?" in line, times=999, status=503),
        pytest.raises(StorageUnavailable),
    ):
        put(place)
    present = place.parts()
    assert present
    seen = len(place.proxy.requests)
    result = put(place)
    assert not present & set(place.sent_parts(seen))
    assert_whole(place, result)


PHASES = {
    "look": lambda line: line.startswith("HEAD") and "/key " in line,
    "list": lambda line: line.startswith("GET") and "uploadId=" in line,
    "part": lambda line: line.startswith("PUT") and "/key?" in line,
    "completion": is_completion,
}


@pytest.mark.parametrize("kind", ["answer", "cut-request", "lose-reply", "cut-reply"])
@pytest.mark.parametrize("phase", PHASES)
def test_faults_in_each_phase_of_a_continued_put(place: Place, kind: str, phase: str) -> None:
    end_early(place, parts=2)
    with place.proxy.fault(kind, PHASES[phase], status=500, code="InternalError", after=100) as fault:
        result = put(place)
    assert fault.times == 0
    assert_whole(place, result)


@pytest.mark.parametrize("kind", ["answer", "cut-request"])
@pytest.mark.parametrize("phase", PHASES)
def test_lasting_faults_in_each_phase_leave_what_can_be_continued(place: Place, kind: str, phase: str) -> None:
    end_early(place, parts=2)
    with (
        place.proxy.fault(kind, PHASES[phase], times=999, status=503, code="SlowDown", after=100),
        pytest.raises(StorageUnavailable) as caught,
    ):
        put(place)
    assert caught.value.hint
    assert place.tokens.by_place
    assert_whole(place, put(place))


# ---- servers that keep few promises


def test_poor_server_goes_on_by_md5(rclone_server: S3Server) -> None:
    place = Place(rclone_server)
    present = end_early(place, parts=2)
    seen = len(place.proxy.requests)
    result = put(place)
    assert not present & set(place.sent_parts(seen))
    assert result.evidence.level is EvidenceLevel.READ
    assert_whole(place, result)
    place.close()


def test_poor_server_that_refuses_other_parts_begins_anew_the_next_time(rclone_server: S3Server) -> None:
    place = Place(rclone_server)
    end_early(place, parts=4, digest=None, size=None)
    other = CONTENT[: 6 * MIB] + make_content(16 * MIB, 5)
    with pytest.raises(StorageUnavailable) as caught:
        put(place, other, digest=None, size=None)
    assert "Repeat" in caught.value.hint
    assert place.tokens.by_place == {}
    assert place.uploads() == []
    assert_whole(place, put(place, other, digest=None, size=None), other)
    place.close()


# ---- listing


def test_uploads_of_strangers_are_listed_page_by_page(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_listing, "PAGE_UPLOADS", 2)
    keys = ["a b/c+d", "a b/é", "a b/x&y", "else", "a b/z"]
    for key in keys:
        place.client.create_multipart_upload(Bucket=place.bucket, Key=f"lab/{key}")
    place.client.create_multipart_upload(Bucket=place.bucket, Key="laboratory")
    with place.open_store(prefix="lab") as store:
        found = list(store.list_unfinished())
        assert sorted(upload.key for upload in found) == sorted(keys)
        assert all(upload.begun is not None and abs(upload.begun - time.time()) < 3600 for upload in found)
        assert sorted(upload.key for upload in store.list_unfinished("a b/")) == sorted(set(keys) - {"else"})
        for upload in found:
            store.discard_unfinished(upload)
        assert list(store.list_unfinished()) == []
    assert [upload.key for upload in place.store.list_unfinished()] == ["laboratory"]


def test_listing_that_is_cut_says_so(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for body in (b"", b"<ListMultipartUploadsResult><IsTruncated>true</IsTruncated></ListMultipartUploadsResult>"):
        monkeypatch.setattr(S3Connection, "send", lambda *arguments, body=body, **options: Reply(200, {}, body))
        with pytest.raises(StorageError) as caught:
            list(place.store.list_unfinished())
        assert caught.value.code == "listing-cut"


# ---- pieces


def test_pieces_that_are_put_back_come_first_again() -> None:
    queue = PieceQueue()
    content = make_content(3 * MIB)
    for chunk in in_chunks(content):
        queue.add(chunk)
    taken = queue.take(MIB + 7)
    queue.put_back(taken)
    assert queue.size == len(content)
    assert b"".join(queue.take(len(content))) == content
