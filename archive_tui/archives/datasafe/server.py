"""The datasafe in this process, under the names that users' programs know."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from archive_tui.archives.datasafe.opening import open_folder_safe
from archive_tui.archives.datasafe.safe import Safe
from archive_tui.archives.datasafe.storage_backend import Content, StorageBackend, pieces_of
from archive_tui.errors import MissingLoiError
from archive_tui.integrity.streams import read_chunks
from archive_tui.names.loi import Parser


class Server:
    """A datasafe in the folder `storage.root_directory`, `datasafe_root` in the current one by default. `loi` parses
    the LOI of the last call."""

    def __init__(self) -> None:
        self.storage = StorageBackend()
        self.loi = Parser()

    def new(self, loi: str = "") -> str:
        """Reserves the next number for a measurement and returns its LOI.

        Raises: MissingLoiError, InvalidLoiError.
        """
        self._parse(loi)
        return self._safe().reserve(loi)

    def upload(self, loi: str = "", content: Content | None = None) -> dict[str, bool]:
        """Deposits the zip archive `content` (bytes, a file, or pieces); returns what the integrity check said.

        Raises: MissingLoiError, InvalidLoiError, LoiNotFoundError, ExistingFileError, MissingContentError;
        IntegrityError when it does not fit its manifest: nothing is kept then.
        """
        self._parse(loi)
        receipt = self._safe().deposit(loi, _lazily(content))
        return {"data": receipt.data_is_right, "all": receipt.all_is_right}

    def download(self, loi: str = "") -> bytes:
        """Returns the dataset as a zip archive. For large ones there is `stream`.

        Raises: MissingLoiError, InvalidLoiError, LoiNotFoundError, MissingContentError.
        """
        return b"".join(self.stream(loi))

    def stream(self, loi: str = "") -> Iterator[bytes]:
        """Yields the dataset as a zip archive. Raises: as `download`."""
        self._parse(loi)
        archive = self._safe().archive(loi)
        return self._read(archive.store.open(archive.key))

    def update(self, loi: str = "", content: Content | None = None) -> dict[str, bool]:
        """Replaces a dataset; the old one stays as an old version.

        Raises: as `upload`; NoFileError when nothing was deposited yet.
        """
        self._parse(loi)
        receipt = self._safe().update(loi, _lazily(content))
        return {"data": receipt.data_is_right, "all": receipt.all_is_right}

    def _parse(self, loi: str) -> None:
        if not loi:
            raise MissingLoiError("No LOI provided.")
        self.loi.parse(loi)

    def _safe(self) -> Safe:
        return open_folder_safe(Path(self.storage.root_directory), create=True)

    def _read(self, reader: object) -> Iterator[bytes]:
        with reader as opened:  # type: ignore[attr-defined]
            yield from read_chunks(opened)


def _lazily(content: Content | None) -> Iterator[bytes]:
    """That there is no content is said after what is said of the LOI."""
    yield from pieces_of(content)
