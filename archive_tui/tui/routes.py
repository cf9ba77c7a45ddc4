"""The ways from the browse screen to the other screens, each a function of the app and of what was picked.

`marked` is never empty, except where nothing can be picked: then it is the location itself that is meant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from archive_tui.archives.storages import default_storage_name
from archive_tui.jobs.job import JobSpec
from archive_tui.jobs.kinds import NamedStore, fetch_job, verify_folder_job, verify_version_job
from archive_tui.names.dataset_names import parse_dataset_archive_name
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_total
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectStore
from archive_tui.tui.rows.selection import Selected
from archive_tui.tui.services import Services
from archive_tui.tui.submitting import ask_key, find_services, fit_path, watch_job

if TYPE_CHECKING:
    from archive_tui.archives.locations import Location
    from archive_tui.tui.archive_app import ArchiveApp
    from archive_tui.tui.screens.publish.draft import PublishDraft


@dataclass(frozen=True, slots=True)
class _PlainStore:
    """A folder that is no configured storage, under the word that opens it: no command line can name it."""

    name: str
    store: ObjectStore


def open_publish(app: ArchiveApp, source: Location, target: Location, marked: tuple[Selected, ...]) -> None:
    """Opens the publish guide for the picked file or folder of `source` into the storage of `target`; a guide that was
    left is opened where it was left."""
    from archive_tui.tui.screens.publish.draft import PublishDraft, propose_name
    from archive_tui.tui.screens.publish.publish_screen import PublishScreen

    services = find_services(app)
    if services is None or source.folder is None:
        app.show_status("Publishing needs a folder of this machine in the active pane.")
        return
    path, chosen = choose_source(source.folder, marked)
    storage_name = target.storage.name if target.storage is not None else default_storage_name(app.settings)
    prefix = target.prefix if target.storage is not None else ""
    key = (str(path), *chosen, storage_name, prefix)
    draft = services.drafts.get(key)
    if draft is None or (draft.publish_job is not None and _has_published(services, draft.publish_job)):
        draft = PublishDraft(path, storage_name, propose_name(path, prefix), chosen, save_folder=source.folder)
        services.drafts[key] = draft
    app.push_screen(PublishScreen(draft, services), lambda ignored: _publish_left(app, draft))


def _publish_left(app: ArchiveApp, draft: PublishDraft) -> None:
    if draft.publish_job is None:
        app.show_status(f"The draft is kept: P on {escape_for_display(draft.source.name)} opens it again.")
    watch_job(app, draft.publish_job)


def choose_source(folder: Path, marked: tuple[Selected, ...]) -> tuple[Path, tuple[str, ...]]:
    """Returns what is published, and which entries of it (none: all): one entry is a source by itself, several are a
    part of the folder in which they lie."""
    if not marked:
        return folder, ()
    if len(marked) == 1:
        return folder / marked[0].name.rstrip("/"), ()
    return folder, tuple(sorted(selected.name.rstrip("/") for selected in marked))


def start_fetch(app: ArchiveApp, source: Location, target: Location, marked: tuple[Selected, ...]) -> None:
    """Asks in the status line, then submits one fetch job for each picked dataset version of `source` into the folder
    of `target`. What exists there is left, or replaced when that is the answer."""
    services, into = find_services(app), target.folder
    versions = [(selected, *found) for selected in marked if (found := version_of(selected)) is not None]
    if services is None or into is None or not versions:
        app.show_status("Fetching needs a dataset here and a folder of this machine in the other pane.")
        return

    def submit(*, overwrite: bool) -> None:
        for _, name, version in versions:
            job = fetch_job(
                _named(source),
                _name_there(source, name),
                version,
                into,
                services.evidence,
                overwrite=overwrite,
                has_command=source.storage is not None,
            )
            watch_job(app, services.engine.submit(job))

    sizes = [-1 if selected.size is None else selected.size for selected, _, _ in versions]
    total = format_total(sum(max(0, size) for size in sizes), sum(size < 0 for size in sizes))
    first = f"{_name_there(source, versions[0][1])} {versions[0][2]}"
    what = first if len(versions) == 1 else f"{len(versions)} versions"
    existing = [into / f"{_name_there(source, name)}.{version}" for _, name, version in versions]
    existing = [path for path in existing if services.exists(path)]
    if existing:
        where = str(existing[0]) if len(existing) == 1 else f"{len(existing)} of them"
        question = fit_path(app, "Exists: ", where, "  l leave and verify · o overwrite · Esc no fetch")
        answers = {"l": False, "enter": False, "o": True}
    else:
        question = fit_path(app, f"Fetch {what} ({total}) into ", str(into), "?  Enter fetch · Esc no")
        answers = {"enter": False, "y": False}
    ask_key(app, question, answers, lambda overwrite: submit(overwrite=overwrite))


def start_verify(app: ArchiveApp, location: Location, marked: tuple[Selected, ...]) -> None:
    """Verifies the picked dataset versions of a storage, or the picked folder (none: the folder itself), and opens the
    screen that watches it; of several, the list of jobs."""
    from archive_tui.tui.screens.verify import VerifyScreen

    services = find_services(app)
    if services is None:
        return
    makers = make_verify_jobs(services, location, marked)
    if not makers:
        app.show_status("Verify needs a folder with a manifest, or a dataset.")
        return
    job_ids = [services.engine.submit(make()) for make in makers]
    for job_id in job_ids:
        watch_job(app, job_id)
    if len(job_ids) == 1:
        app.push_screen(VerifyScreen(job_ids[0], services, makers[0]))
    else:
        open_jobs(app)


def make_verify_jobs(
    services: Services, location: Location, marked: tuple[Selected, ...]
) -> list[Callable[[], JobSpec]]:
    """What makes the jobs, so that each can be made again."""
    makers: list[Callable[[], JobSpec]] = []
    for selected in marked:
        found = version_of(selected)
        if found is not None:
            makers.append(_version_job_maker(services, location, *found))
        elif location.folder is not None and selected.is_folder:
            makers.append(_folder_job_maker(location.folder / selected.name.rstrip("/")))
    if not makers and location.folder is not None:
        makers.append(_folder_job_maker(location.folder))
    return makers


def open_audit(app: ArchiveApp, location: Location, marked: tuple[Selected, ...]) -> None:
    """Opens the screen that watches a verification of what was picked."""
    start_verify(app, location, marked)


def open_jobs(app: ArchiveApp) -> None:
    from archive_tui.tui.screens.jobs import JobsScreen

    services = find_services(app)
    if services is not None:
        app.push_screen(JobsScreen(services))


def open_connections(app: ArchiveApp) -> None:
    from archive_tui.tui.screens.connections import ConnectionsScreen

    services = find_services(app)
    if services is not None:
        app.push_screen(ConnectionsScreen(services))


def version_of(selected: Selected) -> tuple[str, str] | None:
    """Name and version of a picked dataset row or archive; None for anything else."""
    if selected.dataset is None:
        return None
    if selected.version is not None:
        return selected.dataset, selected.version
    return parse_dataset_archive_name(selected.key)


def _named(location: Location) -> NamedStore:
    if location.folder is not None:
        return _PlainStore(location.word, FolderStore(location.folder))
    assert location.storage is not None
    return location.storage


def _name_there(location: Location, name: str) -> str:
    """The dataset's name in the store of `_named`: below a folder it begins where the folder ends."""
    return name.removeprefix(location.prefix) if location.folder is not None else name


def _version_job_maker(services: Services, location: Location, name: str, version: str) -> Callable[[], JobSpec]:
    has_command = location.storage is not None
    store, there = _named(location), _name_there(location, name)
    return lambda: verify_version_job(store, there, version, services.evidence, has_command=has_command)


def _folder_job_maker(folder: Path) -> Callable[[], JobSpec]:
    return lambda: verify_folder_job(folder)


def _has_published(services: Services, job_id: int) -> bool:
    job = services.engine.get(job_id)
    return job is None or (job.state.is_end and job.result is not None)
