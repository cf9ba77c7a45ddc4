"""`archive-tui workspace validate` and `list`: what a document says, and what lies there."""

from __future__ import annotations

from pathlib import Path

import click

from archive_tui.cli.diagnostics import ExitStatus
from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.output import show_name, write_json, write_line, write_table
from archive_tui.names.quantities import format_size


@click.command()
@click.argument("document", type=click.Path(path_type=Path))
@click.option("--previous", metavar="FILE", type=click.Path(path_type=Path), help="What the workspace has been so far.")
@common_options
def validate(document: Path, previous: Path | None) -> int:
    """Check DOCUMENT, and show it with its secrets masked. S3 and Azure are asked for their bucket once.

    Exit status: 0 it can be used, 1 it can, with warnings, 2 it cannot.
    """
    from archive_tui.archives.brokers.workspace import describe_workspace, read_workspace, validate_workspace

    invocation, found = current_invocation(), read_workspace(document)
    warnings = validate_workspace(found, None if previous is None else read_workspace(previous))
    status = ExitStatus.FINDINGS if warnings else ExitStatus.CLEAN
    if invocation.as_json:
        write_json(
            {
                "workspace": describe_workspace(found),
                "warnings": [{"name": each.name, "description": each.description} for each in warnings],
                "status": int(status),
            }
        )
        return status
    for key, value in describe_workspace(found).get("broker", {}).items():
        write_line(f"{show_name(str(key)):<12} {show_name(str(value))}")
    for each in warnings:
        write_line(f"warning: {show_name(each.name)}: {show_name(each.description)}")
    write_line("It can be used." if not warnings else "It can be used, with warnings.")
    return status


@click.command(name="list")
@click.argument("document", type=click.Path(path_type=Path))
@click.argument("prefix", default="")
@click.option("--recursive", is_flag=True, help="Also what lies in folders below.")
@click.option("--mount", metavar="DIR", help="Where the volume is mounted.")
@common_options
def list_(document: Path, prefix: str, recursive: bool, mount: str | None) -> int:
    """List the files of the workspace below PREFIX (all by default), with their whole names and sizes."""
    from archive_tui.archives.brokers.workspace import load_workspace

    invocation = current_invocation()
    begin = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
    listed = load_workspace(document).broker.list_files(mount, recursive, prefix=prefix)
    found = sorted((begin + each.file, each.size) for each in listed)
    if invocation.as_json:
        write_json({"files": [{"file": file, "size": size} for file, size in found]})
        return ExitStatus.CLEAN
    if not found:
        invocation.note("No files lie there.")
        return ExitStatus.CLEAN
    rows = [(show_name(file), format_size(size)) for file, size in found]
    write_table([("file", "size"), *rows], right=frozenset({1}))
    return ExitStatus.CLEAN
