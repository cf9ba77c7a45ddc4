"""Runs the command line: arguments in, exit status out. Here errors become words and statuses, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from archive_tui.cli import diagnostics
from archive_tui.cli.diagnostics import ExitStatus
from archive_tui.cli.invocation import Invocation
from archive_tui.cli.output import OutputClosed, OutputFailed, discard_output, flush_output, write_json
from archive_tui.cli.root import root
from archive_tui.errors import ArchiveError

if TYPE_CHECKING:
    from archive_tui.cli.invocation import OpenPanes


def run_command_line(arguments: Sequence[str], *, open_panes: OpenPanes | None = None) -> int:
    """Runs one call of the program and returns its exit status; never raises.

    `open_panes` opens the terminal interface, which this package does not import.
    """
    as_json = "--json" in arguments  # known before the words are parsed, so that usage errors are documents, too
    invocation = (
        Invocation(as_json=as_json) if open_panes is None else Invocation(open_panes=open_panes, as_json=as_json)
    )
    try:
        status = _run(list(arguments), invocation)
        flush_output()
    except OutputClosed:
        discard_output()
        return ExitStatus.OUTPUT_CLOSED
    except OutputFailed as failed:
        discard_output()
        diagnostics.report_error(f"Cannot write the output: {failed}")
        return ExitStatus.FINDINGS
    return status


def _run(arguments: list[str], invocation: Invocation) -> int:
    try:
        result = root.main(arguments, prog_name="archive-tui", standalone_mode=False, obj=invocation)
    except click.ClickException as error:
        hint = _usage_hint(error)
        return _fail(invocation, "usage", error.format_message(), hint, ExitStatus.USAGE)
    except ArchiveError as error:
        status = diagnostics.status_of(error, verifying=invocation.is_judging)
        hint = error.hint or ("" if error.code == "stopped" else f"docs/errors.md explains the code {error.code}.")
        return _fail(invocation, error.code, error.message, hint, status)
    except (KeyboardInterrupt, click.Abort):
        return _fail(invocation, "stopped", "Stopped.", "", ExitStatus.STOPPED)
    except (OutputClosed, OutputFailed):
        raise
    except OSError as error:
        return _fail(invocation, "system", _describe_os_error(error), "", ExitStatus.FINDINGS)
    except Exception as error:  # noqa: BLE001  (the boundary: whatever is left is a bug, said in a sentence)
        diagnostics.report_bug(error)
        return ExitStatus.BUG
    return int(result) if isinstance(result, int) else ExitStatus.CLEAN


def _fail(invocation: Invocation, code: str, message: str, hint: str, status: ExitStatus) -> ExitStatus:
    diagnostics.report_error(message, hint)
    if invocation.as_json:
        write_json({"error": {"code": code, "message": message, "hint": hint}, "status": int(status)})
    return status


def _usage_hint(error: click.ClickException) -> str:
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"Try: {error.ctx.command_path} --help"
    return "Try: archive-tui --help"


def _describe_os_error(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{reason}: {error.filename}" if error.filename is not None else reason
