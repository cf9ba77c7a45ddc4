"""The options of every command that a job does: in the background or here, how often, how fast, for how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from archive_tui.cli.invocation import Invocation
    from archive_tui.jobs.request import JobPolicy

Command = TypeVar("Command", bound=Callable[..., Any])

_KEPT = "archive_tui.cli.job_options"

NAMES = ("background", "wait", "retries", "bandwidth", "deadline")
"""The parameters, for commands that list their options in groups."""

RULES = ("keep", "keep-both", "replace", "ask")
"""The conflict rules as words; the enumeration is not imported for a help text."""


@dataclass(slots=True)
class JobOptions:
    """What was asked for. `retries` None: none here, in the background those of the settings. `bandwidth` in bytes per
    second, `deadline` in seconds of running; None: no limit. `on_conflict` is one of RULES, where a command takes it.
    """

    background: bool = False
    wait: bool = False
    retries: int | None = None
    bandwidth: int | None = None
    deadline: float | None = None
    on_conflict: str | None = None

    def make_policy(self, invocation: Invocation, conflicts: str | None = None) -> JobPolicy:
        """Returns the policy. `conflicts` is one of RULES; None: what is there is kept when the command runs here, as
        nobody could be asked, and in the background somebody is.

        Raises: ConfigurationError for limits in the settings that cannot be used.
        """
        from archive_tui.conflicts import ConflictRule
        from archive_tui.jobs.limits import JobLimits
        from archive_tui.jobs.request import JobPolicy

        rule = ConflictRule(conflicts) if conflicts else ConflictRule.ASK if self.background else ConflictRule.KEEP
        retries = self.retries
        if retries is None:
            retries = JobLimits.load(invocation.load_settings()).retries if self.background else 0
        return JobPolicy(rule, retries, self.bandwidth, self.deadline)


def current_job_options() -> JobOptions:
    """Returns the options of the command that runs.

    Raises: click.UsageError for `--wait` without `--background`.
    """
    context = click.get_current_context()
    options = _options_of(context)
    if options.wait and not options.background:
        raise click.UsageError("--wait goes with --background: without it the command waits in any case.", context)
    return options


def job_options(command: Command) -> Command:
    """Adds the options; `current_job_options` has what was given."""
    for option in (
        click.option(
            "--deadline", metavar="TIME", expose_value=False, callback=_keep_deadline,
            help="Give up after so long a time of work, like 90m, 8h or 2d.",
        ),
        click.option(
            "--bandwidth", metavar="RATE", expose_value=False, callback=_keep_rate,
            help="At most so many bytes a second, like 20MB/s.",
        ),
        click.option(
            "--retries", metavar="N", type=click.IntRange(0, 1000), expose_value=False, callback=keep_option,
            help="Try again so often when the storage cannot be reached.  [default: 0; in the background 5]",
        ),
        click.option(
            "--wait", is_flag=True, expose_value=False, callback=keep_option,
            help="With --background: show how far it is, until it has ended.",
        ),
        click.option(
            "--background", is_flag=True, expose_value=False, callback=keep_option,
            help="Let a process of its own do it, which goes on when you log out.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def choose_rule(on_conflict: str | None, *, overwrite: bool) -> str | None:
    """Returns the rule for conflicts of a command with `--overwrite`, which is a shorter word for one of them.

    Raises: click.UsageError when both are given, and mean different things.
    """
    if overwrite and on_conflict not in (None, "replace"):
        raise click.UsageError(f"--overwrite replaces, --on-conflict {on_conflict} does not: which is meant?")
    return "replace" if overwrite else on_conflict


def _options_of(ctx: click.Context) -> JobOptions:
    options: JobOptions = ctx.meta.setdefault(_KEPT, JobOptions())
    return options


def keep_option(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    """The callback of an option that belongs to JobOptions."""
    assert parameter.name is not None
    setattr(_options_of(ctx), parameter.name, value)


def _keep_rate(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    from archive_tui.names.typed_quantities import parse_rate

    _keep_parsed(ctx, parameter, value, parse_rate)


def _keep_deadline(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    from archive_tui.names.typed_quantities import parse_duration

    _keep_parsed(ctx, parameter, value, parse_duration)


def _keep_parsed(
    ctx: click.Context, parameter: click.Parameter, value: str | None, parse: Callable[[str], float]
) -> None:
    try:
        keep_option(ctx, parameter, None if value is None else parse(value))
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, parameter) from error
