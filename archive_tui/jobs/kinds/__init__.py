"""The kinds of jobs there are, one module for each group; each is imported when a job of it is made or run."""

from __future__ import annotations

from typing import Any

from archive_tui.errors import ConfigurationError
from archive_tui.jobs.kind import JobKind
from archive_tui.registry import load_by_dotted_path

ENTRY_POINTS = "archive_tui.job_kinds"
"""The group in which other packages name their kinds: `word = module:KIND`."""

BUILT_IN = {
    "publish": "archive_tui.jobs.kinds.publishing.PUBLISH",
    "fetch": "archive_tui.jobs.kinds.fetching.FETCH",
    "verify-version": "archive_tui.jobs.kinds.verifying.VERIFY_VERSION",
    "verify-folder": "archive_tui.jobs.kinds.verifying.VERIFY_FOLDER",
    "compare": "archive_tui.jobs.kinds.comparing.COMPARE",
    "check-manifest": "archive_tui.jobs.kinds.manifest_checks.CHECK_MANIFEST",
    "list-files": "archive_tui.jobs.kinds.manifest_creation.LIST_FILES",
    "ask-vault": "archive_tui.jobs.kinds.vault_lines.ASK_VAULT",
    "archive": "archive_tui.jobs.kinds.vault_lines.ARCHIVE",
    "fetch-lines": "archive_tui.jobs.kinds.vault_lines.FETCH_LINES",
    "fetch-contents": "archive_tui.jobs.kinds.vault_contents.FETCH_CONTENTS",
    "verify-contents": "archive_tui.jobs.kinds.vault_contents.VERIFY_CONTENTS",
    "prune": "archive_tui.jobs.kinds.vault_pruning.PRUNE",
    "copy": "archive_tui.jobs.kinds.copying.COPY",
    "move": "archive_tui.jobs.kinds.moving.MOVE",
    "rename": "archive_tui.jobs.kinds.renaming.RENAME",
    "delete": "archive_tui.jobs.kinds.deleting.DELETE",
    "deposit": "archive_tui.jobs.kinds.safe_deposits.DEPOSIT",
    "retrieve": "archive_tui.jobs.kinds.safe_retrievals.RETRIEVE",
    "check-in": "archive_tui.jobs.kinds.results_check_ins.CHECK_IN",
    "check-out": "archive_tui.jobs.kinds.results_check_outs.CHECK_OUT",
    "verify-results": "archive_tui.jobs.kinds.results_verifying.VERIFY_RESULTS",
    "verify-safe": "archive_tui.jobs.kinds.safe_verifying.VERIFY_SAFE",
}

_registered: dict[str, JobKind] = {}


def register_kind(kind: JobKind) -> None:
    """Adds a kind, or replaces one of the same name."""
    _registered[kind.name] = kind


def find_kind(name: str) -> JobKind:
    """Raises: ConfigurationError (job-kind-unknown) when no release or package at hand knows it."""
    if name not in _registered:
        target = BUILT_IN.get(name)
        found = load_by_dotted_path(target) if target is not None else _find_elsewhere(name)
        if not isinstance(found, JobKind):
            raise ConfigurationError(
                f"Nothing here knows how to do this kind of job: {name}",
                hint="It was queued by another release, or by a package that is not installed any more.",
                code="job-kind-unknown",
            )
        _registered[name] = found
    return _registered[name]


def _find_elsewhere(name: str) -> Any:
    from importlib.metadata import entry_points  # costs more than all kinds together

    return next((entry.load() for entry in entry_points(group=ENTRY_POINTS) if entry.name == name), None)
