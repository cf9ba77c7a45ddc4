"""The results stores that the settings name."""

from __future__ import annotations

from archive_tui.archives.results_store.opening import open_results_store
from archive_tui.archives.results_store.results_store import ResultsStore
from archive_tui.archives.storages import open_storage, storage_names
from archive_tui.errors import ConfigurationError
from archive_tui.names.object_keys import check_key
from archive_tui.settings import RESULTS_KEY, Settings, did_you_mean


def results_storage_names(settings: Settings) -> list[str]:
    """Returns the storages in which a results store lies, in the order of the settings."""
    return [name for name in storage_names(settings) if RESULTS_KEY in settings.storages.get(name, {})]


def results_prefix(settings: Settings, name: str) -> str:
    """Returns where in a storage the results store lies: empty for the top, else with `/` at its end.

    Raises: ConfigurationError when the settings name none there, or a prefix that no key can begin with.
    """
    if name not in storage_names(settings):
        raise ConfigurationError(
            f"No storage of this name: {name}",
            hint=f"{did_you_mean(name, storage_names(settings))}There are: {', '.join(storage_names(settings))}.",
            code="unknown-storage",
        )
    section = settings.storages.get(name, {})
    if RESULTS_KEY not in section:
        raise ConfigurationError(
            f"The settings name no results store in the storage {name}.",
            hint=f"Write `{RESULTS_KEY} = /` into its section, or a prefix such as `{RESULTS_KEY} = results/`.",
            code="no-results-store",
        )
    clean = section[RESULTS_KEY].strip().strip("/")
    try:
        return f"{check_key(clean)}/" if clean else ""
    except ValueError as error:
        raise ConfigurationError(
            f"[{name}] {RESULTS_KEY} cannot be used: {error}", hint="Write something like results/, or / for the top."
        ) from error


def open_storage_results(settings: Settings, name: str) -> ResultsStore:
    """Opens the results store of a storage; it has connections of its own: close it.

    Raises: ConfigurationError; NotAStoreError when none lies there; what the store raises.
    """
    return open_results_store(open_storage(settings, name).store, results_prefix(settings, name))
