"""`archive-tui manifest`: its options, and which of them belong to which action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from archive_tui.cli.grouped_command import GroupedCommand, given_parameters
from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.job_options import NAMES as JOB_OPTIONS
from archive_tui.cli.job_options import RULES, choose_rule, current_job_options, job_options, keep_option
from archive_tui.cli.manifest_request import ManifestRequest

if TYPE_CHECKING:
    from archive_tui.manifests.checksum_lines.line import Dialect

FORMATS = ("quoted", "sha256sum", "bsd", "json", "csv")
"""The names of the dialects; the enumeration is not imported for a help text."""

ACTIONS = ("create", "check", "vault", "archive", "fetch")

_IN_BACKGROUND = frozenset({"background", "wait"})

OF_ACTION = {
    "create": frozenset({"folders", "recursive", "manifest", "dialect"}) | _IN_BACKGROUND,
    "check": frozenset(
        {"manifest", "dialect", "root", "status", "warn", "strict", "ignore_missing", "extra", "folders"}
    )
    | _IN_BACKGROUND,
    "vault": frozenset({"manifest", "dialect", "storage", "read", *JOB_OPTIONS}),
    "archive": frozenset({"manifest", "dialect", "root", "storage", "path", "upload_all", *JOB_OPTIONS}),
    "fetch": frozenset({"manifest", "dialect", "root", "storage", "overwrite", "on_conflict", *JOB_OPTIONS}),
}
"""Parameters that mean something to each action, besides those that all of them have."""

OF_EVERY_ACTION = frozenset({*ACTIONS, "files", "json", "settings", "quiet", "help"})

GIVEN_ONCE = ("manifest", "dialect", "storage", "path", "root")
"""Of these the last one would count, and what was meant by the others would be left undone without a word."""

LOUDNESS = ("quiet", "status", "warn")
"""Of these the last one given counts, as with sha256sum."""

GROUPS = {
    "Actions (exactly one)": ACTIONS,
    "For every action": ("manifest", "dialect"),
    "For --create": ("folders", "recursive"),
    "For --check": ("status", "warn", "strict", "ignore_missing", "extra"),
    "For --vault, --archive and --fetch": ("storage", "read", "path", "upload_all", "overwrite", "on_conflict"),
    "For --check, --archive and --fetch": ("root",),
    "As a job, which can be continued": JOB_OPTIONS,
}


@dataclass(frozen=True, slots=True)
class _Words:
    """What was given besides the action."""

    files: tuple[str, ...]
    manifest: str | None
    dialect: str | None
    folders: tuple[str, ...]
    recursive: bool
    status: bool
    warn: bool
    strict: bool
    ignore_missing: bool
    extra: bool
    storage: str | None
    read: bool
    path: str | None
    upload_all: bool
    overwrite: bool
    root: str | None


@click.command(cls=GroupedCommand, groups=GROUPS)
@click.argument("files", nargs=-1, metavar="[FILE or GLOB]...")
@click.option("--create", is_flag=True, help="List the SHA-256 of files: of each FILE, and of what --dir names.")
@click.option("--check", "-c", is_flag=True, help="Hash every listed file and compare, as sha256sum --check does.")
@click.option("--vault", is_flag=True, help="Say for every line whether the vault holds its content.")
@click.option("--archive", is_flag=True, help="Upload what the vault lacks.")
@click.option("--fetch", is_flag=True, help="Write every listed file at its path, verified before it appears.")
@click.option("--manifest", metavar="FILE", help="The manifest: made by --create, read by the others (-: from stdin).")
@click.option(
    "--format",
    "dialect",
    metavar="FORMAT",
    type=click.Choice(FORMATS),
    help="quoted, sha256sum, bsd or json; to read, csv as well.  [default: see above]",
)
@click.option("--dir", "folders", multiple=True, metavar="DIR", help="The files directly in DIR. May be repeated.")
@click.option("--recursive", is_flag=True, help="All files below each DIR.")
@click.option("--status", is_flag=True, help="Print no results; the exit status tells.")
@click.option("--warn", "-w", is_flag=True, help="Name the lines that are improperly formatted.")
@click.option("--strict", is_flag=True, help="Such lines are a failure.")
@click.option("--ignore-missing", is_flag=True, help="Files that are not there are no failure.")
@click.option("--extra", is_flag=True, help="Name files that no line covers, and those that moved. With --dir: there.")
@click.option("--storage", metavar="NAME", help="Where the vault is.  [default: the settings' vault, else local]")
@click.option("--read", is_flag=True, help="--vault: read every object whole.")
@click.option("--path", metavar="PLACE", help="--archive: to s3://BUCKET/PREFIX or STORAGE:PREFIX, under its name.")
@click.option("--all", "upload_all", is_flag=True, help="--archive --path: upload also what the vault has.")
@click.option("--overwrite", is_flag=True, help="--fetch: replace files that have other content.")
@click.option(
    "--on-conflict",
    type=click.Choice(RULES),
    expose_value=False,
    callback=keep_option,
    help="--fetch: where other content lies.  [default: keep; in the background ask]",
)
@click.option("--root", metavar="DIR", help="Where relative names begin.  [default: the current folder]")
@job_options
@common_options
@click.pass_context
def manifest(ctx: click.Context, /, **options: Any) -> int:
    """Make a checksum manifest, check it, archive or fetch what it lists.

    A manifest lists files by SHA-256 and name. A vault holds each content once, under its digest.

    --create writes the format that the settings name, else quoted: names in double quotes. The format of a manifest
    that is read is found out. A GLOB that the shell left alone is expanded.

    Exit status: 0 all good, 1 findings or failure, 2 usage or settings, 3 the vault could not be asked, 130 stopped.
    --check prints what sha256sum prints; --quiet leaves the lines with OK out.
    """
    given = given_parameters(ctx)
    action = _choose_action(ctx, given)
    words = _Words(**{name: value for name, value in options.items() if name not in ACTIONS})
    _refuse_strangers(ctx, action, given)
    _refuse_empty(ctx, words)
    _refuse_repeated(ctx, given)
    if action == "create":
        return _create(ctx, words)
    if words.files:
        raise click.UsageError(f"--{action} takes no FILE; name the manifest with --manifest FILE.", ctx)
    if words.manifest is None:
        raise click.UsageError(f"--{action} needs --manifest FILE.", ctx)
    return _check(ctx, words, given) if action == "check" else _work_with_vault(ctx, action, words)


def _choose_action(ctx: click.Context, given: list[str]) -> str:
    chosen = [action for action in ACTIONS if action in given]
    if len(chosen) == 1:
        return chosen[0]
    names = [f"--{action}" for action in (chosen or ACTIONS)]
    listed = f"{', '.join(names[:-1])} {'and' if chosen else 'or'} {names[-1]}"
    if chosen:
        raise click.UsageError(f"One action at a time; given were {listed}.", ctx)
    raise click.UsageError(f"Say what is to be done: one of {listed}.", ctx)


def _refuse_strangers(ctx: click.Context, action: str, given: list[str]) -> None:
    flags = {parameter.name: parameter.opts[0] for parameter in ctx.command.params}
    strange = [name for name in dict.fromkeys(given) if name not in OF_ACTION[action] | OF_EVERY_ACTION]
    if not strange:
        return
    belongs = [f"--{other}" for other in ACTIONS if strange[0] in OF_ACTION[other]]
    raise click.UsageError(
        f"{flags[strange[0]]} does not go with --{action}; it is an option of {' and '.join(belongs)}.", ctx
    )


def _refuse_empty(ctx: click.Context, words: _Words) -> None:
    """An empty word is mostly a variable of the shell that was never set, and must not stand for the default."""
    for flag, value in (("--storage", words.storage), ("--path", words.path), ("--root", words.root)):
        if value == "":
            raise click.UsageError(f"{flag} needs a value, and was given an empty one.", ctx)
    if "" in words.folders:
        raise click.UsageError("--dir needs a value, and was given an empty one.", ctx)


def _refuse_repeated(ctx: click.Context, given: list[str]) -> None:
    flags = {parameter.name: parameter.opts[0] for parameter in ctx.command.params}
    for name in GIVEN_ONCE:
        if given.count(name) > 1:
            raise click.UsageError(f"{flags[name]} can be given once only; run the command for each.", ctx)


def _create(ctx: click.Context, words: _Words) -> int:
    if words.recursive and not words.folders:
        raise click.UsageError("--recursive needs --dir DIR: it takes all files below it.", ctx)
    if not words.files and not words.folders:
        raise click.UsageError("Nothing to list: name files, patterns, or folders with --dir DIR.", ctx)
    if words.dialect == "csv":
        raise click.UsageError("csv is read, not written. Written are quoted, sha256sum, bsd and json.", ctx)
    if words.manifest == "":
        raise click.UsageError("--manifest needs the name of the file to make.", ctx)
    from archive_tui.cli.manifest_create import CreateRequest, create

    out = None if words.manifest in (None, "-") else words.manifest
    request = CreateRequest(words.files, words.folders, words.recursive, out, _read_dialect(words))
    return create(current_invocation(), request, current_job_options())


def _check(ctx: click.Context, words: _Words, given: list[str]) -> int:
    if words.folders and not words.extra:
        raise click.UsageError("With --check, --dir says where --extra looks; add --extra.", ctx)
    from archive_tui.cli.manifest_check import CheckRequest, check

    assert words.manifest is not None
    invocation = current_invocation()
    loudness = [name for name in given if name in LOUDNESS] or (["quiet"] if invocation.quiet else [])
    request = CheckRequest(
        manifest=words.manifest,
        dialect=_read_dialect(words),
        root=words.root,
        loudness=loudness[-1] if loudness else None,
        strict=words.strict,
        ignore_missing=words.ignore_missing,
        extra=words.extra,
        folders=words.folders,
    )
    return check(invocation, request, current_job_options())


def _work_with_vault(ctx: click.Context, action: str, words: _Words) -> int:
    if words.upload_all and words.path is None:
        raise click.UsageError("--all needs --path: a vault holds each content once.", ctx)
    from archive_tui.cli import manifest_vault

    actions = {
        "vault": manifest_vault.ask_vault,
        "archive": manifest_vault.archive_files,
        "fetch": manifest_vault.fetch_files,
    }
    assert words.manifest is not None
    request = ManifestRequest(
        manifest=words.manifest,
        storage=words.storage,
        path=words.path,
        upload_all=words.upload_all,
        overwrite=words.overwrite,
        root=words.root,
        dialect=_read_dialect(words),
        read=words.read,
    )
    options = current_job_options()
    options.on_conflict = choose_rule(options.on_conflict, overwrite=words.overwrite)
    return actions[action](current_invocation(), request, options)


def _read_dialect(words: _Words) -> Dialect | None:
    from archive_tui.manifests.checksum_lines.line import Dialect

    return None if words.dialect is None else Dialect(words.dialect)
