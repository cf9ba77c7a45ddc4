"""The kinds of jobs over the lines of a manifest and a vault: ask for them, archive them, fetch them.

Each opens its manifest when it runs, tells whoever shows the lines what became of each, keeps the evidence, and ends
with a sentence that says no more than that.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from archive_tui.archives.vault import archiving, asking, fetching
from archive_tui.archives.vault.outcomes import LineNews, LineResult
from archive_tui.archives.vault.vault import Vault
from archive_tui.archives.vault.views.manifest_states import ManifestStates
from archive_tui.jobs.kind import JobKind, JobResult, JobWork
from archive_tui.jobs.kinds.manifest_checks import open_lines
from archive_tui.jobs.manifests.manifest_commands import (
    archive_manifest_command,
    ask_vault_command,
    fetch_manifest_command,
)
from archive_tui.jobs.manifests.manifest_ends import judge_archive, judge_ask, judge_fetch
from archive_tui.jobs.manifests.manifest_runs import TellLine, VaultRun
from archive_tui.jobs.manifests.picked_manifest import PickedManifest, picked_from
from archive_tui.jobs.places import Place, name_settings
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.vault_places import (
    command_name,
    open_job_target,
    open_job_vault,
    place_title,
    vault_parameters,
)

Record = Callable[[ManifestStates, int, LineResult], None]


def ask_vault_job(
    picked: PickedManifest, place: Place, prefix: str, *, read: bool = False, policy: JobPolicy | None = None
) -> JobRequest:
    """Asks the vault for the contents of the lines (`read`: reads them whole); the result's value is a VaultReport.

    `live["states"]`: a ManifestStates that is told what became of the lines; `live["tell"]`: called with the news of
    each line, in their order, from the thread of the job. The same in the other kinds below.
    """
    picked, name = picked.fixed(), command_name(place)
    command = ask_vault_command(picked.path, name, picked.dialect, read=read)
    return JobRequest(
        kind=ASK_VAULT.name,
        title=f"ask for {picked.what}",
        source=str(picked.path),
        destination=place_title(place),
        command=name_settings(command, place) if _has_command(picked, name) else "",
        parameters={**picked.as_parameters(), **vault_parameters(place, prefix), "read": read},
        policy=policy or JobPolicy(),
    )


def archive_manifest_job(
    picked: PickedManifest,
    place: Place,
    prefix: str,
    *,
    target: Mapping[str, Any] | None = None,
    upload_all: bool = False,
    policy: JobPolicy | None = None,
) -> JobRequest:
    """Uploads what the vault lacks of the lines, or to `target` (`vault_places.target_parameters`), under their names;
    the result's value is a VaultReport."""
    picked, name = picked.fixed(), command_name(place)
    path = target["path"] if target is not None else None
    command = archive_manifest_command(
        picked.path, name, picked.root, picked.dialect, path=path, upload_all=upload_all
    )  # fmt: skip
    return JobRequest(
        kind=ARCHIVE.name,
        title=f"archive {picked.what}",
        source=str(picked.path),
        destination=f"{place_title(place)}:{prefix}" if path is None else path,
        command=name_settings(command, place) if _has_command(picked, name) else "",
        parameters={
            **picked.as_parameters(), **vault_parameters(place, prefix),
            "target": None if target is None else dict(target), "upload_all": upload_all,
        },
        policy=policy or JobPolicy(),
    )  # fmt: skip


def fetch_manifest_job(
    picked: PickedManifest,
    place: Place,
    prefix: str,
    root: Path,
    *,
    overwrite: bool = False,
    policy: JobPolicy | None = None,
) -> JobRequest:
    """Writes the listed files below `root`, each verified before it takes its name; the result's value is a
    VaultReport. `overwrite`: what differs is replaced, and nobody is asked; else the policy's rule decides."""
    picked, name, root = picked.fixed(), command_name(place), Path(os.path.abspath(root))  # noqa: PTH100
    command = fetch_manifest_command(picked.path, name, root, picked.dialect, overwrite=overwrite)
    return JobRequest(
        kind=FETCH_LINES.name,
        title=f"fetch {picked.what}",
        source=f"{place_title(place)}:{prefix}",
        destination=str(root),
        command=name_settings(command, place) if _has_command(picked, name) else "",
        parameters={
            **picked.as_parameters(), **vault_parameters(place, prefix), "into": str(root), "overwrite": overwrite
        },
        policy=policy or JobPolicy(),
    )  # fmt: skip


def _run_ask(work: JobWork) -> JobResult:
    picked, vault = picked_from(work.parameters), open_job_vault(work)
    tell = begin_telling(work, picked, vault, ManifestStates.record_asked)
    with open_lines(work, picked) as manifest:
        return VaultRun(asking.PHASE, str(picked.path), vault.title, judge_ask, tell=tell).run(
            manifest.count_lines(),
            lambda relay: asking.ask_vault(
                manifest, vault, evidence_table=work.evidence, read=work.parameters["read"], report=relay,
                stop=work.stop, journal=work.journal,
            ),
            work.report,
        )  # fmt: skip


def _run_archive(work: JobWork) -> JobResult:
    picked, vault = picked_from(work.parameters), open_job_vault(work)
    target = open_job_target(work, work.parameters["target"])
    tell = begin_telling(work, picked, vault, ManifestStates.record_archived)
    with open_lines(work, picked) as manifest:
        return VaultRun(archiving.PHASE, str(picked.path), vault.title, judge_archive, tell=tell).run(
            manifest.count_lines(),
            lambda relay: archiving.archive_manifest(
                manifest, vault, root=picked.root, target=target, upload_all=work.parameters["upload_all"],
                evidence_table=work.evidence, report=relay, stop=work.stop, journal=work.journal,
            ),
            work.report,
        )  # fmt: skip


def _run_fetch(work: JobWork) -> JobResult:
    picked, vault = picked_from(work.parameters), open_job_vault(work)
    root = Path(work.parameters["into"])
    is_in_root = root.resolve() == picked.root.resolve()

    def record(states: ManifestStates, position: int, result: LineResult) -> None:
        states.record_fetched(position, result, is_in_root=is_in_root)

    tell = begin_telling(work, picked, vault, record)
    with open_lines(work, picked) as manifest:
        return VaultRun(fetching.PHASE, str(picked.path), vault.title, judge_fetch, tell=tell).run(
            manifest.count_lines(),
            lambda relay: fetching.fetch_manifest(
                manifest, vault, root=root, overwrite=work.parameters["overwrite"], evidence_table=work.evidence,
                report=relay, stop=work.stop, journal=work.journal, resolve=work.resolve,
            ),
            work.report,
        )  # fmt: skip


def begin_telling(work: JobWork, picked: PickedManifest, vault: Vault, record: Record) -> TellLine | None:
    """What passes the news on to whoever shows the lines; None: nobody does."""
    states: ManifestStates | None = work.live.get("states")
    tell_news: Callable[[LineNews], None] | None = work.live.get("tell")
    if states is None and tell_news is None:
        return None
    if states is not None:
        states.begin_vault(vault.store.identity, vault.prefix, vault.title)

    def tell(index: int, news: LineNews) -> None:
        if states is not None and isinstance(news, LineResult):
            record(states, picked.position(index), news)
        if tell_news is not None:
            tell_news(news)

    return tell


def _has_command(picked: PickedManifest, name: str | None) -> bool:
    """Without picked lines, and where settings name the store: no command does the same otherwise."""
    return picked.positions is None and name is not None


ASK_VAULT = JobKind("ask-vault", _run_ask)
ARCHIVE = JobKind("archive", _run_archive)
FETCH_LINES = JobKind("fetch-lines", _run_fetch)
