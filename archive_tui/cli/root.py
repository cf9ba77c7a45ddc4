"""The main command: a word that is a command is one; anything else names what the panes show."""

from __future__ import annotations

import click

from archive_tui.cli.invocation import common_options
from archive_tui.cli.lazy_group import LazyCommand, LazyGroup

COMMANDS = {
    "dataset": LazyCommand("archive_tui.cli.dataset:dataset", "Publish, list, compare, fetch and verify datasets."),
    "manifest": LazyCommand(
        "archive_tui.cli.manifest:manifest", "Checksum manifests: create, check; ask the vault, archive, fetch."
    ),
    "vault": LazyCommand("archive_tui.cli.vault:vault", "Delete from a vault what no manifest refers to."),
    "safe": LazyCommand("archive_tui.cli.safe:safe", "Measurements under LOIs: reserve, deposit, retrieve, verify."),
    "store": LazyCommand(
        "archive_tui.cli.results:store", "Results stores: check files in once, verify at each check-out."
    ),
    "workspace": LazyCommand("archive_tui.cli.workspace:workspace", "Files of a workspace, through its broker."),
    "serve": LazyCommand("archive_tui.cli.serve:serve", "Serve a datasafe over HTTP."),
    "verify": LazyCommand("archive_tui.cli.verify:verify", "Verify a folder against the manifest in it."),
    "ls": LazyCommand("archive_tui.cli.ls:ls", "List what a storage or a folder holds."),
    "copy": LazyCommand("archive_tui.cli.copy:copy", "Copy objects and files between storages and folders."),
    "move": LazyCommand("archive_tui.cli.move:move", "Move objects and files; proven before they are deleted."),
    "rename": LazyCommand("archive_tui.cli.rename:rename", "Rename one, or many by a pattern."),
    "mkdir": LazyCommand("archive_tui.cli.mkdir:mkdir", "Make an empty folder."),
    "delete": LazyCommand("archive_tui.cli.delete:delete", "Delete objects and files, after a count."),
    "jobs": LazyCommand("archive_tui.cli.jobs:jobs", "List, watch, pause, resume and run what takes long."),
    "storage": LazyCommand("archive_tui.cli.storage:storage", "List the configured storages, or test one."),
    "demo": LazyCommand("archive_tui.cli.demo:demo", "Try everything on sample data, without settings."),
}
PANES = LazyCommand("archive_tui.cli.panes:panes", "Open the two panes.")


class RootGroup(LazyGroup):
    """Runs a command, or opens the panes when the first word is none."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] in self.lazy_commands:
            return super().resolve_command(ctx, args)
        return "panes", PANES.load(), args

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        if not ctx._protected_args and not ctx.resilient_parsing:
            ctx._protected_args = ["--"]  # no word at all: the panes with their defaults
        return rest


def _print_version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from archive_tui import __version__
        from archive_tui.cli.output import write_line

        write_line(f"archive-tui {__version__}")
        ctx.exit(0)


@click.group(
    cls=RootGroup,
    lazy_commands=COMMANDS,
    subcommand_metavar="[LEFT [RIGHT]] | COMMAND ...",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 clean, 1 findings or failure, 2 usage or settings, 3 inconclusive, 130 stopped.",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
@common_options
def root() -> None:
    """Keep research data safe: publish, browse, verify and fetch versioned datasets.

    Without a command it opens two panes. LEFT and RIGHT are folders or STORAGE[:PREFIX]; a word that names a
    command is that command, then a storage, then a folder (write ./demo for a folder called demo).
    """
