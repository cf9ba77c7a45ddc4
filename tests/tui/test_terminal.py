from __future__ import annotations

import pytest

from archive_tui.errors import ConfigurationError
from archive_tui.tui.terminal import check_terminal, has_few_colours, prepare_environment, supports_utf8


class Stream:
    def __init__(self, is_tty: bool) -> None:
        self._is_tty = is_tty

    def isatty(self) -> bool:
        return self._is_tty


TTY, PIPE = Stream(True), Stream(False)


@pytest.mark.parametrize(
    ("term", "streams"),
    [
        ("dumb", (TTY, TTY, TTY)),
        ("", (TTY, TTY, TTY)),
        ("unknown", (TTY, TTY, TTY)),
        ("xterm", (PIPE, TTY, TTY)),
        ("xterm", (TTY, PIPE, TTY)),
        ("xterm", (TTY, TTY, PIPE)),
        ("xterm", (PIPE, PIPE, PIPE)),
    ],
)
def test_where_no_screen_can_be_drawn_the_commands_are_named(term: str, streams: tuple[Stream, Stream, Stream]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_terminal({"TERM": term}, streams)

    assert "archive-tui ls" in caught.value.hint
    assert caught.value.code == "no-terminal"


def test_what_is_redirected_is_named() -> None:
    with pytest.raises(ConfigurationError, match="standard error is redirected") as caught:
        check_terminal({"TERM": "xterm"}, (TTY, TTY, PIPE))

    assert "2>" in caught.value.hint


def test_an_ordinary_terminal_is_taken() -> None:
    check_terminal({"TERM": "xterm-256color"}, (TTY, TTY, TTY))


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "linux"}, True),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, True),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, False),
        ({"TERM": "xterm-kitty"}, False),
    ],
)
def test_few_colours(environ: dict[str, str], expected: bool) -> None:
    assert has_few_colours(environ) is expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, True),
        ({"LANG": "de_DE.UTF-8"}, True),
        ({"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, False),
        ({"LC_CTYPE": "C.utf8"}, True),
        ({"LANG": "de_DE.ISO-8859-1"}, False),
    ],
)
def test_the_locale_tells_whether_signs_can_be_shown(environ: dict[str, str], expected: bool) -> None:
    assert supports_utf8(environ) is expected


def test_motion_is_off_and_the_theme_fits_the_terminal() -> None:
    poor, rich = {"TERM": "xterm"}, {"TERM": "xterm-256color"}
    prepare_environment(poor)
    prepare_environment(rich, theme="nord")

    assert poor["TEXTUAL_THEME"] == "ansi-dark"
    assert rich["TEXTUAL_THEME"] == "nord"
    assert {poor["TEXTUAL_ANIMATIONS"], poor["TEXTUAL_SMOOTH_SCROLL"]} == {"none", "0"}
