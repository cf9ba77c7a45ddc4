"""What one call of the program was asked for besides its command: settings, form of the output, quiet or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from archive_tui.cli.diagnostics import report_note

if TYPE_CHECKING:
    from pathlib import Path

    from archive_tui.archives.storages import Storage
    from archive_tui.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])
OpenPanes = Callable[[str | None, str | None, "Settings"], None]


def _no_panes(left: str | None, right: str | None, settings: Settings) -> None:
    raise RuntimeError("this invocation was made without panes")


class Invocation:
    """`settings_path` None: looked for in the usual places. `is_judging`: the command was asked whether data are whole,
    so that an error which says nothing about them is inconclusive."""

    # No dataclass and no pathlib here: what this module imports is paid for by `--help`.

    def __init__(self, *, open_panes: OpenPanes = _no_panes, as_json: bool = False) -> None:
        self.settings_path: Path | None = None
        self.as_json = as_json
        self.quiet = False
        self.is_judging = False
        self.open_panes = open_panes
        self._settings: Settings | None = None
        self._noted: set[str] = set()

    def load_settings(self) -> Settings:
        """Returns the settings of this call, read once; what they are to be remarked on becomes notes."""
        if self._settings is None:
            from archive_tui.settings import load_settings

            self._settings = load_settings(self.settings_path)
            for remark in self._settings.remarks:
                self.note(remark)
        return self._settings

    def note(self, text: str) -> None:
        """Tells the user something that is no failure, once, unless asked to be quiet."""
        if not self.quiet and text not in self._noted:
            self._noted.add(text)
            report_note(text)

    def open_storage(self, name: str) -> Storage:
        """Opens a section of the settings, or `local`."""
        from archive_tui.archives.storages import open_storage

        return open_storage(self.load_settings(), name)


def current_invocation() -> Invocation:
    """Returns the invocation of the command that runs."""
    invocation = click.get_current_context().find_object(Invocation)
    assert invocation is not None
    return invocation


def _set_json(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(Invocation).as_json = True


def _set_quiet(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(Invocation).quiet = True


def _set_settings(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        from pathlib import Path

        ctx.ensure_object(Invocation).settings_path = Path(value)


def common_options(command: Command) -> Command:
    """Adds `--settings`, `--json` and `--quiet`; they mean the same before and after the command's name."""
    for option in (
        click.option(
            "--quiet", "-q", is_flag=True, expose_value=False, callback=_set_quiet, help="No progress, no notes."
        ),
        click.option("--json", is_flag=True, expose_value=False, callback=_set_json, help="Print one JSON document."),
        click.option(
            "--settings",
            metavar="FILE",
            expose_value=False,
            callback=_set_settings,
            help="Read the settings from FILE.",
        ),
    ):
        command = option(command)
    return command
