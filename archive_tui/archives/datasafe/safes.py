"""The datasafes that the settings name, or a folder or an address names, made ready for use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archive_tui.archives.datasafe.safe import Safe
from archive_tui.archives.storages import open_storage, storage_names
from archive_tui.errors import ConfigurationError
from archive_tui.names.object_keys import check_key
from archive_tui.objects.http.tokens import read_token
from archive_tui.objects.object_store import ObjectStore
from archive_tui.settings import DATASAFE_KEY, PROGRAM_SECTION, Settings, did_you_mean

__all__ = [
    "open_address",
    "open_safe",
    "open_safe_in",
    "open_storage_safe",
    "read_token",
    "safe_prefix",
    "safe_storage_names",
    "usual_storage",
]

HTTP_CLIENT = "archive_tui.core.HttpStorageClient"


def safe_storage_names(settings: Settings) -> list[str]:
    """Returns the storages in which a datasafe lies, in the order of the settings."""
    return [name for name in storage_names(settings) if _holds_safe(settings.storages.get(name, {}))]


def usual_storage(settings: Settings) -> str:
    """Returns the storage whose datasafe is meant when none is named: `datasafe` in `[archive-tui]`, else the only one.

    Raises: ConfigurationError when there is none, or when there are several.
    """
    names = safe_storage_names(settings)
    chosen = settings.program.get(DATASAFE_KEY, "").strip()
    if chosen:
        safe_prefix(settings, chosen)
        return chosen
    if len(names) == 1:
        return names[0]
    raise ConfigurationError(
        "There are several datasafes, and none is named." if names else "No datasafe is named.",
        hint=f"Name one of {', '.join(names)}, or set `{DATASAFE_KEY}` in [{PROGRAM_SECTION}] of the settings."
        if names
        else f"Name a folder or an address, or write `{DATASAFE_KEY} = /` into the section of a storage.",
        code="no-datasafe",
    )


def safe_prefix(settings: Settings, name: str) -> str:
    """Returns where in a storage the datasafe lies: empty for the top, else with `/` at its end.

    Raises: ConfigurationError when the settings name none there, or a prefix that no key can begin with.
    """
    if name not in storage_names(settings):
        near = did_you_mean(name, storage_names(settings))
        raise ConfigurationError(
            f"No storage of this name: {name}",
            hint=f"{near}There are: {', '.join(storage_names(settings))}.",
            code="unknown-storage",
        )
    section = settings.storages.get(name, {})
    if not _holds_safe(section):
        raise ConfigurationError(
            f"The settings name no datasafe in the storage {name}.",
            hint=f"Write `{DATASAFE_KEY} = /` into its section, or a prefix such as `{DATASAFE_KEY} = safe/`.",
            code="no-datasafe",
        )
    clean = section.get(DATASAFE_KEY, "").strip().strip("/")
    if not clean or _is_http(section):
        return ""
    try:
        return f"{check_key(clean)}/"
    except ValueError as error:
        raise ConfigurationError(
            f"[{name}] {DATASAFE_KEY} cannot be used: {error}", hint="Write something like safe/, or / for the top."
        ) from error


def open_safe(
    settings: Settings,
    *,
    storage: str | None = None,
    root: Path | None = None,
    url: str | None = None,
    token: str | None = None,
) -> Safe:
    """Opens the datasafe of a storage, in a folder, or behind an address; without any of them the usual one of the
    settings. Nobody is contacted. Close it: it has its own connections.

    Raises: ConfigurationError.
    """
    if sum(each is not None for each in (storage, root, url)) > 1:
        raise ConfigurationError("One datasafe at a time.", hint="Name a storage, a folder or an address.")
    if url is not None:
        return open_address(url, token)
    if root is not None:
        from archive_tui.archives.datasafe.opening import open_folder_safe

        return open_folder_safe(root)
    return open_storage_safe(settings, usual_storage(settings) if storage is None else storage)


def open_storage_safe(settings: Settings, name: str, **options: Any) -> Safe:
    """Opens the datasafe of a storage; `options` as of StoredSafe. Raises: ConfigurationError."""
    prefix = safe_prefix(settings, name)
    return open_safe_in(open_storage(settings, name).store, prefix, **options)


def open_safe_in(store: ObjectStore, prefix: str = "", **options: Any) -> Safe:
    """Opens the datasafe below `prefix` of a store, which may be wrapped; a store over HTTP is a datasafe itself, and
    takes no `options`.

    Raises: ConfigurationError.
    """
    from archive_tui.objects.http import HttpStore
    from archive_tui.objects.wrappers.throttled_store import ThrottledStore
    from archive_tui.objects.wrappers.wrapped_store import WrappedStore

    bare, pace = store, None
    while isinstance(bare, WrappedStore):
        if isinstance(bare, ThrottledStore):
            pace = bare.slow_down if pace is None else pace
        bare = bare.inner
    if isinstance(bare, HttpStore):
        from archive_tui.archives.datasafe.remote_safe import RemoteSafe

        return RemoteSafe.over(bare, reading=store, pace=pace)
    from archive_tui.archives.datasafe.opening import open_store_safe

    return open_store_safe(store, prefix, **options)


def open_address(url: str, token: str | None = None) -> Safe:
    """Opens the datasafe behind an address. Raises: ConfigurationError for what is no address."""
    from archive_tui.archives.datasafe.remote_safe import RemoteSafe

    return RemoteSafe(url, token)


def _holds_safe(section: Mapping[str, str]) -> bool:
    return DATASAFE_KEY in section or _is_http(section)


def _is_http(section: Mapping[str, str]) -> bool:
    return section.get("storage_client") == HTTP_CLIENT
