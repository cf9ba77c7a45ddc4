"""A process of its own that works through the queue: begun from a terminal that may close, and never two at once.

Whoever works through the queue holds a lock in the state folder. It is handed down when the process is begun, so that
there is no moment in which nobody has it; the system lets go of it when the process ends, however that happens.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from archive_tui.errors import ArchiveError

LOCK_NAME = "runner.lock"
LOG_NAME = "jobs.log"
LONGEST_LOG = 1 << 20
"""Bytes of a log with which a new one is begun; the old one is kept once, as `jobs.log.1`."""

LOOKS, BETWEEN_LOOKS = 4, 0.005

_PATHS_IN_ENVIRONMENT = (
    "ARCHIVE_TUI_SETTINGS", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "TMPDIR",
)  # fmt: skip
"""Variables that may hold a path which begins in the current folder: the new process has another one."""


class RunnerLock:
    """Held as long as the descriptor is open in any process."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def release(self) -> None:
        """May be called twice."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def take_runner_lock(state: Path) -> RunnerLock | None:
    """Returns the lock of the state folder; None when a process has it that works through the queue.

    Raises: OSError when there can be no such file.
    """
    # Somebody who only looks has it for a moment, too.
    for _ in range(LOOKS):
        lock = _take(state)
        if lock is not None:
            return lock
        time.sleep(BETWEEN_LOOKS)
    return None


def inherit_runner_lock(descriptor: int) -> RunnerLock | None:
    """Returns the lock that the process was begun with; None when that descriptor is none."""
    try:
        os.set_inheritable(descriptor, False)
        return _lock(descriptor)
    except OSError:
        return None


def is_runner_alive(state: Path) -> bool:
    """True while a process works through the queue. Whether it does is a matter of this moment."""
    try:
        lock = _take(state)
    except OSError:
        return False
    if lock is None:
        return True
    lock.release()
    return False


def start_background_runner(state: Path, settings: Path | None = None) -> bool:
    """Starts `archive-tui jobs run` in a session of its own, in which no terminal and no folder of the caller is open;
    it writes to `jobs.log` in the state folder and ends when there is nothing left to do. Returns False when a process
    works through the queue already.

    Raises: ArchiveError (background-failed); what is queued stays so.
    """
    try:
        lock = take_runner_lock(state)
        if lock is None:
            return False
        try:
            _start(state, lock, settings)
        finally:
            lock.release()
    except OSError as error:
        raise ArchiveError(
            f"No process could be started for the queue: {error.strerror or error}",
            hint="What was queued stays queued: archive-tui jobs run does it here.",
            code="background-failed",
        ) from error
    return True


def _take(state: Path) -> RunnerLock | None:
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    return _lock(os.open(state / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _lock(descriptor: int) -> RunnerLock | None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        os.close(descriptor)
        raise
    return RunnerLock(descriptor)


def _start(state: Path, lock: RunnerLock, settings: Path | None) -> None:
    words = ["jobs", "run", "--lock-descriptor", str(lock.descriptor)]
    words += ["--settings", os.path.abspath(settings)] if settings is not None else []  # noqa: PTH100
    log = _open_log(state)
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "archive_tui", *words],
            cwd="/",
            env=_make_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=(lock.descriptor,),
        )
    finally:
        os.close(log)
    # Somebody has to take its exit status, or a caller that lives long keeps a dead process in the table.
    threading.Thread(target=process.wait, name="runner", daemon=True).start()


def _open_log(state: Path) -> int:
    path = state / LOG_NAME
    with contextlib.suppress(OSError):
        if path.stat().st_size > LONGEST_LOG:
            path.replace(path.with_name(f"{LOG_NAME}.1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def _make_environment() -> dict[str, str]:
    """The caller's, credentials included; it finds the modules that the caller would find, from any folder."""
    environment = dict(os.environ)
    for name in _PATHS_IN_ENVIRONMENT:
        if environment.get(name):
            environment[name] = os.path.abspath(Path(environment[name]).expanduser())  # noqa: PTH100
    environment["PYTHONPATH"] = os.pathsep.join(_paths_before_the_library())
    return environment


def _paths_before_the_library() -> list[str]:
    """What stands in the search path before Python's own modules was put there by the caller: the current folder,
    PYTHONPATH, a checkout."""
    library = os.path.dirname(os.__file__)  # noqa: PTH120
    own = [os.path.abspath(entry) for entry in sys.path if Path(entry).exists()]  # noqa: PTH100
    return own[: own.index(library)] if library in own else own
