"""A program in a terminal of a known size: what does a person see, and how many bytes did it take.

with TerminalSession(["archive-tui"], columns=80, lines=24) as terminal:
    terminal.wait_for("datasets")
    before = terminal.bytes_received
    terminal.send("down")
    terminal.settle()
    assert terminal.bytes_received - before < 400
"""

from __future__ import annotations

import os
import re
import select
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pexpect
import pyte

KEYS = {
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "insert": "\x1b[2~",
    "delete": "\x1b[3~",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "enter": "\r",
    "return": "\r",
    "tab": "\t",
    "shift+tab": "\x1b[Z",
    "escape": "\x1b",
    "space": " ",
    "backspace": "\x7f",
    **{f"f{number}": f"\x1bO{letter}" for number, letter in enumerate("PQRS", start=1)},
    **{f"f{number}": f"\x1b[{code}~" for number, code in enumerate((15, 17, 18, 19, 20, 21, 23, 24), start=5)},
    **{f"ctrl+{chr(code + 96)}": chr(code) for code in range(1, 27)},
}
"""Names of keys, as Textual spells them, and what a terminal sends for each."""

# pyte would print the tail of these: questions with a $ inside, keyboard protocols, strings for the terminal.
_NOT_FOR_PYTE = re.compile(rb"\x1b\[[<=>?][0-9;:]*(?:\$[a-z]|[um])|\x1b[P_^X][^\x1b]*\x1b\\")
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-9;:<=>?$]*|[P_^X][^\x1b]*\x1b?)?\Z")


class TerminalSession:
    """Runs `argv` on a pseudo terminal; a thread reads all the time, so that the program never waits for the test.

    `env` replaces the inherited one only in the names it has; None as a value removes a name.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        columns: int = 80,
        lines: int = 24,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        term: str = "xterm-256color",
    ) -> None:
        self._screen = pyte.Screen(columns, lines)
        self._screen.write_process_input = self._reply  # type: ignore[method-assign]
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self._rest = b""
        self._last_byte_at = time.monotonic()
        self._is_closing = False
        self.bytes_received = 0
        self.output = bytearray()
        self._child: Any = pexpect.spawn(
            argv[0],
            list(argv[1:]),
            dimensions=(lines, columns),
            env=make_environment(term, env or {}),
            cwd=str(cwd) if cwd else None,
            timeout=None,
        )
        self._child.delaybeforesend = None
        self._reader = threading.Thread(target=self._read_all, name="terminal-reader", daemon=True)
        self._reader.start()

    def send(self, *keys: str) -> None:
        """Presses keys: names of KEYS, or any other text letter by letter."""
        for key in keys:
            self.type_text(KEYS.get(key.lower(), key) if len(key) > 1 else key)

    def type_text(self, text: str) -> None:
        """Types the text as it is, even if it is the name of a key."""
        os.write(self._child.child_fd, text.encode())

    def screen(self) -> list[str]:
        """Returns the rows that a person sees now, with trailing spaces."""
        with self._lock:
            return list(self._screen.display)

    @property
    def text(self) -> str:
        return "\n".join(row.rstrip() for row in self.screen())

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row of the cursor, from 0."""
        with self._lock:
            return self._screen.cursor.x, self._screen.cursor.y

    def wait_for(self, wanted: str | Callable[[str], bool], *, timeout: float = 20.0) -> str:
        """Waits until the screen holds a text or fulfils a condition; returns the screen's text.

        Raises: AssertionError with the screen, when it does not happen in `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while True:
            text = self.text
            if wanted(text) if callable(wanted) else wanted in text:
                return text
            if time.monotonic() > deadline or not (self._reader.is_alive() or self._child.isalive()):
                text = self.text
                if wanted(text) if callable(wanted) else wanted in text:
                    return text
                raise AssertionError(f"{wanted!r} did not appear in {timeout} s; the screen:\n{text}")
            time.sleep(0.01)

    def settle(self, *, quiet: float = 0.25, timeout: float = 20.0) -> str:
        """Waits until nothing has come for `quiet` seconds; returns the screen's text."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if time.monotonic() - self._last_byte_at >= quiet:
                return self.text
            time.sleep(0.01)
        raise AssertionError(f"The program did not stop writing in {timeout} s; the screen:\n{self.text}")

    def resize(self, columns: int, lines: int) -> None:
        with self._lock:
            self._screen.resize(lines, columns)
        self._child.setwinsize(lines, columns)

    def wait_exit(self, *, timeout: float = 20.0) -> int:
        """Waits for the end; returns the exit status, or minus the number of the signal that ended the program.

        Raises: AssertionError when the program still runs after `timeout` seconds.
        """
        self._reader.join(timeout)
        deadline = time.monotonic() + timeout
        while self._child.isalive():
            assert time.monotonic() < deadline, f"The program still runs; the screen:\n{self.text}"
            time.sleep(0.01)
        return int(self._child.exitstatus if self._child.exitstatus is not None else -self._child.signalstatus)

    def close(self) -> None:
        """Ends the program, politely first."""
        self._child.terminate(force=True)
        self._is_closing = True
        self._reader.join()
        self._child.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read_all(self) -> None:
        descriptor = self._child.child_fd
        while not self._is_closing:
            if not select.select([descriptor], [], [], 0.1)[0]:
                continue
            try:
                received = os.read(descriptor, 1 << 16)
            except OSError:  # the other side of a pseudo terminal is gone
                return
            if not received:
                return
            with self._lock:
                self.bytes_received += len(received)
                self.output += received
                self._feed(self._rest + received)
            self._last_byte_at = time.monotonic()

    def _feed(self, received: bytes) -> None:
        unfinished = _UNFINISHED.search(received)
        end = unfinished.start() if unfinished else len(received)
        self._rest = received[end:]
        self._stream.feed(_NOT_FOR_PYTE.sub(b"", received[:end]))

    def _reply(self, text: str) -> None:
        os.write(self._child.child_fd, text.encode())


def make_environment(term: str, changes: Mapping[str, str | None]) -> dict[str, str]:
    """Returns the environment of a program in a terminal of that kind."""
    environment: dict[str, str | None] = {**os.environ, "TERM": term, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    # The size is the terminal's to tell; these names would override it, and not follow a resize.
    environment.update({"COLUMNS": None, "LINES": None, "NO_COLOR": None, "COLORTERM": None, **changes})
    return {name: value for name, value in environment.items() if value is not None}
