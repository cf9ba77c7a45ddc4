"""Which results store a command means: one in a folder, or in a storage of the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from archive_tui.archives.results_store.results_store import ResultsStore
    from archive_tui.cli.invocation import Invocation
    from archive_tui.jobs.places import Place

Command = TypeVar("Command", bound=Callable[..., Any])

_KEPT = "archive_tui.cli.results_options"


@dataclass(slots=True)
class ResultsOptions:
    """At most one of `root` and `storage`; none: the current folder."""

    root: str | None = None
    storage: str | None = None

    @property
    def folder(self) -> str | None:
        """The folder that is meant; None: it is a storage. Raises: UsageError when both are named."""
        if self.root is not None and self.storage is not None:
            raise click.UsageError("One results store at a time: --root or --storage.")
        return None if self.storage is not None else self.root or "."

    def open(self, invocation: Invocation) -> ResultsStore:
        """Raises: NotAStoreError, ConfigurationError; what the store raises."""
        from pathlib import Path

        from archive_tui.archives.results_store.opening import open_results_folder
        from archive_tui.archives.results_store.places import open_storage_results

        if self.folder is not None:
            return open_results_folder(Path(self.folder))
        assert self.storage is not None
        return open_storage_results(invocation.load_settings(), self.storage)

    def place(self, invocation: Invocation) -> Place:
        """Describes the results store for a job. Raises: ConfigurationError."""
        from pathlib import Path

        from archive_tui.jobs.results_places import folder_results_place, storage_results_place

        if self.folder is not None:
            return folder_results_place(Path(self.folder))
        assert self.storage is not None
        storage = invocation.open_storage(self.storage)
        with storage.store:
            return storage_results_place(storage, invocation.load_settings())


def current_results_options() -> ResultsOptions:
    """Returns the options of the command that runs."""
    options: ResultsOptions = click.get_current_context().meta.setdefault(_KEPT, ResultsOptions())
    return options


def _keep(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None and parameter.name is not None:
        setattr(ctx.meta.setdefault(_KEPT, ResultsOptions()), parameter.name, value)


def results_options(command: Command) -> Command:
    """Adds the options that say which results store is meant."""
    for option in (
        click.option(
            "--storage",
            metavar="NAME",
            expose_value=False,
            callback=_keep,
            help="The results store in a storage of the settings.",
        ),
        click.option(
            "--root",
            metavar="DIR",
            expose_value=False,
            callback=_keep,
            help="The results store in a folder.  [default: the current one]",
        ),
    ):
        command = option(command)
    return command
