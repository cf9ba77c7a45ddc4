"""What the terminal can do, read from the environment before Textual is imported."""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from typing import Protocol

from archive_tui.errors import ConfigurationError

DEFAULT_THEME = "textual-dark"
FEW_COLOURS_THEME = "ansi-dark"
"""The terminal's own 16 colours: the other themes map error and warning to one of them."""


STREAM_NAMES = ("input", "output", "error")


class Stream(Protocol):
    def isatty(self) -> bool: ...


def check_terminal(environ: Mapping[str, str], streams: tuple[Stream, Stream, Stream]) -> None:
    """`streams`: standard input, output and error; the screen is drawn through the last one.

    Raises: ConfigurationError when the screen cannot be drawn here; its hint names the commands that can be used."""
    hint = "Use the commands instead, for example: archive-tui ls local, archive-tui dataset --help."
    redirected = [name for name, stream in zip(STREAM_NAMES, streams, strict=True) if not stream.isatty()]
    if len(redirected) == len(streams):
        raise ConfigurationError("The panes need a terminal, and this is none.", hint=hint, code="no-terminal")
    if redirected:
        raise ConfigurationError(
            f"The panes need a terminal, and standard {' and '.join(redirected)} is redirected.",
            hint=f"Start them without < > 2> or a pipe. {hint}",
            code="no-terminal",
        )
    if environ.get("TERM", "").lower() in ("", "dumb", "unknown"):
        kind = environ.get("TERM") or "not set"
        raise ConfigurationError(
            f"The panes cannot be drawn on this terminal: TERM is {kind}.", hint=hint, code="no-terminal"
        )


def supports_utf8(environ: Mapping[str, str]) -> bool:
    """False when the locale names another character set. Python has already turned an unset or "C" one into UTF-8."""
    locale = next((environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "")
    return not locale or locale.lower().replace("-", "").endswith("utf8")


def has_few_colours(environ: Mapping[str, str]) -> bool:
    """True at 16 colours and without any; the rule is the one by which Rich chooses its colour system."""
    if environ.get("NO_COLOR") is not None:
        return True
    if environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return False
    term = environ.get("TERM", "").strip().lower()
    return term.rpartition("-")[2] not in ("256color", "kitty") and not term.endswith("direct")


def prepare_environment(environ: MutableMapping[str, str] | None = None, theme: str = "") -> None:
    """Sets the TEXTUAL_* variables, which Textual reads once, while it is imported.

    `theme`: the user's choice, empty for what suits the terminal.
    """
    environ = os.environ if environ is None else environ
    environ["TEXTUAL_ANIMATIONS"] = "none"
    environ["TEXTUAL_SMOOTH_SCROLL"] = "0"
    if theme or "TEXTUAL_THEME" not in environ:
        environ["TEXTUAL_THEME"] = FEW_COLOURS_THEME if has_few_colours(environ) else theme or DEFAULT_THEME
