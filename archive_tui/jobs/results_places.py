"""Results stores as the parameters of a job name them: in a storage of the settings, or in a folder."""

from __future__ import annotations

import shlex
from pathlib import Path

from archive_tui.archives.results_store.opening import open_results_store
from archive_tui.archives.results_store.places import results_prefix
from archive_tui.archives.results_store.results_store import ResultsStore
from archive_tui.archives.storages import Storage
from archive_tui.jobs.kind import JobWork
from archive_tui.jobs.parameters import require
from archive_tui.jobs.places import Place, folder_place, name_settings, storage_place
from archive_tui.settings import Settings

PREFIX = "results"


def storage_results_place(storage: Storage, settings: Settings) -> Place:
    """Describes the results store in a storage of the settings.

    Raises: ConfigurationError when the settings name none there.
    """
    return {**storage_place(storage, settings), PREFIX: results_prefix(settings, storage.name)}


def folder_results_place(root: Path) -> Place:
    """Describes a results store in a folder of this machine."""
    return {**folder_place(root), "links": False, PREFIX: ""}


def results_title(place: Place) -> str:
    """What a person calls it: the storage, or the folder."""
    return str(place.get("storage") or place.get("folder"))


def results_command(place: Place, *words: str) -> str:
    """The command line `archive-tui store …` with these words for that results store."""
    if "storage" in place:
        return name_settings(shlex.join(["archive-tui", "store", *words, "--storage", place["storage"]]), place)
    return shlex.join(["archive-tui", "store", *words, "--root", place["folder"]])


def open_job_results(work: JobWork) -> ResultsStore:
    """Opens the results store of the parameters, under the limits of the job; it is closed when the run ends.

    Raises: ConfigurationError, NotAStoreError; what the store raises.
    """
    place = require(work.parameters, "place", dict)
    return open_results_store(work.open_place(place).store, require(place, PREFIX, str))
