"""Pages of an Azure listing: complete, lazy, without markers of folders, or an error."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from archive_tui.errors import StorageError
from archive_tui.objects.azure import listing as azure_listing
from archive_tui.objects.azure.listing import list_container, parse_http_time, parse_page
from archive_tui.objects.azure.store import AzureStore
from archive_tui.objects.object_store import ObjectInfo, Prefix
from tests.conformance.object_store_suite import listed_keys, put_bytes, read_all
from tests.servers.azurite import AzuriteServer

PAGE = """<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="c"><Blobs>{blobs}</Blobs>
<NextMarker>{marker}</NextMarker></EnumerationResults>"""
BLOB = """<Blob><Name{attribute}>{name}</Name><Properties><Last-Modified>Sun, 22 Nov 2026 15:26:12 GMT</Last-Modified>
<Etag>0x1</Etag><Content-Length>5</Content-Length>{more}</Properties><Metadata>{metadata}</Metadata></Blob>"""


def make_blob(name: str, *, attribute: str = "", more: str = "", metadata: str = "") -> str:
    return BLOB.format(name=name, attribute=attribute, more=more, metadata=metadata)


def make_page(*blobs: str, marker: str = "") -> bytes:
    return PAGE.format(blobs="".join(blobs), marker=marker).encode()


@pytest.fixture
def container(azurite_server: AzuriteServer) -> str:
    return azurite_server.new_container()


@pytest.fixture
def store(azurite_server: AzuriteServer, container: str) -> Iterator[AzureStore]:
    with AzureStore(container, conn_str=azurite_server.conn_str) as store:
        yield store


def test_an_entry_is_read_whole() -> None:
    digest = "0" * 64
    metadata = f"<Archive_TUI_sha256>{digest}</Archive_TUI_sha256>"
    page = parse_page(make_page(make_blob("a &amp; b/ü.zip", metadata=metadata), marker="next"))
    assert page.entries == [ObjectInfo("a & b/ü.zip", 5, 1795361172.0, "0x1", digest)]
    assert page.marker == "next"


def test_names_that_xml_cannot_hold_come_encoded() -> None:
    (entry,) = parse_page(make_page(make_blob("a%EF%BF%BEb%25", attribute=' Encoded="true"'))).entries
    assert entry.key == "a\ufffeb%"


def test_folders_are_not_objects() -> None:
    blobs = (
        make_blob("d/"),
        make_blob("e", more="<ResourceType>directory</ResourceType>"),
        make_blob("f", metadata="<hdi_isfolder>true</hdi_isfolder>"),
        "<BlobPrefix><Name>g/</Name></BlobPrefix>",
        make_blob("h"),
    )
    assert [entry.key for entry in parse_page(make_page(*blobs)).entries] == ["g/", "h"]


def test_a_digest_that_is_none_is_not_believed() -> None:
    metadata = "<archive_tui_sha256>hello</archive_tui_sha256>"
    (entry,) = parse_page(make_page(make_blob("a", metadata=metadata))).entries
    assert isinstance(entry, ObjectInfo)
    assert entry.digest is None


@pytest.mark.parametrize(
    "body",
    [make_page(make_blob("a"))[:-40], b"", b"<html><body>proxy login</body></html>", make_page("<Blob></Blob>")],
    ids=["cut short", "empty", "no listing", "no name"],
)
def test_a_page_that_is_not_whole_is_an_error(body: bytes) -> None:
    with pytest.raises(StorageError) as caught:
        parse_page(body)
    assert caught.value.code == "listing-incomplete"


def test_a_repeated_page_is_an_error_and_not_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = itertools.repeat(make_page(make_blob("a"), marker="same"))
    monkeypatch.setattr(azure_listing, "fetch_page", lambda *arguments, **options: next(pages))
    with pytest.raises(StorageError) as caught:
        list(list_container(None, "", recursive=True))
    assert caught.value.code == "listing-incomplete"


def test_a_page_is_fetched_only_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def fetch(client: Any, prefix: str, marker: str, *, recursive: bool) -> bytes:
        asked.append(marker)
        return make_page(make_blob(f"a{len(asked)}"), marker=str(len(asked)))

    monkeypatch.setattr(azure_listing, "fetch_page", fetch)
    assert [entry.key for entry in itertools.islice(list_container(None, "", recursive=True), 2)] == ["a1", "a2"]
    assert asked == ["", "1"]


def test_times_are_read_as_utc() -> None:
    assert parse_http_time("Thu, 01 Jan 1970 00:00:01 GMT") == 1.0
    assert parse_http_time("Wed, 29 Feb 2028 23:59:59 GMT") == 1835481599.0


def test_what_other_programs_have_written(store: AzureStore, azurite_server: AzuriteServer, container: str) -> None:
    with azurite_server.container_client(container) as client:
        for name in ("a//b", "d/", "/leading", "plain", "empty"):
            client.upload_blob(name, b"" if name in ("d/", "empty") else name.encode())
        client.upload_blob("folder", b"", metadata={"hdi_isfolder": "true"})
    assert sorted(listed_keys(store)) == ["/leading", "a//b", "empty", "plain"]
    shown = sorted((entry.key, type(entry)) for entry in store.list(recursive=False))
    assert shown == [("/", Prefix), ("a/", Prefix), ("d/", Prefix), ("empty", ObjectInfo), ("plain", ObjectInfo)]
    assert read_all(store, "a//b") == b"a//b"
    assert store.info("a//b").size == 4
    assert read_all(store, "plain") == b"plain"


def test_unfinished_things_are_hidden(store: AzureStore, azurite_server: AzuriteServer, container: str) -> None:
    with azurite_server.container_client(container) as client:
        client.upload_blob("d/.archive-tui-x.part", b"unfinished")
    put_bytes(store, "d/finished")
    assert listed_keys(store) == ["d/finished"]


@pytest.mark.slow
def test_a_listing_of_several_full_pages(store: AzureStore, azurite_server: AzuriteServer, container: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with azurite_server.container_client(container) as client, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: client.upload_blob(f"k{number:05d}", b""), range(5_050)))
    assert listed_keys(store) == [f"k{number:05d}" for number in range(5_050)]
