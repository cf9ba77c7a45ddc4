"""The kinds of jobs over contents of a vault that stand in no manifest: fetch some of them, verify some or all."""

from __future__ import annotations

import base64
import json
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from archive_tui.archives.vault import asking, fetching
from archive_tui.archives.vault.outcomes import LineNews
from archive_tui.archives.vault.vault import Vault
from archive_tui.jobs.kind import JobKind, JobResult, JobWork
from archive_tui.jobs.manifests.manifest_ends import judge_contents, judge_fetch
from archive_tui.jobs.manifests.manifest_runs import TellLine, VaultRun
from archive_tui.jobs.places import Place
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.vault_places import open_job_vault, place_title, vault_parameters
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.manifests.checksum_lines.picked import ListedLines
from archive_tui.names.content_address import digest_of_key
from archive_tui.names.quantities import format_count
from archive_tui.objects.object_store import ObjectInfo
from archive_tui.progress import StopSignal, check_stop

VERIFY = "verify"

LISTED_BETWEEN_STOPS = 1000


def fetch_contents_job(
    place: Place, prefix: str, contents: Sequence[ManifestLine], folder: Path, *, policy: JobPolicy | None = None
) -> JobRequest:
    """Writes contents of the vault into `folder` under the names of these lines; what lies there is replaced only when
    somebody has decided so. The result's value is a VaultReport. No command line does the same."""
    folder = Path(os.path.abspath(folder))  # noqa: PTH100
    return JobRequest(
        kind=FETCH_CONTENTS.name,
        title=f"fetch {contents[0].name if len(contents) == 1 else format_count(len(contents), 'content')}",
        source=f"{place_title(place)}:{prefix}",
        destination=str(folder),
        command="",
        parameters={**vault_parameters(place, prefix), "contents": encode_contents(contents), "into": str(folder)},
        policy=policy or JobPolicy(),
    )


def verify_vault_job(
    place: Place, prefix: str, contents: Sequence[ManifestLine] | None, *, policy: JobPolicy | None = None
) -> JobRequest:
    """Reads contents of the vault whole and hashes them; None: all that the vault lists. The result's value is a
    VaultReport. No command line does the same."""
    what = "all contents" if contents is None else format_count(len(contents), "content")
    listed = None if contents is None else encode_contents(contents)
    return JobRequest(
        kind=VERIFY_CONTENTS.name,
        title=f"verify {what} of {place_title(place)}",
        source=f"{place_title(place)}:{prefix}",
        destination="",
        command="",
        parameters={**vault_parameters(place, prefix), "contents": listed},
        policy=policy or JobPolicy(),
    )


def encode_contents(contents: Sequence[ManifestLine]) -> str:
    """Lines as ASCII: name (null: its digest), digest and size of each, compressed."""
    rows = [[None if line.name == line.digest else line.name, line.digest, line.size] for line in contents]
    return base64.b64encode(zlib.compress(json.dumps(rows, separators=(",", ":")).encode("ascii"), 6)).decode("ascii")


def decode_contents(text: str) -> list[ManifestLine]:
    """Returns what `encode_contents` has written, numbered from 1."""
    rows = json.loads(zlib.decompress(base64.b64decode(text)))
    return [ManifestLine(number, name or digest, digest, size) for number, (name, digest, size) in enumerate(rows, 1)]


class StoredLines:
    """All contents that a vault lists, as lines named after their digests; listed anew by each call."""

    def __init__(self, vault: Vault, stop: StopSignal) -> None:
        """Lists the vault once for the totals. Raises: what the store raises, OperationStopped."""
        self._vault = vault
        self._stop = stop
        self.size = self._count = 0
        for line in self.lines():
            self._count += 1
            self.size += line.size or 0

    def lines(self) -> Iterator[ManifestLine]:
        """Raises: what the store raises, OperationStopped."""
        number = 0
        for entry in self._vault.store.list(self._vault.prefix):
            if number % LISTED_BETWEEN_STOPS == 0:
                check_stop(self._stop)
            digest = digest_of_key(entry.key, self._vault.prefix) if isinstance(entry, ObjectInfo) else None
            if digest is not None and isinstance(entry, ObjectInfo):
                number += 1
                yield ManifestLine(number, digest, digest, max(0, entry.size))

    def count_lines(self) -> int:
        return self._count


def _telling(work: JobWork) -> TellLine | None:
    tell: Callable[[LineNews], None] | None = work.live.get("tell")
    return None if tell is None else lambda index, news: tell(news)


def _run_fetch(work: JobWork) -> JobResult:
    vault, contents = open_job_vault(work), decode_contents(work.parameters["contents"])
    lines = ListedLines(contents)
    return VaultRun(fetching.PHASE, vault.title, vault.title, judge_fetch, tell=_telling(work)).run(
        len(contents),
        lambda relay: fetching.fetch_manifest(
            lines, vault, root=Path(work.parameters["into"]), evidence_table=work.evidence, report=relay,
            stop=work.stop, journal=work.journal, resolve=work.resolve,
        ),
        work.report,
    )  # fmt: skip


def _run_verify(work: JobWork) -> JobResult:
    vault, listed = open_job_vault(work), work.parameters["contents"]
    contents = None if listed is None else decode_contents(listed)
    lines = StoredLines(vault, work.stop) if contents is None else ListedLines(contents)
    size = lines.size if isinstance(lines, StoredLines) else sum(line.size or 0 for line in contents or ())
    run = VaultRun(
        VERIFY, vault.title, vault.title, judge_contents, tell=_telling(work), bytes_total=size,
        replaces=asking.PHASE,
    )  # fmt: skip
    return run.run(
        lines.count_lines(),
        lambda relay: asking.ask_vault(
            lines, vault, evidence_table=work.evidence, read=True, report=relay, stop=work.stop, journal=work.journal
        ),
        work.report,
    )


FETCH_CONTENTS = JobKind("fetch-contents", _run_fetch)
VERIFY_CONTENTS = JobKind("verify-contents", _run_verify)
