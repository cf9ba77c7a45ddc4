"""What can be done with manifests and the vault in the panes: when, and by which command line the same."""

from __future__ import annotations

from pathlib import Path

from archive_tui.archives.vault.vault import Vault
from archive_tui.jobs.kinds.manifest_creation import ListedPart, propose_manifest_name
from archive_tui.jobs.manifests.manifest_commands import (
    archive_manifest_command,
    ask_vault_command,
    check_manifest_command,
    create_manifest_command,
    fetch_manifest_command,
)
from archive_tui.manifests.checksum_lines.line import Dialect
from archive_tui.tui.actions.registry import ActionContext

MANIFEST, VAULT = "manifest", "vault"


def in_manifest(context: ActionContext) -> bool:
    return context.source is not None and context.source.document is not None


def in_vault(context: ActionContext) -> bool:
    return context.source is not None and context.source.storage is not None and context.view == VAULT


def can_list(context: ActionContext) -> bool:
    """Files of a folder of this machine can become lines of a manifest."""
    return context.source is not None and context.source.folder is not None and context.view == "objects"


def can_archive(context: ActionContext) -> bool:
    return in_manifest(context)


def can_fetch_lines(context: ActionContext) -> bool:
    is_source = in_manifest(context) or (in_vault(context) and bool(picked_contents(context)))
    return is_source and fetch_folder(context) is not None


def can_copy_lines(context: ActionContext) -> bool:
    """By direction: archive into a storage, fetch into a folder."""
    target = context.target
    to_storage = target is not None and target.storage is not None
    return (in_manifest(context) and to_storage) or can_fetch_lines(context)


def can_verify_lines(context: ActionContext) -> bool:
    return in_manifest(context) or in_vault(context)


def is_archiving(context: ActionContext) -> bool:
    """What F5 does in a manifest: True archives, False fetches."""
    return in_manifest(context) and context.target is not None and context.target.storage is not None


def picked_contents(context: ActionContext) -> bool:
    return any(selected.digest is not None for selected in context.picked[:1]) if context.picked else False


def fetch_folder(context: ActionContext) -> Path | None:
    """Where a fetch writes to: the folder in the other pane; where a manifest lies there, the folder it lies in."""
    target = context.target
    if target is None or context.target_view == "datasafe":
        return None
    return target.folder if target.folder is not None else target.document.parent if target.document else None


def vault_of(context: ActionContext) -> Vault | None:
    """The vault that is meant: that of the storage in a pane, else the one that was used last for this manifest, else
    the one that the settings name."""
    for location in (context.source, context.target):
        if location is not None and location.storage is not None:
            return Vault(location.store, location.vault_prefix, location.storage)
    return context.vault or (context.source.vault if context.source is not None else None)


def listed_part(context: ActionContext) -> ListedPart | None:
    """What a new manifest lists: the marked entries, else the one under the cursor, on `..` the folder itself."""
    if context.source is None or context.source.folder is None:
        return None
    files = tuple(selected.name for selected in context.picked if not selected.is_folder)
    folders = tuple(selected.name.rstrip("/") for selected in context.picked if selected.is_folder)
    return ListedPart(context.source.folder, files, folders)


def list_in_manifest_command(context: ActionContext) -> str | None:
    part = listed_part(context)
    if part is None:
        return None
    out = propose_manifest_name(part, Dialect.QUOTED)
    return create_manifest_command(part.folder, part.files, part.folder_words, out, Dialect.QUOTED)


def check_lines_command(context: ActionContext) -> str | None:
    """None for some of the lines, and for the contents of a vault: no command reads only those."""
    document = _whole_document(context)
    return check_manifest_command(document) if document is not None else None


def ask_command(context: ActionContext) -> str | None:
    document, name = _whole_document(context), _storage_name(context)
    return ask_vault_command(document, name) if document is not None and name is not None else None


def archive_lines_command(context: ActionContext) -> str | None:
    document, name = _whole_document(context), _storage_name(context)
    return archive_manifest_command(document, name) if document is not None and name is not None else None


def fetch_lines_command(context: ActionContext) -> str | None:
    document, name, folder = _whole_document(context), _storage_name(context), fetch_folder(context)
    if document is None or name is None or folder is None:
        return None
    return fetch_manifest_command(document, name, folder, overwrite=False)


def copy_lines_command(context: ActionContext) -> str | None:
    return archive_lines_command(context) if is_archiving(context) else fetch_lines_command(context)


def _whole_document(context: ActionContext) -> Path | None:
    return context.source.document if context.source is not None and not context.is_marked else None


def _storage_name(context: ActionContext) -> str | None:
    vault = vault_of(context)
    return vault.storage.name if vault is not None and vault.storage is not None else None
