"""Writes docs/command-line.md from the program's own help: python -m tests.architecture.command_line_page."""

from __future__ import annotations

import click

from archive_tui.cli.root import root
from tests.architecture.sources import ROOT

WIDTH = 100

HEAD = """# Command line

This page is written by the program itself: it is what `--help` prints.

`--settings FILE`, `--json` and `--quiet` mean the same before and after a command's name. With `--json`, standard
output is exactly one JSON document; progress and notes go to standard error. Exit statuses:
[exit-codes.md](exit-codes.md).
"""


def format_page() -> str:
    """The page as it should be."""
    sections = [HEAD, _section("archive-tui", root, None)]
    context = click.Context(root, info_name="archive-tui", max_content_width=WIDTH, terminal_width=WIDTH)
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        assert command is not None
        sections.append(_section(f"archive-tui {name}", command, context, name))
        if isinstance(command, click.Group):
            below = click.Context(command, info_name=name, parent=context, terminal_width=WIDTH)
            for second in command.list_commands(below):
                loaded = command.get_command(below, second)
                assert loaded is not None
                sections.append(_section(f"archive-tui {name} {second}", loaded, below, second))
    return "\n".join(sections)


def _section(title: str, command: click.Command, parent: click.Context | None, name: str = "archive-tui") -> str:
    context = click.Context(
        command, info_name=name, parent=parent, terminal_width=WIDTH, help_option_names=["-h", "--help"]
    )
    return f"## {title}\n\n```\n{command.get_help(context).strip()}\n```\n"


if __name__ == "__main__":
    (ROOT / "docs" / "command-line.md").write_text(format_page(), encoding="utf-8")
