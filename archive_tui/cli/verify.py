"""`archive-tui verify`."""

from __future__ import annotations

from pathlib import Path

import click

from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.running import run_operation
from archive_tui.cli.verdicts import show_report


@click.command()
@click.argument("folder")
@common_options
def verify(folder: str) -> int:
    """Hash every file that the manifest in FOLDER lists, and name what is changed, missing or extra.

    The manifest is manifest.json, as in every fetched dataset, or SHA256SUMS or NAME.sha256.

    Exit status: 0 all bytes verified, 1 findings, 3 something could not be read, 130 stopped.
    """
    from archive_tui.operations.verifying import verify_folder

    invocation = current_invocation()
    invocation.is_judging = True
    report = run_operation(invocation, lambda report, stop: verify_folder(Path(folder), report=report, stop=stop))
    return show_report(invocation, report)
