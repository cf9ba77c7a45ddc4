"""The command lines over manifests and the vault, ready to be pasted into a shell that knows `$'…'`. Pure.

Names in a manifest are relative to the current folder: a line begins by going there.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from archive_tui.manifests.checksum_lines.line import Dialect
from archive_tui.names.shell_quoting import quote_name

_PROGRAM = ("archive-tui", "manifest")


def create_manifest_command(
    folder: Path, files: Sequence[str], folders: Sequence[str], out: str, dialect: Dialect
) -> str:
    """`files` and `folders` are relative to `folder`; folders are taken with all that lies below them."""
    words = [*_PROGRAM, "--create"]
    for name in folders:
        words += ["--dir", _not_an_option(name)]
    words += ["--recursive"] if folders else []
    words += ["--manifest", out, "--format", str(dialect)]
    # After `--`, a name that begins with a dash is none of the options.
    return _at(folder, [*words, *(["--", *files] if files else [])])


def check_manifest_command(document: Path) -> str:
    return _at(document.parent, [*_PROGRAM, "--check", "--manifest", _not_an_option(document.name)])


def ask_vault_command(document: Path, storage_name: str | None) -> str:
    return _with_document("--vault", document, storage_name)


def archive_manifest_command(document: Path, storage_name: str | None) -> str:
    return _at(
        document.parent, [*_PROGRAM, "--archive", *_document_options(_not_an_option(document.name), storage_name)]
    )


def fetch_manifest_command(document: Path, storage_name: str | None, root: Path, *, overwrite: bool) -> str:
    words = [*_PROGRAM, "--fetch", *_document_options(str(document), storage_name), "--root", str(root)]
    return quote_words([*words, *(["--overwrite"] if overwrite else [])])


def quote_words(words: Iterable[str]) -> str:
    """Quotes for a shell; control characters and bytes that are no UTF-8 as `$'…'`, so that every line can be shown."""
    return " ".join(shlex.quote(word) if word.isprintable() else quote_name(word) for word in words)


def _with_document(action: str, document: Path, storage_name: str | None) -> str:
    return quote_words([*_PROGRAM, action, *_document_options(str(document), storage_name)])


def _document_options(name: str, storage_name: str | None) -> list[str]:
    return ["--manifest", name, *(["--storage", storage_name] if storage_name is not None else [])]


def _at(folder: Path, words: Sequence[str]) -> str:
    return f"{quote_words(('cd', str(folder)))} && {quote_words(words)}"


def _not_an_option(name: str) -> str:
    return f"./{name}" if name.startswith("-") else name
