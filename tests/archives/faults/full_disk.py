"""Plays a scenario on a small file system of its own, and prints what happened as JSON.

Run it in a mount namespace: `unshare -Urm --map-root-user python -m tests.archives.faults.full_disk SCENARIO FOLDER`.
FOLDER holds `small/`, where the file system is mounted, `settings.ini`, and the source `big/`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from archive_tui.core import new_storage_client
from archive_tui.errors import ArchiveError
from tests.archives.faults.commands import publish_words, run_program

NAME = "winds"


def mount(small: Path, options: str) -> None:
    """Mounts a file system in memory at `small`, or changes the limits of the one that is there."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(small)], check=True)


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def run(folder: Path, *words: str) -> dict[str, Any]:
    finished = run_program(folder, *words)
    return {"status": finished.status, "out": finished.out, "err": finished.err, "files": files_in(folder / "small")}


def publish_into_a_full_archive(folder: Path) -> list[dict[str, Any]]:
    small = folder / "small"
    mount(small, "size=4m")
    steps = [run(folder, *publish_words(NAME, folder / "little"))]
    steps.append(run(folder, *publish_words(NAME, folder / "big")))
    steps.append(run(folder, "dataset", "verify", "lab", NAME, "--quiet"))
    mount(small, "remount,size=64m")
    steps.append(run(folder, *publish_words(NAME, folder / "big")))
    steps.append(run(folder, "dataset", "verify", "lab", NAME, "--quiet"))
    return steps


def fetch_into_a_full_folder(folder: Path, *, limits: str = "size=4m", more: str = "size=64m") -> list[dict[str, Any]]:
    mount(folder / "small", limits)
    run(folder, *publish_words(NAME, folder / "big"))
    fetch = ("dataset", "fetch", "lab", NAME, "--to", "small", "--quiet")
    steps = [run(folder, *fetch)]
    mount(folder / "small", f"remount,{more}")
    steps.append(run(folder, *fetch))
    steps.append(run(folder, "verify", f"small/{NAME}.0.0.1", "--quiet"))
    return steps


def fetch_without_room_for_names(folder: Path) -> list[dict[str, Any]]:
    return fetch_into_a_full_folder(folder, limits="size=64m,nr_inodes=40", more="nr_inodes=4000")


def upload_from_a_full_folder(folder: Path, size: str) -> list[dict[str, Any]]:
    small = folder / "small"
    mount(small, f"size={size}")
    subprocess.run(["cp", "-r", str(folder / "big"), str(small / NAME)], check=True)
    before = files_in(small)
    steps: list[dict[str, Any]] = [{"files": before}]
    client = new_storage_client("lab", folder / "settings.ini")
    for limits in ("", "remount,size=64m"):
        if limits:
            mount(small, limits)
        try:
            steps.append({"returned": str(client.upload_dataset(NAME)), "files": files_in(small)})
        except ArchiveError as error:
            steps.append({"error": type(error).__name__, "hint": error.hint, "files": files_in(small)})
        except OSError as error:
            steps.append({"error": repr(error), "hint": "", "files": files_in(small)})
        steps[-1]["stored"] = client.ls()
    return steps


SCENARIOS: dict[str, Callable[[Path], list[dict[str, Any]]]] = {
    "archive": publish_into_a_full_archive,
    "fetch": fetch_into_a_full_folder,
    "names": fetch_without_room_for_names,
    "no-room-for-folder": lambda folder: upload_from_a_full_folder(folder, "8m"),
    "no-room-for-zip": lambda folder: upload_from_a_full_folder(folder, "14m"),
}

if __name__ == "__main__":
    print(json.dumps(SCENARIOS[sys.argv[1]](Path(sys.argv[2]))))
