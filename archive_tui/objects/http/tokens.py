"""Where the token of a datasafe comes from: a key of the settings, or a file that holds it alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from archive_tui.errors import ConfigurationError

LONGEST_TOKEN = 4096
"""Bytes of a token file: more is no token, but another file named by mistake."""


def find_token(config: Mapping[str, Any]) -> str | Callable[[], str] | None:
    """Returns the token that the keys `token` or `token_file` give, of a file as what reads it; None: neither is there.

    Raises: ConfigurationError when both are there.
    """
    token, path = config.get("token"), config.get("token_file")
    if token and path:
        raise ConfigurationError(
            "Both `token` and `token_file` are set.", hint="Keep one of them; a file is the better place for a secret."
        )
    if path:
        file = Path(str(path)).expanduser()
        return lambda: read_token(file)
    return str(token) if token else None


def read_token(path: Path) -> str:
    """Returns the token in a file: its one line, without spaces around it.

    Raises: ConfigurationError when the file cannot be read, is empty, or holds more than a token.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_TOKEN + 1)
    except OSError as error:
        raise ConfigurationError(
            f"Cannot read the token file {path}: {error.strerror}", hint="Check its path and its permissions."
        ) from error
    token = content.decode("latin-1").strip()
    if not token or len(content) > LONGEST_TOKEN or not all("!" <= letter <= "~" for letter in token):
        raise ConfigurationError(
            f"The file holds no token: {path}", hint="It should hold the token alone, on one line of printable ASCII."
        )
    return token
