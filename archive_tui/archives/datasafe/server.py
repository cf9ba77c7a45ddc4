"""The datasafe in this process, under the name that users' programs know."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO

from archive_tui.archives.datasafe.archive_file import open_archive_file
from archive_tui.archives.datasafe.opening import open_folder_safe
from archive_tui.archives.datasafe.safe import Safe, StoredArchive
from archive_tui.archives.datasafe.storage_backend import Content, StorageBackend, pieces_of
from archive_tui.errors import MissingLoiError
from archive_tui.integrity.streams import Chunk, read_chunks
from archive_tui.names.loi import Parser


class Server:
    """A datasafe in the folder `storage.root_directory`, `datasafe_root` in the current one by default; with `safe`
    that one, wherever it lies, and `storage` is not used. `loi` parses the LOI of the last call."""

    def __init__(self, safe: Safe | None = None) -> None:
        self.storage = StorageBackend()
        self.loi = Parser()
        self.safe = safe

    def new(self, loi: str = "") -> str:
        """Reserves the next number for a measurement and returns its LOI.

        Raises: MissingLoiError, InvalidLoiError.
        """
        self._parse(loi)
        return self._safe().reserve(loi)

    def upload(self, loi: str = "", content: Content | None = None) -> dict[str, bool]:
        """Deposits the zip archive `content` (bytes, a file, or pieces); returns what the check said.

        Raises: MissingLoiError, InvalidLoiError, LoiNotFoundError, ExistingFileError, MissingContentError;
        HostileArchive, ManifestError; IntegrityError when it does not fit its manifest: nothing is kept then.
        """
        self._parse(loi)
        receipt = self._safe().deposit(loi, _lazily(content))
        return {"data": receipt.data_is_right, "all": receipt.all_is_right}

    def download(self, loi: str = "") -> bytes:
        """Returns the dataset as a zip archive. For large ones there are `stream` and `open`.

        Raises: MissingLoiError, InvalidLoiError, LoiNotFoundError, MissingContentError.
        """
        return b"".join(self.stream(loi))

    def stream(self, loi: str = "") -> Iterator[bytes]:
        """Returns the dataset as a zip archive in pieces. Raises: as `download`, before the first piece."""
        archive = self._archive(loi)
        return _read(archive)

    def open(self, loi: str = "") -> IO[bytes]:
        """Returns the dataset as a zip archive that is read once, like a file. Raises: as `download`."""
        return open_archive_file(self._archive(loi))

    def update(self, loi: str = "", content: Content | None = None) -> dict[str, bool]:
        """Replaces a dataset; the old one is there until the new one is proven, and stays as an old version.

        Raises: as `upload`; NoFileError when nothing was deposited yet.
        """
        self._parse(loi)
        receipt = self._safe().update(loi, _lazily(content))
        return {"data": receipt.data_is_right, "all": receipt.all_is_right}

    def _parse(self, loi: str) -> None:
        if not loi:
            raise MissingLoiError("No LOI provided.")
        self.loi.parse(loi)

    def _archive(self, loi: str) -> StoredArchive:
        self._parse(loi)
        return self._safe().archive(loi)

    def _safe(self) -> Safe:
        return self.safe or open_folder_safe(Path(self.storage.root_directory), create=True)


def _lazily(content: Content | None) -> Iterator[Chunk]:
    """That there is no content is said after what is said of the LOI."""
    yield from pieces_of(content)


def _read(archive: StoredArchive) -> Iterator[bytes]:
    with archive.store.open(archive.key) as reader:
        yield from read_chunks(reader)
