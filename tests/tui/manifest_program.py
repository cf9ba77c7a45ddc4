"""A manifest and a vault in the panes, for tests in a real terminal: `python -m tests.tui.manifest_program MANIFEST`.

Every line has a state on both sides, every content an evidence: the dearest rows to paint.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from archive_tui.tui.terminal import prepare_environment

SIZE = 1000


def main() -> None:
    prepare_environment()
    from archive_tui.archives.locations import open_manifest_location
    from archive_tui.archives.vault.views.manifest_states import DiskState
    from archive_tui.integrity.evidence import Evidence, EvidenceLevel
    from archive_tui.manifests.checksum_lines import open_manifest
    from archive_tui.manifests.checksum_lines.line import ManifestLine
    from archive_tui.names.content_address import content_key
    from archive_tui.objects.memory import MemoryStore
    from archive_tui.objects.object_store import ObjectInfo
    from archive_tui.settings import Settings
    from archive_tui.tui.archive_app import ArchiveApp
    from tests.tui.places import FakeLocation, FakeStorage

    document = Path(sys.argv[1])
    with open_manifest(document) as manifest:
        lines = list(manifest.lines())
    levels = list(EvidenceLevel)

    class ListedStore(MemoryStore):
        def list(self, prefix: str = "", *, recursive: bool = True):  # type: ignore[no-untyped-def]
            digests = sorted(line.digest for line in lines if isinstance(line, ManifestLine))
            return iter([ObjectInfo(content_key(digest), SIZE) for digest in digests])

    class EveryState:
        def lookup(self, identity: str, keys: Iterable[str]) -> dict[str, Evidence]:
            return {key: proof(identity, key, levels[int(key[-2:], 16) % len(levels)]) for key in keys}

    def proof(identity: str, key: str, level: EvidenceLevel) -> Evidence:
        return Evidence(identity, key, level, None, SIZE, 1.7e9, "")

    right = FakeLocation(ListedStore(), "", FakeStorage("lab"), None, ("vault",))
    left = open_manifest_location(document, Settings(None, {}))
    app = ArchiveApp(left, right, Settings(None, {}), evidence_table=EveryState())  # type: ignore[arg-type]
    states = app.manifest_states.of(document)
    assert left.vault is not None
    states.begin_vault(left.vault.store.identity, left.vault.prefix, left.vault.title)
    for position in range(len(lines)):
        states.put_disk(position, list(DiskState)[position % 6])
        states.vault.put(position, (0, 1, 2, 3, 25, 40, 50)[position % 7])
    app.run()


if __name__ == "__main__":
    main()
