"""Listings of an Azure container, read from the pages as they come: ten times the speed of the SDK's own objects."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlencode
from xml.etree import ElementTree

from archive_tui.errors import StorageError
from archive_tui.integrity.digest import is_sha256_hex
from archive_tui.objects.object_store import Listed, ObjectInfo, Prefix

PAGE_SIZE = 5_000
DIGEST_NAME = "archive_tui_sha256"
FOLDER_NAME = "hdi_isfolder"
_MONTHS = {name: number for number, name in enumerate(calendar.month_abbr)}


@dataclass(frozen=True, slots=True)
class Page:
    """`marker` asks for the next page; empty: this is the last one."""

    entries: list[Listed]
    marker: str


def list_container(client: Any, prefix: str, *, recursive: bool) -> Iterator[Listed]:
    """Yields what begins with `prefix`, a page at a time, without the markers of folders.

    Raises: errors of the SDK; StorageError (code `listing-incomplete`) when the service repeats or garbles a page.
    """
    marker = ""
    while True:
        page = parse_page(fetch_page(client, prefix, marker, recursive=recursive))
        yield from page.entries
        if not page.marker:
            return
        if page.marker == marker:
            raise _incomplete("the service repeats a page")
        marker = page.marker


def fetch_page(client: Any, prefix: str, marker: str, *, recursive: bool, include: str = "metadata") -> bytes:
    """Sends one listing request through the SDK's pipeline: its signature, its retries, without its parser."""
    from azure.core.exceptions import HttpResponseError
    from azure.core.rest import HttpRequest

    query = {"restype": "container", "comp": "list", "maxresults": str(PAGE_SIZE), "include": include}
    optional = {"prefix": prefix, "marker": marker, "delimiter": "" if recursive else "/"}
    query.update({name: value for name, value in optional.items() if value})
    address = str(client.url)
    separator = "&" if "?" in address else "?"
    request = HttpRequest(
        "GET",
        f"{address}{separator}{urlencode(query, quote_via=quote, safe='')}",
        headers={"x-ms-version": client.api_version, "Accept": "application/xml"},
    )
    response = client._pipeline.run(request).http_response
    if response.status_code != 200:
        error = HttpResponseError(response=response)
        error.error_code = response.headers.get("x-ms-error-code", "")  # type: ignore[attr-defined]
        raise error
    return bytes(response.body())


def parse_page(body: bytes) -> Page:
    """Reads one page.

    Raises: StorageError when it is not whole.
    """
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise _incomplete("a page ends early") from error
    blobs = root.find("Blobs")
    if root.tag != "EnumerationResults" or blobs is None:
        raise _incomplete("a page is no listing")
    entries = [entry for element in blobs if (entry := _parse_entry(element)) is not None]
    return Page(entries, root.findtext("NextMarker") or "")


def parse_http_time(text: str) -> float:
    """Reads `Sun, 22 Nov 2026 15:26:12 GMT` (RFC 9110) as seconds since the epoch."""
    day, month, year = int(text[5:7]), _MONTHS[text[8:11]], int(text[12:16])
    return float(calendar.timegm((year, month, day, int(text[17:19]), int(text[20:22]), int(text[23:25]))))


def _parse_entry(element: ElementTree.Element) -> Listed | None:
    name_element = element.find("Name")
    if name_element is None:
        raise _incomplete("an entry has no name")
    name = name_element.text or ""
    if name_element.get("Encoded") == "true":
        name = unquote(name)
    if element.tag == "BlobPrefix":
        return Prefix(name)
    found = _read_children(element, "Properties")
    metadata = {name.lower(): value for name, value in _read_children(element, "Metadata").items()}
    if name.endswith("/") or found.get("ResourceType") == "directory" or metadata.get(FOLDER_NAME) == "true":
        return None
    digest = metadata.get(DIGEST_NAME)
    return ObjectInfo(
        key=name,
        size=int(found["Content-Length"]),
        modified=parse_http_time(found["Last-Modified"]) if "Last-Modified" in found else None,
        version=found.get("Etag", "").strip('"') or None,
        digest=digest if is_sha256_hex(digest) else None,
    )


def _read_children(element: ElementTree.Element, name: str) -> dict[str, str]:
    parent = element.find(name)
    return {} if parent is None else {child.tag: child.text or "" for child in parent}


def _incomplete(why: str) -> StorageError:
    return StorageError(f"The listing is not complete: {why}", hint="Try again.", code="listing-incomplete")
