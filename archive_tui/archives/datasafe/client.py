"""Clients of a datasafe under the names that users' programs know: what they do is the same for every server."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from archive_tui.archives.datasafe.deposit_source import prepare_deposit
from archive_tui.archives.datasafe.folder_places import list_files
from archive_tui.archives.datasafe.manifest import Manifest
from archive_tui.archives.datasafe.server import Server
from archive_tui.errors import (
    IntegrityError,
    InvalidLoiError,
    MissingContentError,
    MissingLoiError,
    NoFileError,
    SourceNotFound,
)
from archive_tui.integrity.inventory import Inventory
from archive_tui.integrity.streams import Chunk
from archive_tui.manifests.datasafe_manifest import (
    LARGEST,
    MANIFEST_FILE,
    DatasafeManifest,
    format_datasafe_manifest,
    parse_datasafe_manifest,
)
from archive_tui.names.loi import NOT_DATASAFE, Parser, parse_reservation
from archive_tui.objects.folder.atomic_file import write_atomically
from archive_tui.objects.folder.store import FolderStore
from archive_tui.operations.unpacking.archive import unpack_archive

ARCHIVE = "archive.zip"


class Client:
    """What every client does here: manifests, archives, checks. A subclass talks to its server in `_server_create`,
    `_server_upload`, `_server_download` and `_server_update`; archives come and go in pieces.

    `metadata_extensions` tell metadata from data. `damage_is_an_error`: a check that fails after a download raises
    IntegrityError instead of warning, and leaves no folder.
    """

    def __init__(self) -> None:
        self.loi_parser = Parser()
        self.metadata_extensions: tuple[str, ...] = (".info", ".yaml", ".yml")
        self.damage_is_an_error = False

    def create(self, loi: str = "") -> str:
        """Reserves the next number for a measurement and returns its LOI. Raises: MissingLoiError, InvalidLoiError."""
        self._check_loi(loi)
        parse_reservation(loi)
        return self._server_create(loi=loi)

    def create_manifest(self, filename: str = "", path: str = "") -> None:
        """Writes a MANIFEST.yaml in the folder `path` (the current one by default) for the files in it and below it;
        with `filename` only for those that are called `filename.*`. Names that begin with a dot are left out.

        Raises: SourceNotFound without the folder; MissingInformationError without data; StorageError.
        """
        folder = Path(path)
        if not folder.is_dir():
            raise SourceNotFound(f"No such folder: {folder}", path=str(folder), hint="Check the path.")
        manifest = Manifest(path)
        for name in _choose_names(folder, filename):
            is_metadata = name.lower().endswith(self.metadata_extensions)
            (manifest.metadata_filenames if is_metadata else manifest.data_filenames).append(name)
        manifest.to_file()

    def upload(self, loi: str = "", filename: str = "", path: str = "") -> dict[str, bool]:
        """Deposits the files in `path` that a MANIFEST.yaml there lists; without one it is made, as `create_manifest`
        makes it. Returns what the server's check said.

        Raises: MissingLoiError, InvalidLoiError; IntegrityError when the files do not fit the manifest that is there,
        before anything is sent; what the server says.
        """
        return self._server_upload(loi=loi, content=self._prepare(loi, filename, path))

    def update(self, loi: str = "", filename: str = "", path: str = "") -> dict[str, bool]:
        """As `upload`, in the place of what was deposited."""
        return self._server_update(loi=loi, content=self._prepare(loi, filename, path))

    def download(self, loi: str = "") -> str:
        """Retrieves a dataset into a new temporary folder, checks it, and returns the folder.

        Warns when the check fails, or raises IntegrityError if `damage_is_an_error`.

        Raises: MissingLoiError, InvalidLoiError; what the server says; HostileArchive; IntegrityError when the archive
        itself is damaged. No folder is left then.
        """
        self._check_loi(loi)
        with tempfile.TemporaryDirectory(prefix="datasafe-") as incoming:
            content = self._server_download(loi=loi)
            with (Path(incoming) / ARCHIVE).open("wb") as file:
                for piece in [content] if isinstance(content, bytes | bytearray | memoryview) else content:
                    file.write(piece)
            folder = Path(tempfile.mkdtemp(prefix="datasafe-"))
            try:
                self._judge(_unpack(Path(incoming), folder, loi))
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
        return str(folder)

    def _judge(self, integrity: dict[str, bool]) -> None:
        if all(integrity.values()):
            return
        what = "data and metadata" if not any(integrity.values()) else "metadata" if integrity["data"] else "data"
        message = f"Integrity check failed, {what} may be corrupted."
        if self.damage_is_an_error:
            raise IntegrityError(message, hint="Retrieve it again; if that fails too, have the datasafe verified.")
        warnings.warn(message, stacklevel=3)

    def _prepare(self, loi: str, filename: str, path: str) -> Iterable[Chunk]:
        self._check_loi(loi)
        folder = Path(path)
        if not (folder / MANIFEST_FILE).is_file():
            self.create_manifest(filename=filename, path=path)
        manifest = _name_dataset(folder, loi)
        return prepare_deposit(folder, loi=loi, names=[*manifest.names, MANIFEST_FILE]).chunks()

    def _check_loi(self, loi: str) -> None:
        """What the rest of a LOI means is for the server to judge."""
        if not loi:
            raise MissingLoiError("No LOI provided.")
        self.loi_parser.parse(loi)
        if self.loi_parser.type != "ds":
            raise InvalidLoiError(NOT_DATASAFE, name=loi)

    def _server_create(self, loi: str = "") -> str:
        return ""

    def _server_upload(self, loi: str = "", content: Any = None) -> dict[str, bool]:
        return {"data": True, "all": True}

    def _server_update(self, loi: str = "", content: Any = None) -> dict[str, bool]:
        return {"data": True, "all": True}

    def _server_download(self, loi: str = "") -> bytes | Iterator[bytes]:
        raise MissingContentError("LOI does not have content.", key=loi)


class LocalClient(Client):
    """A client of a datasafe in this process; `server` is it."""

    def __init__(self, server: Server | None = None) -> None:
        super().__init__()
        self.server = server or Server()

    def _server_create(self, loi: str = "") -> str:
        return self.server.new(loi)

    def _server_upload(self, loi: str = "", content: Any = None) -> dict[str, bool]:
        return self.server.upload(loi, content)

    def _server_update(self, loi: str = "", content: Any = None) -> dict[str, bool]:
        return self.server.update(loi, content)

    def _server_download(self, loi: str = "") -> bytes | Iterator[bytes]:
        return self.server.stream(loi)


def _choose_names(folder: Path, filename: str) -> list[str]:
    names = [name for name, _ in list_files(folder) if not name.startswith(".") and "/." not in name]
    if filename:
        pattern = f"{filename}.*"
        level = pattern.count("/")
        names = [name for name in names if name.count("/") == level and fnmatchcase(name, pattern)]
    return [name for name in names if name != MANIFEST_FILE]


def _name_dataset(folder: Path, loi: str) -> DatasafeManifest:
    """Reads the manifest in a folder; writes the LOI into it when it has another, and nothing else."""
    path = folder / MANIFEST_FILE
    try:
        with path.open("rb") as file:
            manifest = parse_datasafe_manifest(file.read(LARGEST + 1), where=str(path))
    except FileNotFoundError as error:
        raise NoFileError("File does not exist", key=str(path)) from error
    if manifest.loi != loi:
        content = format_datasafe_manifest(replace(manifest, loi=loi))
        write_atomically(path, [content], len(content), overwrite=True)
    return manifest


def _unpack(incoming: Path, folder: Path, loi: str) -> dict[str, bool]:
    store = FolderStore(incoming, read_only_objects=False)
    unpacked = unpack_archive(store, ARCHIVE, folder, manifest_name=MANIFEST_FILE)
    if unpacked.damaged:
        raise IntegrityError(
            f"What was sent of {loi} is damaged: {unpacked.damaged[0].path}",
            hint="Retrieve it again; if that fails too, have the datasafe verified.",
        )
    if unpacked.manifest is None:
        raise MissingContentError("No manifest file found.", key=loi)
    manifest = Manifest(str(folder))
    manifest.from_file()
    integrity = manifest.check_integrity()
    if not _is_listed(unpacked.inventory, manifest):
        integrity["all"] = False
    return integrity


def _is_listed(found: Inventory, manifest: Manifest) -> bool:
    listed = {*manifest.data_filenames, *manifest.metadata_filenames}
    return all(entry.path in listed for entry in found)
