"""Entry of `archive-tui` and `python -m archive_tui`: the one place that sees both faces."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archive_tui.settings import Settings


def open_panes(left: str | None, right: str | None, settings: Settings) -> None:
    """Opens the two panes. Textual is imported here and not before, so that commands never pay for it."""
    from archive_tui.tui.app import run_panes

    run_panes(left, right, settings)


def main() -> None:
    """Runs the command line of this process and leaves with its exit status."""
    from archive_tui.cli.entry import run_command_line

    sys.exit(run_command_line(sys.argv[1:], open_panes=open_panes))


if __name__ == "__main__":
    main()
