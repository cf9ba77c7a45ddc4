"""An upload to Azure that is continued: its blocks are known by their names, and its own write is recognised."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError

from archive_tui.errors import AccessDenied, ObjectExists, OperationStopped, StorageError
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.azure import kept_blocks, upload
from archive_tui.objects.azure.kept_blocks import make_nonce, make_token, name_block, parse_token
from archive_tui.objects.azure.store import AzureStore
from archive_tui.objects.object_store import PutResult
from archive_tui.objects.unfinished import UnfinishedUpload, is_same_upload
from tests.conformance.kept_tokens import KeptTokens
from tests.conformance.object_store_suite import MIB, digest_of, in_chunks, make_content, read_all
from tests.objects.azure_faults import LostReplies, counting_blocks
from tests.servers.azurite import AzuriteServer

CONTENT = make_content(5 * MIB + 17)
ALL_BLOCKS = {0, 1, 2, 3, 4, 5}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "BLOCK_SIZE", MIB)


@pytest.fixture
def tokens() -> KeptTokens:
    return KeptTokens()


@pytest.fixture
def store(azurite_server: AzuriteServer, tokens: KeptTokens) -> Iterator[AzureStore]:
    with AzureStore(azurite_server.new_container(), conn_str=azurite_server.conn_str) as store:
        store.unfinished = tokens
        yield store


def put(store: AzureStore, content: bytes = CONTENT, **options: Any) -> tuple[PutResult, set[int]]:
    """Returns the blocks that were sent, too."""
    with counting_blocks() as sent:
        result = store.put("key", in_chunks(content), **options)
    return result, set(sent)


def blocks_of(store: AzureStore) -> set[str]:
    try:
        return {block.id for block in store._blob("key").get_block_list("uncommitted")[1]}
    except ResourceNotFoundError:
        return set()


def end_early(store: AzureStore, content: bytes = CONTENT) -> set[int]:
    """Puts until two blocks have arrived, and stops; returns the numbers of those that have."""
    stop = threading.Event()

    def source() -> Iterator[Chunk]:
        yield from in_chunks(content[:-1])
        deadline = time.monotonic() + 30
        while len(blocks_of(store)) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        stop.set()
        yield content[-1:]

    with pytest.raises(OperationStopped):
        store.put("key", source(), stop=stop)
    return {int(name[16:24]) for name in blocks_of(store)}


def assert_whole(store: AzureStore, result: PutResult, content: bytes = CONTENT) -> None:
    assert digest_of(read_all(store, "key")) == digest_of(content) == result.info.digest == store.info("key").digest
    assert result.evidence.level is EvidenceLevel.ATTESTED


def test_names_of_blocks_have_one_length_and_tell_what_is_in_them() -> None:
    nonce = make_nonce()
    names = {
        name_block(nonce, 0, b"x"),
        name_block(nonce, 49_999, b"x"),
        name_block(nonce, 0, b"y"),
        name_block(nonce, 0, None),
        name_block(make_nonce(), 0, b"x"),
    }
    assert len(names) == 5
    assert {len(name) for name in names} == {56}
    assert name_block(nonce, 7, b"x") == f"{nonce[:16]}00000007{digest_of(b'x')[:32]}"


@pytest.mark.parametrize("token", [None, "", "x", "0" * 33, f"{'0' * 16} {'g' * 16}", f"{'0' * 16} {'0' * 16}\n"])
def test_spoilt_tokens_are_none(token: str | None) -> None:
    assert parse_token(token) is None
    nonce = make_nonce()
    assert parse_token(make_token(nonce)) == nonce
    assert is_same_upload(make_token(nonce), nonce[:16])


def test_only_missing_blocks_are_sent(store: AzureStore, tokens: KeptTokens) -> None:
    present = end_early(store)
    result, sent = put(store)
    assert sent == ALL_BLOCKS - present
    assert_whole(store, result)
    assert tokens.by_place == {}


def test_changed_blocks_are_sent_again(store: AzureStore) -> None:
    end_early(store)
    changed = CONTENT[: MIB + 5] + b"?" + CONTENT[MIB + 6 :]
    result, sent = put(store, changed)
    assert 1 in sent
    assert_whole(store, result, changed)


def test_ordinary_puts_hash_no_blocks(store: AzureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.unfinished = None
    named: list[bytes | None] = []
    name = name_block

    def note(nonce: str, number: int, block: bytes | None) -> str:
        named.append(block)
        return name(nonce, number, block)

    monkeypatch.setattr(upload, "name_block", note)
    result, sent = put(store)
    assert sent == ALL_BLOCKS
    assert named == [None] * len(ALL_BLOCKS)
    assert_whole(store, result)


def test_blocks_of_ordinary_and_remembered_puts_live_together(store: AzureStore, tokens: KeptTokens) -> None:
    """All names of the blocks of one blob must have one length."""
    store.unfinished = None
    end_early(store)
    store.unfinished = tokens
    present = end_early(store)
    result, sent = put(store)
    assert present
    assert_whole(store, result)
    assert sent < ALL_BLOCKS


def test_token_of_another_account_or_key_finds_nothing(store: AzureStore, tokens: KeptTokens) -> None:
    end_early(store)
    tokens.by_place[store.identity, "key"] = make_token(make_nonce())
    result, sent = put(store)
    assert sent == ALL_BLOCKS
    assert_whole(store, result)


@pytest.mark.parametrize("overwrite", [False, True])
def test_completed_upload_of_a_killed_process_is_recognised(
    store: AzureStore, tokens: KeptTokens, overwrite: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "forget", lambda *place: None)
    first, _ = put(store)
    monkeypatch.undo()
    monkeypatch.setattr(upload, "BLOCK_SIZE", MIB)
    token = tokens.by_place[store.identity, "key"]
    result, sent = put(store, overwrite=overwrite)
    assert sent == set()
    assert result.info.version == first.info.version
    assert_whole(store, result)
    assert tokens.by_place == {}
    tokens.by_place[store.identity, "key"] = token
    with pytest.raises(ObjectExists):
        put(store, CONTENT[:-1] + b"?")
    assert_whole(store, result)
    assert tokens.by_place == {}


def test_access_that_is_lost_in_the_middle_leaves_the_blocks_for_later(
    store: AzureStore, tokens: KeptTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = upload.BlobUpload._stage_block

    def expire(self: upload.BlobUpload, number: int, block: bytes) -> str:
        if number >= 3:
            raise AccessDenied("the signature has expired")
        return stage(self, number, block)

    monkeypatch.setattr(upload.BlobUpload, "_stage_block", expire)
    with pytest.raises(AccessDenied):
        put(store)
    assert tokens.by_place
    monkeypatch.setattr(upload.BlobUpload, "_stage_block", stage)
    result, sent = put(store)
    assert sent == {3, 4, 5}
    assert_whole(store, result)


def test_lost_reply_of_a_continued_commit_is_settled(store: AzureStore) -> None:
    end_early(store)
    with LostReplies():
        result, _ = put(store)
    assert_whole(store, result)


def test_other_process_that_commits_other_blocks_keeps_its_object(
    store: AzureStore, azurite_server: AzuriteServer, tokens: KeptTokens
) -> None:
    """Both have the same nonce; the one that lost must not claim what the other has acknowledged."""
    end_early(store)
    token = tokens.by_place[store.identity, "key"]
    other = CONTENT[:-1] + b"!"
    rival = AzureStore(store._connection.container, conn_str=azurite_server.conn_str)
    rival.identity = "another process"
    rival.unfinished = KeptTokens()
    rival.unfinished.by_place["another process", "key"] = token

    def source() -> Iterator[Chunk]:
        yield from in_chunks(CONTENT)
        rival.put("key", in_chunks(other))

    with rival, pytest.raises(ObjectExists):
        store.put("key", source())
    assert digest_of(read_all(store, "key")) == digest_of(other)


def test_blobs_without_content_are_listed(store: AzureStore, tokens: KeptTokens) -> None:
    store.put("empty", [])
    store.put("committed", in_chunks(CONTENT))
    store._blob("committed").stage_block("0" * 56, b"more", length=4)
    store._blob("of another program").stage_block("AAAA", b"foreign", length=7)
    end_early(store)
    found = {upload.key: upload for upload in store.list_unfinished()}
    assert set(found) == {"key", "of another program"}
    size = found["key"].size
    assert size is not None
    assert 2 * MIB <= size <= len(CONTENT)
    assert is_same_upload(tokens.by_place[store.identity, "key"], found["key"].token)
    assert found["of another program"] == UnfinishedUpload("of another program", "", None, 7)
    assert not is_same_upload(tokens.by_place[store.identity, "key"], "")


@pytest.mark.parametrize("body", [b"", b"<a", b"<EnumerationResults><NextMarker>x</NextMarker></EnumerationResults>"])
def test_listing_that_is_cut_says_so(store: AzureStore, body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_blocks, "fetch_page", lambda *arguments, **options: body)
    with pytest.raises(StorageError) as caught:
        list(store.list_unfinished())
    assert caught.value.code == "listing-incomplete"
