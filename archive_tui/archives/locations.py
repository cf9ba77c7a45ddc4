"""A location is what a pane shows: a prefix in a store, be it a folder of this machine or a configured storage."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from archive_tui.archives.storages import Storage, default_storage_name, open_storage, storage_names
from archive_tui.errors import ConfigurationError
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectStore
from archive_tui.settings import Settings, did_you_mean

OBJECTS = "objects"
DATASETS = "datasets"


@dataclass(frozen=True, slots=True)
class Location:
    """`prefix` is empty or ends in `/`. `storage` is None for a folder of this machine, `folder` None for anything
    else. `views` are the ways in which it can be shown, the natural one first."""

    store: ObjectStore
    prefix: str
    storage: Storage | None = None
    folder: Path | None = None
    views: tuple[str, ...] = (OBJECTS,)

    @property
    def title(self) -> str:
        """For people; the home folder shortens to `~`."""
        if self.storage is not None:
            return f"{self.storage.name} ▸ {self.prefix}" if self.prefix else self.storage.name
        assert self.folder is not None
        home = Path.home()
        if self.folder.is_relative_to(home):
            return str(Path("~") / self.folder.relative_to(home)).removesuffix("/.")
        return str(self.folder)

    @property
    def word(self) -> str:
        """What to type on the command line to open it again."""
        if self.storage is not None:
            return f"{self.storage.name}:{self.prefix}" if self.prefix else self.storage.name
        return str(self.folder)

    @property
    def parent(self) -> Location | None:
        """The location above; None at the top."""
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

    def _at(self, key: str) -> Location:
        prefix = f"{key}/" if key else ""
        folder = Path("/") / key if self.folder is not None else None
        return dataclasses.replace(self, prefix=prefix, folder=folder)


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
    key = str(folder).strip("/")
    store = FolderStore(Path("/"), read_only_objects=False)
    return Location(store, f"{key}/" if key else "", None, folder, (OBJECTS, DATASETS))


def open_storage_location(settings: Settings, name: str, prefix: str = "") -> Location:
    storage = open_storage(settings, name)
    clean = prefix.strip("/")
    return Location(storage.store, f"{clean}/" if clean else "", storage, None, (DATASETS, OBJECTS))


def open_location(word: str, settings: Settings) -> Location:
    """Opens what a user typed: `STORAGE`, `STORAGE:PREFIX`, else a folder (`./demo` where a storage is called demo).

    Raises: ConfigurationError, with the nearest storage as its hint.
    """
    names = storage_names(settings)
    name, colon, prefix = word.partition(":")
    if name in names:
        return open_storage_location(settings, name, prefix)
    if Path(word).expanduser().is_dir():
        return open_folder(Path(word))
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
