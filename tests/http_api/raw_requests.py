"""Requests as bytes over a socket: what no well-behaved client would send, and what it gets."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable
from dataclasses import dataclass

SECONDS = 20.0
"""When an answer is this late, there is none."""


@dataclass(frozen=True)
class RawAnswer:
    """`status` 0: the server closed the connection without a word."""

    status: int
    headers: dict[str, str]
    body: bytes
    invited: bool


def connect(port: int, seconds: float = SECONDS) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), seconds)


def ask(port: int, request: bytes, more: Iterable[bytes] = (), *, ends: bool = True) -> RawAnswer:
    """Sends everything, or as much as is taken, and reads until the server closes.

    `ends`: tells the server that nothing follows; else the answer has to come without that."""
    with connect(port) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(request)
            for piece in more:
                connection.sendall(piece)
        if ends:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
        return read_answer(connection)


def read_answer(connection: socket.socket) -> RawAnswer:
    found = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(1 << 16):
            found += piece
    invitation = b"HTTP/1.1 100 Continue\r\n\r\n"
    invited = found.startswith(invitation)
    head, _, body = bytes(found.removeprefix(invitation) if invited else found).partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    status = int(first.split(" ")[1]) if first else 0
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return RawAnswer(status, headers, body, invited)


def request(verb: str, path: str, *headers: str, token: str | None = None) -> bytes:
    lines = [f"{verb} {path} HTTP/1.1", "Host: datasafe", "Connection: close", *headers]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
