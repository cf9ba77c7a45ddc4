"""Serves the application with waitress: many clients at once, slow ones among them, and a clean end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, cast

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer, create_server
from waitress.utilities import Error

from archive_tui.errors import ConfigurationError
from archive_tui.http_api.access_log import AccessLog, Application
from archive_tui.http_api.authorisation import CHALLENGE, OPEN_PATHS, is_authorised

CONNECTIONS = 1000
IDLE_SECONDS = 120
LARGEST_HEADER = 16 << 10
FINISH_SECONDS = 30.0
"""How long what runs may go on when the server is asked to stop."""

_LOOK_SECONDS = 0.2


class Unauthorised(Error):  # type: ignore[misc]
    """The answer to a request without the token, before its body is read."""

    code = 401
    reason = "Unauthorized"

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        body = b"The token is wrong, or there is none."
        kind = ("Content-Type", "text/plain; charset=utf-8")
        return f"{self.code} {self.reason}", [kind, ("WWW-Authenticate", CHALLENGE)], body


def serve(
    application: Application,
    *,
    host: str,
    port: int,
    token: str | None,
    most: int,
    threads: int,
    stop: threading.Event,
    write_log: Callable[[str], None],
    tell_address: Callable[[str, int], None],
) -> bool:
    """Serves until `stop` is set, then finishes what runs; returns False when something had to be cut off.

    `most` are the bytes of a request. `tell_address` is called once, when connections are accepted; port 0 is any free
    one. Bodies of requests wait in temporary files until they are whole, so that slow clients hold no thread.

    Raises: ConfigurationError when the address cannot be used.
    """
    server = _make_server(AccessLog(application, write_log), host, port, most, threads)
    server.channel_class = _make_channel_class(token)
    tell_address(str(server.effective_host), int(server.effective_port))
    while not stop.is_set():
        _turn(server)
    server.accepting = False
    server.socket.close()
    deadline = time.monotonic() + FINISH_SECONDS
    while _is_busy(server) and time.monotonic() < deadline:
        _turn(server)
    finished = not _is_busy(server)
    server.task_dispatcher.shutdown(cancel_pending=True, timeout=1)
    for channel in list(server.active_channels.values()):
        channel.handle_close()
    return finished


def _make_server(application: Application, host: str, port: int, most: int, threads: int) -> TcpWSGIServer:
    try:
        server = create_server(
            application,
            host=host,
            port=port,
            threads=threads,
            connection_limit=CONNECTIONS,
            channel_timeout=IDLE_SECONDS,
            cleanup_interval=10,
            max_request_header_size=LARGEST_HEADER,
            max_request_body_size=most,
            asyncore_use_poll=True,
            asyncore_loop_timeout=1,
            ident="archive-tui",
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigurationError(
            f"Cannot listen at {host}:{port}: {reason}", hint="Choose another --host or --port."
        ) from error
    if not isinstance(server, TcpWSGIServer):
        server.close()
        raise ConfigurationError(f"{host} is more than one address.", hint="Name one, as 127.0.0.1, ::1 or 0.0.0.0.")
    return server


def _make_channel_class(token: str | None) -> type[HTTPChannel]:
    class Parser(HTTPRequestParser):  # type: ignore[misc]
        """Refuses a request without the token when its header is complete, whatever would follow."""

        refusal: Error | None = None
        error: Error | None = None

        def parse_header(self, header_plus: bytes) -> None:
            super().parse_header(header_plus)
            is_open = self.path in OPEN_PATHS
            if not is_open and not is_authorised(token, self.headers.get("AUTHORIZATION")):
                self.refusal = Unauthorised("")

        def received(self, data: bytes) -> int:
            consumed = cast(int, super().received(data))
            if self.refusal is not None and self.error is None:
                self.error = self.refusal
                self.completed = True
            return consumed

    class Channel(HTTPChannel):  # type: ignore[misc]
        parser_class = Parser

    return Channel


def _turn(server: TcpWSGIServer) -> None:
    server.asyncore.loop(timeout=_LOOK_SECONDS, map=server._map, use_poll=True, count=1)


def _is_busy(server: TcpWSGIServer) -> bool:
    channels: list[Any] = list(server.active_channels.values())
    return any(channel.requests or channel.total_outbufs_len for channel in channels)
