"""The backend of a datasafe in a folder, under the names that users' programs know. It knows paths, not LOIs."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from archive_tui.archives.datasafe.folder_places import find_numbers
from archive_tui.archives.datasafe.folder_shelf import FolderShelf
from archive_tui.archives.datasafe.manifest import Manifest
from archive_tui.archives.datasafe.receiving import DepositLimits, receive_dataset
from archive_tui.errors import InvalidName, MissingContentError, MissingPathError, NoFileError
from archive_tui.integrity.streams import Readable, read_chunks
from archive_tui.manifests.datasafe_manifest import MANIFEST_FILE
from archive_tui.names.object_keys import is_temporary_name
from archive_tui.progress import ignore, never

DEFAULT_ROOT = "datasafe_root"

Content = bytes | bytearray | memoryview | Readable | Iterable[bytes]


class StorageBackend:
    """Keeps datasets in folders below `root_directory`, which is looked up anew by every call. Paths are relative to
    it, and stay below it."""

    def __init__(self) -> None:
        self.root_directory = DEFAULT_ROOT
        self.manifest_filename = MANIFEST_FILE

    def working_path(self, path: str = "") -> str:
        """Returns the path of a folder of the datasafe on this machine. Raises: InvalidName when it leads out."""
        parts = [part for part in path.split("/") if part]
        if path.startswith("/") or ".." in parts or "\0" in path:
            raise InvalidName(f"This path leads out of the datasafe: {path}", name=path, code="datasafe-path")
        return str(Path(self.root_directory) / path)

    def create(self, path: str = "") -> None:
        """Makes a folder. Raises: MissingPathError; FileExistsError."""
        Path(self.working_path(_require(path))).mkdir(parents=True)

    def exists(self, path: str = "") -> bool:
        """True when there is something at the path."""
        return Path(self.working_path(path)).exists()

    def isempty(self, path: str = "") -> bool:
        """True for a folder in which nothing lies. Raises: NoFileError when there is none."""
        folder = Path(self.working_path(path))
        if not folder.is_dir():
            raise NoFileError("File does not exist", key=path)
        return not any(not is_temporary_name(entry.name) for entry in folder.iterdir())

    def remove(self, path: str = "", force: bool = False) -> None:
        """Removes an empty folder; with `force` whatever is in it, too. Raises: MissingPathError; OSError."""
        folder = Path(self.working_path(_require(path)))
        shutil.rmtree(folder) if force else folder.rmdir()

    def get_highest_id(self, path: str = "") -> int:
        """Returns the highest number that is a name in the folder, 0 when there is none."""
        return max(find_numbers(Path(self.working_path(path))), default=0)

    def create_next_id(self, path: str = "") -> str:
        """Makes the folder of the next number, atomically, and returns its path."""
        return f"{path}/{self._shelf().reserve_next(_require(path))}"

    def deposit(self, path: str = "", content: Content | None = None) -> dict[str, bool]:
        """Unpacks the zip archive `content` (bytes, a file, or pieces) into an empty folder: all of it, proven, or
        nothing. Returns what the integrity check said.

        Raises: MissingPathError; MissingContentError; ExistingFileError; IntegrityError when it does not fit its
        manifest; HostileArchive, ManifestError.
        """
        self._put(_require(path), content, replaces=False)
        return {"data": True, "all": True}

    def replace(self, path: str = "", content: Content | None = None) -> dict[str, bool]:
        """As `deposit`, in the place of what lies there, which is kept as an old version."""
        self._put(_require(path), content, replaces=True)
        return {"data": True, "all": True}

    def retrieve(self, path: str = "") -> bytes:
        """Returns the zip archive of a folder. For large datasets there is `open`.

        Raises: MissingPathError; MissingContentError for an empty folder; LoiNotFoundError (an OSError).
        """
        with self.open(path) as archive:
            return archive.read()

    def open(self, path: str = "") -> IO[bytes]:
        """Returns the zip archive of a folder as a file that is read once. Raises: as `retrieve`."""
        archive = self._shelf().archive(_require(path))
        reader = archive.store.open(archive.key)
        return io.BufferedReader(_RawReader(reader), 1 << 20)

    def get_manifest(self, path: str = "") -> str:
        """Returns the text of the manifest in a folder.

        Raises: MissingPathError, also `Path X does not exist.`; MissingContentError `No MANIFEST file found.`
        """
        if not self.exists(_require(path)):
            raise MissingPathError(f"Path {path} does not exist.", name=path)
        file = Path(self.working_path(path)) / self.manifest_filename
        if not file.is_file():
            raise MissingContentError("No MANIFEST file found.", key=path)
        return file.read_text(encoding="utf-8")

    def get_index(self) -> list[str]:
        """Returns the paths of all datasets and reserved folders: those with a manifest, and those that hold no
        folders. Nothing that begins with a dot."""
        return sorted(self._walk(Path(self.working_path()), ""))

    def check_integrity(self, path: str = "") -> dict[str, bool]:
        """Compares the files in a folder with its manifest: `data` and `all`.

        Raises: MissingContentError `No manifest file found.`; MissingInformationError; NoFileError.
        """
        folder = self.working_path(path)
        if not (Path(folder) / self.manifest_filename).is_file():
            raise MissingContentError("No manifest file found.", key=path)
        manifest = Manifest(folder)
        manifest.manifest_filename = self.manifest_filename
        manifest.from_file()
        return manifest.check_integrity()

    def _put(self, path: str, content: Content | None, *, replaces: bool) -> None:
        chunks = pieces_of(content)
        self.working_path(path)
        shelf = self._shelf()
        with shelf.stage(path) as incoming, shelf.stage(path) as dataset:
            received = receive_dataset("", chunks, incoming, dataset, DepositLimits(), report=ignore, stop=never)
            if replaces:
                shelf.replace(path, dataset, received.record, keeps_old=True)
            else:
                shelf.fill(path, dataset, received.record)

    def _walk(self, folder: Path, path: str) -> Iterable[str]:
        if not folder.is_dir():
            return
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
        folders = [entry for entry in entries if entry.is_dir() and not entry.is_symlink()]
        if path and ((folder / self.manifest_filename).is_file() or not folders):
            yield path
            return
        for entry in folders:
            yield from self._walk(entry, f"{path}/{entry.name}" if path else entry.name)

    def _shelf(self) -> FolderShelf:
        return FolderShelf(Path(self.root_directory))


def pieces_of(content: Content | None) -> Iterable[bytes]:
    """Returns the content of an archive in pieces. Raises: MissingContentError when there is none."""
    if content is None or (isinstance(content, bytes | bytearray | memoryview) and not content):
        raise MissingContentError("No content provided to deposit.")
    if isinstance(content, bytes | bytearray | memoryview):
        return [bytes(content)]
    return read_chunks(content) if hasattr(content, "read") else content  # type: ignore[arg-type]


def _require(path: str) -> str:
    if not path:
        raise MissingPathError("No path provided.")
    return path


class _RawReader(io.RawIOBase):
    def __init__(self, reader: Readable) -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self._reader.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            close = getattr(self._reader, "close", None)
            if close is not None:
                close()
        super().close()
