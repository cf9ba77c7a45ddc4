"""Archives onto a small file system of its own, then onto the same one with more room, and prints what happened.

Run it in a mount namespace, with a folder that holds an empty `small/` and `files.txt` with what it lists.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from archive_tui.archives.vault.archiving import archive_manifest
from archive_tui.archives.vault.outcomes import LineResult
from archive_tui.archives.vault.vault import Vault
from archive_tui.errors import ArchiveError
from archive_tui.manifests.checksum_lines.reading import open_manifest
from archive_tui.objects.folder.store import FolderStore
from tests.archives.faults.full_disk import mount


def archive(folder: Path) -> dict[str, Any]:
    vault = Vault(FolderStore(folder / "small"))
    found: Counter[str] = Counter()
    error: ArchiveError | None = None
    try:
        with open_manifest(folder / "files.txt") as manifest:
            for news in archive_manifest(manifest, vault, root=folder):
                assert isinstance(news, LineResult)
                found[news.outcome] += 1
    except ArchiveError as caught:
        error = caught
    files = sum(path.is_file() for path in (folder / "small").rglob("*"))
    said = [] if error is None else [error.code, error.hint]
    return {"outcomes": found, "error": said, "files": files, "stored": len(list(vault.store.list()))}


if __name__ == "__main__":
    place = Path(sys.argv[1])
    mount(place / "small", "size=2m")
    steps = [archive(place)]
    mount(place / "small", "remount,size=64m")
    steps.append(archive(place))
    print(json.dumps(steps))
