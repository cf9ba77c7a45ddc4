"""The address of a datasafe's server, as a person writes it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode, urljoin, urlsplit

from archive_tui.errors import ConfigurationError
from archive_tui.names.display import escape_for_display

API_PREFIX = "api/"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HINT = "Write it as http://host:port/ or https://host/, without a user, a password or a query."

Origin = tuple[str, str, int]
"""Scheme, host and port: a token goes to no other."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """`url` ends in `/`; below it lie the datasets, at `prefix` + LOI."""

    url: str
    prefix: str = API_PREFIX

    @property
    def origin(self) -> Origin:
        return origin_of(self.url)

    def target(self, path: str = "", query: dict[str, str] | None = None) -> str:
        """Returns the URL of a LOI, or of the index; whatever `path` holds, it stays one path below the prefix."""
        asked = f"?{urlencode(query)}" if query else ""
        return f"{self.url}{self.prefix}{quote(path, safe='/')}{asked}"


def parse_address(url: str, prefix: str = API_PREFIX) -> ServerAddress:
    """Reads what a person wrote; the `api/` at its end may be left out.

    Raises: ConfigurationError for what is no address of a server; a password in it is not repeated.
    """
    text = url.strip()
    try:
        parts = urlsplit(text)
        has_host = parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        has_host = False
    if not has_host or not text.isascii() or not text.isprintable() or " " in text:
        raise ConfigurationError(f"Not the address of a server: {_without_secrets(text)}", hint=_HINT)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError(f"The address holds more than an address: {_without_secrets(text)}", hint=_HINT)
    path = parts.path.rstrip("/") + "/"
    if prefix and path.endswith(f"/{prefix}"):
        path = path[: -len(prefix)]
    return ServerAddress(f"{parts.scheme}://{parts.netloc.lower()}{path}", prefix)


def origin_of(url: str) -> Origin:
    """Raises: ValueError when the port is no number."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)


def redirect_target(address: ServerAddress, asked: str, location: str) -> str | None:
    """Returns where a reply sends us, None when that is another server."""
    try:
        target = urljoin(asked, location)
        return target if location and origin_of(target) == address.origin else None
    except ValueError:
        return None


def _without_secrets(text: str) -> str:
    """What stands before an `@` may be a password, what stands behind a `?` a token."""
    scheme, divider, rest = text.partition("://")
    body = rest if divider else text
    body = body.rpartition("@")[2].partition("?")[0].partition("#")[0]
    return escape_for_display((scheme + divider if divider else "") + body)[:200]
