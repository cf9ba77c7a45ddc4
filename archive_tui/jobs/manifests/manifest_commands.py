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
    folder: Path, files: Sequence[str], folders: Sequence[str], out: str, dialect: Dialect, *, is_recursive: bool = True
) -> str:
    """`files` and `folders` are relative to `folder`; folders are taken with all that lies below them, or without
    `is_recursive` with the files directly in them."""
    words = [*_PROGRAM, "--create"]
    for name in folders:
        words += ["--dir", _not_an_option(name)]
    words += ["--recursive"] if folders and is_recursive else []
    words += ["--manifest", out, "--format", str(dialect)]
    # After `--`, a name that begins with a dash is none of the options.
    return _at(folder, [*words, *(["--", *files] if files else [])])


def check_manifest_command(document: Path, root: Path | None = None, dialect: Dialect | None = None) -> str:
    """`root` None: the names are relative to the folder of the document."""
    root = document.parent if root is None else root
    return _at(root, [*_PROGRAM, "--check", "--manifest", _name_in(document, root), *_dialect_options(dialect)])


def ask_vault_command(
    document: Path, storage_name: str | None, dialect: Dialect | None = None, *, read: bool = False
) -> str:
    words = [*_PROGRAM, "--vault", *_document_options(str(document), storage_name), *_dialect_options(dialect)]
    return quote_words([*words, *(["--read"] if read else [])])


def archive_manifest_command(
    document: Path,
    storage_name: str | None,
    root: Path | None = None,
    dialect: Dialect | None = None,
    *,
    path: str | None = None,
    upload_all: bool = False,
) -> str:
    """`root` as of `check_manifest_command`; `path`: the place to archive to by name, None: the vault."""
    root = document.parent if root is None else root
    words = [*_PROGRAM, "--archive", *_document_options(_name_in(document, root), storage_name)]
    words += _dialect_options(dialect)
    words += ["--path", path] if path is not None else []
    return _at(root, [*words, *(["--all"] if upload_all else [])])


def fetch_manifest_command(
    document: Path, storage_name: str | None, root: Path, dialect: Dialect | None = None, *, overwrite: bool
) -> str:
    words = [*_PROGRAM, "--fetch", *_document_options(str(document), storage_name), "--root", str(root)]
    return quote_words([*words, *_dialect_options(dialect), *(["--overwrite"] if overwrite else [])])


def quote_words(words: Iterable[str]) -> str:
    """Quotes for a shell; control characters and bytes that are no UTF-8 as `$'…'`, so that every line can be shown."""
    return " ".join(shlex.quote(word) if word.isprintable() else quote_name(word) for word in words)


def _document_options(name: str, storage_name: str | None) -> list[str]:
    return ["--manifest", name, *(["--storage", storage_name] if storage_name is not None else [])]


def _at(folder: Path, words: Sequence[str]) -> str:
    return f"{quote_words(('cd', str(folder)))} && {quote_words(words)}"


def _dialect_options(dialect: Dialect | None) -> list[str]:
    return ["--format", str(dialect)] if dialect is not None else []


def _name_in(document: Path, root: Path) -> str:
    return _not_an_option(document.name) if document.parent == root else str(document)


def _not_an_option(name: str) -> str:
    return f"./{name}" if name.startswith("-") else name
