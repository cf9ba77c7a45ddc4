"""Runs a put into a folder under strace, with faults injected into its system calls."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.servers.required_servers import find_program, skip_missing_server

INSTALL_STRACE = "apt-get install strace"
_CALL = re.compile(r"^(?:\d+ +)?([a-z_0-9]+)\(")


class TracedPut:
    """`run` puts once and returns the outcome that `fault_driver` prints; `calls` are its system calls."""

    def __init__(self, folder: Path) -> None:
        self._strace = find_program("strace", INSTALL_STRACE, beside_interpreter=False)
        self._trace = folder / "trace.txt"
        self._driver = subprocess.Popen(
            [sys.executable, "-m", "tests.objects.fault_driver"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            cwd=Path(__file__).parents[2],
        )
        self.calls: list[str] = []
        assert self._answer() == "ready"

    def _answer(self) -> str:
        assert self._driver.stdout is not None
        return self._driver.stdout.readline().strip()

    def _tell(self, text: str) -> None:
        assert self._driver.stdin is not None
        self._driver.stdin.write(text + "\n")
        self._driver.stdin.flush()

    def run(self, *injections: str, **command: Any) -> str:
        """`injections` in strace's words: `write:error=ENOSPC:when=2`, `linkat:signal=KILL`."""
        self._tell(json.dumps(command))
        child = self._answer()
        inject = [word for injection in injections for word in ("-e", f"inject={injection}")]
        strace = subprocess.Popen(
            [self._strace, "-f", "-o", self._trace, *inject, "-p", child], stderr=subprocess.PIPE, text=True
        )
        with strace:
            assert strace.stderr is not None
            said = strace.stderr.readline()
            if "attached" not in said:
                self._tell("go")
                self._answer()
                skip_missing_server("strace", f"it may not trace here ({said.strip()}); {INSTALL_STRACE}")
            self._tell("go")
            outcome = self._answer()
            strace.stderr.read()
        self.calls = self._trace.read_text(errors="replace").splitlines()
        return outcome

    def count_calls(self) -> Counter[str]:
        """How often each system call was made in the last run, up to the announcement of its outcome."""
        names = [match[1] for line in self.calls if (match := _CALL.match(line))]
        last_write = len(names) - 1 - names[::-1].index("write")
        return Counter(names[:last_write])

    def close(self) -> None:
        assert self._driver.stdin is not None
        self._driver.stdin.close()
        self._driver.wait(30)
        assert self._driver.stdout is not None
        self._driver.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
