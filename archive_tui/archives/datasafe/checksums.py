"""Checksums as the manifests of datasafes hold them, under the name that users' programs know."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from archive_tui.archives.datasafe.folder_places import list_files
from archive_tui.errors import ConfigurationError, NoFileError
from archive_tui.integrity.streams import RunningDigest, read_chunks


class Generator:
    """`algorithm` is any that hashlib knows by name and that has one length of digest."""

    def __init__(self, algorithm: str = "md5") -> None:
        self.algorithm = algorithm

    def hash_string(self, string: str = "") -> str:
        """The digest of a text as UTF-8, in hexadecimal digits. Raises: ConfigurationError."""
        digest = self._start()
        digest.update(string.encode())
        return digest.hexdigest()

    def hash_strings(self, list_of_strings: Iterable[str] | None = None) -> str:
        """The digest of some texts, whatever their order: sorted, joined without separator. Raises:
        ConfigurationError."""
        return self.hash_string("".join(sorted(list_of_strings or ())))

    def generate(self, filenames: str | Sequence[str] | None = None) -> str:
        """The digest of one file, empty for a folder; of a list of files, whatever their order and names, the digest of
        their digests. A folder in the list stands for all files below it.

        Raises: NoFileError for a file that is not there; ConfigurationError for an algorithm that nobody knows.
        """
        if isinstance(filenames, str):
            return "" if Path(filenames).is_dir() else self._hash_file(Path(filenames))
        paths = (path for name in filenames or () for path in _files_of(Path(name)))
        return self.hash_strings(self._hash_file(path) for path in paths)

    def _hash_file(self, path: Path) -> str:
        digest = self._start()
        try:
            with path.open("rb", buffering=0) as file:
                for chunk in read_chunks(file):
                    digest.update(chunk)
        except FileNotFoundError as error:
            raise NoFileError(f"File does not exist: {path}", key=str(path)) from error
        return digest.hexdigest()

    def _start(self) -> RunningDigest:
        name = self.algorithm
        if name not in hashlib.algorithms_available or name.startswith("shake"):
            raise ConfigurationError(f"No algorithm for checksums: {name}", hint="md5 and sha256 are.")
        return hashlib.new(name, usedforsecurity=False)


def _files_of(path: Path) -> list[Path]:
    return [path / name for name, _ in list_files(path)] if path.is_dir() else [path]
