"""Addresses to which a token would travel so that others on the way can read it."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def find_plain_host(url: str) -> str | None:
    """Returns the other machine that a URL reaches without encryption; None: it is this machine, encrypted, or no
    URL."""
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname or ""
    except ValueError:
        return None
    if parts.scheme != "http" or not host or host == "localhost":
        return None
    try:
        return None if ipaddress.ip_address(host).is_loopback else host
    except ValueError:
        return host


def warn_of_plain_token(host: str) -> str:
    """The sentence that every face says about it."""
    return f"The token travels to {host} unencrypted, and whoever sees the traffic can use it: write https:// instead."
