"""What `archive-tui manifest` asks for, as requests of jobs, and how their lines are printed while they run here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archive_tui.cli.job_running import run_as_job
from archive_tui.cli.output import OutputClosed, OutputFailed

if TYPE_CHECKING:
    from archive_tui.archives.vault.archive_target import ArchiveTarget
    from archive_tui.archives.vault.outcomes import LineNews
    from archive_tui.archives.vault.vault import Vault
    from archive_tui.cli.invocation import Invocation
    from archive_tui.cli.job_options import JobOptions
    from archive_tui.cli.manifest_request import ManifestRequest
    from archive_tui.cli.progress_display import ProgressDisplay
    from archive_tui.jobs.manifests.picked_manifest import PickedManifest
    from archive_tui.jobs.places import Place
    from archive_tui.jobs.request import JobRequest
    from archive_tui.manifests.checksum_lines import ChecksumManifest


def require_file(manifest: str) -> None:
    """Raises: click.UsageError for a manifest that another process cannot open."""
    if not Path(manifest).is_file():
        raise click.UsageError("--background needs a manifest that is a file: another process reads it.")


def ask_request(invocation: Invocation, request: ManifestRequest, options: JobOptions, vault: Vault) -> JobRequest:
    """Raises: ConfigurationError."""
    from archive_tui.jobs.kinds.vault_lines import ask_vault_job

    return ask_vault_job(
        _picked(request), _place(invocation, vault), vault.prefix, read=request.read,
        policy=options.make_policy(invocation),
    )  # fmt: skip


def archive_request(
    invocation: Invocation, request: ManifestRequest, options: JobOptions, vault: Vault, target: ArchiveTarget | None
) -> JobRequest:
    """Raises: ConfigurationError."""
    from archive_tui.jobs.kinds.vault_lines import archive_manifest_job
    from archive_tui.jobs.vault_places import target_parameters

    goal = None
    if target is not None and request.path is not None:
        goal = target_parameters(target, invocation.load_settings(), request.path)
    return archive_manifest_job(
        _picked(request), _place(invocation, vault), vault.prefix, target=goal, upload_all=request.upload_all,
        policy=options.make_policy(invocation),
    )  # fmt: skip


def fetch_request(invocation: Invocation, request: ManifestRequest, options: JobOptions, vault: Vault) -> JobRequest:
    """Raises: ConfigurationError."""
    from archive_tui.jobs.kinds.vault_lines import fetch_manifest_job

    return fetch_manifest_job(
        _picked(request), _place(invocation, vault), vault.prefix, Path(request.root or "."),
        overwrite=request.overwrite, policy=options.make_policy(invocation, options.on_conflict),
    )  # fmt: skip


def run_lines_as_job(
    invocation: Invocation,
    request: JobRequest,
    manifest: ChecksumManifest,
    add: Callable[[LineNews], None],
    display: ProgressDisplay,
) -> None:
    """Runs the job here, over the manifest that is open already; `add` prints the news of each line. Output that nobody
    takes any more stops the job.

    Raises: OutputClosed, OutputFailed; what the operation raises.
    """
    refused: list[OutputClosed | OutputFailed] = []
    stop = threading.Event()

    def tell(news: LineNews) -> None:
        try:
            if not refused:
                add(news)
        except (OutputClosed, OutputFailed) as error:
            refused.append(error)
            stop.set()

    try:
        run_as_job(invocation, request, live={"manifest": manifest, "tell": tell}, display=display, also_stop=stop)
    finally:
        if refused:
            raise refused[0]


def _picked(request: ManifestRequest) -> PickedManifest:
    from archive_tui.jobs.manifests.picked_manifest import PickedManifest

    return PickedManifest(Path(request.manifest), base=Path(request.root or "."), dialect=request.dialect)


def _place(invocation: Invocation, vault: Vault) -> Place:
    from archive_tui.jobs.places import storage_place

    assert vault.storage is not None, "a vault of the settings lies in a storage"
    return storage_place(vault.storage, invocation.load_settings())
