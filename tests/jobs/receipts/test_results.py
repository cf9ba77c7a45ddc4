"""What a run has made comes back equal from its written form."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from archive_tui.archives.datasets.fetching import FetchReceipt
from archive_tui.archives.datasets.receipt import PublishReceipt
from archive_tui.archives.vault.outcomes import Outcome, Tally
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.inventory import Difference
from archive_tui.integrity.report import Finding, FindingKind, IntegrityReport
from archive_tui.jobs.manifests.manifest_ends import VaultReport
from archive_tui.jobs.receipts.results import decode_result, encode_result
from archive_tui.manifests.checksum_lines.line import Dialect
from archive_tui.operations.copying import CopyReceipt
from archive_tui.operations.deleting import DeleteReceipt
from archive_tui.operations.manifest_creation import CreatedManifest

FINDING = Finding(FindingKind.CHANGED, "raw/\udcff.dat", "ab" * 32, None, 5, None, "5 bytes instead of 6")
EVIDENCE = Evidence("memory:1", "set.1.0.0.zip", EvidenceLevel.ATTESTED, "ab" * 32, 12, 1.5, "by the store", None)
REPORT = IntegrityReport("set", 2, 1, 11, 11, (FINDING,), notes=("one",))

VALUES: tuple[Any, ...] = (
    PublishReceipt("published", "set", "1.0.0", "k", 2, 11, 12, "ab" * 32, None, EVIDENCE, "memory", 0.5, ("remark",)),
    FetchReceipt("set", "1.0.0", Path("/data/\udcffset"), 2, 11, False, REPORT, None),
    REPORT,
    VaultReport("m", "lab", Tally(Counter({Outcome.UPLOADED: 3}), Counter(read=3), 1, 99), (FINDING,), "Done", True),
    CreatedManifest(Path("/data/m.sha256"), Dialect.JSON, 3, 99, 0.5, changed=("a",)),
    CreatedManifest(None, Dialect.JSON, 0, 0, 0.0),
    CopyReceipt("lab", "/data", copied=3, findings=(FINDING,), finding_count=1, weakest="read"),
    DeleteReceipt("lab", deleted=3, findings=(FINDING,)),
)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_result_comes_back_equal(value: Any) -> None:
    written = json.dumps(encode_result(value))
    found = decode_result(json.loads(written))
    assert found == value
    assert type(found) is type(value)


def test_what_nobody_else_can_use_is_not_written() -> None:
    assert encode_result(Difference((), (), (), (), ())) is None
    assert encode_result(None) is None


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"kind": "later"}, {"kind": "publish"}, {"kind": "publish", "fields": {"name": "set"}}, "text"],
    ids=["none", "list", "empty", "unknown", "without", "half", "text"],
)
def test_another_form_is_no_error(document: Any) -> None:
    assert decode_result(document) is None
