"""Who may ask: whoever brings the token, when there is one."""

from __future__ import annotations

import hmac

CHALLENGE = 'Bearer realm="datasafe"'
OPEN_PATHS = ("/heartbeat", "/openapi.json")
"""What is answered without a token: nothing of the data."""


def is_authorised(token: str | None, header: str | None) -> bool:
    """True when no token is asked for, or the header `Authorization` brings it. Takes as long for any wrong one."""
    if token is None:
        return True
    scheme, _, given = (header or "").partition(" ")
    is_same = hmac.compare_digest(given.strip().encode("utf-8", "replace"), token.encode())
    return scheme.lower() == "bearer" and is_same
