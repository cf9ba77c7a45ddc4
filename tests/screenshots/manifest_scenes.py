"""The scenes of manifests and vaults in the panes."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from archive_tui.archives.vault.outcomes import Outcome
from archive_tui.archives.vault.vault import Vault
from archive_tui.archives.vault.views.manifest_states import ManifestStates
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.operations.manifest_checking import LineState
from tests.screenshots.scenes import LARGE, SMALL, scene
from tests.screenshots.stage import DAY, Stage

_LEVELS = {
    EvidenceLevel.ATTESTED: (5, "The store's own SHA-256 of what it received."),
    EvidenceLevel.READ: (2, "Every byte read and hashed."),
    EvidenceLevel.RECORDED: (40, "The SHA-256 that its writer recorded."),
}


def _write_list(stage: Stage) -> Path:
    """A manifest of what lies in the data folder; one of its lines is none, one file is gone, one is another."""
    data = stage.home / "data"
    files = [path for path in sorted(data.rglob("*")) if path.is_file()]
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(data)}\n" for path in files]
    lines.insert(5, "checked by Ada on Friday\n")
    manifest = data / "SHA256SUMS"
    manifest.write_text("".join(lines))
    files[2].unlink()
    files[3].write_bytes(b"other")
    return manifest


def _fill_vault(stage: Stage, manifest: Path) -> Vault:
    """Two of three contents lie there, each known as it would be after a few weeks of use."""
    from archive_tui.archives.storages import open_storage

    app = stage.app
    vault = Vault(open_storage(app.settings, "lab-archive").store, "object/")
    evidence = app.evidence_table
    assert evidence is not None and app.known_manifests is not None
    levels = list(_LEVELS)
    for number, line in enumerate(manifest.read_text().splitlines()):
        digest, _, name = line.partition("  ")
        path = manifest.parent / name
        if len(digest) != 64 or number % 3 == 2 or not path.is_file():
            continue
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        vault.store.put(vault.key(digest), [content], overwrite=True)
        days, method = _LEVELS[levels[number % 2 + (number % 7 == 0)]]
        level = levels[number % 2 + (number % 7 == 0)]
        if number % 4:
            moment = time.time() - days * DAY
            identity = vault.store.identity
            evidence.record(Evidence(identity, vault.key(digest), level, digest, len(content), moment, method))
    vault.store.put("object/README.txt", [b"This is a vault."], overwrite=True)
    app.known_manifests.remember(manifest, vault, number)
    copy = manifest.with_name("backup-2026.sha256")
    copy.write_text("".join(manifest.read_text().splitlines(keepends=True)[6:12]))
    app.known_manifests.remember(copy, vault, 6)
    return vault


def _check_lines(states: ManifestStates, manifest: Path, vault: Vault, count: int) -> None:
    """What a check and a look into the vault have found by now."""
    states.begin_vault(vault.store.identity, vault.prefix, "lab-archive")
    stored = {info.key for info in vault.store.list(vault.prefix)}
    known = [(EvidenceLevel.ATTESTED, 5), (EvidenceLevel.READ, 2)]
    for position, line in enumerate(manifest.read_text().splitlines()[:count]):
        digest, _, name = line.partition("  ")
        path = manifest.parent / name
        if len(digest) != 64:
            continue
        if not path.is_file():
            states.record_disk(position, LineState.MISSING)
        else:
            is_same = hashlib.sha256(path.read_bytes()).hexdigest() == digest
            states.record_disk(position, LineState.SAME if is_same else LineState.CHANGED)
        key = vault.key(digest)
        level, days = known[position % 2]
        found = Evidence("", key, level, digest, 1, time.time() - days * DAY, "") if key in stored else None
        states.record_vault(position, found, Outcome.HELD if found is not None else Outcome.ABSENT)


async def _open_manifest(stage: Stage, *, count: int = 1000) -> None:
    manifest = _write_list(stage)
    vault = _fill_vault(stage, manifest)
    browse = stage.app.browse_screen
    assert browse is not None
    await stage.press("r")
    names = [browse.left.rows.name(row) for row in range(browse.left.rows.count)]
    await stage.press(*["down"] * (names.index("SHA256SUMS") - 1), "enter")
    await stage.until(lambda: browse.left.view == "manifest" and browse.left.rows.is_complete)
    await stage.settle(0.5)
    os.sync()
    _check_lines(stage.app.manifest_states.of(manifest), manifest, vault, count)
    browse.show_news()
    await stage.press("tab", "v", "v")
    await stage.until(lambda: browse.right.view == "vault" and browse.right.rows.is_complete)
    await stage.press("tab")


@scene("manifest")
async def manifest_and_vault(stage: Stage) -> None:
    await _open_manifest(stage)
    await stage.press("down", "down", "space", "space", "down")


@scene("manifest-checking", sizes=(SMALL,))
async def manifest_half_checked(stage: Stage) -> None:
    await _open_manifest(stage, count=12)


@scene("manifest-inspect", sizes=(LARGE,))
async def manifest_inspect(stage: Stage) -> None:
    await _open_manifest(stage)
    await stage.press("down", "f4")


@scene("manifest-filter", sizes=(SMALL,))
async def manifest_filter(stage: Stage) -> None:
    await _open_manifest(stage)
    await stage.press("f", *":absent", "enter")


@scene("vault-inspect")
async def vault_inspect(stage: Stage) -> None:
    await _open_manifest(stage)
    await stage.press("tab", "down", "down", "f4")
    await stage.settle(0.3)
