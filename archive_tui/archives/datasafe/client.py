"""Clients of a datasafe under the names that users' programs know: what they do is the same for every server."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from archive_tui.archives.datasafe.manifest import Manifest
from archive_tui.archives.datasafe.server import Server
from archive_tui.errors import IntegrityError, InvalidLoiError, MissingContentError, MissingLoiError
from archive_tui.manifests.datasafe_manifest import MANIFEST_FILE
from archive_tui.names.loi import NOT_DATASAFE, Parser, parse_reservation
from archive_tui.objects.folder.store import FolderStore
from archive_tui.operations.packing.deflate_blocks import crc32
from archive_tui.operations.packing.stored_zip import StoredMember, StoredZip
from archive_tui.operations.unpacking.archive import unpack_archive

ARCHIVE = "archive.zip"
WARNING = "Integrity check failed, {} may be corrupted."


class Client:
    """What every client does here: manifests, archives, checks. A subclass talks to its server in `_server_create`,
    `_server_upload`, `_server_download` and `_server_update`.

    `metadata_extensions` tell metadata from data. `damage_is_an_error`: a failed check after a download raises
    IntegrityError instead of warning.
    """

    def __init__(self) -> None:
        self.loi_parser = Parser()
        self.metadata_extensions: tuple[str, ...] = (".info", ".yaml", ".yml")
        self.damage_is_an_error = False

    def create(self, loi: str = "") -> str:
        """Reserves the next number for a measurement and returns its LOI. Raises: MissingLoiError, InvalidLoiError."""
        if not loi:
            raise MissingLoiError("No LOI provided.")
        self._check_loi(loi)
        parse_reservation(loi)
        return self._server_create(loi=loi)

    def create_manifest(self, filename: str = "", path: str = "") -> None:
        """Writes a MANIFEST.yaml in the folder `path` (the current one by default) for the files in it; with `filename`
        only for those that are called `filename.*`.

        Raises: MissingInformationError when there are no data.
        """
        folder = Path(path)
        pattern = f"{filename}.*" if filename else "*"
        names = sorted(
            str(found.relative_to(folder))
            for found in (folder.glob(pattern) if filename else folder.rglob(pattern))
            if found.is_file() and found.name != MANIFEST_FILE and not found.name.startswith(".")
        )
        manifest = Manifest(path)
        manifest.metadata_filenames = [name for name in names if name.endswith(self.metadata_extensions)]
        manifest.data_filenames = [name for name in names if name not in manifest.metadata_filenames]
        manifest.to_file()

    def upload(self, loi: str = "", filename: str = "", path: str = "") -> dict[str, bool]:
        """Deposits the files in `path`, as `create_manifest` chooses them, or as a MANIFEST.yaml there lists them;
        returns the integrity dict.

        Raises: MissingLoiError, InvalidLoiError; what the server says.
        """
        return self._server_upload(loi=loi, content=self._prepare(loi, filename, path))

    def update(self, loi: str = "", filename: str = "", path: str = "") -> dict[str, bool]:
        """As `upload`, in the place of what was deposited."""
        return self._server_update(loi=loi, content=self._prepare(loi, filename, path))

    def download(self, loi: str = "") -> str:
        """Retrieves a dataset into a new temporary folder, checks it, and returns the folder.

        Warns when the check fails, or raises IntegrityError if `damage_is_an_error`.

        Raises: MissingLoiError, InvalidLoiError; what the server says; HostileArchive.
        """
        if not loi:
            raise MissingLoiError("No LOI provided.")
        self._check_loi(loi)
        content = self._server_download(loi=loi)
        folder = Path(tempfile.mkdtemp(prefix="datasafe-"))
        with tempfile.TemporaryDirectory(prefix="datasafe-") as incoming:
            with (Path(incoming) / ARCHIVE).open("wb") as file:
                for piece in [content] if isinstance(content, bytes) else content:
                    file.write(piece)
            store = FolderStore(Path(incoming), read_only_objects=False)
            unpacked = unpack_archive(store, ARCHIVE, folder, manifest_name=MANIFEST_FILE)
        if unpacked.manifest is None:
            raise MissingContentError("No manifest file found.", key=loi)
        manifest = Manifest(str(folder))
        manifest.from_file()
        self._judge(manifest.check_integrity())
        return str(folder)

    def _judge(self, integrity: dict[str, bool]) -> None:
        if all(integrity.values()):
            return
        what = "data and metadata" if not any(integrity.values()) else "metadata" if integrity["data"] else "data"
        if self.damage_is_an_error:
            raise IntegrityError(WARNING.format(what))
        warnings.warn(WARNING.format(what), stacklevel=3)

    def _prepare(self, loi: str, filename: str, path: str) -> Iterable[bytes]:
        if not loi:
            raise MissingLoiError("No LOI provided.")
        self._check_loi(loi)
        if not (Path(path) / MANIFEST_FILE).is_file():
            self.create_manifest(filename=filename, path=path)
        manifest = Manifest(path)
        manifest.from_file()
        if not all(manifest.check_integrity().values()):
            raise IntegrityError(
                "The files do not fit their MANIFEST.yaml.",
                hint="Remove it, and it is made anew.",
                code="dataset-refused",
            )
        manifest.loi = loi
        manifest.to_file()
        names = [*manifest.data_filenames, *manifest.metadata_filenames, MANIFEST_FILE]
        return _pack(Path(path), names)

    def _check_loi(self, loi: str) -> None:
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

    def __init__(self) -> None:
        super().__init__()
        self.server = Server()

    def _server_create(self, loi: str = "") -> str:
        return self.server.new(loi)

    def _server_upload(self, loi: str = "", content: Any = None) -> dict[str, bool]:
        return self.server.upload(loi, content)

    def _server_update(self, loi: str = "", content: Any = None) -> dict[str, bool]:
        return self.server.update(loi, content)

    def _server_download(self, loi: str = "") -> bytes | Iterator[bytes]:
        return self.server.stream(loi)


def _pack(folder: Path, names: Iterable[str]) -> Iterator[bytes]:
    members = []
    for name in names:
        size = crc = 0
        with (folder / name).open("rb") as file:
            while chunk := file.read(1 << 20):
                size, crc = size + len(chunk), crc32(chunk, crc)
        members.append(StoredMember(name, size, crc))

    def open_file(path: str, offset: int) -> Any:
        opened = (folder / path).open("rb", buffering=0)
        opened.seek(offset)
        return opened

    return StoredZip(members).read(open_file)
