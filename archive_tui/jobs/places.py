"""Places as the parameters of a job name them: a storage of the settings, or a folder of this machine.

What is written down is the name, the settings file, and the identity that the place had when the job was queued. A
name that means another place by now is refused: a job never goes where nobody sent it.
"""

from __future__ import annotations

import dataclasses
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive_tui.archives.storages import Storage, open_storage
from archive_tui.errors import ConfigurationError
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectStore
from archive_tui.settings import Settings, load_settings, user_settings_file

Place = Mapping[str, Any]
"""`{"storage": name, "settings": path or None, "identity": …}` or `{"folder": path, "keeps": bool}`, as JSON. `begins`
is there when the settings name the folder of the storage by a relative path: what it is relative to; `links` False
when no link below a folder is to be followed, which a person's own folder otherwise allows. `{"url": address,
"token_file": path or None}` is a datasafe that no settings name."""


_AREA = "storage_area"


@dataclass(frozen=True, slots=True)
class OpenedPlace:
    """`name` is the word by which a command line finds it; `storage` None: it is a plain folder, which no command line
    can name as a storage."""

    name: str
    store: ObjectStore
    storage: Storage | None = None


def storage_place(storage: Storage, settings: Settings) -> Place:
    """Describes a storage of the settings."""
    path = None if settings.path is None else os.path.abspath(settings.path)  # noqa: PTH100  (no link is resolved)
    place = {"storage": storage.name, "settings": path, "identity": storage.store.identity}
    area = settings.storages.get(storage.name, {}).get(_AREA, "")
    is_relative = area and not Path(area).expanduser().is_absolute()
    return {**place, "begins": os.getcwd()} if is_relative else place  # noqa: PTH109  (a job may run in another folder)


def folder_place(folder: Path, *, keeps: bool = True) -> Place:
    """Describes a folder of this machine. `keeps`: what is put there becomes read-only, as in an archive."""
    return {"folder": os.path.abspath(folder), "keeps": keeps}  # noqa: PTH100


def name_settings(command: str, *places: Place) -> str:
    """Returns the command line with the settings file of these places, unless it is found from any folder without."""
    paths = [place["settings"] for place in places if place.get("settings")]
    if not command or not paths or paths[0] == str(user_settings_file()):
        return command
    return f"{command} --settings {shlex.quote(paths[0])}"


def open_place(place: Place) -> OpenedPlace:
    """Opens a place anew, from the settings as they are now; nobody is contacted.

    Raises: ConfigurationError: unknown-storage when it vanished from the settings, place-moved when its name means
    another place now, and what reading the settings raises.
    """
    if "url" in place:
        return _open_address(place["url"], place.get("token_file"))
    if "folder" in place:
        folder = Path(place["folder"])
        keeps, links = bool(place.get("keeps", True)), place.get("links")
        return OpenedPlace(str(folder), FolderStore(folder, read_only_objects=keeps, enters_symlinks=links))
    path = place.get("settings")
    settings = load_settings(Path(path)) if path is not None else Settings(None, {})
    settings = _begin_at(settings, place["storage"], place.get("begins"))
    storage = open_storage(settings, place["storage"])
    if storage.store.identity != place["identity"]:
        found = storage.store.identity
        storage.store.close()
        raise ConfigurationError(
            f"The storage {place['storage']} is another place than when this was queued: {found}",
            hint=f"It was {place['identity']}. Set the settings right and retry the job, or begin anew.",
            code="place-moved",
        )
    return OpenedPlace(storage.name, storage.store, storage)


def _open_address(url: str, token_file: str | None) -> OpenedPlace:
    from archive_tui.objects.http import HttpStore
    from archive_tui.objects.http.tokens import read_token

    return OpenedPlace(url, HttpStore(url, None if token_file is None else read_token(Path(token_file))))


def _begin_at(settings: Settings, name: str, folder: str | None) -> Settings:
    """The settings with a relative folder of that storage made absolute, as it was where the job was queued."""
    keys = settings.storages.get(name, {})
    if folder is None or _AREA not in keys:
        return settings
    area = str(Path(folder) / Path(keys[_AREA]).expanduser())
    return dataclasses.replace(settings, storages={**settings.storages, name: {**keys, _AREA: area}})
