"""Datasafes as the parameters of a job name them: in a storage of the settings, in a folder, behind an address."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from archive_tui.archives.datasafe.opening import find_throttle, open_folder_safe
from archive_tui.archives.datasafe.safe import Safe
from archive_tui.archives.datasafe.safes import open_safe_in, safe_prefix
from archive_tui.archives.storages import Storage
from archive_tui.jobs.kind import JobWork
from archive_tui.jobs.parameters import require
from archive_tui.jobs.places import Place, folder_place, name_settings, storage_place
from archive_tui.settings import Settings


def storage_safe_place(storage: Storage, settings: Settings) -> Place:
    """Describes the datasafe in a storage of the settings.

    Raises: ConfigurationError when the settings name none there.
    """
    return {**storage_place(storage, settings), "safe": safe_prefix(settings, storage.name)}


def folder_safe_place(root: Path) -> Place:
    """Describes a datasafe in a folder of this machine."""
    return {"safe_root": os.path.abspath(root)}  # noqa: PTH100  (no link is resolved)


def address_safe_place(url: str, token_file: Path | None) -> Place:
    """Describes a datasafe that no settings name. The token is not written down, only where it lies."""
    return {"safe_url": url, "token_file": None if token_file is None else str(token_file.absolute())}


def safe_title(place: Place) -> str:
    """What a person calls it: the storage, the folder, or the address."""
    return str(place.get("storage") or place.get("safe_root") or place.get("safe_url"))


def safe_command(place: Place, *words: str) -> str:
    """The command line `archive-tui safe …` with these words for that datasafe."""
    if "storage" in place:
        return name_settings(shlex.join(["archive-tui", "safe", *words, "--storage", place["storage"]]), place)
    if "safe_root" in place:
        return shlex.join(["archive-tui", "safe", *words, "--root", place["safe_root"]])
    token = ["--token-file", place["token_file"]] if place.get("token_file") else []
    return shlex.join(["archive-tui", "safe", *words, "--url", place["safe_url"], *token])


@contextmanager
def open_job_safe(work: JobWork) -> Iterator[Safe]:
    """Opens the datasafe of the parameters, under the limits of the job; closed at the end.

    Raises: ConfigurationError; StorageError when a folder is no datasafe.
    """
    place: dict[str, Any] = require(work.parameters, "place", dict)
    if "storage" in place:
        opened = work.open_place(place)
        yield open_safe_in(opened.store, require(place, "safe", str))
        return
    if "safe_url" in place:
        opened = work.open_place({"url": require(place, "safe_url", str), "token_file": place.get("token_file")})
        yield open_safe_in(opened.store)
        return
    root = Path(require(place, "safe_root", str))
    opened = work.open_place(folder_place(root))
    with open_folder_safe(root, throttle=find_throttle(opened.store)) as safe:
        yield safe
