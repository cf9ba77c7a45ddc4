"""The ways from a datasafe in a pane to the jobs over it, each a function of the app and of what was picked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from archive_tui.archives.datasafe.safe import SafeEntry
from archive_tui.conflicts import ConflictRule
from archive_tui.jobs.places import Place
from archive_tui.jobs.request import JobRequest
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_count, format_total
from archive_tui.settings import Settings
from archive_tui.tui.actions.registry import ActionContext
from archive_tui.tui.actions.safe_actions import choose_files, loi_to_reserve, picked_entries, picked_filled, safe_root
from archive_tui.tui.routes import open_jobs
from archive_tui.tui.services import Services
from archive_tui.tui.submitting import MakeRequest, ask_key, find_services, fit_path, submit_on_page, submit_watched

if TYPE_CHECKING:
    from archive_tui.archives.locations import Location
    from archive_tui.tui.archive_app import ArchiveApp


def open_deposit(app: ArchiveApp, context: ActionContext) -> None:
    """Opens the guide that deposits the picked files in the datasafe of the other pane; one that was left is opened
    where it was left."""
    from archive_tui.tui.screens.deposit.deposit_screen import DepositScreen
    from archive_tui.tui.screens.deposit.draft import DepositDraft

    services, source, target = find_services(app), context.source, context.target
    if services is None or source is None or source.folder is None or target is None:
        return
    folder, chosen = choose_files(source.folder, [selected.name for selected in context.picked])
    entry = context.under_other.entry if context.under_other is not None else None
    key = (str(folder), *chosen, target.word, loi_to_reserve(context))
    draft = app.deposit_drafts.get(key)
    if draft is None or draft.is_done(services.feed):
        draft = app.deposit_drafts[key] = DepositDraft(folder, chosen, target, loi_to_reserve(context), entry)
    elif entry is not None and draft.job_id is None:
        draft.offer(entry)
    app.push_screen(DepositScreen(draft, services), lambda ignored: _guide_left(app, draft))


def _guide_left(app: ArchiveApp, draft: object) -> None:
    if getattr(draft, "job_id", None) is None:
        app.show_status("Nothing was deposited. F5 on the same files opens the guide where you left it.")


def start_retrieve(app: ArchiveApp, context: ActionContext, *, old: int | None = None) -> None:
    """Asks in the status line, then retrieves the picked datasets, each into a folder of its own in the folder of the
    other pane; `old` is the number of an old version. What exists there is left, or replaced if that is the answer."""
    services, entries = find_services(app), picked_filled(context)
    source, into = context.source, context.target.folder if context.target is not None else None
    if services is None or source is None or into is None:
        return
    if not entries:
        app.show_status("Nothing is deposited there yet: files in the other pane go there with F5.")
        return

    def submit(overwrite: bool) -> None:
        left_alone = ConflictRule.KEEP if existing else ConflictRule.ASK
        rule = ConflictRule.REPLACE if overwrite else left_alone
        makers = [_retrieve_maker(services, source, entry.loi, into, old, rule) for entry in entries]
        _submit_all(app, services, makers)

    existing = [path for entry in entries if services.exists(path := into / folder_name(entry.loi))]
    passed_over = len(picked_entries(context)) - len(entries)
    rest = f" ({format_count(passed_over, 'reserved LOI')} left out)" if passed_over else ""
    if existing:
        where = str(existing[0]) if len(existing) == 1 else f"{len(existing)} of them"
        question = fit_path(app, "Exists: ", where, "  l leave and verify · o overwrite · Esc no retrieval")
        answers = {"l": False, "enter": False, "o": True}
    else:
        what = f"{_describe(entries)}{'' if old is None else f', old version {old},'}{rest}"
        question = fit_path(app, f"Retrieve {what} into ", str(into), "?  Enter retrieve · Esc no")
        answers = {"enter": False, "y": False}
    ask_key(app, question, answers, submit)


def start_verify_safe(app: ArchiveApp, context: ActionContext, *, whole: bool = False) -> None:
    """Reads the picked datasets, on a folder all below it, with `whole` all that there are, and opens the page that
    watches it."""
    services, source = find_services(app), context.source
    if services is None or source is None:
        return
    entries, settings = [] if whole else picked_entries(context), app.settings
    filled = picked_filled(context)
    if entries and not filled:
        app.show_status("Nothing is deposited there yet: there is nothing to verify.")
        return
    lois = [entry.loi for entry in filled] if entries else None
    prefix = context.first.name if context.first is not None and not entries and not whole else ""

    def make() -> JobRequest:
        from archive_tui.jobs.kinds.safe_verifying import verify_safe_job

        return verify_safe_job(place_of_safe(source, settings), lois, prefix=prefix, policy=services.policy())

    if lois is not None:
        submit_on_page(app, services, make)
        return
    what = f"below {escape_for_display(prefix)}" if prefix else "of this datasafe"
    question = f"Read every dataset {what}?  Enter read all · Esc no"
    ask_key(app, question, {"enter": True, "y": True}, lambda ignored: submit_on_page(app, services, make))


def place_of_safe(location: Location, settings: Settings) -> Place:
    """Where a datasafe lies, as jobs name it. It may have to reach for the settings of a store: not for the screens'
    thread.

    Raises: ConfigurationError when the settings name none there any more.
    """
    from archive_tui.jobs.safe_places import folder_safe_place, storage_safe_place

    if location.storage is not None:
        return storage_safe_place(location.storage, settings)
    return folder_safe_place(safe_root(location))


def folder_name(loi: str) -> str:
    """What a retrieved dataset's folder is called: the LOI without issuer and type."""
    return loi.split("/", 2)[-1].replace("/", "-")


def _submit_all(app: ArchiveApp, services: Services, makers: list[MakeRequest]) -> None:
    if len(makers) == 1:
        submit_on_page(app, services, makers[0])
        return
    for make in makers:
        submit_watched(app, services, make)
    open_jobs(app)


def _describe(entries: list[SafeEntry]) -> str:
    sizes = [entry.size for entry in entries]
    total = format_total(sum(size or 0 for size in sizes), sum(size is None for size in sizes))
    first = entries[0].loi if len(entries) == 1 else format_count(len(entries), "dataset")
    return f"{first} ({total})"


def _retrieve_maker(
    services: Services, source: Location, loi: str, into: Path, old: int | None, rule: ConflictRule
) -> MakeRequest:
    settings = services.settings

    def make() -> JobRequest:
        from archive_tui.jobs.kinds.safe_retrievals import retrieve_job

        return retrieve_job(place_of_safe(source, settings), loi, into, old=old, policy=services.policy(rule))

    return make
