"""Pruning and archiving in processes of their own, on real clocks, with and without `kill -9`."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archive_tui.archives.vault.archiving import archive_manifest
from archive_tui.archives.vault.pruning import ManifestReferences, prune_vault
from archive_tui.errors import StorageError
from tests.archives.vault.conftest import AZURITE, FOLDER, SEAWEEDFS, VaultPlace, digest_of, small_contents, write_files
from tests.archives.vault.pruning.conftest import Scene

ROOT = Path(__file__).parents[4]
PROGRAM = "tests.archives.vault.pruning.prune_program"


def _settings(place: VaultPlace, folder: Path) -> Path:
    path = folder / "settings.ini"
    keys = "\n".join(f"{key} = {value}" for key, value in place.settings.items())
    path.write_text(f"[lab]\n{keys}\nlocal_path = .\n")
    return path


def _command(scene: Scene, manifest: Path, grace: float, journal: str, kill_at: int = 0) -> list[str]:
    settings = _settings(scene.place, scene.folder)
    return [sys.executable, "-m", PROGRAM, str(settings), str(manifest), str(grace), journal, str(kill_at)]


@pytest.mark.parametrize("place", [FOLDER, SEAWEEDFS, pytest.param(AZURITE, marks=pytest.mark.slow)], indirect=True)
def test_killed_in_the_middle_it_goes_on(scene: Scene) -> None:
    lost, kept = small_contents(80, "lost"), small_contents(5, "kept")
    scene.archive(lost | kept)
    keep = scene.write_manifest(kept)
    prune_vault(scene.place.vault, ManifestReferences([keep]), grace=0.5)
    time.sleep(2.5)  # servers tell whole seconds
    journal = str(scene.folder / "journal")
    for kill_at in (1, 15):
        dead = subprocess.run(_command(scene, keep, 0.5, journal, kill_at), cwd=ROOT, check=False, timeout=120)
        assert dead.returncode == -signal.SIGKILL
        assert scene.digests(kept) < scene.held() < scene.digests(lost | kept)
        assert scene.book.load().marks.claimed >= scene.held() - scene.digests(kept)
    whole = subprocess.run(
        _command(scene, keep, 0.5, journal), cwd=ROOT, check=True, timeout=120, capture_output=True, text=True
    )
    assert int(whole.stdout) == 80
    assert scene.held() == scene.digests(kept)
    assert not scene.book.load().marks.claimed


@pytest.mark.slow
@pytest.mark.parametrize("place", [FOLDER, SEAWEEDFS, AZURITE], indirect=True)
def test_while_others_prune_all_the_time_nothing_archived_is_missed(scene: Scene) -> None:
    """Two processes prune; what archiving has found or stored is there for the grace time, and what the manifest
    refers to always."""
    grace, kept, pool = 4.0, small_contents(20, "kept"), list(small_contents(60, "lost").items())
    scene.archive(kept)
    keep = scene.write_manifest(kept)
    command = _command(scene, keep, grace, "-")
    pruning = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    checked = refused = number = 0
    try:
        end = time.monotonic() + 40
        while time.monotonic() < end:
            number += 1
            chosen = dict(pool[number * 7 % 60 :][:25])
            time.sleep(number % 5 * 1.3)  # the marks of some become due meanwhile
            started = time.monotonic()
            try:
                manifest = write_files(scene.folder / "files", chosen)
                list(archive_manifest(manifest, scene.place.vault, root=scene.folder / "files"))
            except StorageError as error:
                assert error.code in ("prune-under-way", "prune-busy")
                refused += 1
                continue
            held = scene.held()
            assert scene.digests(kept) <= held
            if time.monotonic() - started < grace:
                checked += 1
                assert {digest_of(each) for each in chosen.values()} <= held
    finally:
        deleted = [int(each.communicate("stop", timeout=120)[0] or -1) for each in pruning]
    assert [each.returncode for each in pruning] == [0, 0]
    assert checked > 0
    assert sum(deleted) > 0
