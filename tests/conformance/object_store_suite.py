"""One test per guarantee of `ObjectStore`. Every store runs all of them, against a real place."""

from __future__ import annotations

import hashlib
import random
import threading
import time
import tracemalloc
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest

from archive_tui.errors import (
    HashError,
    InvalidName,
    ObjectExists,
    ObjectNotFound,
    OperationStopped,
    SourceChanged,
    StorageError,
)
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.integrity.streams import BLOCK_SIZE, Chunk, read_chunks
from archive_tui.objects.object_store import ObjectInfo, ObjectStore, Prefix, PutResult, Support

MIB = 1 << 20

LEGAL_KEYS = (
    "with a space.txt",
    " leading and trailing ",
    'it\'s "quoted".txt',
    "what?.txt",
    "a#b.txt",
    "100%.txt",
    "per%20cent.txt",
    "%2e%2e/escape.txt",
    "a+b.txt",
    "a&b=c;d,e@f:g!h$i(j)k*l[m]n{o}p^q~r`s|t<u>v.txt",
    "back\\slash.txt",
    "..two dots first",
    "dots at the end...",
    ".hidden",
    "-dash",
    "~tilde",
    "日本語/データ.csv",
    unicodedata.normalize("NFC", "Zürich é.txt"),
    unicodedata.normalize("NFD", "Zürich é.txt"),
    "emoji 🧪🗂.txt",
    "right\u202eto left.txt",
    "zero\u200bwidth.txt",
    "[bold]markup[/bold].txt",
    "/".join(["k" * 224] * 4),  # 899 bytes
    "/".join(["é" * 112, "é" * 112, "é" * 112, "é" * 112 + "y"]),  # 900 bytes of UTF-8
)

ILLEGAL_KEYS = (
    "",
    "/absolute",
    "a//b",
    "a/",
    ".",
    "..",
    "../climb",
    "a/../../climb",
    "a/./b",
    "line\nbreak",
    "nul\0",
    "escape\x1b[31m",
    "\udcff not unicode",
    "x" * 256,
    "/".join(["k" * 225] * 4),  # 903 bytes
    ".archive-tui-x.part",
    "a/.archive-tui-x.part/b",
)


def make_content(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def in_chunks(content: bytes, chunk_size: int = 100_003) -> Iterator[Chunk]:
    view = memoryview(content)
    for start in range(0, len(content), chunk_size):
        yield view[start : start + chunk_size]


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def read_all(store: ObjectStore, key: str, offset: int = 0, length: int | None = None) -> bytes:
    with store.open(key, offset, length) as reader:
        return b"".join(read_chunks(reader))


def put_bytes(store: ObjectStore, key: str, content: bytes = b"content") -> PutResult:
    return store.put(key, [content] if content else [], len(content))


def listed_keys(store: ObjectStore, prefix: str = "") -> list[str]:
    return [entry.key for entry in store.list(prefix)]


class SourceBrokeError(Exception):
    """Raised by a source of this suite; no store knows it."""


class SourceTornAway(BaseException):
    """Like KeyboardInterrupt: passes through every `except Exception`."""


class _TrackedChunk(bytearray):
    """Counts how many of its kind are alive, to see whether a store pulls its source ahead of what it has sent."""

    alive = 0
    most_alive = 0
    _lock = threading.Lock()

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        with _TrackedChunk._lock:
            _TrackedChunk.alive += 1
            _TrackedChunk.most_alive = max(_TrackedChunk.most_alive, _TrackedChunk.alive)

    def __del__(self) -> None:
        with _TrackedChunk._lock:
            _TrackedChunk.alive -= 1


class ObjectStoreSuite:
    """Subclass it as `Test…`, give a `store` fixture (function scope: a fresh, empty store), and set what differs.

    `large_size`: bytes of an object that takes the store's way for large ones (several parts).
    `many_keys`: how many objects the listing test makes; more than one page of the server.
    `refused_keys`: the members of LEGAL_KEYS that this place cannot keep; they must be refused with InvalidName, and
    the others must survive.
    `memory_limit`: bytes that a put and a read of `memory_size` bytes may hold at their peak.
    `measures_memory`: False where the content stays in this process (a memory store, a server in a thread); then only
    the chunks pulled ahead are counted, and they may hold `memory_limit` bytes.
    `chunks_after_stop`: chunks that may still be pulled after the stop was set.
    `secrets`: texts that may stand neither in the label, the identity nor the repr.
    `is_remote`: True for a store behind a network; then `losing_replies` must be given.
    `leftovers(store)`: names of temporary things that lie around (parts, multipart uploads); asked after every test.
    `losing_replies(store)`: a context manager in which the server commits writes and the reply is lost.
    """

    large_size: int = 20 * MIB
    many_keys: int = 1_050
    refused_keys: frozenset[str] = frozenset()
    memory_size: int = 96 * MIB
    memory_limit: int = 40 * MIB
    measures_memory: bool = True
    chunks_after_stop: int = 1
    racing_rounds: int = 3
    racing_writers: int = 8
    secrets: tuple[str, ...] = ()
    is_remote: bool = False

    def leftovers(self, store: ObjectStore) -> list[str]:
        return []

    def losing_replies(self, store: ObjectStore) -> AbstractContextManager[object]:
        raise NotImplementedError("a store behind a network must be tested with replies that are lost")

    @pytest.fixture(autouse=True)
    def nothing_temporary_stays(self, store: ObjectStore) -> Iterator[None]:
        yield
        assert self.leftovers(store) == []

    def assert_nothing_visible(self, store: ObjectStore, key: str) -> None:
        with pytest.raises(ObjectNotFound):
            store.info(key)
        with pytest.raises(ObjectNotFound):
            read_all(store, key)
        assert list(store.list()) == []
        assert list(store.list(recursive=False)) == []
        assert self.leftovers(store) == []

    # ---- what was put is there

    @pytest.mark.parametrize("size", [0, 1, 1000, MIB - 1, MIB, MIB + 1, 3 * MIB + 17])
    @pytest.mark.parametrize("size_known", [True, False])
    def test_what_was_put_is_read_back_equal(self, store: ObjectStore, size: int, size_known: bool) -> None:
        content = make_content(size)
        result = store.put("a/object.bin", in_chunks(content), size if size_known else None)
        assert result.info.key == "a/object.bin"
        assert result.info.size == size
        assert result.info.digest == digest_of(content)
        assert read_all(store, "a/object.bin") == content
        assert store.info("a/object.bin").size == size
        assert [(entry.key, entry.size) for entry in store.list() if isinstance(entry, ObjectInfo)] == [
            ("a/object.bin", size)
        ]

    @pytest.mark.parametrize("size_known", [True, False])
    def test_large_object_is_read_back_equal(self, store: ObjectStore, size_known: bool) -> None:
        content = make_content(self.large_size + 12_345)
        digest = digest_of(content)
        size = len(content) if size_known else None
        result = store.put("large.bin", in_chunks(content, 700_001), size, digest=digest)
        assert (result.info.size, result.info.digest) == (len(content), digest)
        assert result.evidence.digest == digest
        assert digest_of(read_all(store, "large.bin")) == digest
        middle = self.large_size // 2
        assert read_all(store, "large.bin", middle, 2 * MIB) == content[middle : middle + 2 * MIB]

    def test_chunks_of_any_kind_and_length(self, store: ObjectStore) -> None:
        head, tail = make_content(5), make_content(2 * MIB + 3, 2)
        store.put("kinds", [head, b"", bytearray(tail), memoryview(b""), memoryview(b"end")], digest=None)
        assert read_all(store, "kinds") == head + tail + b"end"

    def test_one_chunk_larger_than_a_part(self, store: ObjectStore) -> None:
        content = make_content(self.large_size + 1)
        store.put("single", [content], len(content), digest=digest_of(content))
        assert digest_of(read_all(store, "single")) == digest_of(content)

    def test_expected_digest_in_capitals(self, store: ObjectStore) -> None:
        store.put("key", [b"content"], 7, digest=digest_of(b"content").upper())
        assert read_all(store, "key") == b"content"

    @pytest.mark.parametrize("size", [0, 70_000])
    def test_put_returns_digest_and_evidence(self, store: ObjectStore, size: int) -> None:
        content = make_content(size)
        before = time.time() - 5
        result = store.put("proof", in_chunks(content), size)
        assert result.info.digest == digest_of(content)
        evidence = result.evidence
        assert evidence.level in (EvidenceLevel.ATTESTED, EvidenceLevel.READ)
        assert (evidence.store, evidence.key) == (store.identity, "proof")
        assert (evidence.digest, evidence.size) == (digest_of(content), size)
        assert evidence.version == result.info.version == store.info("proof").version
        assert before <= evidence.checked_at <= time.time() + 5
        assert evidence.method

    def test_large_put_returns_evidence(self, store: ObjectStore) -> None:
        content = make_content(self.large_size)
        evidence = store.put("proof", in_chunks(content, MIB)).evidence
        assert evidence.level in (EvidenceLevel.ATTESTED, EvidenceLevel.READ)
        assert (evidence.digest, evidence.size) == (digest_of(content), len(content))

    def test_info_tells_size_version_and_time(self, store: ObjectStore) -> None:
        put_bytes(store, "key", b"12345")
        info = store.info("key")
        assert (info.key, info.size) == ("key", 5)
        assert info.modified is None or abs(info.modified - time.time()) < 3600
        assert info.digest in (None, digest_of(b"12345"))
        assert info.digest is not None or not info.attested

    # ---- all or nothing

    @pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
    def test_short_source_leaves_nothing(self, store: ObjectStore, large: bool) -> None:
        content = make_content(self.large_size if large else 1000)
        with pytest.raises(SourceChanged):
            store.put("a/b", in_chunks(content), len(content) + 1)
        self.assert_nothing_visible(store, "a/b")

    @pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
    def test_long_source_leaves_nothing(self, store: ObjectStore, large: bool) -> None:
        content = make_content(self.large_size if large else 1000)
        with pytest.raises(SourceChanged):
            store.put("a/b", in_chunks(content), len(content) - 1)
        self.assert_nothing_visible(store, "a/b")

    def test_source_of_nothing_that_promised_something(self, store: ObjectStore) -> None:
        with pytest.raises(SourceChanged):
            store.put("a/b", [], 1)
        self.assert_nothing_visible(store, "a/b")
        with pytest.raises(SourceChanged):
            store.put("a/b", [b"x"], 0)
        self.assert_nothing_visible(store, "a/b")

    @pytest.mark.parametrize("error", [SourceBrokeError, SourceTornAway])
    @pytest.mark.parametrize("when", ["first", "small", "large"])
    def test_failing_source_leaves_nothing(self, store: ObjectStore, when: str, error: type[BaseException]) -> None:
        length = {"first": 0, "small": 1000, "large": self.large_size}[when]

        def failing() -> Iterator[Chunk]:
            yield from in_chunks(make_content(length))
            raise error("the disk went away")

        with pytest.raises(error, match="the disk went away"):
            store.put("a/b", failing(), None)
        self.assert_nothing_visible(store, "a/b")
        with pytest.raises(error):
            store.put("a/b", failing(), length + 10)
        self.assert_nothing_visible(store, "a/b")

    @pytest.mark.parametrize("size_known", [True, False])
    @pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
    def test_wrong_digest_is_never_visible(self, store: ObjectStore, large: bool, size_known: bool) -> None:
        content = make_content(self.large_size if large else 1000)
        with pytest.raises(HashError):
            store.put("a/b", in_chunks(content), len(content) if size_known else None, digest=digest_of(b"other"))
        self.assert_nothing_visible(store, "a/b")

    @pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
    def test_nothing_is_visible_before_the_end(self, store: ObjectStore, large: bool) -> None:
        content = make_content(self.large_size if large else 1000)
        seen: list[list[str]] = []

        def watching() -> Iterator[Chunk]:
            yield from in_chunks(content)
            seen.append(listed_keys(store))
            with pytest.raises(ObjectNotFound):
                store.info("a/b")

        store.put("a/b", watching(), None)
        assert seen == [[]]
        assert listed_keys(store) == ["a/b"]

    @pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
    def test_stop_is_obeyed_within_a_chunk(self, store: ObjectStore, large: bool) -> None:
        stop = threading.Event()
        pulled_after_stop = 0

        def endless() -> Iterator[Chunk]:
            nonlocal pulled_after_stop
            sent = 0
            while True:
                if stop.is_set():
                    pulled_after_stop += 1
                yield bytes(100_000)
                sent += 100_000
                if sent >= (self.large_size if large else 300_000):
                    stop.set()

        with pytest.raises(OperationStopped):
            store.put("a/b", endless(), None, stop=stop)
        assert pulled_after_stop <= self.chunks_after_stop
        self.assert_nothing_visible(store, "a/b")

    def test_stop_before_the_start(self, store: ObjectStore) -> None:
        stop = threading.Event()
        stop.set()
        with pytest.raises(OperationStopped):
            store.put("a/b", [b"content"], 7, stop=stop)
        self.assert_nothing_visible(store, "a/b")

    @pytest.mark.parametrize("fault", ["short", "long", "failing", "digest", "stopped"])
    def test_failed_overwrite_keeps_the_old(self, store: ObjectStore, fault: str) -> None:
        put_bytes(store, "key", b"old content")
        version = store.info("key").version
        stop = threading.Event()

        def source() -> Iterator[Chunk]:
            yield b"new"
            if fault == "failing":
                raise SourceBrokeError
            if fault == "stopped":
                stop.set()
            yield b"new"

        size = {"short": 7, "long": 5}.get(fault)
        digest = digest_of(b"other") if fault == "digest" else None
        with pytest.raises((SourceChanged, SourceBrokeError, HashError, OperationStopped)):
            store.put("key", source(), size, overwrite=True, digest=digest, stop=stop)
        assert read_all(store, "key") == b"old content"
        assert store.info("key").version == version

    # ---- create only

    def test_existing_object_is_never_replaced(self, store: ObjectStore) -> None:
        put_bytes(store, "key", b"first")
        for content in (b"second", b"first", b""):
            with pytest.raises(ObjectExists) as caught:
                put_bytes(store, "key", content)
            assert caught.value.key == "key"
        assert read_all(store, "key") == b"first"
        assert listed_keys(store) == ["key"]

    def test_large_put_never_replaces(self, store: ObjectStore) -> None:
        put_bytes(store, "key", b"first")
        content = make_content(self.large_size)
        for size in (len(content), None):
            with pytest.raises(ObjectExists):
                store.put("key", in_chunks(content), size)
        assert read_all(store, "key") == b"first"

    def test_object_that_appears_during_a_put_is_not_replaced(self, store: ObjectStore) -> None:
        def overtaken() -> Iterator[Chunk]:
            yield b"slow "
            put_bytes(store, "key", b"quick")
            yield b"writer"

        with pytest.raises(ObjectExists):
            store.put("key", overtaken())
        assert read_all(store, "key") == b"quick"

    @pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
    def test_one_of_racing_writers_wins(self, store: ObjectStore, large: bool) -> None:
        if store.probe().create_only is not Support.YES:
            assert store.traits.create_only is Support.NO
            assert store.traits.remarks
            return
        size = self.large_size if large else 3000
        writers = 3 if large else self.racing_writers
        for round_number in range(1 if large else self.racing_rounds):
            self._race(store, f"race/{round_number}", writers, size, if_match=None)

    def _race(self, store: ObjectStore, key: str, writers: int, size: int, if_match: str | None) -> None:
        contents = [make_content(size, seed) for seed in range(writers)]
        barrier = threading.Barrier(writers)

        def write(number: int) -> str:
            barrier.wait(30)
            try:
                store.put(key, in_chunks(contents[number]), size, if_match=if_match)
            except ObjectExists:
                return "lost"
            return "won"

        with ThreadPoolExecutor(writers) as pool:
            outcomes = list(pool.map(write, range(writers)))
        assert outcomes.count("won") == 1, outcomes
        assert read_all(store, key) == contents[outcomes.index("won")]

    def test_deleted_key_can_be_put_again(self, store: ObjectStore) -> None:
        put_bytes(store, "key", b"first")
        store.delete("key")
        put_bytes(store, "key", b"second")
        assert read_all(store, "key") == b"second"

    def test_lost_reply_is_recognised_as_our_own_write(self, store: ObjectStore) -> None:
        if not self.is_remote:
            return  # a call within the machine has no reply that could be lost
        for key, content in (("small", b"content"), ("large", make_content(self.large_size))):
            with self.losing_replies(store):
                result = store.put(key, in_chunks(content), len(content))
            assert result.info.digest == digest_of(content)
            assert read_all(store, key) == content

    def test_lost_reply_of_an_identical_rival_is_a_conflict(self, store: ObjectStore) -> None:
        put_bytes(store, "key", b"same bytes")
        with pytest.raises(ObjectExists):
            put_bytes(store, "key", b"same bytes")

    # ---- replacing

    def test_overwrite_replaces(self, store: ObjectStore) -> None:
        put_bytes(store, "key", b"a rather long first content")
        result = store.put("key", [b"second"], 6, overwrite=True)
        assert result.info.size == 6
        assert read_all(store, "key") == b"second"
        assert listed_keys(store) == ["key"]

    def test_overwrite_of_nothing_creates(self, store: ObjectStore) -> None:
        store.put("key", [b"content"], 7, overwrite=True)
        assert read_all(store, "key") == b"content"

    def test_large_overwrite_replaces(self, store: ObjectStore) -> None:
        put_bytes(store, "key")
        content = make_content(self.large_size)
        store.put("key", in_chunks(content), overwrite=True)
        assert digest_of(read_all(store, "key")) == digest_of(content)

    def test_version_changes_with_the_content(self, store: ObjectStore) -> None:
        versions = {put_bytes(store, "key", b"aaa").info.version}
        for content in (b"bbb", b"ccc", b"dddd"):
            versions.add(store.put("key", [content], overwrite=True).info.version)
        assert len(versions) == 4 or versions == {None}

    def test_if_match_replaces_only_that_version(self, store: ObjectStore) -> None:
        first = put_bytes(store, "key", b"first").info.version
        assert first is not None
        second = store.put("key", [b"second"], 6, if_match=first).info.version
        assert read_all(store, "key") == b"second"
        with pytest.raises(ObjectExists):
            store.put("key", [b"third"], 5, if_match=first)
        assert read_all(store, "key") == b"second"
        assert store.info("key").version == second != first

    def test_if_match_of_an_absent_key_creates_nothing(self, store: ObjectStore) -> None:
        version = put_bytes(store, "key").info.version
        store.delete("key")
        with pytest.raises((ObjectExists, ObjectNotFound)):
            store.put("key", [b"content"], 7, if_match=version)
        self.assert_nothing_visible(store, "key")

    def test_one_of_racing_replacements_wins(self, store: ObjectStore) -> None:
        version = put_bytes(store, "key", b"old").info.version
        if store.probe().conditional_replace is not Support.YES:
            assert store.traits.conditional_replace is Support.NO
            return
        self._race(store, "key", 4, 3000, if_match=version)

    # ---- reading

    @pytest.mark.parametrize(
        ("offset", "length"),
        [
            (0, None), (0, 0), (0, 1), (1, 1), (5, None), (0, MIB), (MIB - 1, 2), (MIB, None), (MIB + 7, 9_999),
            (2 * MIB + 99, 1), (2 * MIB + 99, 50), (2 * MIB + 100, None), (2 * MIB + 100, 5), (9 * MIB, None),
            (9 * MIB, 3), (7, 0), (0, 99 * MIB),
        ],
    )  # fmt: skip
    def test_range_is_that_part_of_the_content(self, store: ObjectStore, offset: int, length: int | None) -> None:
        content = make_content(2 * MIB + 100)
        put_bytes(store, "key", content)
        end = None if length is None else offset + length
        assert read_all(store, "key", offset, length) == content[offset:end]

    def test_range_of_zero_bytes(self, store: ObjectStore) -> None:
        put_bytes(store, "empty", b"")
        for offset, length in ((0, None), (0, 5), (3, None), (3, 3)):
            assert read_all(store, "empty", offset, length) == b""

    def test_reader_returns_at_most_what_was_asked(self, store: ObjectStore) -> None:
        content = make_content(MIB + 1)
        put_bytes(store, "key", content)
        found = bytearray()
        with store.open("key", 3) as reader:
            while piece := reader.read(70_001):
                assert len(piece) <= 70_001
                found += piece
            assert reader.read(10) == b""
            assert reader.read() == b""
        assert found == content[3:]
        with store.open("key", 0, 1000) as reader:
            everything = b"".join(read_chunks(reader, block_size=BLOCK_SIZE))
        assert everything == content[:1000]

    def test_reader_may_be_closed_early_and_twice(self, store: ObjectStore) -> None:
        put_bytes(store, "key", make_content(self.large_size))
        reader = store.open("key")
        assert reader.read(10)
        reader.close()
        reader.close()
        assert store.info("key").size == self.large_size

    def test_object_replaced_while_it_is_read_is_never_mixed(self, store: ObjectStore) -> None:
        old, new = make_content(self.large_size, 1), make_content(self.large_size, 2)
        put_bytes(store, "key", old)
        with store.open("key") as reader:
            head = reader.read(1000)
            assert head == old[: len(head)]
            store.put("key", in_chunks(new), len(new), overwrite=True)
            try:
                rest = b"".join(read_chunks(reader))
            except StorageError as error:
                assert error.code == "object-changed"
            else:
                assert digest_of(head + rest) == digest_of(old)

    # ---- listing

    def test_listing_is_complete_beyond_a_page(self, store: ObjectStore) -> None:
        sizes = {f"many/{number:06d}.dat": number % 3 for number in range(self.many_keys)}
        sizes |= {"many/deeper/below.dat": 0, "many/deeper/still/more.dat": 1}
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda pair: put_bytes(store, pair[0], bytes(pair[1])), sizes.items()))
        listed = list(store.list("many/"))
        assert {entry.key: entry.size for entry in listed if isinstance(entry, ObjectInfo)} == sizes
        assert len(listed) == len(sizes)
        flat = [entry.key for entry in store.list("many/", recursive=False)]
        assert len(flat) == len(set(flat)) == self.many_keys + 1
        assert "many/deeper/" in flat
        assert len(listed_keys(store, "many/0000")) == min(100, self.many_keys)

    def test_listing_is_lazy(self, store: ObjectStore) -> None:
        for key in ("a", "b", "c"):
            put_bytes(store, key)
        listing = store.list()
        assert iter(listing) is listing
        assert next(listing).key in "abc"

    def test_empty_store_lists_nothing(self, store: ObjectStore) -> None:
        for prefix in ("", "absent", "absent/", "/", "../", "./", "a//"):
            assert list(store.list(prefix)) == []
            assert list(store.list(prefix, recursive=False)) == []

    def test_prefix_is_a_plain_string(self, store: ObjectStore) -> None:
        keys = ["d/x", "d/y/z", "dd/x", "data", "e/d/x", "D/x"]
        for key in keys:
            put_bytes(store, key)
        assert sorted(listed_keys(store, "d/")) == ["d/x", "d/y/z"]
        assert sorted(listed_keys(store, "d")) == ["d/x", "d/y/z", "data", "dd/x"]
        assert listed_keys(store, "d/y/") == ["d/y/z"]
        assert listed_keys(store, "d/y/z") == ["d/y/z"]
        assert listed_keys(store, "d/y/z/") == []
        assert listed_keys(store, "data/") == []
        assert sorted(listed_keys(store)) == sorted(keys)

    def test_prefix_holds_no_pattern(self, store: ObjectStore) -> None:
        for key in ("a*b/x", "aab/x", "a?b", "[a]"):
            put_bytes(store, key)
        assert listed_keys(store, "a*") == ["a*b/x"]
        assert listed_keys(store, "a?") == ["a?b"]
        assert listed_keys(store, "[a") == ["[a]"]

    def test_listing_without_recursion_shows_each_prefix_once(self, store: ObjectStore) -> None:
        for key in ("d/x", "d/y/z", "d/y/q", "dd/x", "data", "d.txt"):
            put_bytes(store, key)

        def shown(prefix: str) -> list[tuple[str, bool]]:
            entries = store.list(prefix, recursive=False)
            return sorted((entry.key, isinstance(entry, Prefix)) for entry in entries)

        assert shown("") == [("d.txt", False), ("d/", True), ("data", False), ("dd/", True)]
        assert shown("d") == [("d.txt", False), ("d/", True), ("data", False), ("dd/", True)]
        assert shown("d/") == [("d/x", False), ("d/y/", True)]
        assert shown("d/y") == [("d/y/", True)]
        assert shown("d/y/") == [("d/y/q", False), ("d/y/z", False)]
        assert shown("d/x") == [("d/x", False)]
        assert shown("d/x/") == []

    def test_listing_shows_objects_of_zero_bytes(self, store: ObjectStore) -> None:
        put_bytes(store, "folder/empty", b"")
        entries = [*store.list(), *store.list("folder/", recursive=False)]
        assert [(entry.key, entry.size) for entry in entries if isinstance(entry, ObjectInfo)] == [
            ("folder/empty", 0),
            ("folder/empty", 0),
        ]

    # ---- absent keys

    @pytest.mark.parametrize(
        "act",
        [
            lambda store: store.open("absent/key").read(1),
            lambda store: store.open("absent/key", 5, 5).read(1),
            lambda store: store.info("absent/key"),
            lambda store: store.info("prese"),
            lambda store: store.info("present/below"),
            lambda store: store.info("folder"),
            lambda store: store.open("folder").read(1),
            lambda store: store.copy("absent/key", "target"),
        ],
        ids=["open", "range", "info", "part of a name", "below an object", "folder", "open folder", "copy"],
    )
    def test_absent_key_is_object_not_found(self, store: ObjectStore, act: Callable[[ObjectStore], object]) -> None:
        put_bytes(store, "present")
        put_bytes(store, "folder/object")
        with pytest.raises(ObjectNotFound) as caught:
            act(store)
        assert caught.value.key
        assert caught.value.store == store.label
        assert sorted(listed_keys(store)) == ["folder/object", "present"]

    def test_deleting_an_absent_key_is_no_error(self, store: ObjectStore) -> None:
        put_bytes(store, "folder/key")
        for key in ("absent", "absent/deeper", "folder", "folder/key/below", "fold"):
            store.delete(key)
        assert listed_keys(store) == ["folder/key"]
        store.delete("folder/key")
        store.delete("folder/key")
        assert list(store.list()) == []

    # ---- copying

    @pytest.mark.parametrize("size", [0, 1, MIB + 1])
    def test_copy_is_equal_and_proven(self, store: ObjectStore, size: int) -> None:
        content = make_content(size)
        put_bytes(store, "source", content)
        result = store.copy("source", "deep/target")
        assert (result.info.key, result.info.size) == ("deep/target", size)
        assert result.info.digest == result.evidence.digest == digest_of(content)
        assert result.evidence.level in (EvidenceLevel.ATTESTED, EvidenceLevel.READ)
        assert read_all(store, "deep/target") == read_all(store, "source") == content

    def test_copy_never_replaces(self, store: ObjectStore) -> None:
        put_bytes(store, "source", b"source")
        put_bytes(store, "target", b"target")
        for target in ("target", "source"):
            with pytest.raises(ObjectExists):
                store.copy("source", target)
        assert read_all(store, "target") == b"target"
        assert read_all(store, "source") == b"source"

    # ---- keys

    @pytest.mark.parametrize("key", LEGAL_KEYS)
    def test_legal_key_survives(self, store: ObjectStore, key: str) -> None:
        content = key.encode()
        if key in self.refused_keys:
            with pytest.raises(InvalidName):
                put_bytes(store, key, content)
            assert list(store.list()) == []
            return
        put_bytes(store, key, content)
        put_bytes(store, "other")
        assert read_all(store, key) == content
        assert store.info(key).key == key
        assert sorted(listed_keys(store)) == sorted([key, "other"])
        assert listed_keys(store, key) == [key]
        store.copy(key, f"c/{key}"[:100].rstrip("/"))
        store.delete(key)
        assert key not in listed_keys(store)

    def test_keys_that_look_alike_are_different(self, store: ObjectStore) -> None:
        alike = [
            "a b", "a+b", "a%20b", "A b",
            unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é"),
        ]  # fmt: skip
        for key in alike:
            put_bytes(store, key, key.encode())
        assert {key: read_all(store, key) for key in alike} == {key: key.encode() for key in alike}
        assert sorted(listed_keys(store)) == sorted(alike)

    @pytest.mark.parametrize("key", ILLEGAL_KEYS)
    def test_illegal_key_is_refused_before_anything_is_sent(self, store: ObjectStore, key: str) -> None:
        def untouched() -> Iterator[Chunk]:
            pytest.fail("the source was read")
            yield b""

        put_bytes(store, "present")
        with pytest.raises(InvalidName):
            store.put(key, untouched(), 5)
        with pytest.raises(InvalidName):
            store.put(key, untouched(), 5, overwrite=True)
        with pytest.raises(InvalidName):
            store.copy("present", key)
        assert listed_keys(store) == ["present"]

    # ---- behaviour as a whole

    def test_sent_is_absolute_and_monotone(self, store: ObjectStore) -> None:
        for size in (0, 5, self.large_size + 5):
            counts: list[int] = []
            content = make_content(size)
            store.put(f"sent/{size}", in_chunks(content), size, sent=counts.append)
            assert counts == sorted(counts)
            assert counts[-1] == size if size else set(counts) <= {0}
            assert size <= MIB or len(counts) > 1

    def test_memory_does_not_grow_with_the_object(self, store: ObjectStore) -> None:
        _TrackedChunk.alive = _TrackedChunk.most_alive = 0
        block = make_content(MIB)
        count = self.memory_size // MIB

        def tracked() -> Iterator[Chunk]:
            for _ in range(count):
                yield _TrackedChunk(block)

        tracemalloc.start()
        try:
            store.put("big", tracked(), count * MIB)
            with store.open("big") as reader:
                length = sum(len(chunk) for chunk in read_chunks(reader))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert length == count * MIB
        if self.measures_memory:
            assert peak < self.memory_limit
        assert _TrackedChunk.most_alive * MIB <= self.memory_limit

    def test_threads_may_use_one_store(self, store: ObjectStore) -> None:
        def use(number: int) -> bytes:
            content = make_content(50_000, number)
            put_bytes(store, f"threads/{number}/x", content)
            assert store.info(f"threads/{number}/x").size == 50_000
            assert listed_keys(store, f"threads/{number}/") == [f"threads/{number}/x"]
            assert read_all(store, f"threads/{number}/x") == content
            return content

        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(use, range(16)))) == 16

    def test_probe_settles_what_was_unknown_and_leaves_nothing(self, store: ObjectStore) -> None:
        traits = store.probe()
        assert traits.create_only is not Support.UNKNOWN
        assert traits.conditional_replace is not Support.UNKNOWN
        assert traits == store.traits == store.probe()
        assert list(store.list()) == []

    def test_label_and_identity_name_the_place_without_secrets(self, store: ObjectStore) -> None:
        assert store.label
        assert "://" in store.identity
        assert not store.identity.endswith("/") or store.identity.endswith("://")
        for secret in self.secrets:
            assert secret not in store.label + store.identity + repr(store)
