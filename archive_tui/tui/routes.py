"""The ways from the browse screen to the other screens, each a function of the app and of what was picked.

`marked` is never empty, except where nothing can be picked: then it is the location itself that is meant.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from archive_tui.archives.storages import default_storage_name
from archive_tui.conflicts import ConflictRule
from archive_tui.jobs.kinds.copying import copy_job
from archive_tui.jobs.kinds.fetching import fetch_job
from archive_tui.jobs.kinds.verifying import verify_folder_job, verify_version_job
from archive_tui.jobs.places import Place, folder_place, storage_place
from archive_tui.jobs.request import JobRequest
from archive_tui.jobs.states import JobState
from archive_tui.names.dataset_names import parse_dataset_archive_name
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_total
from archive_tui.settings import Settings
from archive_tui.tui.rows.selection import Selected
from archive_tui.tui.services import Services
from archive_tui.tui.submitting import (
    MakeRequest,
    ask_key,
    find_services,
    fit_path,
    submit_on_page,
    submit_watched,
)

if TYPE_CHECKING:
    from archive_tui.archives.locations import Location
    from archive_tui.tui.archive_app import ArchiveApp
    from archive_tui.tui.screens.publish.draft import PublishDraft


_PUBLISHED = (JobState.VERIFIED, JobState.COPIED, JobState.FINISHED)


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
    if draft.publish_job is None and not draft.is_submitting:
        app.show_status(f"The draft is kept: P on {escape_for_display(draft.source.name)} opens it again.")


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
        left_alone = ConflictRule.KEEP if existing else ConflictRule.ASK
        rule = ConflictRule.REPLACE if overwrite else left_alone
        for _, name, version in versions:
            submit_watched(app, services, _fetch_maker(services, source, name, version, into, rule))

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


def start_copy(app: ArchiveApp, source: Location, target: Location, marked: tuple[Selected, ...]) -> None:
    """Asks in the status line, then copies the picked files, objects and folders to the location in the other pane.
    What is another one there is asked about later, while the rest is copied."""
    services = find_services(app)
    if services is None or not marked:
        return
    names = [selected.name for selected in marked]
    settings, base = app.settings, "" if source.folder is not None else source.prefix
    into = "" if target.folder is not None else target.prefix

    def submit(ignored: bool) -> None:
        def make() -> JobRequest:
            here, there = place_of(source, settings), place_of(target, settings)
            return copy_job(here, names, there, base=base, into=into, policy=services.policy())

        submit_watched(app, services, make)

    what = f"{names[0]}{_format_size(marked)}" if len(names) == 1 else f"{len(names)} entries{_format_size(marked)}"
    after = "?  Enter copy, what differs there is asked later · Esc no"
    ask_key(app, fit_path(app, f"Copy {what} to ", target.title, after), {"enter": True, "y": True}, submit)


def _format_size(marked: tuple[Selected, ...]) -> str:
    """Nothing where folders are among them: nobody has counted what lies below."""
    if any(selected.is_folder for selected in marked):
        return ""
    sizes = [-1 if selected.size is None else selected.size for selected in marked]
    return f" ({format_total(sum(max(0, size) for size in sizes), sum(size < 0 for size in sizes))})"


def start_verify(app: ArchiveApp, location: Location, marked: tuple[Selected, ...]) -> None:
    """Verifies the picked dataset versions of a storage, or the picked folder (none: the folder itself), and opens the
    screen that watches it; of several, the list of jobs."""
    services = find_services(app)
    if services is None:
        return
    makers = make_verify_jobs(services, location, marked)
    if not makers:
        app.show_status("Verify needs a folder with a manifest, or a dataset.")
        return
    if len(makers) == 1:
        submit_on_page(app, services, makers[0])
        return
    for make in makers:
        submit_watched(app, services, make)
    open_jobs(app)


def make_verify_jobs(services: Services, location: Location, marked: tuple[Selected, ...]) -> list[MakeRequest]:
    """What makes the jobs, so that each can be made again."""
    makers: list[MakeRequest] = []
    for selected in marked:
        found = version_of(selected)
        if found is not None:
            makers.append(_version_job_maker(services, location, *found))
        elif location.folder is not None and selected.is_folder:
            makers.append(_folder_job_maker(services, location.folder / selected.name.rstrip("/")))
    if not makers and location.folder is not None:
        makers.append(_folder_job_maker(services, location.folder))
    return makers


def open_audit(app: ArchiveApp, location: Location, marked: tuple[Selected, ...]) -> None:
    """Opens the screen that watches a verification of what was picked."""
    start_verify(app, location, marked)


def open_jobs(app: ArchiveApp) -> None:
    from archive_tui.tui.screens.jobs.jobs_screen import JobsScreen

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


def place_of(location: Location, settings: Settings) -> Place:
    """Where a location lies, as jobs name it: a storage as a whole, of this machine's disk the very folder. It may have
    to reach for the settings of a store: not for the screens' thread."""
    if location.folder is not None:
        return folder_place(location.folder)
    assert location.storage is not None, "a location without folder is a storage"
    return storage_place(location.storage, settings)


def _name_there(location: Location, name: str) -> str:
    """The dataset's name in the place of the location: below a folder it begins where the folder ends."""
    return name.removeprefix(location.prefix) if location.folder is not None else name


def _fetch_maker(
    services: Services, source: Location, name: str, version: str, into: Path, rule: ConflictRule
) -> MakeRequest:
    there, settings = _name_there(source, name), services.settings
    return lambda: fetch_job(place_of(source, settings), there, version, into, policy=services.policy(rule))


def _version_job_maker(services: Services, location: Location, name: str, version: str) -> MakeRequest:
    there, settings = _name_there(location, name), services.settings
    return lambda: verify_version_job(place_of(location, settings), there, version, policy=services.policy())


def _folder_job_maker(services: Services, folder: Path) -> MakeRequest:
    return lambda: verify_folder_job(folder, policy=services.policy())


def _has_published(services: Services, job_id: int) -> bool:
    """False while it runs, waits, or can be tried again: the guide shows it then."""
    job = services.feed.get(job_id)
    return job is None or job.state in _PUBLISHED
