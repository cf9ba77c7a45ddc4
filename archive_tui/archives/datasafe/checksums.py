"""Checksums as the manifests of datasafes hold them, under the name that users' programs know."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from archive_tui.archives.datasafe.manifest_check import digest_of_list
from archive_tui.errors import NoFileError
from archive_tui.integrity.streams import read_chunks


class Generator:
    """`algorithm` is any that hashlib knows by name."""

    def __init__(self, algorithm: str = "md5") -> None:
        self.algorithm = algorithm

    def hash_string(self, string: str = "") -> str:
        """The digest of a text as UTF-8, in hexadecimal digits."""
        return hashlib.new(self.algorithm, string.encode(), usedforsecurity=False).hexdigest()

    def hash_strings(self, list_of_strings: Iterable[str] = ()) -> str:
        """The digest of some texts, whatever their order: their digests, sorted and joined, hashed once more."""
        return digest_of_list((self.hash_string(string) for string in list_of_strings), self.algorithm)

    def generate(self, filenames: str | Sequence[str] | None = None) -> str:
        """The digest of one file by its name, or of a list of files, whatever their order and names.

        Raises: NoFileError for a file that is not there.
        """
        if isinstance(filenames, str):
            return self._hash_file(filenames)
        return digest_of_list((self._hash_file(name) for name in filenames or ()), self.algorithm)

    def _hash_file(self, name: str) -> str:
        digest = hashlib.new(self.algorithm, usedforsecurity=False)
        try:
            with Path(name).open("rb") as file:
                for chunk in read_chunks(file):
                    digest.update(chunk)
        except FileNotFoundError as error:
            raise NoFileError(f"File does not exist: {name}", key=name) from error
        return digest.hexdigest()
