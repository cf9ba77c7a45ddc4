"""The ways from a manifest or a vault in a pane to the jobs over them, each a function of the app and of the place.

Without marks a manifest is meant as a whole; in a vault it is always the picked contents that are meant.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from archive_tui.archives.vault.vault import Vault
from archive_tui.archives.vault.views.manifest_states import ManifestStates
from archive_tui.errors import ArchiveError
from archive_tui.jobs.kinds.manifest_checks import check_manifest_job
from archive_tui.jobs.kinds.vault_contents import fetch_contents_job, verify_vault_job
from archive_tui.jobs.kinds.vault_lines import archive_manifest_job, ask_vault_job, fetch_manifest_job
from archive_tui.jobs.manifests.picked_manifest import PickedManifest, read_stamp
from archive_tui.jobs.places import Place, folder_place, storage_place
from archive_tui.jobs.request import JobRequest
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_count, format_total
from archive_tui.objects.folder.store import FolderStore
from archive_tui.settings import Settings
from archive_tui.tui.actions.manifest_actions import fetch_folder, in_vault, vault_of
from archive_tui.tui.actions.registry import ActionContext
from archive_tui.tui.lines.sentences import describe_error
from archive_tui.tui.rows.manifest_rows import ManifestRows
from archive_tui.tui.rows.selection import PickedRows, Selected
from archive_tui.tui.submitting import ask_key, find_services, fit_path, submit_on_page, submit_watched

if TYPE_CHECKING:
    from archive_tui.tui.archive_app import ArchiveApp


def start_check(app: ArchiveApp, context: ActionContext) -> None:
    """Hashes the files of the marked lines, or of all, and opens the page that watches it."""
    found, services = _pick(app, context), find_services(app)
    if found is not None and services is not None:
        picked, states = found
        submit_on_page(
            app, services, lambda: check_manifest_job(picked, policy=services.policy()), live={"states": states}
        )


def start_check_of_file(app: ArchiveApp, document: Path) -> None:
    """The same for a manifest on which the cursor stands in its folder."""
    services = find_services(app)
    if services is None:
        return
    try:
        states = app.manifest_states.of(document)
    except OSError as error:
        app.show_status(f"✗ The manifest cannot be seen any more: {error.strerror}")
        return
    picked = PickedManifest(document)
    submit_on_page(app, services, lambda: check_manifest_job(picked, policy=services.policy()), live={"states": states})


def start_ask(app: ArchiveApp, context: ActionContext, amount: str) -> None:
    """Asks the vault for the contents of the marked lines, or of all; the pane shows the answers as they come."""
    found, services, vault = _pick(app, context), find_services(app), vault_of(context)
    if found is None or services is None or vault is None:
        return
    picked, states = found
    _remember(app, picked, vault, context)
    settings = app.settings
    submit_watched(
        app,
        services,
        lambda: ask_vault_job(picked, vault_place(vault, settings), vault.prefix, policy=services.policy()),
        live={"states": states},
    )
    app.show_status(escape_for_display(f"Asking the vault of {vault.title} for {amount}: J watches."))


def start_archive(app: ArchiveApp, context: ActionContext, amount: str) -> None:
    """Asks in the status line, then uploads what the vault lacks of the marked lines, or of all; `amount` says how
    many these are."""
    found, services, vault = _pick(app, context), find_services(app), vault_of(context)
    if found is None or services is None or vault is None:
        return
    picked, states = found
    settings = app.settings

    def submit(ignored: bool) -> None:
        _remember(app, picked, vault, context)
        submit_on_page(
            app,
            services,
            lambda: archive_manifest_job(picked, vault_place(vault, settings), vault.prefix, policy=services.policy()),
            live={"states": states},
        )

    question = fit_path(app, "Archive what ", vault.title, f" lacks of {amount}?  Enter archive · Esc no")
    ask_key(app, question, {"enter": True, "y": True}, submit)


def start_fetch_lines(app: ArchiveApp, context: ActionContext, amount: str) -> None:
    """Asks in the status line what to do with files that differ, then fetches the marked lines, or all."""
    found, services, vault, root = _pick(app, context), find_services(app), vault_of(context), fetch_folder(context)
    if found is None or services is None or vault is None or root is None:
        return
    picked, states = found
    settings = app.settings

    def submit(overwrite: bool) -> None:
        def make() -> JobRequest:
            place = vault_place(vault, settings)
            return fetch_manifest_job(picked, place, vault.prefix, root, overwrite=overwrite, policy=services.policy())

        _remember(app, picked, vault, context)
        submit_on_page(app, services, make, live={"states": states})

    after = "?  Enter fetch, what differs is asked later · o overwrite it · Esc no"
    question = fit_path(app, f"Fetch {amount} from {vault.title} into ", str(root), after)
    ask_key(app, question, {"enter": False, "o": True}, submit)


def start_fetch_contents(app: ArchiveApp, context: ActionContext, names: Mapping[str, str]) -> None:
    """Asks, then fetches the picked contents of a vault into the folder of the other pane, under the names that are
    known of their digests, else under the digests."""
    services, vault, folder = find_services(app), vault_of(context), fetch_folder(context)
    lines = _contents(context.picked, names)
    if services is None or vault is None or folder is None or not lines:
        return
    settings = app.settings

    def submit(ignored: bool) -> None:
        submit_on_page(
            app,
            services,
            lambda: fetch_contents_job(
                vault_place(vault, settings), vault.prefix, lines, folder, policy=services.policy()
            ),
        )

    what = f"{lines[0].name} ({_total(lines)})" if len(lines) == 1 else _of_contents(lines)
    question = fit_path(app, f"Fetch {what} into ", str(folder), "?  Enter fetch, what differs is asked · Esc no")
    ask_key(app, question, {"enter": True, "y": True}, submit)


def start_verify_contents(app: ArchiveApp, context: ActionContext, *, whole: bool = False) -> None:
    """Reads the picked contents of a vault, or with `whole` all of them, and opens the page that watches it."""
    services, vault = find_services(app), vault_of(context)
    if services is None or vault is None or not in_vault(context):
        return
    lines = None if whole else _contents(context.picked, {})
    if lines is not None and not lines:
        app.show_status("No content of the vault is picked: put the cursor on one, or mark some.")
        return
    settings = app.settings

    def submit(ignored: bool) -> None:
        submit_on_page(
            app,
            services,
            lambda: verify_vault_job(vault_place(vault, settings), vault.prefix, lines, policy=services.policy()),
        )

    if whole:
        question = f"Read every content of the vault of {escape_for_display(vault.title)}?  Enter read all · Esc no"
        ask_key(app, question, {"enter": True, "y": True}, submit)
    else:
        submit(True)


def vault_place(vault: Vault, settings: Settings) -> Place:
    """Where a vault lies, as jobs name it. It may have to reach for the settings of a store: not for the screens'
    thread."""
    if vault.storage is not None:
        return storage_place(vault.storage, settings)
    assert isinstance(vault.store, FolderStore), "what no settings name is a folder"
    return folder_place(vault.store.root)


def _pick(app: ArchiveApp, context: ActionContext) -> tuple[PickedManifest, ManifestStates] | None:
    """The manifest of the active pane with the marked lines, or with all, and who shows its lines; None, and said so,
    when it is gone or is no longer the one whose lines are shown."""
    document = context.source.document if context.source is not None else None
    if document is None:
        return None
    try:
        stamp, states = read_stamp(document), app.manifest_states.of(document)
    except ArchiveError as error:
        app.show_status(escape_for_display(f"✗ {describe_error(error)}"))
        return None
    except OSError as error:
        app.show_status(f"✗ The manifest cannot be seen any more: {error.strerror}")
        return None
    screen = app.browse_screen
    if screen is not None and isinstance(rows := screen.active.rows, ManifestRows) and rows.states is not states:
        screen.active.list_again()
        app.show_status("The manifest has changed since it was listed: look at its lines as they are now, then repeat.")
        return None
    if not context.is_marked:
        return PickedManifest(document, None, stamp), states
    picked = context.picked
    if isinstance(picked, PickedRows):
        return PickedManifest(document, picked.places, stamp), states
    positions = (selected.position for selected in picked)
    return PickedManifest(document, array("I", sorted(at for at in positions if at is not None)), stamp), states


def _remember(app: ArchiveApp, picked: PickedManifest, vault: Vault, context: ActionContext) -> None:
    """Contents of the vault are known by the names in this manifest from now on."""
    known, screen = app.known_manifests, app.browse_screen
    if screen is not None:
        screen.vaults_in_use[picked.path] = vault
    count = max(0, screen.active.rows.count - 1) if screen is not None else len(context.picked)
    if known is None:
        return

    def remember() -> None:
        known.remember(picked.path, vault, count)

    app.listing_pool.submit(remember, lambda error: None)


def _contents(picked: Iterable[Selected], names: Mapping[str, str]) -> list[ManifestLine]:
    """Lines for contents; of several with one name, the later ones are named by their digests."""
    lines: list[ManifestLine] = []
    taken: set[str] = set()
    for selected in picked:
        if selected.digest is None:
            continue
        name = names.get(selected.digest, "").rpartition("/")[2]
        if not name or name in (".", "..") or name in taken:
            name = selected.digest
        taken.add(name)
        lines.append(ManifestLine(len(lines) + 1, name, selected.digest, selected.size))
    return lines


def _of_contents(lines: Sequence[ManifestLine]) -> str:
    return f"{format_count(len(lines), 'content')} ({_total(lines)})"


def _total(lines: Sequence[ManifestLine]) -> str:
    return _sum(line.size for line in lines)


def _sum(sizes: Iterable[int | None]) -> str:
    known = list(sizes)
    return format_total(sum(size or 0 for size in known), sum(size is None for size in known))
