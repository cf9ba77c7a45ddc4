"""A location is what a pane shows: a folder of this machine, a configured storage, or a checksum manifest."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from archive_tui.archives.storages import Storage, default_storage_name, open_storage, storage_names
from archive_tui.archives.vault.vault import Vault, open_vault, vault_prefix
from archive_tui.archives.vault.views.manifest_files import is_manifest_file
from archive_tui.errors import ConfigurationError
from archive_tui.names.content_address import VAULT_PREFIX
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectStore
from archive_tui.settings import Settings, did_you_mean

if TYPE_CHECKING:
    from archive_tui.archives.datasafe.safe import Safe

OBJECTS = "objects"
DATASETS = "datasets"
VAULT = "vault"
MANIFEST = "manifest"
DATASAFE = "datasafe"

SAFE_MARK = ".datasafe.json"
"""The file at the root of every datasafe in a folder that has reserved anything, or was adopted."""


@dataclass(frozen=True, slots=True)
class Location:
    """`prefix` is empty or ends in `/`. `storage` is None for what lies on this machine's disk, `folder` None for
    anything but a folder of it, `document` None for anything but a checksum manifest; `vault` is then the one that
    its contents are sought in. `views` are the ways in which it can be shown, the natural one first; VAULT shows what
    lies below `vault_prefix`, wherever in the storage the location is, and DATASAFE the datasafe below `safe_prefix` of
    the store (None: there is none). On this machine's disk that is the folder with its mark, shown in it and in all
    folders below."""

    store: ObjectStore
    prefix: str
    storage: Storage | None = None
    folder: Path | None = None
    views: tuple[str, ...] = (OBJECTS,)
    document: Path | None = None
    vault: Vault | None = None
    vault_prefix: str = VAULT_PREFIX
    safe_prefix: str | None = None

    @property
    def title(self) -> str:
        """For people; the home folder shortens to `~`."""
        if self.storage is not None:
            return f"{self.storage.name} ▸ {self.prefix}" if self.prefix else self.storage.name
        path = self._path
        home = Path.home()
        return str(Path("~") / path.relative_to(home)).removesuffix("/.") if path.is_relative_to(home) else str(path)

    @property
    def word(self) -> str:
        """What to type on the command line to open it again."""
        if self.storage is not None:
            return f"{self.storage.name}:{self.prefix}" if self.prefix else self.storage.name
        return str(self._path)

    @property
    def root(self) -> Path | None:
        """The folder that the names in a manifest are relative to: the one in which it lies. None for all else."""
        return self.document.parent if self.document is not None else None

    @property
    def name_in_parent(self) -> str:
        """The name of the row by which one comes here from above."""
        if self.document is not None:
            return self.document.name
        return self.prefix.removeprefix(self.parent.prefix) if self.parent is not None else ""

    @property
    def parent(self) -> Location | None:
        """The location above; None at the top."""
        if self.document is not None:
            folder = self.document.parent
            return _in_folder(self.store, folder)
        if not self.prefix:
            return None
        return self._at(self.prefix.rstrip("/").rpartition("/")[0])

    def child(self, name: str) -> Location:
        """The location one level below."""
        return self._at(self.key(name))

    def key(self, name: str) -> str:
        return f"{self.prefix}{name.rstrip('/')}"

    def path(self, name: str) -> Path | None:
        """Where the object lies on this machine's disk; None when it does not."""
        return self.folder / name if self.folder is not None else None

    @property
    def _path(self) -> Path:
        path = self.document or self.folder
        assert path is not None
        return path

    def _at(self, key: str) -> Location:
        if self.folder is not None:
            return _in_folder(self.store, Path("/") / key, self.safe_prefix)
        return dataclasses.replace(self, prefix=f"{key}/" if key else "")


def open_folder(path: Path) -> Location:
    """A folder of this machine as a location.

    Raises: ConfigurationError when it is none.
    """
    folder = path.expanduser().absolute()
    if ".." in folder.parts:
        folder = folder.resolve()
    if not folder.is_dir():
        raise ConfigurationError(
            f"Neither a storage nor a folder: {path}", hint="List the storages with: archive-tui storage list"
        )
    return _in_folder(FolderStore(Path("/"), read_only_objects=False), folder)


def _in_folder(store: ObjectStore, folder: Path, above: str | None = None) -> Location:
    """`above` is the `safe_prefix` of the location from where one comes."""
    key = str(folder).strip("/")
    prefix = f"{key}/" if key else ""
    if above is not None and prefix.startswith(above):
        return Location(store, prefix, None, folder, (DATASAFE, OBJECTS, DATASETS), safe_prefix=above)
    if (folder / SAFE_MARK).is_file():
        return Location(store, prefix, None, folder, (DATASAFE, OBJECTS, DATASETS), safe_prefix=prefix)
    return Location(store, prefix, None, folder, (OBJECTS, DATASETS))


def open_storage_location(settings: Settings, name: str, prefix: str = "") -> Location:
    """Raises: ConfigurationError, also for a `vault_prefix` or `datasafe` that cannot be used."""
    from archive_tui.archives.datasafe.safes import safe_prefix, safe_storage_names

    storage = open_storage(settings, name)
    clean = prefix.strip("/")
    safe = safe_prefix(settings, name) if name in safe_storage_names(settings) else None
    return Location(
        storage.store,
        f"{clean}/" if clean else "",
        storage,
        views=_storage_views(storage, safe),
        vault_prefix=vault_prefix(settings),
        safe_prefix=safe,
    )


def _storage_views(storage: Storage, safe: str | None) -> tuple[str, ...]:
    if storage.kind == "http":
        return (DATASAFE, OBJECTS)
    if safe is None:
        return (DATASETS, OBJECTS, VAULT)
    return (DATASETS, OBJECTS, VAULT, DATASAFE) if safe else (DATASAFE, DATASETS, OBJECTS, VAULT)


def open_location_safe(location: Location, settings: Settings) -> Safe:
    """Opens the datasafe that the location shows, with connections of its own: close it. Nobody is contacted.

    Raises: ConfigurationError when there is none; StorageError when its folder is no datasafe any more.
    """
    if location.safe_prefix is None:
        raise ConfigurationError(f"No datasafe lies at {location.title}.", code="no-datasafe")
    if location.storage is not None:
        from archive_tui.archives.datasafe.safes import open_storage_safe

        return open_storage_safe(settings, location.storage.name)
    from archive_tui.archives.datasafe.opening import open_folder_safe

    return open_folder_safe(Path("/") / location.safe_prefix)


def open_manifest_location(path: Path, settings: Settings) -> Location:
    """A checksum manifest on this machine's disk as a location; nobody is contacted, and the file is not read. Its
    `vault` is the one that the settings name; None when that cannot be used."""
    document = path.expanduser().absolute()
    if ".." in document.parts:
        document = document.parent.resolve() / document.name
    folder = str(document.parent).strip("/")
    store = FolderStore(Path("/"), read_only_objects=False)
    prefix = f"{folder}/" if folder else ""
    try:
        vault = open_vault(settings)
    except ConfigurationError:
        vault = None  # whoever asks for it is told why; the lines can be read without
    return Location(store, prefix, views=(MANIFEST,), document=document, vault=vault)


def open_location(word: str, settings: Settings) -> Location:
    """Opens what a user typed: `STORAGE`, `STORAGE:PREFIX`, else a folder (`./demo` where a storage is called demo),
    or a file that is a checksum manifest.

    Raises: ConfigurationError, with the nearest storage as its hint.
    """
    names = storage_names(settings)
    name, colon, prefix = word.partition(":")
    if name in names:
        return open_storage_location(settings, name, prefix)
    if Path(word).expanduser().is_dir():
        return open_folder(Path(word))
    if is_manifest_file(Path(word).expanduser()):
        return open_manifest_location(Path(word), settings)
    if colon and "/" not in name:
        raise ConfigurationError(
            f"No storage of this name: {name}",
            hint=f"{did_you_mean(name, names)}There are: {', '.join(names)}.",
            code="unknown-storage",
        )
    raise ConfigurationError(
        f"Neither a storage nor a folder: {word}",
        hint=f"{did_you_mean(word, names)}There are the storages {', '.join(names)}, and every folder of this machine.",
        code="unknown-location",
    )


def default_locations(settings: Settings) -> tuple[Location, Location]:
    """What the panes show when nothing is asked for: the current folder and the first storage."""
    return open_folder(Path.cwd()), open_storage_location(settings, default_storage_name(settings))
