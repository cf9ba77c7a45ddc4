"""Which datasafe a command means: one in a storage of the settings, in a folder, or behind an address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from archive_tui.names.plain_addresses import find_plain_host, warn_of_plain_token

if TYPE_CHECKING:
    from archive_tui.archives.datasafe.safe import Safe
    from archive_tui.cli.invocation import Invocation
    from archive_tui.jobs.places import Place

Command = TypeVar("Command", bound=Callable[..., Any])

_KEPT = "archive_tui.cli.safe_options"


@dataclass(slots=True)
class SafeOptions:
    """At most one of `storage`, `root` and `url`; none: the datasafe that the settings name."""

    storage: str | None = None
    root: str | None = None
    url: str | None = None
    token_file: str | None = None

    def open(self, invocation: Invocation, *, create: bool = False) -> Safe:
        """Opens the datasafe; nobody is contacted. `create`: a folder that is not there is made.

        Raises: ConfigurationError when the settings name none, and for what cannot be opened.
        """
        from pathlib import Path

        from archive_tui.archives.datasafe.opening import open_folder_safe
        from archive_tui.archives.datasafe.safes import open_safe, read_token

        self._check(invocation)
        if self.root is not None:
            return open_folder_safe(Path(self.root), create=create)
        token = None if self.token_file is None else read_token(Path(self.token_file))
        return open_safe(invocation.load_settings(), storage=self.storage, url=self.url, token=token)

    def place(self, invocation: Invocation) -> Place:
        """Describes the datasafe for a job. Raises: ConfigurationError."""
        from pathlib import Path

        from archive_tui.archives.datasafe.safes import usual_storage
        from archive_tui.jobs.safe_places import address_safe_place, folder_safe_place, storage_safe_place

        self._check(invocation)
        if self.root is not None:
            return folder_safe_place(Path(self.root))
        if self.url is not None:
            return address_safe_place(self.url, None if self.token_file is None else Path(self.token_file))
        settings = invocation.load_settings()
        storage = invocation.open_storage(self.storage or usual_storage(settings))
        with storage.store:
            return storage_safe_place(storage, settings)

    def _check(self, invocation: Invocation) -> None:
        chosen = [word for word in (self.storage, self.root, self.url) if word is not None]
        if len(chosen) > 1:
            raise click.UsageError("One datasafe at a time: --storage, --root or --url.")
        if self.token_file is not None and self.url is None:
            raise click.UsageError("--token-file goes with --url; a storage has its token in the settings.")
        host = find_plain_host(self.url) if self.url is not None and self.token_file is not None else None
        if host is not None:
            invocation.note(warn_of_plain_token(host))


def current_safe_options() -> SafeOptions:
    """Returns the options of the command that runs."""
    options: SafeOptions = click.get_current_context().meta.setdefault(_KEPT, SafeOptions())
    return options


def _keep(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None and parameter.name is not None:
        setattr(ctx.meta.setdefault(_KEPT, SafeOptions()), parameter.name, value)


def safe_options(command: Command) -> Command:
    """Adds the options that say which datasafe is meant."""
    for option in (
        click.option(
            "--token-file", metavar="FILE", expose_value=False, callback=_keep, help="The token for --url is in FILE."
        ),
        click.option("--url", metavar="URL", expose_value=False, callback=_keep, help="A datasafe over HTTP."),
        click.option("--root", metavar="DIR", expose_value=False, callback=_keep, help="A datasafe in a folder."),
        click.option(
            "--storage",
            metavar="NAME",
            expose_value=False,
            callback=_keep,
            help="The datasafe in a storage of the settings.  [default: the one that [archive-tui] datasafe names]",
        ),
    ):
        command = option(command)
    return command
