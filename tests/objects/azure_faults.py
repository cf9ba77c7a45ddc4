"""Faults between the store and the service, on either way to it."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob._shared.policies import StorageRetryPolicy

from archive_tui.objects.kept_exchange import KeptExchange


class LostReplies:
    """The service does what the requests that make a blob visible ask, and the first reply to each is lost.

    `service_acts` False: those requests are lost themselves.
    """

    def __init__(self, *, always: bool = False, service_acts: bool = True) -> None:
        self._always = always
        self._service_acts = service_acts
        self._patch = pytest.MonkeyPatch()
        self._seen: set[str] = set()
        self.lost = 0

    def __enter__(self) -> Self:
        send = RequestsTransport.send

        def send_and_lose(transport: Any, request: Any, **options: Any) -> Any:
            kind = parse_qs(urlsplit(request.url).query).get("comp", [""])[0]
            is_commit = request.method == "PUT" and kind in ("", "blocklist")
            if not is_commit or (request.url in self._seen and not self._always):
                return send(transport, request, **options)
            self._seen.add(request.url)
            self.lost += 1
            if self._service_acts:
                send(transport, request, **options)
            raise ServiceResponseError("the connection was reset before the reply came")

        send_lean = KeptExchange.send

        def send_lean_and_lose(exchange: KeptExchange, method: str, url: str, *rest: Any) -> Any:
            if url in self._seen and not self._always:
                return send_lean(exchange, method, url, *rest)
            self._seen.add(url)
            self.lost += 1
            if self._service_acts:
                send_lean(exchange, method, url, *rest)
            raise ConnectionResetError("the connection was reset before the reply came")

        self._patch.setattr(RequestsTransport, "send", send_and_lose)
        self._patch.setattr(KeptExchange, "send", send_lean_and_lose)
        self._patch.setattr(StorageRetryPolicy, "sleep", lambda *arguments: None)
        return self

    def __exit__(self, *details: object) -> None:
        self._patch.undo()
        assert self.lost, "no reply was lost: the test has proven nothing"


@contextmanager
def counting_blocks() -> Iterator[list[int]]:
    """Gives a list, to which the number of each block that is sent is added."""
    send = RequestsTransport.send
    numbers: list[int] = []

    def send_and_count(transport: Any, request: Any, **options: Any) -> Any:
        query = parse_qs(urlsplit(request.url).query)
        if query.get("comp") == ["block"] and len(name := b64decode(query["blockid"][0])) > 16:
            numbers.append(int(name[16:24]))
        return send(transport, request, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RequestsTransport, "send", send_and_count)
        yield numbers
