"""Serves the application with waitress: many clients at once, slow ones among them, and a clean end."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, cast

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer, create_server
from waitress.task import ErrorTask
from waitress.utilities import Error, RequestEntityTooLarge

from archive_tui.errors import ConfigurationError
from archive_tui.http_api.access_log import AccessLog, Application, format_line
from archive_tui.http_api.authorisation import CHALLENGE, OPEN_PATHS, is_authorised
from archive_tui.http_api.statuses import TOO_LARGE, UNAUTHORISED

CONNECTIONS = 1000
IDLE_SECONDS = 120
"""How long a client may neither send nor take anything."""

HEADER_SECONDS = 60
"""How long the header of a request may take, however busily it drips."""

LINGER_SECONDS = 5
"""How long the body of a refused request is still taken, and thrown away: a connection that is closed on a client that
sends is reset, and the refusal is lost with it."""

LARGEST_HEADER = 16 << 10
FINISH_SECONDS = 30.0
"""How long what runs may go on when the server is asked to stop."""

_LOOK_SECONDS = 0.2


class _Refusal(Error):  # type: ignore[misc]
    """An answer that is given before the body of the request is read."""

    text = ""
    headers: tuple[tuple[str, str], ...] = ()

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        kind = ("Content-Type", "text/plain; charset=utf-8")
        return f"{self.code} {self.reason}", [kind, *self.headers], self.text.encode()


class Unauthorised(_Refusal):
    code = 401
    reason = "Unauthorized"
    text = UNAUTHORISED
    headers = (("WWW-Authenticate", CHALLENGE),)


class TooLarge(_Refusal):
    code = 413
    reason = "Request Entity Too Large"
    text = TOO_LARGE


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
    server.channel_class = _make_channel_class(token, write_log)
    tell_address(str(server.effective_host), int(server.effective_port))
    while not stop.is_set():
        _turn(server)
    server.accepting = False
    server.socket.close()
    deadline = time.monotonic() + FINISH_SECONDS
    while _is_busy(server) and time.monotonic() < deadline:
        _turn(server)
    finished = not _is_busy(server)
    for channel in list(server.active_channels.values()):
        channel.handle_close()  # which wakes the threads that wait for it
    server.task_dispatcher.shutdown(cancel_pending=True, timeout=1)
    if not server.task_dispatcher.threads:
        server.close()
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
            max_request_body_size=most + 1,  # waitress refuses from its limit on
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


def _make_channel_class(token: str | None, write_log: Callable[[str], None]) -> type[HTTPChannel]:
    class Parser(HTTPRequestParser):  # type: ignore[misc]
        """Refuses a request without the token when its header is complete, whatever would follow."""

        refusal: Error | None = None
        error: Error | None = None

        def parse_header(self, header_plus: bytes) -> None:
            try:
                super().parse_header(header_plus)
            except ValueError as error:  # of addresses such as http://[
                raise ParsingError("Bad URI") from error
            is_open = self.path in OPEN_PATHS and self.body_rcv is None
            if not is_open and not is_authorised(token, self.headers.get("AUTHORIZATION")):
                self.refusal = Unauthorised("")

        def received(self, data: bytes) -> int:
            consumed = cast(int, super().received(data))
            if isinstance(self.error, RequestEntityTooLarge):
                self.error = TooLarge("")
            if self.refusal is not None and (self.error is None or isinstance(self.error, TooLarge)):
                self.error = self.refusal
                self.completed = True
            if self.error is not None:
                self.expect_continue = False  # else waitress invites the body after all
            return consumed

    class RefusalTask(ErrorTask):  # type: ignore[misc]
        def execute(self) -> None:
            super().execute()
            self.channel.is_refused = True
            write_log(_describe_refusal(self.request, self.channel.addr, int(self.status[:3]), self.content_length))

    class Channel(_Channel):
        parser_class = Parser
        error_task_class = RefusalTask

    return Channel


class _Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that slow clients cannot hold, and that is closed so that a refusal arrives."""

    close_when_flushed = False
    is_refused = False
    lingers_since: float | None = None
    header_begun = 0.0
    nothing_waits_at = 0.0

    def is_overdue(self, now: float) -> bool:
        if self.lingers_since is not None:
            return now - self.lingers_since > LINGER_SECONDS
        if not self.total_outbufs_len:
            self.nothing_waits_at = now  # an answer that took long to find is not late when it comes
        elif now - max(self.nothing_waits_at, self.last_activity) > IDLE_SECONDS:
            return True
        request = self.request
        return request is not None and not request.headers_finished and now - self.header_begun > HEADER_SECONDS

    def is_busy(self) -> bool:
        """True while a request comes in, is worked on, or is answered."""
        request = self.request
        comes_in = request is not None and request.headers_finished
        return self.lingers_since is None and bool(comes_in or self.requests or self.total_outbufs_len)

    def received(self, data: bytes) -> bool:
        before = self.request
        result = bool(super().received(data))
        if self.request is not before:
            self.header_begun = time.time()
        return result

    def readable(self) -> bool:
        return self.lingers_since is not None or bool(super().readable())

    def handle_read(self) -> None:
        if self.lingers_since is None:
            super().handle_read()
            return
        with contextlib.suppress(OSError):
            self.recv(self.adj.recv_bytes)

    def handle_write(self) -> None:
        if self.is_refused and self.close_when_flushed:
            self._flush_exception(self._flush_some)
            if self.total_outbufs_len or self.will_close:
                return
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
            self.lingers_since = time.time()
            self.close_when_flushed = False
            return
        super().handle_write()


def _describe_refusal(request: HTTPRequestParser, address: Any, status: int, sent: int) -> str:
    """What never became a request of the application is in its log all the same."""
    return format_line(
        client=str(address[0]),
        method=getattr(request, "command", ""),
        path=getattr(request, "path", ""),
        status=status,
        received=request.body_bytes_received,
        sent=sent,
        seconds=0.0,
    )


def _turn(server: TcpWSGIServer) -> None:
    server.asyncore.loop(timeout=_LOOK_SECONDS, map=server._map, use_poll=True, count=1)
    now = time.time()
    for channel in list(server.active_channels.values()):
        if channel.is_overdue(now):
            channel.handle_close()


def _is_busy(server: TcpWSGIServer) -> bool:
    return any(channel.is_busy() for channel in list(server.active_channels.values()))
