import pytest

from archive_tui.integrity.report import Finding, FindingKind, IntegrityReport, Verdict

CHANGED = Finding(FindingKind.CHANGED, "c")
MISSING = Finding(FindingKind.MISSING, "m")
EXTRA = Finding(FindingKind.EXTRA, "x")
UNREADABLE = Finding(FindingKind.UNREADABLE, "u")


def report(*findings: Finding, ok: int = 3, complete: bool = True) -> IntegrityReport:
    return IntegrityReport("s", 5, ok, 50, 50, findings, complete)


@pytest.mark.parametrize(
    ("given", "verdict", "sentence"),
    [
        (report(ok=5), Verdict.VERIFIED, "Verified: 5 of 5 files, all bytes"),
        (
            report(CHANGED, MISSING, EXTRA),
            Verdict.FINDINGS,
            "Findings: 1 changed, 1 missing, 1 extra of 5",
        ),
        (
            report(CHANGED, UNREADABLE),
            Verdict.FINDINGS,
            "Findings: 1 changed, 0 missing, 0 extra, 1 unreadable of 5",
        ),
        (report(UNREADABLE), Verdict.INCONCLUSIVE, "Inconclusive: 1 file could not be read"),
        (report(UNREADABLE, UNREADABLE), Verdict.INCONCLUSIVE, "Inconclusive: 2 files could not be read"),
        (report(complete=False), Verdict.STOPPED, "Stopped at 3 of 5: nothing is claimed for the rest"),
        (report(UNREADABLE, complete=False), Verdict.STOPPED, "Stopped at 4 of 5: nothing is claimed for the rest"),
        (
            report(CHANGED, complete=False),
            Verdict.FINDINGS,
            "Findings: 1 changed, 0 missing, 0 extra of 5; stopped at 4, nothing is claimed for the rest",
        ),
    ],
)
def test_verdicts_and_sentences(given: IntegrityReport, verdict: Verdict, sentence: str) -> None:
    assert given.verdict is verdict
    assert given.sentence == sentence


def test_counts() -> None:
    assert report(CHANGED, CHANGED, EXTRA).count(FindingKind.CHANGED) == 2
    assert report().count(FindingKind.MISSING) == 0


def test_a_stopped_verification_is_never_verified() -> None:
    for findings in ((), (CHANGED,), (UNREADABLE,), (EXTRA,)):
        assert report(*findings, ok=5, complete=False).verdict is not Verdict.VERIFIED
