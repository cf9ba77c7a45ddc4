"""A server on loopback that says what a test tells it to say."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable

Answer = Callable[[socket.socket, int], bool]
"""Answers request number n of a connection; False ends the connection."""


class ScriptedServer:
    """Calls `answer` for each request that has come whole, on any number of connections; `requests` has their heads."""

    def __init__(self, answer: Answer, context: ssl.SSLContext | None = None) -> None:
        self._answer = answer
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        self.connections = 0
        self.requests: list[bytes] = []
        self.bodies: list[bytes] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            if self._context is not None:
                client = self._context.wrap_socket(client, server_side=True)
            with client:
                for number in range(1_000_000):
                    head, body = self._read_request(client)
                    if not head:
                        return
                    self.requests.append(head)
                    self.bodies.append(body)
                    if not self._answer(client, number):
                        return
        except OSError:
            client.close()

    def _read_request(self, client: socket.socket) -> tuple[bytes, bytes]:
        received = b""
        while not (received and self._is_whole(received)):
            more = client.recv(65_536)
            if not more:
                return b"", b""
            received += more
        head, _, body = received.partition(b"\r\n\r\n")
        return head + b"\r\n\r\n", body

    @staticmethod
    def _is_whole(received: bytes) -> bool:
        head, end, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)^content-length: (\d+)", head, re.MULTILINE)
        return bool(end) and len(body) == (int(length.group(1)) if length else 0)

    def close(self) -> None:
        self._listener.close()


def say(reply: bytes, *, go_on: bool = True) -> Answer:
    def answer(client: socket.socket, number: int) -> bool:
        client.sendall(reply)
        return go_on

    return answer
