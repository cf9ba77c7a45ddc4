"""`archive-tui verify`."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.job_options import current_job_options, job_options
from archive_tui.cli.verdicts import show_report


@click.command()
@click.argument("folder")
@job_options
@common_options
def verify(folder: str) -> int:
    """Hash every file that the manifest in FOLDER lists, and name what is changed, missing or extra.

    The manifest is manifest.json, as in every fetched dataset, or SHA256SUMS or NAME.sha256.

    Exit status: 0 all bytes verified, 1 findings, 3 something could not be read, 130 stopped.
    """
    from archive_tui.cli.job_running import queue_job, run_as_job, show_ended
    from archive_tui.jobs.kinds.verifying import verify_folder_job

    invocation, options = current_invocation(), current_job_options()
    invocation.is_judging = True
    request = verify_folder_job(Path(folder), policy=options.make_policy(invocation))
    if options.background:
        return queue_job(invocation, request, options)
    job = run_as_job(invocation, request, uses_storage=False)
    if job.result is None:
        return show_ended(invocation, job)
    return show_report(invocation, dataclasses.replace(job.result, subject=folder))
