"""`archive-tui safe adopt`."""

from __future__ import annotations

from pathlib import Path

import click

from archive_tui.cli.diagnostics import ExitStatus
from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.output import show_name, write_json, write_line
from archive_tui.cli.running import run_operation
from archive_tui.cli.verdicts import describe_finding
from archive_tui.names.quantities import format_count


@click.command()
@click.argument("folder", metavar="DIR")
@click.option("--issuer", metavar="NUMBER", help="Whose datasets these are.  [default: as the manifests say]")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@common_options
def adopt(folder: str, issuer: str | None, dry_run: bool) -> int:
    """Take over the folder DIR of an existing datasafe where it lies.

    Every dataset is read and compared with its manifest. Those that fit get one hidden file beside theirs, in which the
    SHA-256 of each file is written down; nothing else is changed. Those that do not fit are listed and left alone.

    Exit status: 0 all of them fit, 1 some do not.
    """
    from archive_tui.archives.datasafe.adopting import adopt_folder

    invocation = current_invocation()
    done = run_operation(
        invocation,
        lambda report, stop: adopt_folder(Path(folder), issuer=issuer, dry_run=dry_run, report=report, stop=stop),
    )
    status = ExitStatus.FINDINGS if done.findings else ExitStatus.CLEAN
    findings = [{"kind": str(each.kind), "path": each.path, "detail": each.detail} for each in done.findings]
    if invocation.as_json:
        write_json(
            {
                "folder": str(done.root),
                "issuer": done.issuer,
                "adopted": list(done.adopted),
                "already": done.already,
                "reserved": done.reserved,
                "findings": findings,
                "dry_run": dry_run,
                "status": int(status),
            }
        )
        return status
    for finding in done.findings:
        write_line(describe_finding(finding))
    verb = "Would adopt" if dry_run else "Adopted"
    counts = f"{done.already:,} adopted before, {done.reserved:,} reserved without data"
    write_line(f"{verb} {format_count(len(done.adopted), 'dataset')} of issuer {show_name(done.issuer)}; {counts}.")
    return status
