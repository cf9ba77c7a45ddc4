"""Faults between the Azure SDK and the service."""

from __future__ import annotations

from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob._shared.policies import StorageRetryPolicy


class LostReplies:
    """The service does what the requests that make a blob visible ask, and the first reply to each is lost."""

    def __init__(self, *, always: bool = False) -> None:
        self._always = always
        self._patch = pytest.MonkeyPatch()
        self._seen: set[str] = set()
        self.lost = 0

    def __enter__(self) -> Self:
        send = RequestsTransport.send

        def send_and_lose(transport: Any, request: Any, **options: Any) -> Any:
            response = send(transport, request, **options)
            kind = parse_qs(urlsplit(request.url).query).get("comp", [""])[0]
            if request.method != "PUT" or kind not in ("", "blocklist"):
                return response
            if request.url in self._seen and not self._always:
                return response
            self._seen.add(request.url)
            self.lost += 1
            raise ServiceResponseError("the connection was reset before the reply came")

        self._patch.setattr(RequestsTransport, "send", send_and_lose)
        self._patch.setattr(StorageRetryPolicy, "sleep", lambda *arguments: None)
        return self

    def __exit__(self, *details: object) -> None:
        self._patch.undo()
        assert self.lost, "no reply was lost: the test has proven nothing"
