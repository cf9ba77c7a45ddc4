"""Pages of listings: what servers write, what is cut short, and many keys."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from archive_tui.errors import StorageError
from archive_tui.objects.object_store import ObjectInfo, Prefix
from archive_tui.objects.s3 import S3Store
from archive_tui.objects.s3.connection import Reply, S3Connection
from archive_tui.objects.s3.endpoint import S3Options
from archive_tui.objects.s3.listing import list_objects
from archive_tui.objects.s3.store import TransferSizes
from tests.servers.s3_server import S3Server

ENTRY = "<Contents><Key>{0}</Key><LastModified>{1}</LastModified><ETag>{2}</ETag><Size>{3}</Size></Contents>"


def page(*parts: str, more: str = "", encoded: bool = True) -> str:
    encoding = "<EncodingType>url</EncodingType>" if encoded else ""
    following = f"<NextContinuationToken>{more}</NextContinuationToken>" if more else ""
    truncated = f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>"
    return f"<?xml version='1.0'?><ListBucketResult>{encoding}{truncated}{following}{''.join(parts)}</ListBucketResult>"


class ScriptedConnection(S3Connection):
    """Answers with the given pages; remembers what it was asked."""

    def __init__(self, *pages: str, prefix: str = "") -> None:
        super().__init__(S3Options("bucket", prefix=prefix), "s3 bucket")
        self._pages = iter(pages)
        self.queries: list[dict[str, str]] = []

    def send(self, method: str, key: str = "", **request: object) -> Reply:  # type: ignore[override]
        self.queries.append(request["query"])  # type: ignore[arg-type]
        return Reply(200, {}, next(self._pages).encode())


def entries(*pages: str, prefix: str = "", asked: str = "") -> list[object]:
    connection = ScriptedConnection(*pages, prefix=prefix)
    return list(list_objects(connection, asked, recursive=True, page_keys=1000))


def test_fields_of_an_entry() -> None:
    entry = ENTRY.format("a%20b%2Bc+d&amp;", "2026-11-22T10:00:00.500Z", "&quot;abc-2&quot;", 5)
    assert entries(page(entry)) == [ObjectInfo("a b+c d&", 5, 1795341600.5, "abc-2")]


def test_keys_that_are_not_encoded() -> None:
    entry = ENTRY.format("a%20b+&lt;c&gt;", "2026-11-22T10:00:00Z", '"x"', 0)
    assert entries(page(entry, encoded=False)) == [ObjectInfo("a%20b+<c>", 0, 1795341600.0, "x")]


def test_fields_in_another_order() -> None:
    odd = "<Contents><Size>7</Size><Owner><ID>o</ID></Owner><Key>k</Key></Contents>"
    usual = ENTRY.format("l", "2026-11-22T10:00:00Z", "&#34;x&#34;", 1)
    assert entries(page(odd, usual)) == [ObjectInfo("k", 7), ObjectInfo("l", 1, 1795341600.0, "x")]


def test_fields_in_the_order_of_seaweedfs() -> None:
    odd = (
        "<Contents><Key>k%2Fl</Key><ETag>&#34;x&#34;</ETag><Size>3</Size><StorageClass>STANDARD</StorageClass>"
        "<LastModified>2026-11-22T10:00:00Z</LastModified></Contents>"
    )
    assert entries(page(odd)) == [ObjectInfo("k/l", 3, 1795341600.0, "x")]


def test_keys_that_cannot_be_ours_are_listed() -> None:
    keys = ["a//b", "/absolute", "..", "a/../b", "x" * 1000, "line%0Abreak", "%FF"]
    found = entries(page(*(ENTRY.format(key, "", "", 0) for key in keys)))
    assert [entry.key for entry in found if isinstance(entry, ObjectInfo)] == [
        *keys[:5], "line\nbreak", "\udcff"
    ]  # fmt: skip


def test_markers_and_temporary_names_are_hidden() -> None:
    keys = ["folder/", "a/.archive-tui-x.part", ".archive-tui-x.part", ".archive-tui-x", "b"]
    found = entries(page(*(ENTRY.format(key, "", "", 0) for key in keys)))
    assert [entry.key for entry in found if isinstance(entry, ObjectInfo)] == [".archive-tui-x", "b"]


def test_prefix_of_the_store_is_cut_off() -> None:
    common = "<CommonPrefixes><Prefix>own/d%20e/</Prefix></CommonPrefixes>"
    found = entries(page(ENTRY.format("own/k", "", "", 1), common), prefix="own/")
    assert found == [Prefix("d e/"), ObjectInfo("k", 1)]


def test_pages_follow_each_other_lazily() -> None:
    first, second = page(ENTRY.format("a", "", "", 1), more="t1&amp;"), page(ENTRY.format("b", "", "", 1))
    connection = ScriptedConnection(first, second)
    listing = list_objects(connection, "", recursive=True, page_keys=1)
    assert connection.queries == []
    next(listing)
    assert len(connection.queries) == 1
    assert [entry.key for entry in listing] == ["b"]
    assert connection.queries[1]["continuation-token"] == "t1&"


@pytest.mark.parametrize(
    "pages",
    [
        [""],
        ["<html>login</html>"],
        [page(ENTRY.format("a", "", "", 1))[:-30]],
        [page().replace("false", "true")],
        [page(more="same"), page(more="same")],
    ],
    ids=["empty", "another document", "cut", "no token", "the same page again"],
)
def test_listing_that_is_cut_short_is_an_error(pages: list[str]) -> None:
    with pytest.raises(StorageError) as caught:
        entries(*pages)
    assert caught.value.code == "listing-cut"


@pytest.fixture(scope="module")
def crowded(seaweedfs_server: S3Server) -> Iterator[tuple[S3Store, set[str]]]:
    store = S3Store(seaweedfs_server.new_bucket(), sizes=TransferSizes(page=100), **seaweedfs_server.settings())
    keys = {f"many/{number % 7}/{number:05d} é+%.dat" for number in range(1_500)}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: store.put(key, [], 0), sorted(keys)))
    yield store, keys
    store.close()


def test_every_key_comes_once(crowded: tuple[S3Store, set[str]]) -> None:
    store, keys = crowded
    found = [entry.key for entry in store.list("many/")]
    assert len(found) == len(keys)
    assert set(found) == keys
    assert {entry.key for entry in store.list("many/", recursive=False)} == {f"many/{n}/" for n in range(7)}


@pytest.mark.slow
def test_twelve_thousand_objects(seaweedfs_server: S3Server) -> None:
    with S3Store(seaweedfs_server.new_bucket(), **seaweedfs_server.settings()) as store:
        keys = {f"d/{number:06d}" for number in range(12_000)}
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda key: store.put(key, [b"x"], 1), sorted(keys)))
        assert sorted(entry.key for entry in store.list()) == sorted(keys)
        fewer = replace(store._sizes, page=999)
        store._sizes = fewer
        assert len({entry.key for entry in store.list("d/")}) == len(keys)
