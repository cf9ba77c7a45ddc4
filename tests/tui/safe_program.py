"""A large datasafe in both panes, for tests in a real terminal: `python -m tests.tui.safe_program COUNT`.

Every LOI has a state, most an evidence: the dearest rows to paint.
"""

from __future__ import annotations

import sys
from itertools import count

from archive_tui.tui.terminal import prepare_environment


def main() -> None:
    prepare_environment()
    from archive_tui.archives.datasafe.safe import SafeEntry, SafeState
    from archive_tui.integrity.evidence import Evidence, EvidenceLevel
    from archive_tui.settings import Settings
    from archive_tui.tui.archive_app import ArchiveApp
    from tests.tui.safe_doubles import MemorySafe, safe_location, use_safe

    states, levels = list(SafeState), list(EvidenceLevel)
    lois = [f"42.1001/ds/exp/sa/42/cwepr/{number}" for number in range(1, int(sys.argv[1]) + 1)]
    lois += [f"42.1001/ds/exp/ba/{number}/trepr/1" for number in range(1, 21)]
    entries = [SafeEntry(loi, states[at % 3], 3 + at % 90, 1000 + 977 * at, 1.7e9) for at, loi in zip(count(), lois)]

    class EveryState:
        def lookup_prefix(self, identity: str, prefix: str) -> dict[str, Evidence]:
            return {
                loi: Evidence(identity, loi, levels[at % len(levels)], None, 10, 1.7e9, "")
                for at, loi in enumerate(lois)
            }

    app = ArchiveApp(
        safe_location("lab"),
        safe_location("other"),
        Settings(None, {}),
        evidence_table=EveryState(),  # type: ignore[arg-type]
    )
    use_safe(app, MemorySafe(*entries))
    app.run()


if __name__ == "__main__":
    main()
