"""The group `archive-tui jobs`."""

from __future__ import annotations

import click

from archive_tui.cli.lazy_group import LazyCommand, LazyGroup

COMMANDS = {
    "list": LazyCommand("archive_tui.cli.jobs_list:list_jobs", "The jobs there are, and those that ended lately."),
    "show": LazyCommand("archive_tui.cli.jobs_show:show", "One job in detail; --wait until it has ended."),
    "logs": LazyCommand("archive_tui.cli.jobs_show:logs", "What happened to a job, line by line."),
    "receipt": LazyCommand("archive_tui.cli.jobs_show:receipt", "What a job has done, with evidence for each item."),
    "pause": LazyCommand("archive_tui.cli.jobs_change:pause", "Stop jobs, to go on later where they stopped."),
    "resume": LazyCommand("archive_tui.cli.jobs_change:resume", "Let paused jobs go on."),
    "cancel": LazyCommand("archive_tui.cli.jobs_change:cancel", "Stop jobs for good, and remove what they left."),
    "retry": LazyCommand("archive_tui.cli.jobs_change:retry", "Try failed jobs again; only the rest is done."),
    "answer": LazyCommand("archive_tui.cli.jobs_answer:answer", "Decide what a job has asked."),
    "run": LazyCommand("archive_tui.cli.jobs_run:run", "Work through the queue in this process."),
    "clean": LazyCommand("archive_tui.cli.jobs_clean:clean", "Remove what dead jobs left: unfinished uploads, stages."),
}


@click.group(cls=LazyGroup, lazy_commands=COMMANDS)
def jobs() -> None:
    """Jobs are what takes long: they survive the program, and go on where they stopped.

    Commands like `dataset publish` run as jobs in their own process; with --background a process of its own does them,
    which goes on when you log out.
    """
