"""The kind of job that prunes a vault: marks what no manifest refers to, and deletes what has stayed so."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from archive_tui.archives.vault.pruning import LEAST_GRACE, ManifestReferences, prune_vault
from archive_tui.errors import ConfigurationError
from archive_tui.jobs.kind import JobKind, JobResult, JobWork
from archive_tui.jobs.places import Place, name_settings
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.states import JobState
from archive_tui.jobs.vault_places import command_name, open_job_vault, place_title, vault_parameters
from archive_tui.names.quantities import format_count


def prune_job(
    place: Place,
    prefix: str,
    manifests: Sequence[Path],
    grace: float,
    *,
    confirmed: int | None = None,
    policy: JobPolicy | None = None,
) -> JobRequest:
    """Prunes the vault; whatever one of the manifests refers to stays. `grace` in seconds. `confirmed` is the number of
    deletions that somebody has agreed to; None: whatever is due. The result's value is a PruneReceipt.

    Raises: ConfigurationError (prune-grace, prune-manifest) for too short a time, or without any manifest.
    """
    if not grace >= LEAST_GRACE:
        raise ConfigurationError(
            "The grace time is too short: an archiving that is under way could lose what it has found.",
            hint="It is an hour at least, and better some days.",
            code="prune-grace",
        )
    if not manifests:
        raise ConfigurationError(
            "No manifest is named, so that nothing would be referred to.",
            hint="Name all manifests whose contents are to stay.",
            code="prune-manifest",
        )
    paths = [os.path.abspath(path) for path in manifests]  # noqa: PTH100  (no link is resolved)
    title = f"prune {place_title(place)}, keeping what {format_count(len(paths), 'manifest')} refers to"
    return JobRequest(
        kind=PRUNE.name,
        title=title if len(paths) == 1 else title.replace(" refers", " refer"),
        source=f"{place_title(place)}:{prefix}",
        destination="",
        command=_make_command(place, paths, grace),
        parameters={**vault_parameters(place, prefix), "manifests": paths, "grace": grace, "confirmed": confirmed},
        policy=policy or JobPolicy(),
    )


def _make_command(place: Place, paths: Sequence[str], grace: float) -> str:
    name = command_name(place)
    if name is None:
        return ""
    words = ["archive-tui", "vault", "prune", "--storage", name, "--grace", f"{int(grace)}s"]
    for path in paths:
        words += ["--manifest", path]
    return name_settings(" ".join(shlex.quote(word) for word in words), place)


def _run(work: JobWork) -> JobResult:
    parameters: Any = work.parameters
    vault = open_job_vault(work)
    references = ManifestReferences([Path(path) for path in parameters["manifests"]], stop=work.stop)
    receipt = prune_vault(
        vault,
        references,
        grace=parameters["grace"],
        confirmed=parameters["confirmed"],
        journal=work.journal,
        report=work.report,
        stop=work.stop,
    )
    state = JobState.FINDINGS if receipt.finding_count else JobState.FINISHED
    return JobResult(state, receipt.sentence, receipt.findings, receipt)


PRUNE = JobKind("prune", _run)
