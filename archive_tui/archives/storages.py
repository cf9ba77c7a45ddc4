"""The storages that the settings name, and the embedded archive that exists without any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from archive_tui.archives.datasets.storage_client import StorageClientABC
from archive_tui.errors import ConfigurationError
from archive_tui.objects.object_store import ObjectStore
from archive_tui.registry import load_by_dotted_path
from archive_tui.settings import DATASAFE_KEY, LIMIT_KEYS, RESULTS_KEY, Settings, check_keys, did_you_mean, read_config

EMBEDDED = "local"
DEFAULT_CONFIG = "secrets/settings.ini"
MASK = "*" * 12

_SECRET_WORDS = ("secret", "password", "passwd", "token", "credential", "conn_str", "access_key", "sas")
_KINDS = {
    "LocalStorageClient": "folder",
    "AwsStorageClient": "s3",
    "AzureStorageClient": "azure",
    "HttpStorageClient": "http",
}


@dataclass(frozen=True, slots=True)
class Storage:
    """A storage that can be used. `kind` is folder, s3, azure, http or client (a class of somebody else's);
    `local_path` is where its sources lie and its fetched versions go."""

    name: str
    client: StorageClientABC
    store: ObjectStore
    kind: str
    local_path: Path
    is_embedded: bool = False


def new_storage_client(storage_name: str, config_name: str | Path = DEFAULT_CONFIG) -> StorageClientABC:
    """Builds the client that a section of a settings file describes; nobody is contacted.

    `new_storage_client("local")` is the embedded archive where there is no settings file at all.

    Raises: ConfigurationError (a ValueError) `Failed to create storage client. storage_name=…, config_name=…` for ANY
    failure, its cause chained.
    """
    try:
        if storage_name == EMBEDDED and config_name == DEFAULT_CONFIG and not Path(config_name).exists():
            return _build_client(EMBEDDED, _embedded_config())
        return _build_client(storage_name, read_config(storage_name, config_name))
    except Exception as error:
        raise ConfigurationError(
            f"Failed to create storage client. storage_name={storage_name}, config_name={config_name}",
            hint=_cause_hint(error),
        ) from error


def storage_names(settings: Settings) -> list[str]:
    """Names in the order of the settings; the embedded archive comes last, unless a section replaces it."""
    names = list(settings.storages)
    return names if EMBEDDED in names else [*names, EMBEDDED]


def default_storage_name(settings: Settings) -> str:
    return storage_names(settings)[0]


def open_storage(settings: Settings, name: str) -> Storage:
    """Makes the storage of that name ready for use; nobody is contacted.

    Raises: ConfigurationError for an unknown name, a misspelt key, a class that cannot be imported or built.
    """
    if name not in storage_names(settings):
        raise ConfigurationError(
            f"No storage of this name: {name}",
            hint=f"{did_you_mean(name, storage_names(settings))}There are: {', '.join(storage_names(settings))}.",
            code="unknown-storage",
        )
    config = dict(settings.storages.get(name) or _embedded_config())
    try:
        client = _build_client(name, config, settings.own_keys.get(name))
    except ConfigurationError:
        raise
    except Exception as error:
        raise ConfigurationError(
            f"Cannot set up the storage [{name}]: {type(error).__name__}", hint="See its section in the settings."
        ) from error
    return Storage(name, client, client.object_store, _kind(config), client.local_path, name not in settings.storages)


def describe_storage(settings: Settings, name: str) -> dict[str, str]:
    """Returns the storage's configuration for people: every secret is masked."""
    config: Mapping[str, Any] = settings.storages.get(name) or _embedded_config()
    return {key: mask_secret(key, str(value)) for key, value in config.items()}


def mask_secret(key: str, value: str) -> str:
    is_secret = any(word in key.lower() for word in _SECRET_WORDS) and not key.lower().endswith("_file")
    return MASK if value and is_secret else value


def _embedded_config() -> dict[str, str]:
    return {
        "storage_client": "archive_tui.core.LocalStorageClient",
        "storage_area": str(user_data_path("archive-tui") / "archive"),
        "local_path": ".",
    }


def _build_client(name: str, config: dict[str, Any], own_keys: frozenset[str] | None = None) -> StorageClientABC:
    dotted_path = config.get("storage_client")
    if not dotted_path:
        near = did_you_mean("storage_client", config)
        raise ConfigurationError(
            f"Section [{name}] has no storage_client.",
            hint=f"{near}Name a class, for example archive_tui.core.LocalStorageClient.",
        )
    client_class = load_by_dotted_path(str(dotted_path))
    if not (isinstance(client_class, type) and issubclass(client_class, StorageClientABC)):
        raise ConfigurationError(
            f"[{name}] storage_client is not a storage client class: {dotted_path}",
            hint="It has to be a subclass of archive_tui.core.StorageClientABC.",
        )
    known = getattr(client_class, "known_keys", None)
    if known:
        check_keys(name, own_keys if own_keys is not None else config, (*known, DATASAFE_KEY, RESULTS_KEY, *LIMIT_KEYS))
    client: StorageClientABC = client_class(config)
    return client


def _kind(config: Mapping[str, Any]) -> str:
    module, _, class_name = str(config.get("storage_client", "")).rpartition(".")
    return _KINDS.get(class_name, "client") if module == "archive_tui.core" else "client"


def _cause_hint(error: Exception) -> str:
    hint = getattr(error, "hint", "")
    known = f"{error} {hint}" if isinstance(error, ConfigurationError) else f"The class raised {type(error).__name__}."
    return known.strip()
