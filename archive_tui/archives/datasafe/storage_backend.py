"""The backend of a datasafe in a folder, under the names that users' programs know. It knows paths, not LOIs."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, cast

from archive_tui.archives.datasafe.archive_file import open_archive_file
from archive_tui.archives.datasafe.folder_places import find_numbers
from archive_tui.archives.datasafe.folder_shelf import FolderShelf
from archive_tui.archives.datasafe.manifest import Manifest
from archive_tui.archives.datasafe.receiving import DepositLimits, receive_dataset
from archive_tui.errors import (
    InvalidName,
    LoiNotFoundError,
    ManifestError,
    MissingContentError,
    MissingPathError,
    NoFileError,
)
from archive_tui.integrity.streams import Chunk, Readable, read_chunks
from archive_tui.manifests.datasafe_manifest import LARGEST, MANIFEST_FILE
from archive_tui.names.display import escape_for_display
from archive_tui.names.loi import loi_sort_key
from archive_tui.names.object_keys import is_temporary_name
from archive_tui.progress import ignore, never

DEFAULT_ROOT = "datasafe_root"

Content = bytes | bytearray | memoryview | Readable | Iterable[Chunk]
"""An archive: all of it, a file that is read from where it stands, or pieces."""


class StorageBackend:
    """Keeps datasets in folders below `root_directory`, which is looked up anew by every call. Paths are relative to
    it, and stay below it: `..` and symbolic links are refused (InvalidName).

    `manifest_filename` is sought in what lies there; archives that are deposited have a MANIFEST.yaml.
    """

    def __init__(self, root_directory: str = DEFAULT_ROOT) -> None:
        self.root_directory = root_directory
        self.manifest_filename = MANIFEST_FILE

    def working_path(self, path: str = "") -> str:
        """Returns the path of a folder of the datasafe on this machine. Raises: InvalidName when it leads out."""
        folder = Path(self.root_directory)
        for part in _split(path):
            folder /= part
            if folder.is_symlink():
                raise _leads_out(path)
        return str(folder)

    def create(self, path: str = "") -> None:
        """Makes a folder, and those on the way to it. Raises: MissingPathError; FileExistsError."""
        Path(self.working_path(_require(path))).mkdir(parents=True)

    def exists(self, path: str = "") -> bool:
        """True when there is something at the path."""
        return Path(self.working_path(path)).exists()

    def isempty(self, path: str = "") -> bool:
        """True for a folder in which nothing lies. Raises: NoFileError when there is none."""
        folder = Path(self.working_path(path))
        if not folder.is_dir():
            raise NoFileError("File does not exist", key=path)
        return all(is_temporary_name(entry.name) for entry in folder.iterdir())

    def remove(self, path: str = "", force: bool = False) -> None:
        """Removes an empty folder; with `force` whatever is in it, too. Raises: MissingPathError; OSError."""
        folder = Path(self.working_path(_require(path)))
        shutil.rmtree(folder) if force else folder.rmdir()

    def get_highest_id(self, path: str = "") -> int:
        """Returns the highest number that is a name in the folder, 0 when there is none."""
        return max(find_numbers(Path(self.working_path(path))), default=0)

    def create_next_id(self, path: str = "") -> str:
        """Makes the folder of the next number, atomically, and returns its path. Raises: MissingPathError."""
        place = _require(path)
        return f"{place}/{self._shelf(place).reserve_next(place)}"

    def deposit(self, path: str = "", content: Content | None = None) -> dict[str, bool]:
        """Unpacks the zip archive `content` into an empty folder, which is made when it is missing: all of it, proven,
        or nothing. Returns what the check said.

        Raises: MissingPathError; MissingContentError; ExistingFileError; HostileArchive, ManifestError; IntegrityError
        when it does not fit its manifest.
        """
        place, pieces = _require(path), pieces_of(content)
        shelf = self._shelf(place)
        with (
            _made_for_it(Path(self.root_directory), place),
            shelf.stage(place) as incoming,
            shelf.stage(place) as dataset,
        ):
            received = receive_dataset("", pieces, incoming, dataset, DepositLimits(), report=ignore, stop=never)
            shelf.fill(place, dataset, received.record)
        return {"data": True, "all": True}

    def retrieve(self, path: str = "") -> bytes:
        """Returns the zip archive of a folder. For large datasets there is `open`.

        Raises: MissingPathError; MissingContentError for an empty folder; LoiNotFoundError, an OSError, for none.
        """
        with self.open(path) as archive:
            return archive.read()

    def open(self, path: str = "") -> IO[bytes]:
        """Returns the zip archive of a folder as a file that is read once. Raises: as `retrieve`."""
        place = _require(path)
        return open_archive_file(self._shelf(place).archive(place))

    def get_manifest(self, path: str = "") -> str:
        """Returns the text of the manifest in a folder.

        Raises: MissingPathError, also `Path X does not exist.`; MissingContentError `No MANIFEST file found.`;
        ManifestError for what is no text.
        """
        place = _require(path)
        try:
            content = self._shelf(place).read_small(place, self.manifest_filename, LARGEST + 1)
            if len(content) <= LARGEST:
                return content.decode("utf-8")
        except LoiNotFoundError as error:
            raise MissingPathError(f"Path {path} does not exist.", name=path) from error
        except NoFileError as error:
            raise MissingContentError("No MANIFEST file found.", key=path) from error
        except UnicodeDecodeError:
            pass
        raise ManifestError(f"The {self.manifest_filename} in {path} is too large, or no text.")

    def get_index(self) -> list[str]:
        """Returns the paths of all datasets and reserved folders: those with a manifest, and empty ones. Nothing that
        begins with a dot."""
        return sorted(self._walk(Path(self.working_path()), ""), key=loi_sort_key)

    def check_integrity(self, path: str = "") -> dict[str, bool]:
        """Compares the files in a folder with its manifest: `data` and `all`.

        Raises: MissingContentError `No manifest file found.`; ManifestError, MissingInformationError; NoFileError.
        """
        folder = self.working_path(path)
        file = Path(folder) / self.manifest_filename
        if file.is_symlink() or not file.is_file():
            raise MissingContentError("No manifest file found.", key=path)
        manifest = Manifest(folder)
        manifest.manifest_filename = self.manifest_filename
        manifest.from_file()
        names = [*manifest.data_filenames, *manifest.metadata_filenames]
        if all(name.startswith(f"{folder}/") for name in names):
            manifest.folder = ""  # written by a program that did not go into the folder
        return manifest.check_integrity()

    def _walk(self, folder: Path, path: str) -> Iterator[str]:
        if not folder.is_dir():
            return
        entries = [entry for entry in folder.iterdir() if not is_temporary_name(entry.name)]
        if path and (not entries or any(entry.name == self.manifest_filename for entry in entries)):
            yield path
            return
        for entry in entries:
            if not entry.name.startswith(".") and entry.is_dir() and not entry.is_symlink():
                yield from self._walk(entry, f"{path}/{entry.name}" if path else entry.name)

    def _shelf(self, place: str) -> FolderShelf:
        self.working_path(place)
        return FolderShelf(Path(self.root_directory))


def pieces_of(content: Content | None) -> Iterable[Chunk]:
    """Returns the content of an archive in pieces. Raises: MissingContentError when there is none."""
    if content is None:
        raise MissingContentError("No content provided to deposit.")
    if isinstance(content, bytes | bytearray | memoryview):
        return [content]
    if hasattr(content, "read"):
        return read_chunks(cast(Readable, content))
    return content


@contextlib.contextmanager
def _made_for_it(root: Path, place: str) -> Iterator[None]:
    """Makes the folder of a place when it is missing, and removes it again when nothing was put into it."""
    folder = root / place
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            for each in missing:
                each.rmdir()
        raise


def _require(path: str) -> str:
    parts = _split(path)
    if not parts:
        raise MissingPathError("No path provided.")
    return "/".join(parts)


def _split(path: str) -> list[str]:
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") or ".." in parts or "\0" in path:
        raise _leads_out(path)
    return parts


def _leads_out(path: str) -> InvalidName:
    shown = escape_for_display(path)
    return InvalidName(f"This path leads out of the datasafe: {shown}", name=path, code="datasafe-path")
