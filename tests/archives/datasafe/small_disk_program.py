"""Plays commands on a datasafe in a small file system of its own, and prints what happened as JSON.

Run it in a mount namespace, as of tests.archives.faults.full_disk: FOLDER holds `small/`, where the file system is
mounted, and the datasets `little/` and `big/`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.archives.datasafe.safe_places import PARENT
from tests.archives.faults.full_disk import mount, run

ROOT = ("--root", "small/safe", "--quiet")
FIRST, SECOND = f"{PARENT}/1", f"{PARENT}/2"


def play_full_disk(folder: Path, full: str, more: str) -> dict[str, Any]:
    """A deposit and an update that have no room, and what lies there; then both again with room."""
    small = folder / "small"
    mount(small, full)
    (small / "safe").mkdir()
    steps: dict[str, Any] = {"prepared": []}
    for words in (("new", PARENT), ("put", FIRST, "little"), ("new", PARENT)):
        steps["prepared"].append(run(folder, "safe", *words, *ROOT))
    deposit, update = ("safe", "put", SECOND, "big", *ROOT), ("safe", "update", FIRST, "big", *ROOT)
    steps["deposit"], steps["update"] = run(folder, *deposit), run(folder, *update)
    steps["verified"] = run(folder, "safe", "verify", FIRST, *ROOT)
    mount(small, f"remount,{more}")
    steps["again"] = [run(folder, *deposit), run(folder, *update), run(folder, "safe", "verify", "--all", *ROOT)]
    return steps


def play_read_only(folder: Path) -> dict[str, Any]:
    """What is refused and what is not, in a file system that cannot be written."""
    small = folder / "small"
    mount(small, "size=64m")
    (small / "safe").mkdir()
    prepared = [run(folder, "safe", *words, *ROOT) for words in (("new", PARENT), ("put", FIRST, "little"))]
    prepared.append(run(folder, "safe", "new", PARENT, *ROOT))
    mount(small, "remount,ro")
    writing = [("new", PARENT), ("put", SECOND, "big"), ("update", FIRST, "big")]
    reading = [("ls",), ("show", FIRST), ("verify", "--all"), ("get", FIRST, "--to", "out")]
    return {
        "prepared": prepared,
        "refused": [run(folder, "safe", *words, *ROOT) for words in writing],
        "read": [run(folder, "safe", *words, *ROOT) for words in reading],
    }


def play(scenario: str, folder: Path) -> dict[str, Any]:
    match scenario:
        case "bytes":
            return play_full_disk(folder, "size=20m", "size=160m")
        case "names":
            return play_full_disk(folder, "size=64m,nr_inodes=60", "nr_inodes=4000")
    return play_read_only(folder)


if __name__ == "__main__":
    print(json.dumps(play(sys.argv[1], Path(sys.argv[2]))))
