"""How requests leave this process: urllib3's pool, with time limits, verified certificates, the system's proxies."""

from __future__ import annotations

import os
import ssl
from typing import Any
from urllib.request import getproxies, proxy_bypass

from archive_tui.objects.http.address import ServerAddress

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
KEPT_CONNECTIONS = 32


def make_pool(address: ServerAddress) -> Any:
    """Returns the pool of connections for one server; nobody is contacted.

    Raises: OSError when REQUESTS_CA_BUNDLE names no bundle.
    """
    import urllib3

    scheme, host, port = address.origin
    settings: dict[str, Any] = {"maxsize": KEPT_CONNECTIONS, "retries": False}
    if scheme == "https":
        settings["ssl_context"] = ssl.create_default_context(cafile=os.environ.get("REQUESTS_CA_BUNDLE") or None)
    proxy = getproxies().get(scheme)
    if not proxy or proxy_bypass(f"{host}:{port}"):
        return urllib3.PoolManager(**settings)
    user = urllib3.util.parse_url(proxy).auth
    headers = urllib3.make_headers(proxy_basic_auth=user) if user else None
    return urllib3.ProxyManager(proxy, proxy_headers=headers, **settings)


def time_limits(connect: float, read: float) -> Any:
    """Seconds: `connect` also holds for each piece that is sent, `read` for each piece that is awaited."""
    import urllib3

    return urllib3.Timeout(connect=connect, read=read)
