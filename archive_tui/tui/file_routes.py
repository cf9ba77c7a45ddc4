"""The ways from files and objects in a pane to the jobs that move, rename and delete them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archive_tui.errors import StorageError
from archive_tui.jobs.kinds.deleting import delete_job
from archive_tui.jobs.kinds.moving import move_job
from archive_tui.jobs.kinds.renaming import rename_job
from archive_tui.jobs.place_words import own_folder
from archive_tui.jobs.places import Place, open_place
from archive_tui.jobs.request import JobRequest
from archive_tui.names.object_keys import check_key
from archive_tui.names.quantities import format_count, format_total
from archive_tui.operations.deleting import DeletePlan, check_deletable, plan_delete
from archive_tui.operations.marked_places import refuse_in_marked_places
from archive_tui.operations.new_folder import make_folder
from archive_tui.operations.renaming import RenamePlan, RenameRule, list_names, plan_renames
from archive_tui.operations.trash import Trash, find_trash
from archive_tui.progress import Report, StopSignal
from archive_tui.settings import Settings
from archive_tui.tui.routes import place_of
from archive_tui.tui.rows.selection import Selected
from archive_tui.tui.submitting import MakeRequest, ask_key, find_services, fit_path, submit_watched

if TYPE_CHECKING:
    from archive_tui.archives.locations import Location
    from archive_tui.tui.archive_app import ArchiveApp
    from archive_tui.tui.services import Services

_PROTECTED = "delete-protected"


@dataclass(frozen=True, slots=True)
class FileSelection:
    """Entries of one location; the names of folders end in `/`."""

    location: Location
    names: tuple[str, ...]

    @property
    def base(self) -> str:
        return base_of(self.location)

    def place(self, settings: Settings) -> Place:
        """It may have to reach for the settings of a store: not for the screens' thread. Raises: ConfigurationError."""
        return own_folder(place_of(self.location, settings))


@dataclass(frozen=True, slots=True)
class DeleteReview:
    """What would go, whether it can be had back, and why nothing may be deleted (None: it may)."""

    plan: DeletePlan
    trash: Trash
    refusal: StorageError | None


def select_files(location: Location, marked: Sequence[Selected]) -> FileSelection:
    return FileSelection(location, tuple(selected.name for selected in marked))


def base_of(location: Location) -> str:
    """The prefix below which names lie in the place as jobs name it."""
    return "" if location.folder is not None else location.prefix


def start_move(app: ArchiveApp, source: Location, target: Location, marked: Sequence[Selected]) -> None:
    """Asks in the status line, then moves what is picked to the location in the other pane. What is another one there
    stays where it is, and is asked about later."""
    services = find_services(app)
    if services is None or not marked:
        return
    selection, settings, into = select_files(source, marked), app.settings, base_of(target)

    def submit(ignored: bool) -> None:
        def make() -> JobRequest:
            here, there = place_of(source, settings), place_of(target, settings)
            names = selection.names
            return move_job(here, names, there, base=selection.base, into=into, policy=services.policy())

        _submit(app, services, selection, make)

    after = "?  Enter move: copied, proven, deleted here; what differs there is asked later · Esc no"
    ask_key(app, fit_path(app, f"Move {describe_picked(marked)} to ", target.title, after), {"enter": True}, submit)


def describe_picked(marked: Sequence[Selected]) -> str:
    """The one name, or how many; with the bytes where no folder is among them: nobody has counted what lies below."""
    what = marked[0].name if len(marked) == 1 else format_count(len(marked), "entry", "entries")
    if any(selected.is_folder for selected in marked):
        return what
    sizes = [-1 if selected.size is None else selected.size for selected in marked]
    return f"{what} ({format_total(sum(max(0, size) for size in sizes), sum(size < 0 for size in sizes))})"


def open_delete(app: ArchiveApp, location: Location, marked: Sequence[Selected]) -> None:
    """Opens the page that counts what would be deleted, and asks."""
    from archive_tui.tui.screens.deleting.delete_screen import DeleteScreen

    services = find_services(app)
    if services is not None and marked:
        app.push_screen(DeleteScreen(select_files(location, marked), services))


def open_renaming(app: ArchiveApp, location: Location, marked: Sequence[Selected]) -> None:
    """Opens the page that renames several by a pattern."""
    from archive_tui.tui.screens.renaming.rename_screen import RenameScreen

    services = find_services(app)
    if services is not None and marked:
        app.push_screen(RenameScreen(select_files(location, marked), services))


def submit_delete(
    app: ArchiveApp, services: Services, selection: FileSelection, plan: DeletePlan, *, to_trash: bool
) -> None:
    """Queues the deletion of what was counted: when more lies there by then, nothing is deleted."""

    def make() -> JobRequest:
        return delete_job(
            selection.place(services.settings),
            selection.names,
            base=selection.base,
            confirmed=plan.objects,
            to_trash=to_trash,
            policy=services.policy(),
        )

    _submit(app, services, selection, make)


def submit_renames(app: ArchiveApp, services: Services, selection: FileSelection, plan: RenamePlan) -> None:
    """Queues what was planned."""

    def make() -> JobRequest:
        place = selection.place(services.settings)
        return rename_job(place, plan.renames, base=selection.base, policy=services.policy())

    _submit(app, services, selection, make)


def _submit(app: ArchiveApp, services: Services, selection: FileSelection, make: MakeRequest) -> None:
    """Marks would outlive what they stand on, and come back with the next file of that name: they go."""

    def unmark(job_id: int) -> None:
        screen = app.browse_screen
        for pane in (screen.left, screen.right) if screen is not None else ():
            if pane.marked and pane.location is not None and pane.location.word == selection.location.word:
                pane.mark(pane.marked - set(selection.names))

    submit_watched(app, services, make, unmark)


# What follows waits for stores: not for the screens' thread.


def review_delete(selection: FileSelection, settings: Settings, report: Report, stop: StopSignal) -> DeleteReview:
    """Counts what would go, and finds out whether it may. Raises: OperationStopped, what the store raises."""
    with open_place(selection.place(settings)).store as store:
        plan = plan_delete(store, selection.names, base=selection.base, report=report, stop=stop)
        refusal = None
        try:
            refuse_in_marked_places(store, selection.base, selection.names, "deleted")
            check_deletable(plan, store)
        except StorageError as error:
            if error.code != _PROTECTED:
                raise
            refusal = error
        return DeleteReview(plan, find_trash(store) if refusal is None else Trash.NONE, refusal)


def find_names_there(selection: FileSelection, settings: Settings, stop: StopSignal) -> list[str]:
    """Returns all names beside those of the selection, these included. Raises: OperationStopped, what the store
    raises."""
    with open_place(selection.place(settings)).store as store:
        return list_names(store, selection.base, stop=stop)


def plan_new_name(selection: FileSelection, new: str, settings: Settings, stop: StopSignal) -> RenamePlan:
    """Plans one new name, without a slash. Raises: ConfigurationError unless it is free and a name; what the store
    raises."""
    plan = plan_renames(selection.names, RenameRule.literal(new), find_names_there(selection, settings, stop))
    plan.check()
    return plan


def make_new_folder(location: Location, name: str, settings: Settings) -> None:
    """Makes a folder directly below the location.

    Raises: ConfigurationError (folders-by-name) where a store knows no folders; InvalidName, ObjectExists, what the
    store raises.
    """
    check_key(name)
    selection = FileSelection(location, (f"{name}/",))
    with open_place(selection.place(settings)).store as store:
        make_folder(store, f"{selection.base}{name}")
