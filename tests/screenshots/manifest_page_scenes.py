"""The scenes of what is done with manifests: listing files in one, checking, archiving, fetching, verifying a vault."""

from __future__ import annotations

import threading
from pathlib import Path

from archive_tui.archives.locations import open_manifest_location, open_storage_location
from archive_tui.archives.storages import open_storage
from archive_tui.archives.vault.archiving import archive_manifest
from archive_tui.archives.vault.vault import Vault
from archive_tui.manifests.checksum_lines.line import Dialect
from archive_tui.manifests.checksum_lines.reading import open_manifest
from archive_tui.operations.manifest_creation import create_manifest
from archive_tui.operations.named_files import find_named_files
from archive_tui.tui.screens.verify import VerifyScreen
from tests.screenshots.page_scenes import until_text
from tests.screenshots.scenes import LARGE, SMALL, scene
from tests.screenshots.stage import Stage

_KEPT = threading.Event()
"""Never set: what waits for it stays as it is until the program ends."""


def _write_photos(home: Path) -> Path:
    """A folder of files, with a manifest of all of them."""
    photos = home / "data" / "photos"
    for number in range(1, 25):
        path = photos / ("2026" if number > 8 else "2025") / f"IMG {number:04d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([number]) * (210_000 + 9_000 * number))
    (photos / "notes.md").write_text("# Places\n" * 40)
    names = find_named_files((), (f"{photos}/.",), recursive=True)
    create_manifest(
        sorted(n.removeprefix(f"{photos}/") for n in names), photos / "photos.sha256", Dialect.SHA256SUM, root=photos
    )
    return photos / "photos.sha256"


async def _open_manifest(stage: Stage) -> Path:
    document = _write_photos(stage.home)
    browse = stage.app.browse_screen
    assert browse is not None
    browse.go_to(browse.left, open_manifest_location(document, stage.app.settings))
    await stage.until(lambda: browse.left.rows.is_complete and browse.left.rows.count > 20)
    return document


def _archive(stage: Stage, document: Path) -> Vault:
    vault = Vault(open_storage(stage.app.settings, "lab-archive").store)
    with open_manifest(document, root=document.parent) as manifest:
        for _ in archive_manifest(manifest, vault, root=document.parent, evidence_table=stage.app.evidence_table):
            pass
    return vault


def _damage(photos: Path) -> None:
    (photos / "2026" / "IMG 0012.jpg").write_bytes(b"\0" * 300_000)
    (photos / "2025" / "IMG 0003.jpg").unlink()


@scene("manifest-new")
async def manifest_new(stage: Stage) -> None:
    _write_photos(stage.home)
    await stage.press("r")
    browse = stage.app.browse_screen
    assert browse is not None
    names = [browse.left.rows.name(row) for row in range(browse.left.rows.count)]
    browse.left.move_cursor(names.index("photos/"))
    await stage.press("enter", "space", "space", "space", "M", "down")
    await until_text(stage, "25 files")


@scene("manifest-listing", sizes=(SMALL,))
async def manifest_listing(stage: Stage) -> None:
    await manifest_new(stage)
    await stage.press("ctrl+u", *"mine.sha256", "enter")
    await until_text(stage, "Enter opens it")


@scene("manifest-check")
async def manifest_check(stage: Stage) -> None:
    document = await _open_manifest(stage)
    _damage(document.parent)
    await stage.press("f6")
    await until_text(stage, "Findings: ")
    await stage.press("enter")


@scene("manifest-archive-question", sizes=(SMALL,))
async def manifest_archive_question(stage: Stage) -> None:
    await _open_manifest(stage)
    await stage.press("space", "space", "space", "f5")
    await until_text(stage, "Enter archive")


@scene("manifest-archive")
async def manifest_archive(stage: Stage) -> None:
    document = await _open_manifest(stage)
    _damage(document.parent)
    await stage.press("f5", "enter")
    await until_text(stage, "Uploaded")


@scene("manifest-asked")
async def manifest_asked(stage: Stage) -> None:
    document = await _open_manifest(stage)
    _archive(stage, document)
    vault = Vault(open_storage(stage.app.settings, "lab-archive").store)
    for digest in [line.split()[0] for line in document.read_text().splitlines()[3:7]]:
        vault.store.delete(vault.key(digest))
    await stage.press("V")
    await until_text(stage, "of 25 lines in lab-archive")


@scene("manifest-fetch", sizes=(LARGE,))
async def manifest_fetch(stage: Stage) -> None:
    document = await _open_manifest(stage)
    _archive(stage, document)
    _damage(document.parent)
    await stage.press("V")
    await until_text(stage, "of 25 lines in lab-archive")
    await stage.press("tab", "g", "ctrl+u", *"~/data/photos", "enter", "tab")
    await stage.press("f5", "enter")
    await until_text(stage, "1 decision")


@scene("vault-verify")
async def vault_verify(stage: Stage) -> None:
    document = await _open_manifest(stage)
    vault = _archive(stage, document)
    wrong = vault.key(document.read_text().split()[0])
    path = stage.home / "archive" / wrong
    path.chmod(0o644)
    path.write_bytes(b"\0" * 300_000)
    browse = stage.app.browse_screen
    assert browse is not None
    browse.activate(browse.right)
    browse.right.open_location(open_storage_location(stage.app.settings, "lab-archive"), view="vault")
    await stage.until(lambda: browse.right.rows.is_complete and browse.right.rows.count > 20)
    await stage.press("asterisk", "f6")
    await stage.until(lambda: isinstance(stage.app.screen, VerifyScreen))
    await until_text(stage, "contents")
