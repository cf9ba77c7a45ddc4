"""The command lines that screens show and copy must be taken by the command line."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
import pytest

from archive_tui.archives.datasets.publishing import DatasetDetails, PublishRequest, plan_publish
from archive_tui.cli.dataset_publish import fetch_command
from archive_tui.cli.invocation import Invocation
from archive_tui.cli.root import root
from archive_tui.jobs import commands
from archive_tui.objects.memory import MemoryStore
from tests.cli.conftest import Run


def parse(command_line: str) -> dict[str, object]:
    """Parses as a shell and the program would; returns what the command would be given."""
    program, *words = shlex.split(command_line)
    assert program == "archive-tui"
    command: click.Command = root
    context = click.Context(root, obj=Invocation())
    while isinstance(command, click.Group):
        found = command.get_command(context, words.pop(0))
        assert found is not None, command_line
        command = found
    return dict(command.make_context("test", words, obj=Invocation()).params)


ODD = "it's a name with $HOME; --and `more`"


def test_fetch() -> None:
    parsed = parse(commands.fetch_command("lab", ODD, "1.2.3", Path("/to/the dir"), overwrite=True))
    assert parsed == {"storage": "lab", "name": ODD, "version": "1.2.3", "into": "/to/the dir", "overwrite": True}
    assert parse(fetch_command("lab", ODD, "1.2.3"))["name"] == ODD


def test_verify() -> None:
    assert parse(commands.verify_version_command("lab", ODD, "1.2.3")) == {
        "storage": "lab",
        "name": ODD,
        "version": "1.2.3",
    }
    assert parse(commands.verify_folder_command(Path("/a b"))) == {"folder": "/a b"}


def test_storage_test() -> None:
    assert parse(commands.storage_test_command("lab")) == {"name": "lab"}


@pytest.mark.parametrize("on_conflict", ["fail", "next"])
def test_publish_with_everything(workplace: Path, on_conflict: str) -> None:
    details = DatasetDetails("A title", "It's described", "CC0-1.0", ("A B", "C"), ("k 1", "k2"))
    request = PublishRequest("winds", Path("work/winds"), "minor", details, 5, True, on_conflict, True)
    parsed = parse(commands.publish_command("lab", plan_publish(MemoryStore(), request)))
    assert parsed["version"] == "0.1.0"
    assert parsed["title"] == "A title"
    assert parsed["creators"] == ("A B", "C")
    assert parsed["keywords"] == ("k 1", "k2")
    assert (parsed["compression_level"], parsed["follow_symlinks"], parsed["allow_identical"]) == (5, True, True)


def test_the_command_of_a_receipt_works(run: Run) -> None:
    receipt = run("dataset", "publish", "lab", "winds").out
    command = next(line for line in receipt.splitlines() if line.strip().startswith("fetch")).split(maxsplit=1)[1]
    assert run(*shlex.split(command)[1:]).status == 0
