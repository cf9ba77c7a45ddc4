"""The command line that does what a job does, ready to be pasted into a POSIX shell. Pure."""

from __future__ import annotations

import shlex
from pathlib import Path

from archive_tui.archives.datasets.planning import INCREMENTS, DatasetDetails, PublishPlan

_PROGRAM = "archive-tui"


def publish_command(storage_name: str, plan: PublishPlan) -> str:
    """The version is written as the number that was shown: typed later, it must not become another one."""
    request = plan.request
    words = [_PROGRAM, "dataset", "publish", storage_name, request.name, "--version", plan.version]
    words += ["--source", str(request.source)]
    if request.on_conflict != "fail" and request.version in INCREMENTS:
        words += ["--on-conflict", request.on_conflict]
    words += ["--compression-level", str(request.compression_level)] if request.compression_level != -1 else []
    words += ["--follow-symlinks"] if request.follow_symlinks else []
    words += ["--allow-identical"] if request.allow_identical else []
    return shlex.join([*words, *_details_options(request.details)])


def fetch_command(storage_name: str, name: str, version: str, into: Path, *, overwrite: bool) -> str:
    words = [_PROGRAM, "dataset", "fetch", storage_name, name, "--version", version, "--to", str(into)]
    return shlex.join([*words, *(["--overwrite"] if overwrite else [])])


def verify_version_command(storage_name: str, name: str, version: str) -> str:
    return shlex.join([_PROGRAM, "dataset", "verify", storage_name, name, "--version", version])


def verify_folder_command(folder: Path) -> str:
    return shlex.join([_PROGRAM, "verify", str(folder)])


def storage_test_command(storage_name: str) -> str:
    return shlex.join([_PROGRAM, "storage", "test", storage_name])


def fetch_python(settings_path: Path | None, storage_name: str, name: str, version: str) -> str:
    """The lines of Python that fetch a version."""
    settings = f", {str(settings_path)!r}" if settings_path is not None else ""
    return (
        "from archive_tui.core import new_storage_client\n"
        f"client = new_storage_client({storage_name!r}{settings})\n"
        f"client.download_dataset({name!r}, {version!r})"
    )


def _details_options(details: DatasetDetails) -> list[str]:
    """Options that ask for the same; an empty word leaves a field out that would be carried over."""
    texts = (("--title", details.title), ("--description", details.description), ("--license", details.license))
    lists = (("--creator", details.creators), ("--keyword", details.keywords))
    options = [word for option, value in texts if value is not None for word in (option, value)]
    for option, values in lists:
        if values is not None:
            options += [word for value in values or ("",) for word in (option, value)]
    return options
