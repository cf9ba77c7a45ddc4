"""Runs one long operation for a command: progress on standard error, and signals that stop it cleanly."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Generic, TypeVar

from archive_tui.cli import diagnostics
from archive_tui.cli.diagnostics import ExitStatus
from archive_tui.cli.invocation import Invocation
from archive_tui.cli.progress_display import ProgressDisplay, choose_display
from archive_tui.progress import Event, Notice, Report, StopSignal

Result = TypeVar("Result")

TICK = 0.125
"""Seconds between two looks at the progress: eight a second."""

STOPPING = "Stopping after the current block; once more to leave at once."

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(slots=True)
class _Outcome(Generic[Result]):
    result: Result | None = None
    error: BaseException | None = None
    done: threading.Event = field(default_factory=threading.Event)


def run_operation(
    invocation: Invocation,
    operation: Callable[[Report, StopSignal], Result],
    *,
    display: ProgressDisplay | None = None,
) -> Result:
    """Runs `operation` in a thread while this one shows progress; returns its result or raises its error.

    An operation that writes results while it runs needs a `display` for that (`choose_line_display`).
    The first Ctrl-C, SIGTERM or SIGHUP asks it to stop, and it ends in its own clean way; the second ends the process
    at once (unfinished temporary files may stay, the next run removes them).
    """
    from archive_tui.jobs.progress_meter import ProgressMeter

    meter = ProgressMeter()
    outcome: _Outcome[Result] = _Outcome()
    stop = threading.Event()

    def report(event: Event) -> None:
        if isinstance(event, Notice):
            invocation.note(event.text)
        else:
            meter(event)

    def work() -> None:
        try:
            outcome.result = operation(report, stop)
        except BaseException as error:  # noqa: BLE001  (carried to the thread that waits, and raised there)
            outcome.error = error
        finally:
            outcome.done.set()

    display = display or choose_display(quiet=invocation.quiet)
    try:
        with stop_on_signals(stop):
            threading.Thread(target=work, name="operation", daemon=True).start()
            is_said = False
            while not outcome.done.wait(TICK):
                if stop.is_set() and not is_said:
                    display.say(STOPPING)
                    is_said = True
                display.update(meter.snapshot())
        display.update(meter.snapshot())
    finally:
        display.close()
    if outcome.error is not None:
        raise outcome.error
    return outcome.result  # type: ignore[return-value]  # without an error there is one, None included


@contextlib.contextmanager
def stop_on_signals(stop: threading.Event) -> Iterator[None]:
    """Turns Ctrl-C, SIGTERM and SIGHUP into `stop` for the time being; the second one ends the process at once. A
    signal that the parent ignores (nohup) stays ignored."""

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            _leave_at_once()
        stop.set()  # said by the loop that waits: what was interrupted here may be writing itself

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    caught = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    for number in caught:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in caught:
            signal.signal(number, before[number])


def _leave_at_once() -> None:
    if diagnostics.is_terminal():
        diagnostics.write_from_signal_handler("\033[?25h")  # the bars hide the cursor
    diagnostics.write_from_signal_handler(
        "archive-tui: Left at once: nothing is claimed about the result.\n"
        "hint: Unfinished files (.archive-tui-*.part) may remain; they are never listed, and the next run removes them."
    )
    os._exit(ExitStatus.STOPPED)
