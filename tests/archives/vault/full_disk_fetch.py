"""Fetches onto a small file system of its own, then onto the same one with more room, and prints what happened.

Run it in a mount namespace, with a folder that holds an empty `small/`, a vault in `vault/`, and `files.txt`.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from archive_tui.archives.vault.fetching import fetch_manifest
from archive_tui.archives.vault.outcomes import LineResult
from archive_tui.archives.vault.vault import Vault
from archive_tui.errors import ArchiveError
from archive_tui.manifests.checksum_lines.reading import open_manifest
from archive_tui.objects.folder.store import FolderStore
from tests.archives.faults.full_disk import files_in, mount


def fetch(folder: Path) -> dict[str, Any]:
    found: Counter[str] = Counter()
    said: list[str] = []
    try:
        with open_manifest(folder / "files.txt") as manifest:
            for news in fetch_manifest(manifest, Vault(FolderStore(folder / "vault")), root=folder / "small"):
                assert isinstance(news, LineResult)
                found[news.outcome] += 1
    except ArchiveError as error:
        said = [error.code, error.message]
    sizes = [(folder / "small" / name).stat().st_size for name in files_in(folder / "small")]
    return {"outcomes": found, "error": said, "files": files_in(folder / "small"), "sizes": sizes}


if __name__ == "__main__":
    place = Path(sys.argv[1])
    mount(place / "small", "size=2m")
    steps = [fetch(place)]
    mount(place / "small", "remount,size=64m")
    steps.append(fetch(place))
    print(json.dumps(steps))
