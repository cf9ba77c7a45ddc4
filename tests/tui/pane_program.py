"""The panes on two folders, for tests in a real terminal: `python -m tests.tui.pane_program LEFT RIGHT [STATES]`."""

from __future__ import annotations

import sys
from pathlib import Path

from archive_tui.tui.terminal import prepare_environment


def main() -> None:
    prepare_environment()
    from archive_tui.integrity.evidence import Evidence, EvidenceLevel
    from archive_tui.objects.folder.store import FolderStore
    from archive_tui.settings import Settings
    from archive_tui.tui.archive_app import ArchiveApp
    from tests.tui.places import FakeLocation, FakeStorage

    class EveryState:
        """Knows something of each object: the dearest listing to paint."""

        def lookup_prefix(self, identity: str, prefix: str) -> dict[str, Evidence]:
            levels = list(EvidenceLevel)
            names = sorted(path.name for path in Path(sys.argv[2]).iterdir())
            return {
                name: Evidence(identity, name, levels[at % len(levels)], None, 10, 1.7e9, "")
                for at, name in enumerate(names)
            }

    left, right = Path(sys.argv[1]), Path(sys.argv[2])
    here = FakeLocation(FolderStore(Path("/"), read_only_objects=False), f"{str(left).strip('/')}/", None, left)
    there = here if len(sys.argv) < 4 else FakeLocation(FolderStore(right), "", FakeStorage("lab"))
    evidence = EveryState() if len(sys.argv) > 3 else None
    ArchiveApp(here, there, Settings(None, {}), evidence_table=evidence).run()  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
