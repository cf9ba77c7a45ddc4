"""The S3 store on three servers: one fast, one strict, one that keeps few promises."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from archive_tui.errors import ObjectExists, ObjectNotFound
from archive_tui.objects.object_store import ObjectInfo, ObjectStore, Support
from archive_tui.objects.s3 import S3Store
from archive_tui.objects.s3.store import TransferSizes
from tests.conformance.object_store_suite import MIB, ObjectStoreSuite, put_bytes, read_all
from tests.servers.faulty_proxy import FaultyProxy, any_commit
from tests.servers.s3_server import S3Server

SMALL_PARTS = TransferSizes(in_memory=MIB, single_put=6 * MIB, part=5 * MIB, page=100)
"""The servers take no parts below 5 MiB."""


class Places:
    """A proxy, a client of the stranger and a bucket for each server, made when first needed."""

    def __init__(self) -> None:
        self._by_server: dict[str, tuple[FaultyProxy, Any, str]] = {}

    def on(self, server: S3Server) -> tuple[FaultyProxy, Any, str]:
        if server.name not in self._by_server:
            self._by_server[server.name] = (FaultyProxy(server.endpoint_url), server.client(), server.new_bucket())
        return self._by_server[server.name]

    def close(self) -> None:
        for proxy, client, _ in self._by_server.values():
            proxy.close()
            client.close()


@pytest.fixture(scope="module")
def places() -> Iterator[Places]:
    places = Places()
    yield places
    places.close()


class _S3Suite(ObjectStoreSuite):
    large_size = 12 * MIB
    memory_size = 64 * MIB
    many_keys = 250
    racing_rounds = 1
    memory_limit = 48 * MIB
    is_remote = True
    continues_uploads = True
    create_only = Support.YES
    attests = Support.YES

    @pytest.fixture
    def server(self) -> S3Server:
        raise NotImplementedError

    @pytest.fixture
    def store(self, server: S3Server, places: Places, request: pytest.FixtureRequest) -> Iterator[ObjectStore]:
        yield from self.make_store(server, places, request)

    def make_store(self, server: S3Server, places: Places, request: pytest.FixtureRequest) -> Iterator[S3Store]:
        """One bucket for all tests of a server (a probe is worth a dozen requests), a prefix for each test."""
        self.proxy, self.client, self.bucket = places.on(server)
        self.prefix = f"t{abs(hash(request.node.nodeid)):x}"
        settings = server.settings() | {"endpoint_url": self.proxy.url}
        with S3Store(self.bucket, prefix=self.prefix, sizes=SMALL_PARTS, **settings) as store:
            yield store

    @property
    def secrets(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("-secret-key", "-access-key")

    def leftovers(self, store: ObjectStore) -> list[str]:
        uploads = self.unfinished_uploads()
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix + "/")
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return [upload["Key"] for upload in uploads] + [key for key in keys if ".archive-tui-" in key]

    def unfinished_uploads(self) -> list[dict[str, Any]]:
        found = self.client.list_multipart_uploads(Bucket=self.bucket, Prefix=self.prefix + "/")
        return list(found.get("Uploads", []))

    def parts_at(self, store: ObjectStore, key: str) -> set[int]:
        bucket, client = self.bucket, self.client
        return {
            part["PartNumber"]
            for upload in store.list_unfinished(key)
            for part in client.list_parts(
                Bucket=bucket, Key=f"{self.prefix}/{key}", UploadId=upload.token.partition(" ")[0]
            ).get("Parts", [])
        }

    @contextmanager
    def counting_parts(self, store: ObjectStore) -> Iterator[list[int]]:
        seen = len(self.proxy.requests)
        numbers: list[int] = []
        yield numbers
        for line in self.proxy.requests[seen:]:
            found = re.search(r"^PUT .*partNumber=(\d+)", line)
            if found and "probe" not in line:
                numbers.append(int(found[1]))

    def losing_replies(self, store: ObjectStore) -> AbstractContextManager[object]:
        store.probe()
        return self.proxy.fault("lose-reply", any_commit)

    def failing_commits(self, store: ObjectStore) -> AbstractContextManager[object]:
        store.probe()
        return self.proxy.fault("answer", any_commit, status=500, code="InternalError")

    def test_traits_are_what_this_server_does(self, store: ObjectStore) -> None:
        traits = store.probe()
        assert (traits.create_only, traits.attests_digest) == (self.create_only, self.attests)
        assert any("overwrites" in remark for remark in traits.remarks) == (self.create_only is Support.NO)
        assert any("read back in full" in remark for remark in traits.remarks) == (self.attests is Support.NO)


class TestS3OnMoto(_S3Suite):
    attests = Support.NO
    measures_memory = False

    @pytest.fixture
    def server(self, moto_server: S3Server) -> S3Server:
        return moto_server

    def test_one_of_racing_writers_wins(self, store: ObjectStore, large: bool = False) -> None:
        """This server looks and stores in two steps, so it cannot decide a race; SeaweedFS is the proof."""
        assert store.probe().create_only is Support.YES


class TestS3OnSeaweedFS(_S3Suite):
    refused_keys = frozenset({"back\\slash.txt"})

    @pytest.fixture
    def server(self, seaweedfs_server: S3Server) -> S3Server:
        return seaweedfs_server


class TestS3WithoutObstore(_S3Suite):
    """Every way must be able to stand in for the other."""

    refused_keys = frozenset({"back\\slash.txt"})

    @pytest.fixture
    def server(self, seaweedfs_server: S3Server) -> S3Server:
        return seaweedfs_server

    @pytest.fixture
    def store(self, server: S3Server, places: Places, request: pytest.FixtureRequest) -> Iterator[ObjectStore]:
        for store in self.make_store(server, places, request):
            store.avoid_fast_path()
            yield store


class TestS3OnRclone(_S3Suite):
    create_only = Support.NO
    attests = Support.NO
    refuses_other_parts = True

    def assert_nothing_visible(self, store: ObjectStore, key: str) -> None:
        """Folders are real here, and an abandoned upload leaves an empty one: a prefix without objects."""
        with pytest.raises(ObjectNotFound):
            store.info(key)
        assert list(store.list()) == []
        assert [entry for entry in store.list(recursive=False) if isinstance(entry, ObjectInfo)] == []
        assert self.leftovers(store) == []

    def test_keys_that_look_alike_are_different(self, store: ObjectStore) -> None:
        """This server takes two spellings of one letter for the same key: the second is refused, never replaced."""
        composed, decomposed = unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")
        for key in ("a b", "a+b", "a%20b", "A b", composed):
            put_bytes(store, key, key.encode())
        with pytest.raises(ObjectExists):
            put_bytes(store, decomposed)
        assert read_all(store, composed) == composed.encode()

    @pytest.fixture
    def server(self, rclone_server: S3Server) -> S3Server:
        return rclone_server
