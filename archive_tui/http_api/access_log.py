"""One line of JSON for each request that was answered: who, what, how it ended, how much, how long. No headers, so no
secret."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

WriteLine = Callable[[str], None]
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

LONGEST_PATH = 500


class AccessLog:
    """A WSGI application around another one. `write` gets a line of ASCII without its end; it may be called from any
    thread."""

    def __init__(self, application: Application, write: WriteLine) -> None:
        self._application = application
        self._write = write

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer = _Answer(environ, self._write)

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            answer.status = int(status.split(" ", 1)[0])
            return start_response(status, headers, *error)

        answer.chunks = self._application(environ, start)
        return answer


class _Answer:
    def __init__(self, environ: dict[str, Any], write: WriteLine) -> None:
        self._environ = environ
        self._write = write
        self._begun = time.monotonic()
        self._sent = 0
        self.status = 0
        self.chunks: Iterable[bytes] = ()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            self._sent += len(chunk)
            yield chunk

    def close(self) -> None:
        """Called by the server when all was sent, or the client is gone."""
        close = getattr(self.chunks, "close", None)
        if close is not None:
            close()
        self._write(
            format_line(
                client=self._environ.get("REMOTE_ADDR", ""),
                method=self._environ.get("REQUEST_METHOD", ""),
                path=self._environ.get("PATH_INFO", ""),
                status=self.status,
                received=int(self._environ.get("CONTENT_LENGTH") or 0),
                sent=self._sent,
                seconds=time.monotonic() - self._begun,
            )
        )


def format_line(*, client: str, method: str, path: str, status: int, received: int, sent: int, seconds: float) -> str:
    """Returns the line for one request; `path` as WSGI has it, bytes as Latin-1."""
    readable = path.encode("latin-1", "replace").decode("utf-8", "replace")
    document = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "client": client,
        "method": method,
        "path": readable[:LONGEST_PATH],
        "status": status,
        "received": received,
        "sent": sent,
        "seconds": round(seconds, 3),
    }
    return json.dumps(document)
