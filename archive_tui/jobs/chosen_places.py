"""What the words of somebody who copies or deletes mean: `STORAGE:KEY`, `STORAGE:PREFIX/`, or a path of this machine.

A word that ends in a slash means what lies in the folder, one without the folder with its name.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from archive_tui.archives.storages import open_storage, storage_names
from archive_tui.errors import ConfigurationError, ObjectNotFound, SourceNotFound, TargetExists
from archive_tui.jobs.places import Place, folder_place, storage_place
from archive_tui.objects.object_store import ObjectStore
from archive_tui.settings import Settings, did_you_mean


@dataclass(frozen=True, slots=True)
class ChosenPlace:
    """`base` and `names` as in `operations.selected_entries`."""

    place: Place
    base: str
    names: tuple[str, ...]


def choose_source(word: str, settings: Settings) -> ChosenPlace:
    """Finds what a word means. A storage is asked whether a key without a slash is an object or a folder.

    Raises: SourceNotFound, ObjectNotFound (prefix-not-found); ConfigurationError for a storage that there is not; what
    the storage raises.
    """
    name, colon, key = word.partition(":")
    if name in storage_names(settings):
        return _choose_in_storage(name, key, settings)
    path = Path(word).expanduser()
    if not os.path.lexists(path):
        raise _not_found(word, name, colon, settings)
    whole = os.path.abspath(path)  # noqa: PTH100  (no link is resolved)
    folder, leaf = os.path.split(whole)
    if path.is_dir() and (os.path.basename(word) in ("", ".", "..") or not leaf):  # noqa: PTH119  (a Path drops /.)
        return ChosenPlace(folder_place(Path(whole)), "", ("",))
    is_folder = path.is_dir() and not path.is_symlink()
    return ChosenPlace(folder_place(Path(folder)), "", (f"{leaf}/" if is_folder else leaf,))


def choose_target(word: str, settings: Settings) -> tuple[Place, str]:
    """Returns the place and the prefix below which something is put: a word always means a folder, with a slash at its
    end or without; one that is not there is made with the first object in it.

    Raises: TargetExists for a file; ConfigurationError for a storage that there is not.
    """
    name, colon, prefix = word.partition(":")
    if name in storage_names(settings):
        storage = open_storage(settings, name)
        place = storage_place(storage, settings)
        storage.store.close()
        clean = prefix.strip("/")
        return place, f"{clean}/" if clean else ""
    path = Path(word).expanduser()
    if colon and "/" not in name and not path.exists():
        raise _not_found(word, name, colon, settings)
    if os.path.lexists(path) and not path.is_dir():
        raise TargetExists(f"Not a folder: {word}", hint="Name the folder that everything is to be put into.")
    return folder_place(path), ""


def choose_new_folder(word: str, settings: Settings) -> tuple[Place, str]:
    """Returns the place and the key of a folder that is to be made; nobody is contacted.

    Raises: TargetExists when something of that name is there; ConfigurationError for a storage that there is not, and
    for the top of one.
    """
    name = word.partition(":")[0]
    if name in storage_names(settings):
        place, prefix = choose_target(word, settings)
        if not prefix:
            raise ConfigurationError(f"That is the storage itself: {word}", hint="Write STORAGE:PREFIX.")
        return place, prefix.rstrip("/")
    if os.path.lexists(Path(word).expanduser()):
        raise TargetExists(f"Something of this name is there already: {word}", hint="Choose another name.")
    whole = Path(choose_target(word, settings)[0]["folder"])
    above = next(path for path in whole.parents if path.is_dir())  # what is missing is made below it
    return folder_place(above, keeps=False), str(whole.relative_to(above))


def gather(chosen: Iterable[ChosenPlace]) -> list[ChosenPlace]:
    """Puts together what has one place and one base, in the order of the words."""
    gathered: dict[tuple[str, str], ChosenPlace] = {}
    for each in chosen:
        key = repr(sorted(each.place.items())), each.base
        before = gathered.get(key)
        names = (*before.names, *each.names) if before is not None else each.names
        gathered[key] = ChosenPlace(each.place, each.base, tuple(dict.fromkeys(names)))
    return list(gathered.values())


def _choose_in_storage(name: str, key: str, settings: Settings) -> ChosenPlace:
    storage = open_storage(settings, name)
    place = storage_place(storage, settings)
    key = key.lstrip("/")
    with storage.store as store:
        if not key or key.endswith("/"):
            return ChosenPlace(place, key, ("",))
        folder, slash, leaf = key.rpartition("/")
        return ChosenPlace(place, folder + slash, (_as_object_or_folder(store, key, leaf),))


def _as_object_or_folder(store: ObjectStore, key: str, leaf: str) -> str:
    try:
        store.info(key)
    except ObjectNotFound as error:
        if next(iter(store.list(f"{key}/")), None) is not None:
            return f"{leaf}/"
        raise ObjectNotFound(
            f"Nothing in {store.label} lies at or below this key: {key}",
            key=key,
            store=store.label,
            hint="List one level higher.",
            code="prefix-not-found",
        ) from error
    return leaf


def _not_found(word: str, name: str, colon: str, settings: Settings) -> ConfigurationError | SourceNotFound:
    names = storage_names(settings)
    if colon and "/" not in name:
        return ConfigurationError(
            f"No storage of this name: {name}",
            hint=f"{did_you_mean(name, names)}There are: {', '.join(names)}.",
            code="unknown-storage",
        )
    return SourceNotFound(
        f"No such file or folder: {word}", path=word, hint="Check the path; a storage is STORAGE:KEY."
    )
