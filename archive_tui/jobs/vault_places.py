"""Vaults, and places to archive to, as the parameters of a job name them, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archive_tui.archives.vault.archive_target import ArchiveTarget, open_archive_target
from archive_tui.archives.vault.vault import Vault
from archive_tui.jobs.kind import JobWork
from archive_tui.jobs.places import Place, storage_place
from archive_tui.settings import Settings, load_settings


def place_title(place: Place) -> str:
    """The storage's name, or the folder."""
    return str(place["storage"]) if "storage" in place else f"folder {place['folder']}"


def command_name(place: Place) -> str | None:
    """The word by which a command line finds the place; None: it is a plain folder, which none can name."""
    return str(place["storage"]) if "storage" in place else None


def vault_parameters(place: Place, prefix: str) -> dict[str, Any]:
    return {"vault": dict(place), "prefix": prefix}


def open_job_vault(work: JobWork) -> Vault:
    """Opens the vault of the parameters. Raises: ConfigurationError."""
    opened = work.open_place(work.parameters["vault"])
    return Vault(opened.store, work.parameters["prefix"], opened.storage)


def target_parameters(target: ArchiveTarget, settings: Settings, path: str) -> dict[str, Any]:
    """Describes a place that `open_archive_target(settings, path)` has opened; a bucket that no settings name is
    described by `path` alone."""
    if target.storage is not None:
        return {"place": dict(storage_place(target.storage, settings)), "prefix": target.prefix, "path": path}
    return {"place": None, "prefix": target.prefix, "path": path, "settings": _text(settings.path)}


def open_job_target(work: JobWork, parameters: Mapping[str, Any] | None) -> ArchiveTarget | None:
    """Opens what `target_parameters` has described. Raises: ConfigurationError."""
    if parameters is None:
        return None
    if parameters["place"] is not None:
        opened = work.open_place(parameters["place"])
        return ArchiveTarget(opened.store, parameters["prefix"], opened.storage)
    path = parameters["settings"]
    settings = load_settings(Path(path)) if path is not None else Settings(None, {})
    return open_archive_target(settings, parameters["path"])


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path.absolute())
