"""Makes every connection to another machine a failure of the test that tried it."""

from __future__ import annotations

import ipaddress
from types import ModuleType
from typing import Any

import pytest


class DistantAddressError(RuntimeError):
    """Not an OSError: the code under test must not be able to take it for a broken network and carry on."""


def _is_loopback(host: str) -> bool:
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback or ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def refuse_distant_addresses(patch: pytest.MonkeyPatch, socket: ModuleType) -> None:
    """Names below `.invalid` fail to resolve, as RFC 2606 promises, without asking anybody."""
    real_connect, real_connect_ex = socket.socket.connect, socket.socket.connect_ex
    real_getaddrinfo = socket.getaddrinfo

    def check(sock: Any, address: Any) -> None:
        if sock.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(str(address[0])):
            raise DistantAddressError(f"a test tried to reach {address}")

    def connect(self: Any, address: Any) -> None:
        check(self, address)
        real_connect(self, address)

    def connect_ex(self: Any, address: Any) -> int:
        check(self, address)
        return int(real_connect_ex(self, address))

    def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if isinstance(name, str) and name.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if name is not None and not _is_loopback(name):
            raise DistantAddressError(f"a test tried to resolve {name!r}")
        return real_getaddrinfo(host, *arguments, **options)

    patch.setattr(socket.socket, "connect", connect)
    patch.setattr(socket.socket, "connect_ex", connect_ex)
    patch.setattr(socket, "getaddrinfo", getaddrinfo)
