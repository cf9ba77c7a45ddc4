"""Archives a manifest in a process of its own, which a test may kill: SETTINGS MANIFEST ROOT, the storage is `lab`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from archive_tui.archives.vault.archiving import archive_manifest
from archive_tui.archives.vault.outcomes import Tally
from archive_tui.archives.vault.vault import open_vault
from archive_tui.manifests.checksum_lines.reading import open_manifest
from archive_tui.settings import load_settings

if __name__ == "__main__":
    settings, document, root = (Path(word) for word in sys.argv[1:])
    vault = open_vault(load_settings(settings), "lab")
    tally = Tally()
    with open_manifest(document) as manifest:
        for news in archive_manifest(manifest, vault, root=root):
            tally.add(news)
    print(json.dumps(tally.outcomes))
