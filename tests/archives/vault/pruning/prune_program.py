"""Prunes in a process of its own: SETTINGS MANIFEST GRACE JOURNAL KILL_AT; the storage is `lab`.

It kills itself as soon as it has deleted so many contents (0: never). Without a journal (`-`) it prunes again and again
until its standard input is closed, and prints how many it has deleted."""

from __future__ import annotations

import itertools
import os
import select
import signal
import sys
from pathlib import Path

from archive_tui.archives.vault.pruning import ManifestReferences, prune_vault
from archive_tui.archives.vault.vault import Vault, open_vault
from archive_tui.objects.object_store import ObjectStore
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from archive_tui.settings import load_settings
from tests.jobs.kinds.job_work import FileJournal


class DeadlyStore(WrappedStore):
    def __init__(self, inner: ObjectStore, kill_at: int) -> None:
        super().__init__(inner)
        self._kill_at = kill_at
        self._count = itertools.count(1)

    def delete(self, key: str) -> None:
        super().delete(key)
        if next(self._count) == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


def main(settings: str, manifest: str, grace: str, journal: str, kill_at: str) -> None:
    opened = open_vault(load_settings(Path(settings)), "lab")
    vault = Vault(DeadlyStore(opened.store, int(kill_at)), opened.prefix, opened.storage)
    if journal != "-":
        done = prune_vault(
            vault, ManifestReferences([Path(manifest)]), grace=float(grace), journal=FileJournal(Path(journal))
        )
        print(done.deleted + done.gone_before)
        return
    deleted = 0
    while not select.select([sys.stdin], [], [], 0.05)[0]:
        deleted += prune_vault(vault, ManifestReferences([Path(manifest)]), grace=float(grace)).deleted
    print(deleted)


if __name__ == "__main__":
    main(*sys.argv[1:])
