"""What a run over a manifest leaves for later, and what a line that cannot be read means for its exit status."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive_tui.archives.vault.vault import open_vault
from archive_tui.archives.vault.views.known_manifests import KnownManifests
from archive_tui.settings import load_settings
from archive_tui.state.database import open_state_database
from tests.archives.vault.conftest import digest_of
from tests.cli.conftest import Run


@pytest.fixture
def manifest(workplace: Path) -> Path:
    (workplace / "a.txt").write_text("first\n")
    path = workplace / "list.sha256"
    path.write_text(f"{digest_of(b'first' + bytes([10]))}  a.txt\n")
    return path


@pytest.mark.parametrize("action", ["--vault", "--archive", "--fetch"])
def test_a_manifest_that_was_used_gives_contents_their_names(
    run: Run, workplace: Path, manifest: Path, action: str
) -> None:
    assert run("manifest", action, "--manifest", "list.sha256", "--storage", "lab").status == 0
    vault = open_vault(load_settings(workplace / "settings.ini"), "lab")
    database = open_state_database()
    try:
        known = KnownManifests(database).of_vault(vault.store.identity, vault.prefix)
    finally:
        database.close()
    assert [(entry.path, entry.lines) for entry in known] == [(manifest, 1)]


@pytest.mark.parametrize(("action", "status"), [("--vault", 0), ("--archive", 1), ("--fetch", 1)])
def test_a_line_that_cannot_be_read_is_a_file_that_was_not_done(
    run: Run, manifest: Path, action: str, status: int
) -> None:
    assert run("manifest", "--archive", "--manifest", "list.sha256", "--storage", "lab").status == 0
    with manifest.open("a") as file:
        file.write("cut off in the mid\n")
    assert run("manifest", action, "--manifest", "list.sha256", "--storage", "lab").status == status
